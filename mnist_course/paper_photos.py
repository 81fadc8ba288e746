"""Photographed-looking pictures of MNIST digits on paper, for measuring a reader on pictures whose digits are known.

`photograph`, used in notebook 06, shows one digit: each photo has its own paper, pen, place, tilt, light, blur and JPEG
quality; some have a shadow's edge or ruled lines. `photograph_page` shows a sheet with several lines of writing, at
times with the table beside it; `photograph_ink` puts any ink on such a sheet.
"""

import io

import numpy as np
from PIL import Image, ImageFilter

from mnist_course.written_lines import clouds, write_lines

WIDTH, HEIGHT = 480, 360
LONGER_SIDE = 900, 2000  # of a photographed page, in pixels
_PAPERS = ((240, 238, 230), (225, 220, 205), (200, 200, 205), (250, 240, 190), (215, 230, 240))
_PENS = ((25, 25, 35), (30, 50, 140), (150, 35, 40), (95, 95, 100))  # black, blue, red, pencil
_RULINGS = ((90, 110, 200), (110, 110, 120), (70, 150, 170), (190, 120, 110))
_TABLES = ((120, 80, 50), (185, 150, 110), (60, 55, 55), (150, 155, 160), (70, 95, 80), (235, 235, 235), (90, 40, 35))


def photograph(image, rng):
    """Return a photo, a PIL image of mode RGB, of an MNIST digit, uint8 (28, 28), written on paper.

    `rng` is a NumPy Generator; the same state gives the same photo. Raises ValueError for another shape or type.
    """
    image = np.asarray(image)
    if image.shape != (28, 28) or image.dtype != np.uint8:
        raise ValueError(f"Expected one raw image, uint8 (28, 28), but received {image.dtype} {image.shape}.")
    ink = _place(image, rng)[..., None]
    paper = np.broadcast_to(_PAPERS[rng.integers(len(_PAPERS))], (HEIGHT, WIDTH, 3)).astype(float)
    if rng.random() < 0.3:
        distance, first = rng.integers(30, 60), rng.integers(0, 30)
        paper = _rule(paper, range(first, HEIGHT, distance), _RULINGS[0], 0.25)
    photo = paper * (1 - ink) + np.array(_PENS[rng.integers(len(_PENS))]) * ink
    photo = photo * _light((HEIGHT, WIDTH), rng)[..., None] + rng.normal(0, rng.uniform(2, 8), photo.shape)
    picture = Image.fromarray(photo.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2)))
    return _compress(picture, int(rng.integers(35, 90)))


def photograph_page(lines, rng, *, touching=0.0, slope=0.0):
    """Return a photo, a PIL image of mode RGB, of a sheet with lines of digits; its longer side is 900 to 2000 pixels.

    `lines` lists an array uint8 (n, 28, 28), white on black, for each line, from the top. `touching`, the share of
    neighbours whose strokes touch, in [0, 1], and `slope`, that of the steepest writing in degrees, in [0, 10], are
    those of `written_lines.write_lines`, which raises the ValueErrors. `rng` is a NumPy Generator; the same state gives
    the same photo.
    """
    return photograph_ink(write_lines(lines, sheet_size(rng), rng, touching=touching, slope=slope), rng)


def sheet_size(rng):
    """Return (height, width) in pixels of some sheet, upright or across, the longer side from 900 to 2000."""
    longer = int(rng.integers(LONGER_SIDE[0], LONGER_SIDE[1] + 1))
    return (longer, int(longer * rng.uniform(0.6, 0.85)))[:: rng.choice([1, -1])]


def photograph_ink(ink, rng):
    """Return a photo, a PIL image of mode RGB, of a sheet with `ink`, float (h, w) in [0, 1], in one pen's colour.

    The sheet may be ruled or squared, stained, unevenly lit and seen at a slight angle; what lies within 8 % of its
    edges may be cut off. `rng` is a NumPy Generator; the same state gives the same photo.
    """
    sheet = _paper(ink.shape, rng)
    colour = np.array(_PENS[rng.integers(len(_PENS))], np.float32) + rng.uniform(-15, 15, 3)
    ink = np.maximum(ink, _specks(ink.shape, rng)).astype(np.float32)[..., None]
    photo = _lay_on_table(sheet * (1 - ink) + colour.astype(np.float32) * ink, rng)
    photo *= _light(ink.shape[:2], rng).astype(np.float32)[..., None]
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


def _paper(size, rng):
    """Return a plain, ruled or squared sheet, with a margin's line or without, float32 (h, w, 3)."""
    paper = np.array(_PAPERS[rng.integers(len(_PAPERS))], np.float32) * (1 - 0.015 * clouds(size, 12, rng))[..., None]
    kind, far = rng.choice(["plain", "ruled", "squared", "margin"], p=[0.35, 0.25, 0.2, 0.2]), max(size)
    if rng.random() < 0.15:  # a smudge
        y, x = (np.arange(side) / far - rng.uniform(0, side / far) for side in size)
        spot = np.exp(-(y[:, None] ** 2 + x**2 / rng.uniform(0.5, 3)) / rng.uniform(0.01, 0.03) ** 2)
        paper *= (1 - rng.uniform(0.05, 0.25) * spot)[..., None].astype(np.float32)
    if kind == "plain":
        return paper
    distance = far * (rng.uniform(0.016, 0.03) if kind == "squared" else rng.uniform(0.025, 0.06))
    places = (np.arange(0, far, distance) + rng.uniform(0, distance)).astype(int)
    look = _RULINGS[rng.integers(len(_RULINGS))], rng.uniform(0.15, 0.7), max(1, round(far * rng.uniform(8e-4, 2.2e-3)))
    paper = _rule(paper, places, *look)
    if kind == "squared":
        paper = _rule(paper, places, *look, axis=1)
    elif kind == "margin":
        paper = _rule(paper, [int(size[1] * rng.uniform(0.06, 0.2))], (215, 70, 80), rng.uniform(0.3, 0.8), axis=1)
    return paper


def _rule(paper, places, colour, strength, thick=2, axis=0):
    """Draw lines, `thick` pixels wide, across an axis of a paper (h, w, 3), level ones across 0; return the copy."""
    ruled = paper.copy()
    for place in places:
        line = ruled.swapaxes(0, axis)[place : place + thick]
        line[:] = (1 - strength) * line + strength * np.array(colour)
    return ruled


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
    grain = clouds((height, width), 8, rng) + clouds((height * 8, width), rng.choice([150, 500]), rng)[::8]  # of wood
    table = np.array(_TABLES[rng.integers(len(_TABLES))]) * (1 + rng.uniform(0, 0.2) * (grain - 1))[..., None]
    table = table * (1 - rng.uniform(0, 0.6) * shade)[..., None]
    cover = np.asarray(cover, np.float32)[..., None] / 255
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
