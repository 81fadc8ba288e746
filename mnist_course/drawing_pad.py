"""A pad to draw a digit on, in JupyterLab or Colab (notebook 06). It brings its own JavaScript and needs no network."""

import base64
import io

import anywidget
import numpy as np
import traitlets
from PIL import Image

INVITATION = "Draw one digit, from 0 to 9."

# The page and the kernel share two values. The page sets _drawing: the picture as a PNG data URL ("" when the paper is
# white) and a number that grows with every request. The kernel sets _answer, which repeats the number it answers.
JAVASCRIPT = """
const SIZE = 280, PEN_WIDTH = 18;  // pixels
const PAUSE = 500;  // milliseconds without the pen before the picture is read: time to cross a 7 or to finish a 4

function render({ model, el }) {
  el.classList.add("drawing-pad");
  el.innerHTML = `
    <div>
      <canvas width="${SIZE}" height="${SIZE}" role="img"
        aria-label="Drawing pad: draw one digit with the mouse, a finger or a pen"></canvas>
      <div><button type="button">Clear</button> <button type="button">Read</button></div>
    </div>
    <div>
      <p role="status"></p>
      <ol aria-label="Probability of each digit">${[..."0123456789"].map((digit) =>
        `<li><b>${digit}</b><span class="track"><span></span></span><span class="percent"></span></li>`).join("")}</ol>
    </div>`;
  const canvas = el.querySelector("canvas"), [clear, read] = el.querySelectorAll("button");
  const status = el.querySelector("p"), rows = el.querySelectorAll("li");
  const ink = canvas.getContext("2d");
  Object.assign(ink, { lineWidth: PEN_WIDTH, lineCap: "round", lineJoin: "round", fillStyle: "white" });
  let isWhite, pen = null, timer;  // pen: where it touches the paper, as [x, y], or null while it is lifted

  function wipe() {
    ink.fillRect(0, 0, SIZE, SIZE);
    isWhite = true;
  }

  function drawTo(event) {
    const box = canvas.getBoundingClientRect();
    const next = [(event.clientX - box.left) * SIZE / box.width, (event.clientY - box.top) * SIZE / box.height];
    ink.beginPath();
    ink.moveTo(...(pen ?? next));
    ink.lineTo(next[0] + 0.01, next[1]);  // a line of no length leaves no ink, yet a dot should
    ink.stroke();
    pen = next;
    isWhite = false;
  }

  function ask() {
    clearTimeout(timer);
    model.set("_drawing", { number: model.get("_drawing").number + 1, png: isWhite ? "" : canvas.toDataURL() });
    model.save_changes();
  }

  function show() {
    const { number, png } = model.get("_drawing"), answer = model.get("_answer");
    const waiting = answer.number !== number;
    status.textContent = waiting ? (png ? "Reading …" : "") : answer.sentence;
    if (waiting && png) return;  // the old bars stay until the new ones are known
    const best = Math.max(...answer.probabilities);
    rows.forEach((row, digit) => {
      const probability = waiting ? undefined : answer.probabilities[digit];
      const percent = probability === undefined ? "" : (100 * probability).toFixed(1);
      row.classList.toggle("best", probability === best);
      row.querySelector(".track span").style.width = `${percent || 0}%`;
      row.querySelector(".percent").textContent = percent && `${percent} %`;
    });
  }

  canvas.onpointerdown = (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();  // the notebook selects no text and drags no cell
    clearTimeout(timer);
    canvas.setPointerCapture(event.pointerId);
    drawTo(event);
  };
  canvas.onpointermove = (event) => {
    if (!pen || !event.isPrimary) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const point of passed.length ? passed : [event]) drawTo(point);
  };
  canvas.onlostpointercapture = () => {
    if (!pen) return;
    pen = null;
    timer = setTimeout(ask, PAUSE);
  };
  clear.onclick = () => { wipe(); ask(); };
  read.onclick = ask;

  wipe();
  const { png } = model.get("_drawing");
  if (png) {  // the page was reloaded: show the picture that the kernel still holds
    const picture = new Image();
    picture.onload = () => ink.drawImage(picture, 0, 0);
    picture.src = png;
    isWhite = false;
  }
  show();
  model.on("change:_drawing", show);
  model.on("change:_answer", show);
  return () => {
    clearTimeout(timer);
    model.off("change:_drawing", show);
    model.off("change:_answer", show);
  };
}
export default { render };
"""

# Text takes the notebook's own colour, so that it reads in light and dark themes; the paper stays white, the ink black.
# Blue and vermillion are Okabe and Ito's; the best digit is also bold.
STYLE = """
.drawing-pad { display: flex; flex-wrap: wrap; gap: 1.5rem; padding: 4px 4px 8px;
  color: var(--jp-content-font-color1, inherit); font: 14px/1.4 system-ui, sans-serif; }
.drawing-pad canvas { width: 280px; height: 280px; border-radius: 4px; outline: 1px solid #808080;
  cursor: crosshair; touch-action: none; user-select: none; }
.drawing-pad button { font: inherit; color: inherit; background: transparent; border: 1px solid #808080;
  border-radius: 4px; padding: 0.35rem 1.1rem; margin: 0.5rem 0.4rem 0 0; cursor: pointer; }
.drawing-pad button:hover { background: color-mix(in srgb, currentColor 12%, transparent); }
.drawing-pad button:focus-visible { outline: 3px solid #0072B2; outline-offset: 2px; }
.drawing-pad p { font-size: 1.15em; font-weight: 600; min-height: 2.8em; max-width: 21rem; margin: 0 0 0.4rem; }
.drawing-pad ol { list-style: none; margin: 0; padding: 0; font-variant-numeric: tabular-nums; }
.drawing-pad li { display: flex; align-items: center; gap: 0.6rem; margin: 0; }
.drawing-pad b, .drawing-pad .percent { font-weight: inherit; }
.drawing-pad .percent { width: 4.2em; text-align: right; white-space: nowrap; }
.drawing-pad .track { width: 14rem; height: 0.8em; border-radius: 2px; overflow: hidden; forced-color-adjust: none;
  background: color-mix(in srgb, currentColor 12%, transparent); }
.drawing-pad .track span { display: block; height: 100%; background: #0072B2; }
.drawing-pad .best { font-weight: 700; }
.drawing-pad .best .track span { background: #D55E00; }
"""


class DrawingPad(anywidget.AnyWidget):
    """Show white paper that reads the digit drawn on it with the mouse, a finger or a pen.

    `read` takes the picture (PIL image of mode "L", 280 x 280, black ink on white paper) and returns the probabilities
    of the digits 0 to 9, shape (10,), each in [0, 1]; the sentence of its ValueError is shown. It is called half a
    second after the pen was lifted, and whenever the button Read is pressed.
    """

    _esm = JAVASCRIPT
    _css = STYLE
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
