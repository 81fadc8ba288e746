"""Small digits for the tests, printed by a font instead of written by a hand."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def make_digits(count, seed=0):
    """Return (images, labels): uint8 (count, 28, 28), white on black, and uint8 (count,), every digit equally often."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
    images = np.zeros((count, 28, 28), np.uint8)
    fonts = [ImageFont.load_default(size=size) for size in (18, 20, 22)]
    for place, label in enumerate(labels):
        picture = Image.new("L", (28, 28))
        position = tuple(14 + rng.uniform(-2, 2, size=2))
        ImageDraw.Draw(picture).text(position, str(label), fill=255, font=fonts[place % 3], anchor="mm")
        images[place] = np.asarray(picture)
    return images, labels
