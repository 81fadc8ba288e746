"""Pictures of digits for the tests, made by the tests: MNIST digits as ink on paper, and lines."""
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

with np.load(Path(__file__).parents[1] / "data" / "mnist.npz", allow_pickle=False) as data:
    TRAIN_IMAGES, TRAIN_LABELS = data["x_train"], data["y_train"]
DIGITS = {digit: TRAIN_IMAGES[np.flatnonzero(TRAIN_LABELS == digit)[2]] for digit in range(10)}
WHITE, BLACK = (238, 235, 228), (35, 35, 45)


def ink_mask(digit, side):
    """An MNIST digit, its 28 x 28 frame enlarged to `side` pixels, with sharp edges: float (side, side) in [0, 1]."""
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    return np.clip(0.5 + side / 40 * (np.asarray(large) / 255 - 0.5), 0, 1)


def place(mask, size, corner):
    """Lays a mask on an empty one of `size` (height, width) with its upper left corner at (row, column)."""
    large = np.zeros(size)
    rows, columns = np.arange(mask.shape[0]) + corner[0], np.arange(mask.shape[1]) + corner[1]
    inside = np.ix_((rows >= 0) & (rows < size[0]), (columns >= 0) & (columns < size[1]))
    large[np.ix_(rows[inside[0].ravel()], columns[inside[1].ravel()])] = mask[inside]
    return large


def smooth_noise(random, size, cells):
    """Slow changes from -1 to 1 over a picture of `size` (height, width)."""
    coarse = Image.fromarray(random.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC))


def draw(
    mask, *, paper=WHITE, ink=BLACK, lines="", line_colour=(150, 165, 215), pressure=0, light=0, shadow=0, grain=0
):
    """Draws a mask in ink on paper, and photographs it; RGB.

    lines: "" plain, "ruled" or "squared"; pressure: how much the ink's strength varies; light, shadow: the share of
    light that goes missing gradually, and past a soft edge; grain: grey levels of noise.
    """
    random = np.random.default_rng(0)
    height, width = mask.shape
    page = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(page)
    for row in range(20, height + width, 55) if lines else ():
        pen.line((0, row, width, row + 8), fill=line_colour, width=2)
        if lines == "squared":
            pen.line((row, 0, row - 8, height), fill=line_colour, width=2)
    strength = mask * (1 - pressure * (0.5 + 0.5 * smooth_noise(random, mask.shape, 7)))
    colours = np.asarray(page) * (1 - strength[..., None]) + np.array(ink) * strength[..., None]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    colours = colours * (1 - light * (0.25 * (x + 1) + 0.25 * (y + 1)))[..., None]
    colours = colours * (1 - shadow / (1 + np.exp((x - 0.6 * y - 0.1) / 0.04)))[..., None]
    colours = colours + random.normal(0, 1, (height, width, 1)) * grain
    return Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))


def page_with(digit, *, size=(420, 560), side=300, corner=(60, 120), **how):
    """One MNIST digit on a page."""
    return draw(place(ink_mask(digit, side), size, corner), **how)


def polyline(points, *, size=1500, width=1):
    """Straight lines between points given in shares of the canvas, black on white, without anti-aliasing; mode L."""
    image = Image.new("L", (size, size), 255)
    scaled = [(x * size, y * size) for x, y in points]
    ImageDraw.Draw(image).line(scaled, fill=0, width=width, joint="curve")
    return image


def blurred(image, radius):
    return image.filter(ImageFilter.GaussianBlur(radius))


def likeness(one, other):
    """The correlation of two 28 x 28 pictures, the best of one pixel's shift to any side: 1 for equal ones."""
    shifts = [np.roll(one, (down, right), (0, 1)).ravel() for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(np.corrcoef(shifted, other.ravel())[0, 1] for shifted in shifts)
