"""A line of a page as the network that reads lines sees it, a strip, and what its answers spell.

The network answers for each frame of the strip, two columns. It was trained by connectionist temporal classification:
told which digits a line shows, not where. Source: Graves, Fernández, Gomez and Schmidhuber, Connectionist Temporal
Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks (2006); here the network has no
recurrence, for each frame it sees about two digits.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_course import divisions, pictures
from mnist_course.ink import grow

HEIGHT, TALL = 32, 20  # rows of a strip, and how many of them a digit is tall, as in MNIST
FRAME = 2  # columns of a strip in a frame
ANSWERS = 12  # for each frame: the digits 0 to 9 are answers 1 to 10, and
NOTHING, OTHER = 0, 11  # that no digit has its place here, that the ink is no digit
_MARGIN, _ROOM = 4, 28  # columns on each side without writing, rows for the tallest digit


def cut_out(line, ink):
    """Return a `divisions.Line`, cut from an ink map (h, w), as a strip, uint8 (32, w): level, brightest 255.

    Its digits are 20 pixels tall, less where one of them is far taller than most. Strokes thinner than nearly all in
    MNIST are redrawn at that limit, as `pictures.set_stroke_width` does with single digits.
    """
    top, left = line.corner
    high, wide = line.atoms.shape
    own = line.atoms > 0
    area = np.where(own, ink[top : top + high, left : left + wide], 0).astype(np.float32)
    scale, middle = _fit(line, own)
    thin = pictures.THINNEST / scale - pictures.stroke_width(area)
    if thin > 0:
        area = grow(area, thin / 2)
    size = [max(1, round(side * min(1, scale))) for side in (wide, high)]  # shrunk first: a transform skips pixels
    small = Image.fromarray(area).resize(size, Image.Resampling.BILINEAR)
    x, y = size[0] / wide, size[1] / high
    first = middle - line.slope * _MARGIN / scale - HEIGHT / 2 / scale
    matrix = (x / scale, 0, -_MARGIN / scale * x, line.slope / scale * y, y / scale, first * y)
    size = round(wide * scale) + 2 * _MARGIN, HEIGHT
    strip = np.asarray(small.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))
    return np.round(255 * (strip / max(strip.max(), 0.1)).clip(0, 1)).astype(np.uint8)


def _fit(line, own):
    """Return how many pixels of the strip a pixel of the ink map is, and the middle row of the line's box in column 0.

    `own`, boolean (h, w), is where the line's ink is. All of it fits, also where most of its pieces are low ones.
    """
    rows, columns = np.nonzero(own)
    level = rows - line.slope * columns
    low, high = level.min(), level.max() + 1
    scale = min(TALL / line.height, _ROOM / (high - low))
    middle = line.middle + line.slope * line.corner[1] - line.corner[0]
    return scale, np.clip(middle, high - _ROOM / 2 / scale, low + _ROOM / 2 / scale)


class _Letter(NamedTuple):
    """One answer of several frames: the `digit`, or None for ink that is none, its probabilities (12,), its frame."""

    digit: int | None
    probabilities: np.ndarray
    frame: int


def spell(frames):
    """Return the letters, left to right, that a line's frames (n, 12) spell: the same answer side by side is one."""
    answers = frames.argmax(axis=1)
    letters = []
    for run in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(answers)) + 1):
        answer = answers[run[0]]
        if answer != NOTHING:
            surest = run[frames[run, answer].argmax()]
            letters.append(_Letter(None if answer == OTHER else int(answer) - 1, frames[surest], int(surest)))
    return letters


_NO_CANDIDATE, _FAR = 4.0, 3.0  # what it costs to find none for a letter, or one whose middle is a height away


def find_candidates(places, line):
    """Return, for each of the letters at `places` of a `divisions.Line`, the candidate that it names, or None.

    The candidates follow each other as the letters do; of all such divisions it is the cheapest, where the distance of
    a letter's place from the middle of its candidate costs too. Found by dynamic programming, as in
    `divisions.best_path`, which does not know how many candidates there are to be.
    """
    ending = divisions.by_end(line.candidates)
    cost, step = np.full((len(line.skip) + 1, len(places) + 1), np.inf), {}  # after so many atoms, so many letters
    cost[0] = _NO_CANDIDATE * np.arange(len(places) + 1)
    for atom in range(1, len(cost)):
        cost[atom] = cost[atom - 1] + line.skip[atom - 1]
        for number in ending.get(atom, ()):
            candidate = line.candidates[number]
            far = _FAR * np.abs((candidate.box[2] + candidate.box[3]) / 2 - places) / line.height
            way = np.r_[np.inf, cost[candidate.first, :-1] + candidate.price() + far]
            for letter in np.flatnonzero(way < cost[atom]):
                cost[atom, letter], step[atom, letter] = way[letter], number
        for letter in range(1, len(places) + 1):
            if cost[atom, letter - 1] + _NO_CANDIDATE < cost[atom, letter]:
                cost[atom, letter], step[atom, letter] = cost[atom, letter - 1] + _NO_CANDIDATE, None
    found, atom, letter = [None] * len(places), len(line.skip), len(places)
    while atom and letter:
        number = step.get((atom, letter), "skipped")
        if number == "skipped":
            atom -= 1
            continue
        letter -= 1
        if number is not None:
            found[letter] = line.candidates[number]
            atom = found[letter].first
    return found


def find_places(frames, line):
    """Return the columns of the ink map, float (n,), in which the middles of such frames of a line's strip lie."""
    scale, _ = _fit(line, line.atoms > 0)
    return line.corner[1] + (FRAME * (np.array(frames, float) + 0.5) - _MARGIN) / scale
