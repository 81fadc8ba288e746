"""Digits drawn by a program as a pen would draw them, in many more styles than MNIST's writers used.

A style is a line of text: points `xy` on a grid of 10 x 10, x to the right and y down, through which the pen moves
in a smooth curve. `!` after a point makes a sharp corner there, `/` lifts the pen. Notebook 06 shows all of them.

In all functions `rng` is a NumPy Generator, and pictures are uint8 (n, 28, 28) in [0, 255], made as MNIST's were: white
ink whose bounding box fits 20 x 20, with its centre of mass in the middle.
"""

from functools import cache

import numpy as np

STYLES = {
    "0 round": "30 11 04 18 39 58 65 51 30", "0 narrow": "20 11 05 18 29 48 54 31 20",
    "0 wide": "40 12 05 28 59 87 94 71 40", "0 open at the top": "30 11 04 18 39 58 65 52 40",
    "0 with crossed ends": "62 30 11 04 18 39 58 65 52 30 02",
    "0 with an inner curl": "33 51 30 11 04 18 39 58 65 52 31", "0 square": "00! 60! 69! 09! 00",
    "1 plain": "30 39", "1 slanted": "50 19", "1 with a short flag": "12 30! 39", "1 with a flag": "04 40! 49",
    "1 with a long flag": "05 50! 59", "1 with a very long flag": "07 40! 49", "1 with a curved flag": "05 33 50! 49",
    "1 slanted with a flag": "15 60! 39", "1 with a flag and a foot": "03 40! 49 / 09 89",
    "1 with a short flag and a foot": "22 40! 49 / 19 79", "1 with a foot": "30 39 / 09 69",
    "2 with a flat foot": "02 20 50 62 46 09! 69", "2 like a z": "00! 60! 09! 69",
    "2 with a wavy foot": "02 20 50 63 36 09! 28 49 68", "2 with a small loop": "02 20 50 52 36 18 09 07 27 48 69",
    "2 with a large loop": "12 30 60 62 45 18 08 06 26 48 79", "2 with a round foot": "03 11 30 51 53 36 18 19 39 69",
    "2 with a curl": "22 12 10 40 62 36 09! 69", "2 upright": "01 20 40 52 34 16 09! 59",
    "2 with a straight back": "02 11 30 41 18 09! 59", "2 square": "00! 60! 64! 04! 09! 69",
    "3 round": "01 20 50 62 44 24! 54 66 58 39 08", "3 with a loop": "01 20 50 62 44 14 15 25 54 66 58 39 08",
    "3 with a soft waist": "00 40 52 43 44 56 68 39 09", "3 with a flat top": "00! 60! 34! 54 66 58 39 08",
    "3 with a flat slanting top": "01! 60! 24! 55 67 49 19 07", "3 with a large bowl": "11 30 51 43 24! 54 67 49 19 06",
    "3 with sharp angles": "01 50! 24! 56 48 09", "3 square": "00! 60! 69! 09 / 14 64",
    "4 open": "10 05! 65 / 50 59", "4 like lightning": "40 06! 75 / 53 39",
    "4 like lightning, tall": "50 06! 66 / 44 39", "4 like lightning, in one stroke": "40 05! 65! 39",
    "4 like lightning, with a short stem": "40 05 16! 66 / 64 49",
    "4 like lightning, with a round turn": "40 04 06 26 76 / 63 48", "4 closed": "59 50! 06! 86",
    "4 closed with a low stem": "40 05! 75 / 40 39", "4 closed without an overhang": "46 06! 40! 49",
    "4 like a y": "00 03 25 45 63 / 60 64 59", "4 with a round corner": "20 04 15 45 75 / 52 49",
    "4 in one stroke": "10 05 35 63 60! 59", "4 with a short stem": "30 06! 86 / 44 49",
    "4 square": "00! 05! 75 / 50 59",
    "5 in one stroke": "60 10! 04! 34 65 67 49 19 08", "5 with a bar added": "10 04! 33 65 67 49 19 08 / 10 60",
    "5 with a detached bar": "12 04! 34 65 67 49 09 / 30 80", "5 almost without a bar": "30 10! 04! 34 65 67 49 09",
    "5 without a bar": "10 04! 34 65 67 49 09", "5 with a long bar": "90 20! 14! 44 66 58 39 08",
    "5 with an edge": "60 10! 03! 64! 58 09", "5 like an S": "60 30 02 14 45 66 58 39 08",
    "5 with a curl": "70 20! 14! 43 66 48 29 17", "5 square": "60! 00! 04! 64! 69! 09",
    "6 plain": "50 22 05 18 39 58 66 45 25 07", "6 with a bent top": "62 50 21 05 18 39 58 66 45 15 06",
    "6 with a straight stem": "50 23 06 18 39 58 66 45 16", "6 with a large loop": "40 12 05 19 49 67 65 33 14 06",
    "6 with a small loop": "40 12 05 08 29 48 47 26 07", "6 like a b": "10 04 08 29 58 66 45 06",
    "6 open": "50 22 05 18 39 58 66 45 26", "6 as a spiral": "60 20 04 08 39 67 65 35 26 37",
    "6 square": "60! 00! 09! 69! 65! 05",
    "7 plain": "00! 60! 29", "7 with a curved stem": "00! 60! 34 27 29", "7 with a hook": "02 00! 60! 29",
    "7 with a wavy bar": "02 10 31 60! 34 29", "7 with a round corner": "00 40 61 45 29", "7 slanted": "20! 80! 09",
    "7 upright": "03 00! 50! 59", "7 crossed": "00! 60! 29 / 15 65", "7 crossed with a hook": "02 00! 60! 39 / 15 75",
    "7 crossed with a wavy bar": "02 10 31 60! 34 29 / 15 55", "7 crossed and upright": "01 00! 50! 49 / 25 85",
    "8 as an S closed": "51 30 11 13 34 56 58 39 18 16 34 53 51",
    "8 as two circles": "30 11 13 34 53 51 30 / 34 15 07 29 49 67 55 34",
    "8 as two circles apart": "30 11 12 33 52 51 30 / 35 16 18 39 58 56 35",
    "8 from the middle": "34 13 11 30 51 53 34 16 18 39 58 56 34",
    "8 open at the top": "61 41 20 02 23 45 57 48 29 08 06 34 52 70",
    "8 with a straight return": "61 30 02 23 55 67 49 18 06! 61", "8 as a ribbon": "70 34 06 18 39 58 56 33 11 20 50",
    "8 narrow": "30 21 22 34 46 48 29 18 16 34 42 41 30", "8 square": "00! 60! 69! 09! 00 / 04 64",
    "9 with a straight stem": "51 30 11 03 15 34 52 51! 59", "9 slanted": "61 40 12 13 24 43 61! 29",
    "9 with a stem added": "50 20 02 04 25 53 / 50 59", "9 with a curved tail": "52 30 11 03 15 34 53 51 57 49 19",
    "9 with a round tail": "62 44 24 03 11 30 51 64 47 19", "9 like a g": "51 20 02 04 25 53 51! 57 49 19 07",
    "9 like a g with a loop": "51 30 01 03 25 54 51! 57 49 29 17 36 65",
    "9 like a g with an open head": "50 20 02 04 25 54 / 51 57 49 19 07",
    "9 like a g with a small head": "52 40 21 22 33 52 51! 57 49 29 08",
    "9 like a g with a flat tail": "51 30 11 03 24 53 51! 57 59! 09",
    "9 with a head drawn the other way": "12 30 51 52 34 13 11! 30 51 57 49 19",
    "9 with a large head": "61 30 02 05 26 55 61! 69", "9 with a flick": "51 30 11 03 15 34 52 51! 57 69 88",
    "9 square": "64! 04! 00! 60! 69! 09", "9 square without a tail": "64! 04! 00! 60! 69",
}  # fmt: skip
"""Every way to draw a digit; a name begins with its digit."""

NOT_DIGITS = {
    "A": "09 40! 79 / 15 65", "E": "60 00! 09! 69 / 04 54", "F": "60 00! 09 / 04 44", "H": "00 09 / 60 69 / 04 64",
    "K": "00 09 / 60 05! 69", "M": "09 00! 45! 80! 89", "N": "09 00! 69! 60", "P": "09 00! 40 62 44 05",
    "R": "09 00! 40 62 44 05! 69", "T": "00 80 / 40 49", "U": "00 05 18 39 58 65 60", "V": "00 49! 80",
    "W": "00 29! 43! 69! 80", "X": "00 69 / 60 09", "a": "53 32 14 06 28 46 52! 57 69", "d": "54 33 15 07 29 48 60! 69",
    "e": "15 55 43 22 04 07 29 58", "f": "60 40 32 39 / 04 64", "h": "00 09! 06 24 44 56 59", "k": "00 09 / 43 06! 59",
    "m": "03 09! 05 23 35 39! 35 53 65 69", "n": "03 09! 05 23 43 55 59", "p": "02 09! 04 22 43 45 26 05",
    "t": "30 37 49 69 / 03 63", "w": "03 18 37 44! 48 77 83", "+": "04 84 / 40 48", "=": "02 82 / 06 86",
    "?": "02 20 50 62 44 36 / 38 39", "#": "20 19 / 60 59 / 03 83 / 06 76", "%": "70 09 / 00 21 12 00 / 57 78 69 57",
    "arrow": "05 95 / 62 95! 68", "heart": "42 20 02 25 49! 75 92 70 42", "star": "09 40! 79! 03! 83! 09",
    "triangle": "40! 89! 09! 40", "-": "04 94", "~": "05 24 55 74", ":": "30 31 / 38 39", "^": "09 40! 89",
    "[": "40 00! 09! 49", "]": "00 40! 49! 09", "(": "50 22 04 05 27 59", ")": "00 32 54 55 37 09",
    "<": "70 05! 79", ">": "00 75! 09", "arch": "05 12 40 72 85", "bowl": "00 13 45 73 80",
}  # fmt: skip
"""Letters and signs that no digit looks like: pictures for which no answer is right."""

SCRIBBLES = {
    "one stroke": "00 30 60 63 33 03 06 36 66 69", "angles": "00! 60! 63! 03! 06! 66! 69! 09! 00",
    "two strokes": "00 30 60 63 33 / 03 06 36 66 69", "three strokes": "00 30 60 / 63 33 03 / 06 36 66 69",
}  # fmt: skip
"""Points that `draw_scribbles` moves so far that nothing of these shapes is left."""

_STEPS = 112  # places of the pen in one picture, at most 0.7 pixels apart
_FINE = 256  # places between two control points from which these are taken
_UNTIDINESS = (0.1, 0.5)  # how far tidy and untidy hands miss the points of a style, in grid units


def draw_style(name, n, rng):
    """Draw one style of `STYLES` as n different hands would; return the pictures.

    Raises ValueError when there is no such style.
    """
    if name not in STYLES:
        raise ValueError(f"There is no style {name!r}; choose a name from pen_strokes.STYLES, such as '1 with a flag'.")
    return _draw(_write(STYLES[name], n, _UNTIDINESS, rng), rng)


def draw_digits(labels, rng):
    """Draw a digit for each label, each in a style chosen at random; return the pictures.

    `labels` are integers (n,) in [0, 9]. Raises ValueError for others.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.isin(labels, range(10)).all():
        raise ValueError(
            f"Expected labels, integers from 0 to 9 of shape (n,), but received {labels.dtype} of shape {labels.shape}."
        )
    styles = [[name for name in STYLES if name[0] == digit] for digit in "0123456789"]
    return _draw_table(STYLES, [rng.choice(styles[label]) for label in labels], _UNTIDINESS, rng)


def draw_scribbles(n, rng):
    """Draw n pictures of no digit, in this order: letters and signs (half), scribbles and stains (a quarter each)."""
    letters = _draw_table(NOT_DIGITS, rng.choice(list(NOT_DIGITS), n - n // 2), _UNTIDINESS, rng)
    scribbles = _draw_table(SCRIBBLES, rng.choice(list(SCRIBBLES), n // 4), (2, 4), rng)
    cells = rng.normal(size=(n // 2 - n // 4, 7, 7))  # a stain is a part of this grid, enlarged and made smooth
    places = np.linspace(0, 1, 20)[:, None] * rng.uniform(1.5, 6, (len(cells), 1, 1))
    weights = np.maximum(0, 1 - np.abs(places - np.arange(7)))  # (n, 20, 7)
    stains = (weights @ cells @ weights.transpose(0, 2, 1) * rng.uniform(1, 5, (len(cells), 1, 1))).clip(0, 1)
    return np.concatenate([letters, scribbles, centre(np.pad(stains, [(0, 0), (4, 4), (4, 4)]))])


def _draw_table(table, names, untidiness, rng):
    names = np.asarray(names, str)
    pictures = np.zeros((len(names), 28, 28), np.uint8)
    for name in np.unique(names):
        places = np.flatnonzero(names == name)
        pictures[places] = _draw(_write(table[name], len(places), untidiness, rng), rng)
    return pictures


def _write(style, n, untidiness, rng):
    """Return the paths of the pen, (n, _STEPS, 2) in grid units, when n hands write a style."""
    control, stroke_of, careful, quick = read_style(style)
    untidiness = rng.uniform(*untidiness, (n, 1, 1))
    points = control + untidiness * rng.normal(size=(n, *control.shape))
    points += 0.8 * untidiness * rng.normal(size=(n, stroke_of[-1] + 1, 2))[:, stroke_of]  # a stroke put elsewhere
    speed = rng.uniform(0, 1, (n, 1, 1)) ** 2
    return (1 - speed) * (careful @ points) + speed * (quick @ points)


@cache
def read_style(style):
    """Return a style's control points (k, 2), the number of each one's stroke (k,), and two matrices (112, k).

    These turn the points into the path of the pen: of a careful hand, and of a quick one, which cuts the corners.
    """
    control, stroke_of, pieces = [], [], []  # a piece is a smooth curve through the control points it lists
    for number, stroke in enumerate(style.split("/")):
        pieces.append([])
        for point in stroke.split():
            pieces[-1].append(len(control))
            control.append((int(point[0]), int(point[1])))
            stroke_of.append(number)
            if point.endswith("!"):
                pieces.append([len(control) - 1])
    control, stroke_of = np.array(control, float), np.array(stroke_of)
    curve = np.concatenate([_catmull_rom(piece, len(control)) for piece in pieces])
    stroke = np.concatenate([np.repeat(stroke_of[piece[0]], _FINE * (len(piece) - 1)) for piece in pieces])
    lengths = np.hypot(*np.diff(curve @ control, axis=0).T) * (np.diff(stroke) == 0)
    travelled = np.r_[0, lengths.cumsum()] + 1e-6 * np.arange(len(curve))
    even = np.searchsorted(travelled, np.linspace(0, travelled[-1], _STEPS) - 1e-9)  # steps of equal length
    careful, stroke, step = curve[even], stroke[even], np.arange(_STEPS)
    nearby = np.exp(-(((step[:, None] - step) / 5) ** 2)) * (stroke[:, None] == stroke)
    return control, stroke_of, careful, nearby / nearby.sum(axis=1, keepdims=True) @ careful


def _catmull_rom(piece, count):
    """Return weights (_FINE * (len(piece) - 1), count) of a smooth curve through the points listed in `piece`."""
    t = np.linspace(0, 1, _FINE)[:, None]
    cubic = np.hstack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]) / 2
    ends = [piece[0], *piece, piece[-1]]
    weights = np.zeros((len(piece) - 1, _FINE, count))
    for i in range(len(piece) - 1):
        for neighbour, weight in zip(ends[i : i + 4], cubic.T, strict=True):
            weights[i, :, neighbour] += weight
    return weights.reshape(-1, count)


def _draw(paths, rng):
    """Draw paths (n, _STEPS, 2) with pens from a single pixel to a marker; return the pictures."""
    n, along = len(paths), np.linspace(0, 1, _STEPS)
    radius = rng.choice([0.5, 0.8, 1.2, 1.7, 2.2], n, p=[0.15, 0.25, 0.35, 0.2, 0.05]) * rng.uniform(0.85, 1.2, n)
    softness = rng.uniform(0.6, 1.6, n)
    paths = _tilt_and_fit(paths, radius + (softness - 1) / 2, rng)
    mouse = rng.random(n) < 0.2  # draws whole pixels with hard edges
    paths[mouse], softness[mouse] = np.rint(paths[mouse]), 0.1
    waves = np.sin(2 * np.pi * (along * rng.uniform(1, 4, (n, 1)) + rng.random((n, 1))))
    pressure = 1 - rng.uniform(0, 0.2, (n, 1)) * (1 + waves)
    pressure *= 1 - rng.uniform(0, 0.5, (n, 1)) * (2 * along - 1) ** 6  # the pen lands and leaves lightly
    radius = radius[:, None] * np.where(mouse[:, None], 1, pressure)
    radius[(np.abs(along - rng.random((n, 1))) < 0.025) & (rng.random((n, 1)) < 0.1)] = -9  # lifted in mid-stroke
    return centre(_ink(paths.astype(np.float32), radius.astype(np.float32), softness.astype(np.float32)))


def _tilt_and_fit(paths, reach, rng):
    """Make the hand tremble, slant, turn and stretch each path; fit it with the pen's `reach` into 20 x 20 pixels."""
    n = len(paths)
    along = np.linspace(0, 1, _STEPS)[:, None]
    wave = 2 * np.pi * (along * rng.uniform(2, 12, (n, 3, 1, 2)) + rng.random((n, 3, 1, 2)))
    paths = paths + (np.sin(wave) * rng.uniform(0, 0.12, (n, 3, 1, 1))).sum(axis=1)
    angle, slant, stretch = np.deg2rad(rng.normal(0, 5, n)), rng.normal(-0.08, 0.15, n), rng.normal(-0.05, 0.28, n)
    turn = np.array([[np.cos(angle) * np.exp(stretch), np.sin(angle)], [slant - np.sin(angle), np.cos(angle)]])
    paths = np.einsum("npi,ijn->npj", paths, turn)
    low, high = paths.min(axis=1, keepdims=True), paths.max(axis=1, keepdims=True)
    size = (high - low).max(axis=2, keepdims=True).clip(1e-3)
    return 13.5 + (paths - (low + high) / 2) * (20 - 2 * reach[:, None, None]) / size


def _ink(paths, radius, softness):
    """Move round pens of `radius` (n, _STEPS) along the paths, all at once; return float32 (n, 28, 28) in [0, 1]."""
    n, reach = len(paths), int(np.ceil(radius.max() + softness.max() / 2))
    side = 28 + 2 * (reach + 1)  # a margin for the pen, cut off in the end
    canvas = np.zeros(n * side * side, np.float32)
    window = np.arange(-reach, reach + 1, dtype=np.float32)
    near = np.add.outer(window * side, window).astype(np.int32).ravel()  # the pixels around the pen, counted from it
    first = np.arange(n) * side * side + (reach + 1) * (side + 1)
    for step in range(_STEPS):
        pixel = np.rint(paths[:, step]).clip(0, 27)
        x, y = ((pixel[:, axis, None] - paths[:, step, axis, None] + window) ** 2 for axis in (0, 1))
        distance = np.sqrt(y[:, :, None] + x[:, None, :]).reshape(n, -1)
        ink = ((radius[:, step, None] - distance) / softness[:, None] + 0.5).clip(0, 1)
        where = (first + pixel[:, 1] * side + pixel[:, 0]).astype(np.int32)[:, None] + near
        canvas[where] = np.maximum(canvas[where], ink)
    return canvas.reshape(n, side, side)[:, reach + 1 : -reach - 1, reach + 1 : -reach - 1]


def centre(ink):
    """Spread float (n, 28, 28) to 0..255 and move each picture's centre of mass to the middle; return uint8."""
    places, mass = np.arange(28), ink.sum(axis=(1, 2)).clip(1e-6)
    shift = [np.floor(14.5 - (ink.sum(axis=axis) * places).sum(axis=1) / mass).astype(int) for axis in (2, 1)]
    rows, columns = ((places - by.clip(-4, 4)[:, None]) % 28 for by in shift)
    ink = ink[np.arange(len(ink))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return np.rint(ink * (255 / ink.max(axis=(1, 2), keepdims=True).clip(1e-6))).astype(np.uint8)
