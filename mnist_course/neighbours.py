"""What a line of handwriting shows when it is cut: a digit with a bit of its neighbour, two digits in one, halves.

Three digits are written side by side, and the piece between two cuts is made a picture as MNIST's were. Source: LeCun,
Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998), section V.

In both functions `images` are uint8 (n, 28, 28), made as MNIST's were, and `rng` is a NumPy Generator.
"""

import numpy as np

from mnist_course import pen_strokes

# Where a piece begins (from, to) and ends (from, to). The digits of a line lie at 0 to 1, 2 to 3 and 4 to 5, with gaps
# between them: 1.5 is the middle of a gap, 2.3 leaves out 30 % of the second digit, -1 and 6 are beyond the ends.
_CUT_OUT = {
    "with a bit of the left one": (0.85, 1, 3.3, 3.7), "with a bit of the right one": (1.3, 1.7, 4, 4.15),
    "with bits of both": (0.85, 1, 4, 4.15), "without its left edge": (2, 2.1, 3.3, 3.7),
    "without its right edge": (1.3, 1.7, 2.9, 3), "too far left": (0.85, 1, 2.9, 3), "too far right": (2, 2.1, 4, 4.15),
}  # fmt: skip
"""Ways to cut out the second digit not quite right."""

MISCUT = {
    "two on the left": (-1, -1, 3.3, 3.7), "two on the right": (1.3, 1.7, 6, 6), "three": (-1, -1, 6, 6),
    "a left part": (1.3, 1.7, 2.25, 2.6), "a right part": (2.4, 2.75, 3.3, 3.7),
    "one and a half": (-1, -1, 2.3, 2.7), "half and one": (2.3, 2.7, 6, 6), "two halves": (0.3, 0.7, 2.3, 2.7),
}  # fmt: skip
"""Ways to cut a line so that the piece is no digit."""

_SLIM = 0.27  # an upright stroke that spreads so much less across than along can be a 1


def cut_out_digits(images, rng):
    """Cut each image out of a line, in one of the ways `_CUT_OUT`; return the pictures, uint8 (n, 28, 28)."""
    return _cut_lines(images, _CUT_OUT, rng)


def miscut_digits(images, rng):
    """Cut a line for each image in one of the ways `MISCUT`; return pictures of no digit, uint8 (at most n, 28, 28).

    Pieces that could be a 1 are left out. Others can look like a digit too, as the right half of an 8 like a 3, but
    among the digits there are many more that look so.
    """
    pieces = _cut_lines(images, MISCUT, rng)
    return pieces[~_could_be_1(pieces)]


def _cut_lines(images, ways, rng):
    """Write each image between two that have a similar pen, cut that line in one of the `ways`; return the pieces."""
    pen = images.sum(axis=(1, 2)) / np.abs(np.diff(images.astype(np.int16))).sum(axis=(1, 2)).clip(1)
    order = np.argsort(pen * rng.uniform(0.9, 1.1, len(images)))
    lines = np.stack([np.roll(order, 1), order, np.roll(order, -1)], axis=1)[np.argsort(order)]  # (n, 3)
    begin_low, begin_high, end_low, end_high = np.array(list(ways.values()))[rng.integers(len(ways), size=len(lines))].T
    cuts = rng.uniform([begin_low, end_low], [begin_high, end_high]).T  # (n, 2)
    pieces = np.zeros_like(images)
    for start in range(0, len(images), 1000):  # the lines of all at once would fill the memory
        part = slice(start, start + 1000)
        pieces[part] = _fit(_cut(*_write_lines(images[lines[part]], rng), cuts[part], rng))
    return pieces


def _write_lines(digits, rng):
    """Write `digits`, uint8 (n, 3, 28, 28), side by side, touching or a little apart.

    Returns the ink, float32 (n, 36, 84) in [0, 1], and the columns of the places -1, 0, ..., 6, float (n, 8).
    """
    rows, columns, each = np.arange(36), np.arange(84), np.arange(len(digits))[:, None, None]
    seen = digits.any(axis=2)  # (n, 3, 28): the columns with ink
    first, width = seen.argmax(axis=2), seen.sum(axis=2)
    framed = np.pad(digits, [(0, 0), (0, 0), (1, 1), (1, 1)])
    lines, edges, at = np.zeros((len(digits), 36, 84), np.uint8), [np.full(len(digits), -20)], np.full(len(digits), 2)
    for place in range(3):
        row = (rows - 3 + rng.integers(-2, 3, (len(digits), 1))).clip(0, 29)
        column = (columns + (first[:, place] + 1 - at)[:, None]).clip(0, 29)
        lines = np.maximum(lines, framed[each, place, row[:, :, None], column[:, None, :]])
        edges += [at, at + width[:, place]]
        at = at + width[:, place] + rng.integers(-3, 7, len(digits))
    return lines / np.float32(255), np.stack([*edges, np.full(len(digits), 104)], axis=1)


def _cut(lines, edges, cuts, rng):
    """Rub out what is left of the first and right of the second of the `cuts` (n, 2), which slant a little."""
    before = np.floor(cuts).astype(int).clip(-1, 5) + 1
    low, high = (np.take_along_axis(edges, each, axis=1) for each in (before, before + 1))
    slant = rng.normal(0, 0.15, (len(cuts), 2, 1)) * (17.5 - np.arange(36))  # (n, 2, 36)
    at = (low + (cuts + 1 - before) * (high - low))[:, :, None] + slant
    begin, end = at[:, 0, :, None], at[:, 1, :, None]
    return lines * (np.arange(1, 85) - begin).clip(0, 1) * (end - np.arange(84)).clip(0, 1)


def _fit(ink):
    """Fit the ink of each picture, float (n, h, w), into 20 x 20 pixels; return uint8 (n, 28, 28)."""
    seen = [(ink > 0.05).any(axis=axis) for axis in (2, 1)]
    first = [each.argmax(axis=1)[:, None, None] for each in seen]
    last = [each.shape[1] - 1 - each[:, ::-1].argmax(axis=1)[:, None, None] for each in seen]
    scale = (np.maximum(last[0] - first[0], last[1] - first[1]) + 1) / 20  # old pixels in a new one
    weights = []
    for axis in range(2):
        source = (first[axis] + last[axis]) / 2 + (np.arange(28)[:, None] - 13.5) * scale
        weights.append(np.maximum(0, 1 - np.abs(source - np.arange(ink.shape[axis + 1])) / scale.clip(1)))
    return pen_strokes.centre(weights[0] @ ink @ weights[1].transpose(0, 2, 1))


def _could_be_1(pictures):
    """Say which pictures, uint8 (n, 28, 28), show one slim and nearly upright stroke; boolean (n,)."""
    places, weight = np.arange(28), pictures / pictures.sum(axis=(1, 2), keepdims=True).clip(1)
    profiles = [weight.sum(axis=axis) for axis in (2, 1)]
    moved = [places - (profile @ places)[:, None] for profile in profiles]
    down, across = ((profile * by**2).sum(axis=1) for profile, by in zip(profiles, moved, strict=True))
    spread = np.hypot(down - across, 2 * np.einsum("nrc,nr,nc->n", weight, *moved))
    return (down + across - spread < _SLIM**2 * (down + across + spread)) & (down > across)
