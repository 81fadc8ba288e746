"""Photographed-looking pictures of MNIST digits on paper, for measuring a reader on pictures whose digits are known.

`photograph`, used in notebook 06, shows one digit: each photo has its own paper, pen, place, tilt, light, blur and JPEG
quality; some have a shadow's edge or ruled lines. `photograph_page` shows a sheet with several lines of writing, some
on a table; `write_lines` and `photograph_ink` are its two halves.
"""

import io

import numpy as np
from PIL import Image, ImageFilter

WIDTH, HEIGHT = 480, 360
LONGER_SIDE = 900, 2000  # of a photographed page, in pixels
MOST_LINES, MOST_DIGITS = 12, 20  # on a page, in a line
_PAPERS = ((240, 238, 230), (225, 220, 205), (200, 200, 205), (250, 240, 190), (215, 230, 240))
_PENS = ((25, 25, 35), (30, 50, 140), (150, 35, 40), (95, 95, 100))  # black, blue, red, pencil
_RULINGS = ((90, 110, 200), (110, 110, 120), (70, 150, 170), (190, 120, 110))
_TABLES = ((120, 80, 50), (185, 150, 110), (60, 55, 55), (150, 155, 160), (70, 95, 80), (235, 235, 235), (90, 40, 35))
_MARGIN = 0.09  # share of a sheet's height and width at each side without writing


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
        distance, first = rng.integers(30, 60), rng.integers(0, 30)
        paper = _rule(paper, range(first, HEIGHT, distance), _RULINGS[0], 0.25)
    photo = paper * (1 - ink) + np.array(_PENS[rng.integers(len(_PENS))]) * ink
    photo = photo * _light((HEIGHT, WIDTH), rng)[..., np.newaxis] + rng.normal(0, rng.uniform(2, 8), photo.shape)
    picture = Image.fromarray(photo.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2)))
    return _compress(picture, int(rng.integers(35, 90)))


def photograph_page(lines, rng, *, touching=0.0, slope=0.0):
    """Return a photo, a PIL image of mode RGB, of a sheet with lines of digits; its longer side is 900 to 2000 pixels.

    `lines` lists an array uint8 (n, 28, 28) for each line, from the top; `touching`, in [0, 1], and `slope`, in degrees
    from 0 to 15, are told in `write_lines`. `rng` is a NumPy Generator; the same state gives the same photo.
    """
    longer = rng.integers(LONGER_SIDE[0], LONGER_SIDE[1] + 1)
    size = [int(longer), int(longer * rng.uniform(0.6, 0.85))]
    return photograph_ink(write_lines(lines, size[:: rng.choice([1, -1])], rng, touching=touching, slope=slope), rng)


def write_lines(lines, size, rng, *, touching=0.0, slope=0.0):
    """Return the ink on a sheet of `size` (height, width), float32 in [0, 1], where 1 is ink: all by one pen and hand.

    `lines` lists an array uint8 (n, 28, 28), white on black, for each line, from the top. Of neighbours a share
    of `touching` is pushed together until their strokes touch; no others do. The writing rises or falls, drawn evenly,
    by up to `slope` degrees, each line by one degree more or less. Raises ValueError when `lines` are of another shape
    or type, too many, too long, or show no ink.
    """
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
    return sheet * (rng.uniform(0.75, 1) - 0.15 * _clouds(size, max(size) / tall, rng))


def photograph_ink(ink, rng):
    """Return a photo, a PIL image of mode RGB, of a sheet with `ink`, float (h, w) in [0, 1], in one pen's colour.

    The sheet may be ruled or squared, stained, unevenly lit and seen at a slight angle; what lies within 8 % of its
    edges may be cut off. `rng` is a NumPy Generator; the same state gives the same photo.
    """
    sheet = _paper(ink.shape, rng)
    colour = np.array(_PENS[rng.integers(len(_PENS))], np.float32) + rng.uniform(-15, 15, 3)
    ink = np.maximum(ink, _specks(ink.shape, rng)).astype(np.float32)[..., np.newaxis]
    photo = _lay_on_table(sheet * (1 - ink) + colour.astype(np.float32) * ink, rng)
    photo *= _light(ink.shape[:2], rng).astype(np.float32)[..., np.newaxis]
    photo += rng.uniform(1, 8) * rng.standard_normal(photo.shape, np.float32)
    blur = ImageFilter.GaussianBlur(rng.uniform(0.3, 0.0012 * max(ink.shape)))
    return _compress(Image.fromarray(photo.clip(0, 255).astype(np.uint8)).filter(blur), int(rng.integers(35, 95)))


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


def _ink_boxes(lines):
    """Return the height and width of each digit's ink, a list of integer arrays (n, 2); raise ValueError."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise ValueError(f"Expected a list of 1 to {MOST_LINES} lines, but received {len(lines)}.")
    boxes = []
    for number, line in enumerate(map(np.asarray, lines), 1):
        if line.dtype != np.uint8 or line.shape[1:] != (28, 28) or not 1 <= len(line) <= MOST_DIGITS:
            expected = f"Expected raw images, uint8 (n, 28, 28) with n from 1 to {MOST_DIGITS}, for each line"
            raise ValueError(f"{expected}, but received {line.dtype} {line.shape} for line {number}.")
        if (line.max(axis=(1, 2)) < 128).any():
            raise ValueError(f"Expected digits with ink, white on black, but line {number} has one without.")
        boxes.append(np.array([[np.ptp(places) + 1 for places in np.nonzero(image > 100)] for image in line]))
    return boxes


def _write_line(line, boxes, tall, hand, rng):
    """Return a line's ink, float32 (h, w); the digits, about `tall` pixels high, stand 0.3 * tall above its lower edge.

    `hand` is the pen's width and the gaps between digits, in heights of a digit, the share that touches, and whether
    there is a dash or a dot at the end.
    """
    pen, gap, touching, mark = hand
    strip = np.zeros((int(2 * tall), int((2.5 * len(line) + 3) * tall)), np.float32)
    right = np.full(len(strip), -np.inf)  # how far to the right each row has ink
    end = 0
    for number, (image, box) in enumerate(zip(line, boxes, strict=True)):
        digit = _draw_digit(image, tall * rng.uniform(0.87, 1.13) / max(box[0], box[1] / 1.5), pen * tall, rng)
        bottom = int(len(strip) - 0.3 * tall + rng.normal(0, 0.03) * tall)
        rows = slice(bottom - len(digit), bottom)
        left = round(end + max(3, tall * np.clip(gap * rng.uniform(0.6, 1.5), 0.05, 0.6))) if number else 1
        if number and rng.random() < touching:
            reach = np.where((digit > 0.5).any(axis=1), (digit > 0.5).argmax(axis=1), np.inf)
            near = np.maximum(np.maximum(right, np.r_[right[1:], -np.inf]), np.r_[-np.inf, right[:-1]])[rows]
            left = max(1, int((near - reach).max() + 1 - rng.uniform(0, 0.1) * tall))
        window = strip[rows, left : left + digit.shape[1]]
        np.maximum(window, digit, out=window)
        end = max(end, left + digit.shape[1])
        inside = np.flatnonzero((digit > 0.5).any(axis=1))
        right[rows][inside] = np.maximum(
            right[rows][inside], left + digit.shape[1] - 1 - (digit > 0.5)[inside, ::-1].argmax(axis=1)
        )
    if mark:
        thick, far = max(2, int(pen * tall)), round(end + tall * rng.uniform(0.3, 0.8))
        long, foot = (thick, 1.7) if rng.random() < 0.5 else (round(tall * rng.uniform(0.3, 0.6)), 1.2)
        end, row = far + long, int(foot * tall)
        strip[row - thick : row, far:end] = 1
    return strip[:, : end + 1]


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
    turned = np.asarray(turned).clip(0, 1)
    above = len(strip) * 0.35  # from the strip's middle to its baseline
    top, left = int(row - above - turned.shape[0] / 2), int(column - above * rise - turned.shape[1] / 2)
    first = max(0, -top), max(0, -left)
    window = sheet[top + first[0] :, left + first[1] :][: turned.shape[0] - first[0], : turned.shape[1] - first[1]]
    np.maximum(window, turned[first[0] :, first[1] :][: window.shape[0], : window.shape[1]], out=window)


def _paper(size, rng):
    """Return a plain, ruled or squared sheet, with a margin's line or without, float32 (h, w, 3)."""
    paper = np.broadcast_to(np.array(_PAPERS[rng.integers(len(_PAPERS))], np.float32), (*size, 3))
    paper = paper * (1 - 0.015 * _clouds(size, 12, rng))[..., np.newaxis]
    kind = rng.choice(["plain", "ruled", "squared", "margin"], p=[0.35, 0.25, 0.2, 0.2])
    if rng.random() < 0.15:  # a smudge
        y, x = (np.arange(side) / max(size) - rng.uniform(0, 1) for side in size)
        spot = np.exp(-(y[:, np.newaxis] ** 2 + x**2 / rng.uniform(0.5, 3)) / rng.uniform(0.01, 0.03) ** 2)
        paper *= (1 - rng.uniform(0.05, 0.25) * spot)[..., np.newaxis]
    if kind == "plain":
        return paper
    colour, strength = _RULINGS[rng.integers(len(_RULINGS))], rng.uniform(0.15, 0.7)
    distance = max(size) * (rng.uniform(0.016, 0.03) if kind == "squared" else rng.uniform(0.025, 0.06))
    thick, first = max(1, round(max(size) / 1000 * rng.uniform(0.8, 2.2))), rng.uniform(0, 1) * distance
    paper = _rule(paper, np.arange(first, size[0], distance).astype(int), colour, strength, thick)
    if kind == "squared":
        down = _rule(paper.swapaxes(0, 1), np.arange(first, size[1], distance).astype(int), colour, strength, thick)
        paper = down.swapaxes(0, 1)
    if kind == "margin":
        column = [int(size[1] * rng.uniform(0.06, 0.2))]
        paper = _rule(paper.swapaxes(0, 1), column, (215, 70, 80), rng.uniform(0.3, 0.8), thick).swapaxes(0, 1)
    return paper


def _rule(paper, rows, colour, strength, thick=2):
    """Draw horizontal lines, `thick` pixels wide, on a paper (h, w, 3); return the ruled copy."""
    ruled = paper.copy()
    for row in rows:
        ruled[row : row + thick] = (1 - strength) * ruled[row : row + thick] + strength * np.array(colour)
    return ruled


def _clouds(size, cells, rng):
    """Return slow changes between 0 and 1 over a sheet, float32 (h, w); `cells` of them along its longer side."""
    count = [max(2, round(cells * side / max(size))) for side in size]
    coarse = Image.fromarray(rng.random(count, np.float32))
    return np.asarray(coarse.resize(size[::-1], Image.Resampling.BILINEAR))


def _specks(size, rng):
    """Return the ink, float32 (h, w), of up to eight specks on every third sheet."""
    ink = np.zeros(size, np.float32)
    for _ in range(rng.integers(1, 9) if rng.random() < 0.3 else 0):
        row, column, side = *rng.integers(0, size), int(rng.integers(1, 2 + max(size) // 400))
        ink[row : row + side, column : column + rng.integers(1, side + 1)] = rng.uniform(0.3, 1)
    return ink


def _lay_on_table(sheet, rng):
    """Return the sheet, (h, w, 3), as the camera sees it: a little askew, at 0 to 4 sides with a table beside it."""
    height, width = sheet.shape[:2]
    seen = rng.random(4) < rng.choice([0, 0.35, 1], p=[0.5, 0.35, 0.15])  # left, top, right, bottom
    left, top, right, bottom = np.where(seen, rng.uniform(0.02, 0.1, 4), rng.uniform(-0.05, -0.02, 4))
    corners = np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)])
    corners = (corners + rng.uniform(-0.015, 0.015, (4, 2))) * (width, height)
    system, target = [], np.array([(0, 0), (width, 0), (width, height), (0, height)])
    for (x, y), (u, v) in zip(corners, target, strict=True):  # from the photo back to the sheet
        system += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    view = (width, height), Image.Transform.PERSPECTIVE, np.linalg.solve(system, target.ravel())
    photo = Image.fromarray(sheet.clip(0, 255).astype(np.uint8)).transform(*view, Image.Resampling.BICUBIC)
    photo = np.asarray(photo, np.float32)
    if not seen.any():
        return photo
    cover = Image.new("L", (width, height), 255).transform(*view, Image.Resampling.BILINEAR)
    shade = np.asarray(cover.filter(ImageFilter.GaussianBlur(max(sheet.shape) * rng.uniform(0.002, 0.01)))) / 255
    grain = _clouds((height, width), 8, rng) + _clouds((height * 8, width), rng.choice([150, 500]), rng)[::8]
    table = np.array(_TABLES[rng.integers(len(_TABLES))]) * (1 + rng.uniform(0, 0.2) * (grain - 1))[..., np.newaxis]
    table = table * (1 - rng.uniform(0, 0.6) * shade)[..., np.newaxis]
    cover = np.asarray(cover, np.float32)[..., np.newaxis] / 255
    return photo * cover + table.astype(np.float32) * (1 - cover)


def _light(size, rng):
    """Return the light on the sheet, float (h, w): a slope, and sometimes the edge of a shadow."""
    row, column = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    across = row * np.sin(angle) + column * np.cos(angle)
    light = 0.85 + rng.uniform(0, 0.2) * across
    if rng.random() < 0.3:
        light *= 1 - rng.uniform(0.1, 0.4) / (1 + np.exp(-(across - rng.uniform(-0.5, 0.5)) / rng.uniform(0.02, 0.2)))
    return light


def _compress(picture, quality):
    """Save a PIL image as JPEG and open it again."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
