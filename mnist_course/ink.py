"""From the colours of a picture to its ink: paper, light, shadows and rulings taken away.

An *ink map* is a float32 array (height, width) in which paper is 0 and ink is 1. `ink_steps` yields every step that
leads there; the others are these steps, in order. NumPy and Pillow suffice.
"""

import functools

import numpy as np
from PIL import Image

NO_INK = "found no ink: send a picture of digits that stand out from their background."
_FAINTEST = 0.65
_WORKING_SIDE = 256  # pixels on the longer side of the picture in which the ink is looked for


def resize(image, scale, method):
    """Scale a PIL image in both directions, to one pixel at least; return it."""
    return image.resize([max(1, round(side * scale)) for side in image.size], method)


def _read_colours(image, side):
    """Return the colours of what `shrink` returned, float32 (h, w, 3) in [0, 1], h and w at most `side`.

    On a transparent background the ink is what is opaque, whatever its colour.
    """
    scale = min(1, side / max(image.size))
    pixels = np.asarray(resize(image, scale, Image.Resampling.BOX) if scale < 1 else image, np.float32)
    if image.mode == "F":
        pixels = np.nan_to_num(pixels, posinf=0, neginf=0)
        return ((pixels - pixels.min()) / max(np.ptp(pixels), 1e-12))[..., None].repeat(3, axis=2)
    colours, opacity = pixels[..., :3] / 255, pixels[..., 3:] / 255
    opaque = opacity[..., 0] > 0.5 if image.mode == "RGBA" else np.ones(pixels.shape[:2], bool)
    if opaque.mean() > 0.995:
        return colours
    paper = np.median(colours[opaque], axis=0) if opaque.any() else 0
    if opaque.mean() > 0.5 and np.abs(colours[opaque] - paper).mean() > 0.02:  # a photo with transparent margins
        return paper + (colours - paper) * opacity
    return 1 - opacity.repeat(3, axis=2)


def estimate_paper(colours):
    """Return the paper's colour under the ink, float32 (h, w, 3): a smooth surface (quadratic) through most pixels."""
    step, basis, at_border = _surface(*colours.shape[:2])
    target = np.ascontiguousarray(colours[::step, ::step].reshape(-1, 3).T)  # (3, pixels): long rows are computed fast
    fit, firm = np.median(np.repeat(target, at_border, axis=1), axis=1, keepdims=True), 1e-6 * np.eye(6)
    both = np.concatenate([basis, target]).T
    for _ in range(10):  # pixels far from the surface are ink and lose their say
        system = (basis * (at_border / (0.05**2 + ((target - fit) ** 2).sum(axis=0)))) @ both
        coefficients = np.linalg.solve(system[:, :6] + firm, system[:, 6:])
        fit = coefficients.T @ basis
    level, in_x, in_y, in_both, in_x2, in_y2 = coefficients.astype(np.float32)
    x, y = (np.linspace(-1, 1, side, dtype=np.float32) for side in colours.shape[1::-1])
    x, y = x[None, :, None], y[:, None, None]
    return (level + in_x * x + in_x2 * x * x) + (in_y + in_both * x) * y + in_y2 * y * y


@functools.lru_cache(1)  # a folder often has pictures of one size
def _surface(height, width):
    """Return, for a picture of that size: every which pixel is looked at, what a quadratic surface is made of, weights.

    It is made of six terms in x and y, (6, pixels), and the weight of a pixel, integers (pixels,), is that of paper.
    """
    step = max(1, max(height, width) // 64)
    y, x = np.meshgrid(*(np.linspace(-1, 1, side)[::step] for side in (height, width)), indexing="ij")
    x, y = x.ravel(), y.ravel()
    at_border = 1 + 3 * (np.maximum(abs(x), abs(y)) > 0.85)  # the border is paper more often than the middle
    return step, np.stack([np.ones_like(x), x, y, x * y, x**2, y**2]), at_border


def _estimate_page(colours, block=10):
    """Return the paper's colour under small writing, float32 (h, w, 3): the median of every block of pixels, smoothed.

    Light, shadows and a table beside the sheet need not be smooth surfaces here, but writing has to be sparse.
    """
    height, width, _ = colours.shape
    rows, columns = max(1, round(height / block)), max(1, round(width / block))
    top, left = (np.linspace(0, side, count + 1).astype(int) for side, count in ((height, rows), (width, columns)))
    blocks = np.empty((rows, columns, 3), np.float32)
    for high in set(np.diff(top).tolist()):  # those of one size together
        for wide in set(np.diff(left).tolist()):
            row, column = np.flatnonzero(np.diff(top) == high), np.flatnonzero(np.diff(left) == wide)
            inside = top[row, None, None, None] + np.arange(high)[:, None], left[column, None, None] + np.arange(wide)
            blocks[np.ix_(row, column)] = np.median(colours[inside], axis=(2, 3))
    return np.median(_neighbourhoods(blocks), axis=(3, 4)).astype(np.float32)


def _neighbourhoods(blocks):
    """Return each block's 3 x 3 neighbourhood, (rows, columns, channels, 3, 3); at the edge it is repeated."""
    around = np.pad(blocks, [(1, 1), (1, 1), (0, 0)], mode="edge")
    return np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(0, 1))


def _enlarge(values, height, width):
    """Return small arrays (h, w, channels) enlarged smoothly to (height, width, channels), float32."""
    channels = [Image.fromarray(np.ascontiguousarray(values[..., number])) for number in range(values.shape[2])]
    large = [channel.resize((width, height), Image.Resampling.BILINEAR) for channel in channels]
    return np.stack([np.asarray(channel) for channel in large], axis=-1)


def page_ink(image, side):
    """Return the ink map of small writing on a page, float32, its longer side at most `side`.

    A table beside the sheet may be stronger than any ink, so ink is learned only where the paper is even. Raises
    ValueError when nothing stands out.
    """
    blocks = _estimate_page(_read_colours(image, _WORKING_SIDE))
    colours = _read_colours(image, side)
    size = colours.shape[:2]
    uneven = np.ptp(_neighbourhoods(blocks), axis=(3, 4)).max(axis=2, keepdims=True)
    calm = _enlarge((uneven < 0.1).astype(np.float32), *size)[..., 0] > 0.5
    strength = measure_ink(colours, _enlarge(blocks, *size), calm)
    ink = spread_greys(strength, calm)
    return remove_rulings(ink, 128)


def measure_ink(colours, paper, where=None):
    """Return how far each pixel is from the paper towards the ink's colour, float32 (h, w); paper is near 0.

    The ink's direction in colour space is the strongest one, so any colours and either polarity will do. With
    `where`, boolean (h, w), only those pixels are asked for it.
    """
    difference = (colours - paper).reshape(-1, 3)
    weighted = difference * np.sqrt(np.einsum("nc,nc->n", difference, difference))[:, None]
    if where is not None:
        weighted[~where.ravel()] = 0
    direction = np.linalg.eigh(weighted.T @ weighted)[1][:, -1]
    strength = difference @ direction
    strength *= 1 if ((weighted @ direction) ** 3).sum() >= 0 else -1
    return strength.reshape(colours.shape[:2]).astype(np.float32)


def framed(values, reach, fill=0):
    """Return an array (h, w) framed by at least one pixel, `reach`, of the value `fill`: `np.pad`, but faster."""
    result = np.full([side + 2 * reach for side in values.shape], fill, values.dtype)
    result[reach:-reach, reach:-reach] = values
    return result


def _running_max(values, reach):
    """Return the largest value within `reach` rows above and below each pixel, float32 (h, w)."""
    window, length = 2 * reach + 1, 1
    frame = np.full((len(values) + 2 * reach, values.shape[1]), -np.inf, np.float32)
    frame[reach : reach + len(values)] = values
    while length < window:  # each step doubles the rows looked at
        step = min(length, window - length)
        frame = np.maximum(frame[:-step], frame[step:])
        length += step
    return frame


def _square_max(values, reach):
    """Return the largest value within a square of `reach` pixels to each side of each pixel, float32 (h, w)."""
    return _running_max(_running_max(values, reach).T, reach).T


def _remove_wide(strength, reach):
    """Subtract whatever holds a square of `reach` pixels to each side: a morphological top-hat, float32 (h, w)."""
    page = framed(strength, reach)  # paper goes on outside the picture
    wide = _square_max(-_square_max(-page, reach), reach)
    return strength - wide[reach:-reach, reach:-reach]


def remove_shadows(strength):
    """Even out light and shadow; return float32 (h, w), paper around 0.

    Strokes are narrower than shadows, but how narrow, and whether ink is what is darker or what is lighter, differs:
    the narrowest attempt that keeps the picture's sharp edges, and adds none, is taken.
    """
    edges = _slopes(strength)
    attempts = []
    for reach in sorted({max(4, round(share / 2 * max(strength.shape))) for share in (0.1, 0.14, 0.2, 0.3)}):
        for sign in (1, -1):
            flat = _remove_wide(sign * strength, reach)
            steepness = _slopes(flat)
            error = (np.abs(steepness - edges) * np.maximum(steepness, edges) ** 2).sum()
            attempts.append((error * (1 if sign > 0 else 1.5), flat))  # paper is what there is most of
        if min(attempts, key=lambda attempt: attempt[0])[0] < 0.1 * (edges**3).sum():
            break
    flat = min(attempts, key=lambda attempt: attempt[0])[1]
    return flat - np.percentile(flat, 30)  # ink can cover more than half of a picture that was cut out


def _slopes(values):
    """Return the steepness at each pixel, (h, w), 0 at the border of the picture."""
    result = np.zeros_like(values)
    down, right = values[2:, 1:-1] - values[:-2, 1:-1], values[1:-1, 2:] - values[1:-1, :-2]
    result[1:-1, 1:-1] = np.sqrt(down * down + right * right) / 2
    return result


def spread_greys(strength, where=1):
    """Scale to an ink map in which the edge of a stroke is near 0.5. Raises ValueError when nothing stands out.

    With `where`, boolean (h, w), only the edges there tell how strong ink is.
    """
    weight = _slopes(strength) ** 3 * where
    middle = _square_max(strength, 1) - _square_max(-strength, 1)  # twice the grey halfway up an edge
    level = (weight * middle).sum() / max(weight.sum(), 1e-12)  # ink, where its edges are sharpest
    noise = 1.5 * np.median(-strength[strength <= 0])  # paper is as often below 0 as above
    if level < max(0.03, 4 * noise):
        raise ValueError(NO_INK)
    reach = max(1, round(0.1 * max(strength.shape)))
    local = _square_max(np.minimum(strength, level), reach)  # a pen presses unevenly
    return np.clip(strength / np.maximum(local, _FAINTEST * level), 0, 1)


def grow(values, radius):
    """Widen what is bright by a disc of `radius` pixels (a negative radius narrows it); return float32 (h, w)."""
    if radius < 0:
        return -grow(-values, -radius)
    reach = int(radius)
    frame = np.full((len(values) + 2 * reach, values.shape[1]), -np.inf, np.float32)
    for row in range(-reach, reach + 1):
        half = int((radius**2 - row**2) ** 0.5)
        part = frame[reach + row : reach + row + len(values)]
        np.maximum(part, _running_max(values.T, half).T, out=part)
    return frame[reach : reach + len(values)]


def label_pieces(mask):
    """Number the connected pieces of a boolean mask from 1, diagonal neighbours included; return integers (h, w)."""
    ends = np.diff(framed(mask.astype(np.int8), 1), axis=1)
    begin, end = np.flatnonzero(ends == 1), np.flatnonzero(ends == -1)  # of the runs of True, row by row
    from_run = np.searchsorted(end, begin + ends.shape[1])  # of the next row's runs the first that is not too far left
    count = np.searchsorted(begin, end + ends.shape[1], "right") - from_run
    first = np.repeat(np.arange(len(begin)), count)
    second = np.arange(len(first)) + np.repeat(from_run - np.cumsum(count) + count, count)
    root = np.arange(len(begin))
    while True:
        low, high = np.minimum(root[first], root[second]), np.maximum(root[first], root[second])
        if (low == high).all():
            break
        np.minimum.at(root, high, low)
        while (root[root] != root).any():
            root = root[root]
    labels = np.zeros(mask.shape, int)
    labels[mask] = np.repeat(np.cumsum(root == np.arange(len(root)))[root], end - begin)
    return labels


def bounding_box(mask):
    """Return (top, bottom, left, right) of what is True, bottom and right one past it; raise ValueError for nothing."""
    rows, columns = mask.any(axis=1), mask.any(axis=0)
    if not rows.any():
        raise ValueError(NO_INK)
    return rows.argmax(), len(rows) - rows[::-1].argmax(), columns.argmax(), len(columns) - columns[::-1].argmax()


def piece_boxes(labels):
    """Return (top, bottom, left, right) of each of the pieces that `label_pieces` numbered, integers (pieces, 4)."""
    places = np.flatnonzero(labels > 0)  # much faster than np.nonzero
    number = labels.ravel()[places] - 1
    boxes = np.zeros((4, labels.max(initial=0)), int)
    boxes[::2] = max(labels.shape)
    for first, last, at in zip(boxes[::2], boxes[1::2], np.divmod(places, labels.shape[1]), strict=True):
        np.minimum.at(first, number, at)
        np.maximum.at(last, number, at + 1)
    return boxes.T


def remove_rulings(ink, strip=None):
    """Take out of an ink map the lines of ruled or squared paper: straight, parallel, thin, from edge to edge.

    A page is looked at in strips of so many pixels, because its lines bend and end; without `strip` in one.
    """
    return _remove_level_rulings(_remove_level_rulings(ink, strip).T, strip).T


def _remove_level_rulings(ink, strip):
    """Do what `remove_rulings` does for lines that run within 6 degrees of the horizontal."""
    if min(ink.shape) < 40:
        return ink
    mask, result = ink > 0.15, ink.copy()
    thickest = 6 if strip else max(4, 0.02 * len(ink))  # what is thicker is a stroke of the digit in a tight crop
    edges = np.linspace(0, ink.shape[1], max(1, round(ink.shape[1] / (strip or ink.shape[1]))) + 1).astype(int)
    strips = [_Strip(mask[:, begin:end], thickest) for begin, end in zip(edges[:-1], edges[1:], strict=True)]
    for order in (strips, strips[::-1]) if len(strips) > 1 else (strips,):
        expected = []
        for each in order:  # a line goes on where the strip before had one
            each.find_lines(expected)
            rightwards = 1 if order is strips else -1
            expected = [row + rightwards * each.tilt[row] * each.mask.shape[1] for row in each.lines]
    for each, begin, end in zip(strips, edges[:-1], edges[1:], strict=True):
        each.rub_out(result[:, begin:end])
    return result if sum(len(each.lines) for each in strips) > 1 else ink


class _Strip:
    """A strip of a picture, boolean (h, w): for each row in its middle column the straightest line there."""

    def __init__(self, mask, thickest):
        height, width = mask.shape
        self.mask, self.thickest, self.lines, self._run = mask, thickest, [], None
        columns = np.arange(width)
        sums = np.pad(np.cumsum(_running_max(mask, 1), axis=1, dtype=np.int32), [(0, 0), (1, 0)])
        self.share, self.tilt = np.zeros(height), np.zeros(height)
        for slope in np.arange(-0.105, 0.106, 4 / width):
            on_line, visible = np.zeros(height), np.zeros(height)  # a line can leave the picture at a corner
            shift = np.round(slope * (columns - width // 2)).astype(int)
            ends = [0, *(np.flatnonzero(np.diff(shift)) + 1), width]
            for begin, end in zip(ends[:-1], ends[1:], strict=True):  # pieces of the line that are level
                inside = slice(max(0, -shift[begin]), height - max(0, shift[begin]))
                moved = slice(max(0, shift[begin]), height + min(0, shift[begin]))
                on_line[inside] += sums[moved, end] - sums[moved, begin]
                visible[inside] += end - begin
            share = on_line / np.maximum(visible, width / 3)
            self.tilt = np.where(share > self.share, slope, self.tilt)
            self.share = np.maximum(share, self.share)

    def find_lines(self, expected):
        """Add the rows of thin lines: inked nearly throughout, or by half where they are expected."""
        least = np.full(len(self.share), 0.85)
        for row in np.round(expected).astype(int):
            least[max(0, row - 2) : max(0, row + 3)] = 0.45
        for row in np.argsort(-self.share):
            if self.share[row] < 0.45:
                break
            if self.share[row] < least[row] or any(abs(row - other) < 5 for other in self.lines):
                continue
            if self._thickness(row) <= self.thickest:
                self.lines.append(row)

    def _rows(self, row):
        columns = np.arange(self.mask.shape[1])
        rows = row + np.round(self.tilt[row] * (columns - len(columns) // 2)).astype(int) + np.arange(-2, 3)[:, None]
        return np.clip(rows, 0, len(self.mask) - 1), columns

    def _thickness(self, row):
        self._run = _run_lengths(self.mask) if self._run is None else self._run
        runs = self._run[self._rows(row)].max(axis=0)
        return np.median(runs[runs > 0])

    def rub_out(self, ink):
        """Set the lines in an ink map of the strip to 0, in place."""
        for row in self.lines:
            rows, columns = self._rows(row)
            darkest = 1.3 * np.median(ink[rows, columns].max(axis=0)) + 0.1
            on_line = (self._run[rows, columns] <= self._thickness(row) + 2) & (ink[rows, columns] <= darkest)
            ink[rows[on_line], np.nonzero(on_line)[1]] = 0  # elsewhere a stroke crosses the line


def _run_lengths(mask):
    """Return the length of the vertical run of True that each pixel belongs to, 0 outside, integers (h, w)."""
    result, count = np.zeros(mask.shape, int), 0
    for row in range(len(mask)):
        result[row] = count = np.where(mask[row], count + 1, 0)
    for row in range(len(mask) - 2, -1, -1):
        result[row] = np.where(mask[row] & mask[row + 1], result[row + 1], result[row])
    return result


def _find_sheet(strength, side):
    """Return the box, in a picture of `side` pixels, of a sheet seen whole on a table of another colour, or None."""
    step = max(1, max(strength.shape) // 64)
    strength = strength[::step, ::step]
    mask = strength > 0.5 * np.percentile(strength, 95)
    if not mask.any():
        return None
    labels = label_pieces(mask)
    sheet = labels == np.bincount(labels[mask]).argmax()
    top, bottom, left, right = bounding_box(sheet)
    sides = sorted((bottom - top, right - left))
    area = sides[0] * sides[1]
    inside = min(top, left, sheet.shape[0] - bottom, sheet.shape[1] - right) > 0
    if not inside or sheet.sum() < 0.8 * area or area < 0.25 * sheet.size or sides[1] > 2.5 * sides[0]:
        return None
    margin = 0.05 * sides[0] + 1
    box = np.array([left + margin, top + margin, right - margin, bottom - margin])
    return np.round(box * side / max(sheet.shape)).astype(int).tolist()


def ink_steps(image, prefix, side=_WORKING_SIDE):
    """Yield the steps from a picture to its ink map; return the box of a sheet, or None, and the ink map."""
    yield prefix + "picture", (colours := _read_colours(image, side))
    yield prefix + "paper", (paper := estimate_paper(colours))
    yield prefix + "ink", (strength := measure_ink(colours, paper))
    if not prefix and max(image.size) >= 64 and (sheet := _find_sheet(strength, max(image.size))):  # not in an icon
        _, ink = yield from ink_steps(image.crop(sheet), "sheet: ", side)
        return sheet, ink
    yield prefix + "shadows removed", (flat := remove_shadows(strength))
    yield prefix + "greys spread", (ink := spread_greys(flat))
    yield prefix + "rulings removed", (ink := remove_rulings(ink))
    return None, ink
