"""Weights as pictures: one colour for each sign, and many pictures behind a slider (notebook 02)."""

import base64
import html
import io

import numpy as np
from IPython.display import HTML
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image

import mnist_helpers as mh

SIGNED = LinearSegmentedColormap.from_list("signed", [mh.BLUE, "white", mh.VERMILLION])  # below 0, 0, above 0
_ENLARGED = 4

# The page has no script of its own, so that it works in JupyterLab and in Colab, and twice on a page. Where handlers
# are taken out, as JupyterLab does with a notebook that it does not trust yet, the last picture and its caption stay.
# data-lm-suppress-shortcuts leaves the arrow keys to the slider.
_PAGE = """<figure style="max-width: {width}px; margin: 0">
<img alt="{alt}" width="{width}" src="{start}" style="image-rendering: pixelated">
<label><input type="range" min="0" max="{last}" value="{last}" style="width: 100%" aria-label="which picture"
 data-lm-suppress-shortcuts="true" oninput="
 const box = this.closest('figure'), picture = this.dataset.pictures.split(' ')[this.value];
 box.querySelector('img').src = 'data:image/png;base64,' + picture;
 box.querySelector('output').textContent = this.dataset.captions.split('|')[this.value];"
 data-captions="{captions}" data-pictures="{pictures}">
<output>{caption}</output></label></figure>"""


def _png(picture, largest):
    """Return the base64 text of a PNG; what is `largest` gets the strongest colour."""
    shades = np.round(127.5 + 127.5 * picture / largest).astype(np.uint8)
    image = Image.fromarray(shades).convert("P")
    image.putpalette(SIGNED(np.arange(256), bytes=True)[:, :3].tobytes())
    file = io.BytesIO()
    image.save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def slider(pictures, captions, *, alt):
    """Return an IPython `HTML` that shows one picture at a time, chosen with a slider; the last one at first.

    `pictures` are real numbers (n, height, width), each drawn up to its own largest absolute value, in the colours of
    `SIGNED`; `captions` are n texts; `alt` says in words what is to be seen. It needs no network and no kernel. Used in
    notebook 02. Raises ValueError when there is not one caption a picture.
    """
    pictures = np.asarray(pictures, dtype=float)
    if pictures.ndim != 3 or len(pictures) == 0 or len(captions) != len(pictures):
        raise ValueError(f"Expected n pictures and n captions, received {pictures.shape} and {len(captions)} captions.")
    encoded = [_png(picture, np.abs(picture).max() or 1) for picture in pictures]
    page = _PAGE.format(
        alt=html.escape(alt), width=_ENLARGED * pictures.shape[2], last=len(pictures) - 1, pictures=" ".join(encoded),
        start=f"data:image/png;base64,{encoded[-1]}", captions=html.escape("|".join(captions)),
        caption=html.escape(captions[-1]),
    )  # fmt: skip
    return HTML(page)
