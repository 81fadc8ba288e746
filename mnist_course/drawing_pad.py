"""A pad to draw a digit on, in JupyterLab or Colab (notebook 06): web/pad.js, with a kernel that reads."""

import base64
import io

import anywidget
import numpy as np
import traitlets
from PIL import Image

from mnist_course import web_sources

INVITATION = "Draw one digit, from 0 to 9."


class DrawingPad(anywidget.AnyWidget):
    """Show white paper that reads the digit drawn on it with the mouse, a finger or a pen.

    `read` takes the picture (PIL image of mode "L", 280 x 280, black ink on white paper) and returns the probabilities
    of the digits 0 to 9, shape (10,), each in [0, 1]; the sentence of its ValueError is shown. It is called half a
    second after the pen was lifted, and whenever the button Read is pressed.
    """

    _esm = web_sources.join_modules("pad_widget.js")
    _css = web_sources.join_styles("pad_widget.css", "pad.css")
    _drawing = traitlets.Dict({"number": 0, "png": ""}).tag(sync=True)
    _answer = traitlets.Dict({"number": 0, "sentence": INVITATION, "probabilities": []}).tag(sync=True)

    def __init__(self, read):
        super().__init__()
        self.read = read

    @property
    def picture(self):
        """Return the drawing, a PIL image of mode "L", 280 x 280, black ink on white paper; None if there is none."""
        png = self._drawing["png"]
        return Image.open(io.BytesIO(base64.b64decode(png.partition(",")[2]))).convert("L") if png else None

    @traitlets.observe("_drawing")
    def _answer_drawing(self, change):
        sentence, probabilities = INVITATION, []
        if self.picture is not None:
            try:
                probabilities = _checked(self.read(self.picture))
                sentence = _sentence(probabilities)
            except ValueError as error:
                sentence = str(error)
            except Exception as error:  # shown in the pad, because a notebook hides the traceback of a callback
                sentence = f"{type(error).__name__}: {error}"
        self._answer = {"number": change["new"]["number"], "sentence": sentence, "probabilities": probabilities}

    def __repr__(self):
        """Return what stands in for the pad where nothing can be drawn, as in a printed notebook."""
        return "A drawing pad: run this cell in JupyterLab or Colab, then draw a digit."


def _checked(probabilities):
    """Return the probabilities as a list. Raises ValueError unless they are ten, each in [0, 1]."""
    values = np.asarray(probabilities, dtype=float)
    if values.shape != (10,) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"read returned {probabilities!r}: return ten probabilities, shape (10,), each in [0, 1].")
    return values.tolist()


def _sentence(probabilities):
    """Say which digit is the most probable, and how sure that is."""
    best = max(probabilities)
    digit = probabilities.index(best)
    article = "an" if digit == 8 else "a"
    return f"{'This is' if best >= 0.5 else 'Not sure, perhaps'} {article} {digit} ({100 * best:.1f} %)."
