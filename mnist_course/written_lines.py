"""Several lines of handwritten digits as ink on a sheet, put together from pictures of single digits."""

import numpy as np
from PIL import Image

_MOST_LINES, _MOST_DIGITS = 12, 20  # on a sheet, in a line
_MARGIN = 0.09  # share of a sheet's height and width at each side without writing


def write_lines(lines, size, rng, *, touching=0.0, slope=0.0):
    """Return the ink on a sheet of `size` (height, width), float32 in [0, 1], where 1 is ink: all by one pen and hand.

    `lines` lists an array uint8 (n, 28, 28), white on black, for each line, from the top. Each pair of
    neighbours is with probability `touching` pushed together until their strokes touch; no others do. The writing rises
    or falls by up to `slope` degrees, 0 to 10, drawn evenly, each line by up to one degree more or less; with `slope` 0
    it is level. `rng` is a NumPy Generator. Raises ValueError for `lines` of another shape or type, for more than
    12 of them or 20 digits in one, for a digit without ink, and where `touching` or `slope` is out of range.
    """
    if not (0 <= touching <= 1 and 0 <= slope <= 10):
        raise ValueError(f"Expected touching in [0, 1] and slope in [0, 10], but received {touching} and {slope}.")
    boxes = _ink_boxes(lines)
    height, width = (side * (1 - 2 * _MARGIN) for side in size)
    gap, room, ragged = np.exp(rng.uniform(np.log(0.06), np.log(0.45))), rng.uniform(0.3, 1.3), rng.random()
    angle = rng.uniform(-slope, slope) + rng.uniform(-1, 1, len(lines)) * (slope > 0)
    rises, pitches = np.tan(np.deg2rad(angle)), 1.3 + room * rng.uniform(0.8, 1.2, len(lines))
    longest = max((1.25 * box[:, 1] / box[:, 0]).clip(0.3, 1.8).sum() + min(0.6, 1.3 * gap) * len(box) for box in boxes)
    tall = min(width / longest, 0.16 * max(size))
    half = min(width, (1 + ragged) * longest * tall) / 2  # the writing stays within a column
    turns = half * np.abs(np.diff(rises, prepend=rises[0]))  # how much nearer lines come where they slope differently
    lean = half * np.abs(rises).max()
    tall = rng.uniform(0.65, 1) * min(tall, (height - turns.sum() - 2 * lean) / (pitches[1:].sum() + 1.6))
    baselines = turns.cumsum() + tall * np.r_[0, pitches[1:].cumsum()]  # in the middle of the column
    free = height - baselines[-1] - 1.6 * tall - 2 * lean
    baselines += size[0] * _MARGIN + 1.3 * tall + lean + free * rng.random()
    centre = size[1] * _MARGIN + half + (width - 2 * half) * rng.random()
    pen, marks = rng.uniform(0.08, 0.15), rng.random() < 0.2
    sheet = np.zeros(size, np.float32)
    for line, box, baseline, rise in zip(lines, boxes, baselines, rises, strict=True):
        strip = _write_line(line, box, tall, (pen, gap, touching, marks and rng.random() < 0.4), rng)
        aside = strip.shape[1] / 2 - half + ragged * rng.random() * max(0, 2 * half - strip.shape[1])
        _paste(sheet, strip, rise, centre + aside, baseline - rise * aside)
    return sheet * (rng.uniform(0.75, 1) - 0.15 * clouds(size, max(size) / tall, rng))


def clouds(size, cells, rng):
    """Return slow changes between 0 and 1 over a sheet of `size`, float32 (h, w), `cells` along its longer side."""
    count = [max(2, round(cells * side / max(size))) for side in size]
    coarse = Image.fromarray(rng.random(count, np.float32))
    return np.asarray(coarse.resize(size[::-1], Image.Resampling.BILINEAR))


def _ink_boxes(lines):
    """Return the height and width of each digit's ink, a list of integer arrays (n, 2); raise ValueError."""
    if not 1 <= len(lines) <= _MOST_LINES:
        raise ValueError(f"Expected a list of 1 to {_MOST_LINES} lines, but received {len(lines)}.")
    boxes = []
    for number, line in enumerate(map(np.asarray, lines), 1):
        if line.dtype != np.uint8 or line.shape[1:] != (28, 28) or not 1 <= len(line) <= _MOST_DIGITS:
            expected = f"Expected raw images, uint8 (n, 28, 28) with n from 1 to {_MOST_DIGITS}, for each line"
            raise ValueError(f"{expected}, but received {line.dtype} {line.shape} for line {number}.")
        if (line.max(axis=(1, 2)) < 128).any():
            raise ValueError(f"Expected digits with ink, white on black, but line {number} has one without.")
        boxes.append(np.array([[np.ptp(places) + 1 for places in np.nonzero(image > 100)] for image in line]))
    return boxes


def _write_line(line, boxes, tall, hand, rng):
    """Return a line's ink, float32 (h, w); its digits, about `tall` pixels high, stand 0.3 * tall above the lower edge.

    `hand` has the pen's width and the gaps, in heights of a digit, the share that touches, and whether a mark follows.
    """
    pen, gap, touching, mark = hand
    strip = np.zeros((int(2 * tall), int((2.5 * len(line) + 3) * tall)), np.float32)
    left = end = 1
    for number, (image, box) in enumerate(zip(line, boxes, strict=True)):
        digit = _draw_digit(image, tall * rng.uniform(0.87, 1.13) / max(box[0], box[1] / 1.5), pen * tall, rng)
        bottom = int(len(strip) - 0.3 * tall + tall * np.clip(rng.normal(0, 0.03), -0.08, 0.08))
        space = max(3, tall * np.clip(gap * rng.uniform(0.6, 1.5), 0.05, 0.6))
        if number and rng.random() < touching:
            overlap = max(1, rng.uniform(0, 0.1) * tall)
            left = max(left + 1, int(meet(strip[bottom - len(digit) - 1 : bottom + 1], digit) - overlap))
        elif number:
            left = round(end + space)
        window = strip[bottom - len(digit) : bottom, left : left + digit.shape[1]]
        np.maximum(window, digit, out=window)
        end = max(end, left + digit.shape[1])
    if mark:  # a dot or a dash
        thick, far = max(2, int(pen * tall)), round(end + tall * rng.uniform(0.3, 0.8))
        long, foot = (thick, 1.7) if rng.random() < 0.5 else (round(tall * rng.uniform(0.3, 0.6)), 1.2)
        end = far + long
        strip[int(foot * tall) - thick : int(foot * tall), far:end] = 1
    return strip[:, : end + 1]


def meet(written, digit):
    """Return the column in which a digit, float (h, w), just touches what is written, float (h + 2, w)."""
    right = np.where((written > 0.5).any(axis=1), written.shape[1] - (written[:, ::-1] > 0.5).argmax(axis=1), 0)
    left = np.where((digit > 0.5).any(axis=1), (digit > 0.5).argmax(axis=1), np.inf)
    return (np.max([right[:-2], right[1:-1], right[2:]], axis=0) - left).max()


def _draw_digit(image, scale, pen, rng):
    """Return a digit enlarged by `scale` with sharp edges, turned and cut out, float32; its strokes near `pen` wide."""
    side = round(28 * scale)
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    large = np.asarray(large.rotate(rng.uniform(-5, 5), Image.Resampling.BICUBIC), np.float32) / 255
    misses = {}
    for level in (0.25, 0.32, 0.4, 0.48):  # the lower, the wider
        inside = large > level
        edge = sum(np.count_nonzero(np.diff(inside, axis=axis)) for axis in (0, 1)) * np.pi / 4
        misses[abs(2 * inside.sum() / max(edge, 1) - pen)] = level
    sharp = (0.5 + 4 * (large - misses[min(misses)])).clip(0, 1)
    rows, columns = (np.flatnonzero((sharp > 0.1).any(axis=axis)) for axis in (1, 0))
    return sharp[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _paste(sheet, strip, rise, column, row):
    """Turn a line's strip so that it rises by `rise`; put its baseline's middle at the row and column of the sheet."""
    turned = Image.fromarray(strip).rotate(np.rad2deg(np.arctan(rise)), Image.Resampling.BICUBIC, expand=True)
    turned, above = np.asarray(turned).clip(0, 1), len(strip) * 0.35  # from the strip's middle to its baseline
    middle = np.array(turned.shape) / 2 + (above, above * rise)
    top, left = np.rint((row, column) - middle).astype(int)
    rows, columns = slice(max(0, top), top + len(turned)), slice(max(0, left), left + turned.shape[1])
    window = sheet[rows, columns]
    part = turned[rows.start - top :, columns.start - left :][: window.shape[0], : window.shape[1]]
    np.maximum(window, part, out=window)
