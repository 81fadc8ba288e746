"""Photographed-looking pictures of MNIST digits on paper, for measuring a reader on pictures whose digit is known.

Used in notebook 06. Each photo has its own paper, pen, place, tilt, light, blur and JPEG quality; some have a shadow's
edge or ruled lines.
"""

import io

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 480, 360
_PAPERS = ((240, 238, 230), (225, 220, 205), (200, 200, 205), (250, 240, 190), (215, 230, 240))
_PENS = ((25, 25, 35), (30, 50, 140), (150, 35, 40), (95, 95, 100))  # black, blue, red, pencil


def photograph(image, rng):
    """Return a photo, a PIL image of mode RGB, of an MNIST digit, uint8 (28, 28), written on paper.

    `rng` is a NumPy Generator; the same state gives the same photo. Raises ValueError for another shape or type.
    """
    image = np.asarray(image)
    if image.shape != (28, 28) or image.dtype != np.uint8:
        raise ValueError(f"Expected one raw image, uint8 (28, 28), but received {image.dtype} {image.shape}.")
    ink = _place(image, rng)[..., np.newaxis]
    paper = np.broadcast_to(_PAPERS[rng.integers(len(_PAPERS))], (HEIGHT, WIDTH, 3)).astype(float)
    if rng.random() < 0.3:
        paper = _rule(paper, rng)
    photo = paper * (1 - ink) + np.array(_PENS[rng.integers(len(_PENS))]) * ink
    photo = photo * _light(rng)[..., np.newaxis] + rng.normal(0, rng.uniform(2, 8), photo.shape)
    picture = Image.fromarray(photo.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2)))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(35, 90)))
    return Image.open(file).convert("RGB")


def _place(image, rng):
    """Return the ink, float (HEIGHT, WIDTH) in [0, 1]: the digit enlarged with sharp edges, turned, put somewhere."""
    side = int(rng.uniform(0.45, 0.85) * HEIGHT)
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    large = large.rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC)
    sharp = (0.5 + 4 * (np.asarray(large) / 255 - 0.4)).clip(0, 1)
    ink = np.zeros((HEIGHT, WIDTH))
    top, left = rng.integers(0, HEIGHT - side + 1), rng.integers(0, WIDTH - side + 1)
    ink[top : top + side, left : left + side] = sharp * rng.uniform(0.75, 1)
    return ink


def _rule(paper, rng):
    """Draw pale horizontal lines on a paper (HEIGHT, WIDTH, 3); return the ruled copy."""
    distance, first = rng.integers(30, 60), rng.integers(0, 30)
    ruled = paper.copy()
    for row in range(first, HEIGHT, distance):
        ruled[row : row + 2] = 0.75 * ruled[row : row + 2] + 0.25 * np.array((90, 110, 200))
    return ruled


def _light(rng):
    """Return the light on the sheet, float (HEIGHT, WIDTH): a slope, and sometimes the edge of a shadow."""
    row, column = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    across = row * np.sin(angle) + column * np.cos(angle)
    light = 0.85 + rng.uniform(0, 0.2) * across
    if rng.random() < 0.3:
        light *= 1 - rng.uniform(0.1, 0.4) / (1 + np.exp(-(across - rng.uniform(-0.5, 0.5)) / rng.uniform(0.02, 0.2)))
    return light
