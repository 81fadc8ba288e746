"""Divides a page of digits: its lines, the parts of a line between which it can be cut, and the best way to cut it.

This is heuristic over-segmentation. Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to
Document Recognition (1998), section V. Theirs builds a graph for each string and searches it by Viterbi's algorithm, as
`best_path` does; simpler here are the cuts (one kind), and that the network is trained on single pictures, among them
pieces of cut lines (`neighbours`), where theirs learns from whole strings.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from mnist_course.ink import framed, label_pieces, piece_boxes

INK = 0.4  # of an ink map, from where a pixel belongs to a piece
_LEAST_LEFT = 0.1  # ink of a piece, in pixels a pixel of the longer side, that is worth reading without the edges


class _Pieces(NamedTuple):
    """Connected pieces of ink: their numbers from 1 in the picture (h, w), boxes (n, 4) as top, bottom, left, right.

    `mass` is their ink, `stroke` the mean width of their strokes in pixels, `dark` their mean ink in a pixel, all (n,).
    """

    labels: np.ndarray
    boxes: np.ndarray
    mass: np.ndarray
    stroke: np.ndarray
    dark: np.ndarray

    def weight(self):
        """Return how much each counts where most is asked for: writing is broader than what is left of rulings."""
        top, bottom, left, right = self.boxes.T
        blob = self.stroke > 0.35 * np.maximum(bottom - top, right - left)  # such as a dark corner
        return np.where(blob, 0, self.mass * self.stroke**2)

    def centres(self):
        top, bottom, left, right = self.boxes.T
        return (left + right) / 2, (top + bottom) / 2


def find_pieces(ink):
    """Return the connected `_Pieces` of an ink map."""
    mask = ink > INK
    labels = label_pieces(mask)
    number, boxes = labels[mask], piece_boxes(labels)
    area, mass = np.bincount(number)[1:], np.bincount(number, weights=ink[mask])[1:]
    around = framed(labels, 1).ravel()
    inked, outline = around > 0, np.zeros(len(boxes) + 1)
    for step in (1, labels.shape[1] + 2):  # to the right, down
        edge = np.flatnonzero(inked[step:] != inked[:-step])
        outline += np.bincount(around[edge] + around[edge + step], minlength=len(outline))  # one of the two is 0
    return _Pieces(labels, boxes, mass, 2.5 * mass / outline[1:], mass / area)


def without_edges(ink):
    """Return an ink map without the edges of the sheet and what lies beside it, wherever anything else is left.

    An edge is one straight stroke, far longer than writing is high. What lies beside the sheet touches the picture's
    border and surrounds the writing: two pieces or more stand in its box, and its ink fills little of that. It is
    looked for in small ink maps only.
    """
    pieces = find_pieces(ink)
    top, bottom, left, right = pieces.boxes.T
    tall, wide = bottom - top, right - left
    long = np.maximum(tall, wide)
    stroke = (pieces.mass < 1.6 * pieces.stroke * np.hypot(tall, wide)) & (np.minimum(tall, wide) < 0.2 * long)
    outside = (top == 0) | (left == 0) | (bottom == ink.shape[0]) | (right == ink.shape[1])
    x, y = pieces.centres()
    main = (long > 0.05 * max(ink.shape)) & ~stroke
    small = max(ink.shape) <= 256  # in larger ink maps what is hollow is squared paper, and digits stand on it
    around = outside & main & (pieces.mass < 0.16 * tall * wide) & small
    for piece in np.flatnonzero(around):
        within = (left[piece] < x) & (x < right[piece]) & (top[piece] < y) & (y < bottom[piece])
        around[piece] = (within & main).sum() > 2  # itself, and two
    drop = around | stroke & (long > 0.25 * max(ink.shape))
    weight = np.where(drop, 0, pieces.weight())
    if not drop.any() or pieces.mass[~drop].max(initial=0) < _LEAST_LEFT * max(ink.shape):
        return ink
    usual = np.average(long, weights=weight) if weight.any() else long.max()
    drop &= long > 2.5 * usual
    return np.where(np.isin(pieces.labels, np.flatnonzero(drop) + 1), 0, ink)


def without_thin_lines(ink, pieces, height):
    """Return an ink map, and its pieces, without lines far thinner than the writing: rulings that digits stand on."""
    near = (pieces.boxes[:, 1] - pieces.boxes[:, 0] > 0.45 * height) & (pieces.weight() > 0)
    pen = np.median(np.repeat(pieces.stroke[near], pieces.mass[near].astype(int))) if near.any() else 0
    if pen < 4:
        return ink, pieces
    mask = Image.fromarray((255 * (ink > INK)).astype(np.uint8))
    broad = mask.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(5))
    thin = np.asarray(mask) > np.asarray(broad)
    parts = find_pieces(np.where(thin, ink, 0))
    tall, wide = parts.boxes[:, 1] - parts.boxes[:, 0], parts.boxes[:, 3] - parts.boxes[:, 2]
    long, short = np.maximum(tall, wide), np.minimum(tall, wide)
    lines = (long > 0.5 * height) & (short < 0.12 * height) | (long > 1.5 * height)  # one, or several that cross
    if not lines.any():
        return ink, pieces
    ink = np.where(np.isin(parts.labels, np.flatnonzero(lines) + 1), 0, ink)
    return ink, find_pieces(ink)


def digit_height(pieces, most=1):
    """Return the height of most writing in pixels: the median over the pieces, each counted by its ink."""
    heights, widths = pieces.boxes[:, 1] - pieces.boxes[:, 0], pieces.boxes[:, 3] - pieces.boxes[:, 2]
    weights = np.where((heights >= 0.3 * widths) & (heights <= most * max(pieces.labels.shape)), pieces.weight(), 0)
    if not weights.any():
        return float(heights.max())
    order = np.argsort(heights)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(heights[order][min(middle, len(order) - 1)])


def written_alike(pieces, near):
    """Return which pieces have strokes about as broad and as dark as most of those in `near`; both boolean (n,)."""
    alike = np.ones(len(near), bool)
    weights = np.where(pieces.weight() > 0, pieces.mass, 0)  # or one blot would count as much as all the rest
    for values, least in ((pieces.stroke, 0.35), (pieces.dark, 0.65)):
        order = np.flatnonzero(near)[np.argsort(values[near])]
        amount = np.cumsum(weights[order])
        alike &= values > least * values[order][np.searchsorted(amount, amount[-1] / 2)]
    return alike


_BOLDEST = 0.5  # of a digit's height: what has broader strokes is a blot, such as a corner of the table


def find_lines(pieces, height):
    """Return the lines of writing, each an array of pieces (numbered from 0) from left to right, in reading order.

    `height` is that of a digit. A digit's neighbour is to its right, at most 2.5 heights away, and level with it once
    the slope of the writing is taken into account. What is far larger than a digit, or a blot, belongs to no line, and
    what is far smaller only to one that it stands in.
    """
    top, bottom, left, right = pieces.boxes.T
    x, y = pieces.centres()
    tall, wide = bottom - top, right - left
    side = np.maximum(tall, wide)
    near = (tall >= 0.45 * height) & (tall <= 2.2 * height) & (wide <= 14 * height) & (pieces.weight() > 0)
    near &= pieces.stroke < _BOLDEST * height
    if not near.any():
        return []
    same_pen = written_alike(pieces, near)
    main = np.flatnonzero(near & same_pen)
    if not len(main):
        return []
    level = y - _slope(x[main], y[main], height) * x
    parent = {piece: piece for piece in main}

    def root(piece):
        while parent[piece] != piece:
            piece = parent[piece]
        return piece

    for piece in main:
        gap = left[main] - right[piece]
        near = np.abs(level[main] - level[piece]) < 0.3 * (tall[main] + tall[piece])
        following = main[near & (x[main] > x[piece]) & (gap < 2.5 * height)]
        for other in following[np.argsort(x[following])][:2]:
            parent[root(other)] = root(piece)
    lines = {}
    for piece in main:
        lines.setdefault(root(piece), []).append(piece)
    lines = _join_parts(list(lines.values()), pieces)
    small = np.flatnonzero(same_pen & (side > 0.12 * height) & (tall < 0.45 * height) & (wide < 1.5 * height))
    for piece in small:
        for line in lines:
            nearest = min(line, key=lambda other: abs(x[other] - x[piece]))
            beside = max(left[line[0]], 0) - 0.7 * height < x[piece] < max(right[line]) + 0.7 * height
            if beside and abs(level[nearest] - level[piece]) < 0.75 * height:
                line.append(piece)
                break
    return _in_reading_order([np.array(line)[np.argsort(x[line])] for line in lines], x, level, height)


def _join_parts(lines, pieces):
    """Move what stands alone, above or below a piece that it overlaps, into that one's line: a digit in two parts."""
    top, bottom, left, right = pieces.boxes.T
    for line in [line for line in lines if len(line) == 1]:
        part = line[0]
        for other in lines:
            across = np.minimum(right[other], right[part]) - np.maximum(left[other], left[part])
            down = np.minimum(bottom[other], bottom[part]) - np.maximum(top[other], top[part])
            if other is not line and (across > 0.6 * (right[part] - left[part]))[down > 0].any():
                other += line
                line.clear()
                break
    return [line for line in lines if line]


def _slope(x, y, height):
    """Return the slope of the writing: the one at which the centres of the digits gather most on few levels."""
    best, slope = -1, 0.0
    for candidate in np.tan(np.deg2rad(sorted(np.arange(-12, 12.1, 1), key=abs))):
        level = (y - candidate * x) / (0.2 * height)
        counts = np.bincount(np.round(level - level.min()).astype(int))
        score = (np.convolve(counts, [0.5, 1, 0.5]) ** 2).sum()
        if score > 1.02 * best:
            best, slope = score, candidate
    return slope


def _in_reading_order(lines, x, level, height):
    """Return the lines from top to bottom; those on one level, of columns side by side, from left to right."""
    lines = sorted(lines, key=lambda line: np.median(level[line]))
    rows = []
    for line in lines:
        if rows and np.median(level[line]) - np.median(level[rows[-1][0]]) < 0.6 * height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: x[line].min())]


def find_cuts(ink, height):
    """Return where one piece of ink can be cut in two: columns (cuts, h), one a row, and the ink that each crosses.

    Each is the way from top to bottom that crosses the least ink, in a band about a place; of the ways that are found
    from places all along the piece, those are kept that cross less than their neighbours. In order from left to right.
    """
    rows, columns = ink.shape
    reach = max(2, round(0.22 * height))
    starts = np.unique(np.arange(0.12 * height, columns - 0.12 * height, max(1, 0.06 * height)).round().astype(int))
    if not len(starts):
        return np.zeros((0, rows), int), np.zeros(0)
    window = np.arange(-reach, reach + 1)
    cost = np.pad(ink, [(0, 0), (reach, reach)], constant_values=0)[:, starts[:, None] + window + reach]  # (h, n, band)
    total = np.zeros_like(cost)
    total[0] = cost[0]
    step = np.empty(cost.shape, np.int8)
    for row in range(1, rows):
        before = np.pad(total[row - 1], [(0, 0), (1, 1)], constant_values=np.inf)
        ways = np.stack([before[:, :-2] + 0.06, before[:, 1:-1], before[:, 2:] + 0.06])
        step[row] = ways.argmin(axis=0) - 1
        total[row] = cost[row] + ways.min(axis=0)
    ends = (total[-1] + 0.02 * np.abs(window)).argmin(axis=1)
    crossed = total[-1][np.arange(len(starts)), ends]
    path = np.empty((len(starts), rows), int)
    for row in range(rows - 1, -1, -1):
        path[:, row] = ends
        if row:
            ends = ends + step[row, np.arange(len(starts)), ends]
    path += (starts - reach)[:, None]
    middle = path.mean(axis=1)
    kept = []
    for place in np.argsort(crossed, kind="stable"):
        if all(abs(middle[place] - middle[other]) > 0.07 * height for other in kept):
            kept.append(place)
    kept = np.array(sorted((place for place in kept if crossed[place] > 0), key=lambda place: middle[place]), int)
    return path[kept], crossed[kept]  # the ways around the piece are no cuts


_PRICES = {
    "digit": 0.05,  # so that of two ways that the network likes alike the one with fewer digits is taken
    "low": 3.0,  # for the share of a digit's height that is missing below 0.65
    "high": 2.0,  # and that it has above 1.5
    "wide": 1.3,  # for what it is wider than high, above 1.1
    "off": 0.05,  # for how far it is from the middle of the line, in heights above 0.25
    "cut": 0.12,  # for the ink that its cuts cross, in widths of a stroke
    "join": 0.3,  # for each gap in it
    "gap": 3.0,  # and the width of its gaps, in heights
}
"""What the shape of a candidate costs; to its price comes what the reading costs, -log of the probability."""


_SKIP = 0.05, 4.5
"""What it costs to skip an atom, and what is added for one with as much ink as a whole piece."""


class _Candidate(NamedTuple):
    """What could be one digit: atoms `first` to `last` of a line (the last one excluded), its box, its shape.

    The box is top, bottom, left, right in the ink map; the shape is how much of each of the `_PRICES` it has to pay.
    """

    first: int
    last: int
    box: tuple
    shape: tuple

    def is_cut(self):
        return self.shape[list(_PRICES).index("cut")] > 0.3

    def price(self):
        return sum(price * amount for price, amount in zip(_PRICES.values(), self.shape, strict=True))


class Line(NamedTuple):
    """A line cut into atoms: where they are (h, w; numbered from 1), their ink, the price to skip each, candidates.

    `stroke` is about the width of its strokes in pixels. `cuts` has, of each atom, the cut on its left, (points, 2) as
    column and row of the ink map, or None; `wide`, boolean (atoms,), tells which are of a piece wider than one digit.
    The middle of the line is in row `middle` of column 0 and falls by `slope` pixels a pixel, from left to right; its
    digits are about `height` tall.
    """

    atoms: np.ndarray
    corner: tuple  # row and column of the ink map at which `atoms` begins
    mass: np.ndarray
    skip: np.ndarray
    candidates: list
    stroke: int
    cuts: list
    wide: np.ndarray
    middle: float
    slope: float
    height: float


_MOST_ATOMS = 9  # in a candidate
_WIDEST_GAP = 0.6  # in it, in heights


def divide(line, pieces, ink, height, sure=None):
    """Return the `Line` of the pieces of `line`, cut into atoms, with every candidate that could be a digit.

    `sure`, boolean (pieces,), says which pieces are not to be cut.
    """
    boxes = pieces.boxes[line]
    top, left = boxes[:, 0].min(), boxes[:, 2].min()
    bottom, right = boxes[:, 1].max(), boxes[:, 3].max()
    labels, area = pieces.labels[top:bottom, left:right], ink[top:bottom, left:right]
    tall = (boxes[:, 1] - boxes[:, 0])[boxes[:, 1] - boxes[:, 0] > 0.5 * height]
    height = float(np.median(tall)) if len(tall) else height
    stroke = (pieces.mass / pieces.dark)[line].sum() / (pieces.mass / pieces.stroke)[line].sum()
    atoms, found = np.zeros(labels.shape, int), []  # of each atom: middle, box, mass, ink cut on its left, its piece
    for piece, (row, end_row, column, end_column) in zip(line, boxes, strict=True):
        window = np.s_[row - top : end_row - top, column - left : end_column - left]
        mask = labels[window] == piece + 1
        paths, crossed = np.zeros((0, mask.shape[0]), int), np.zeros(0)
        large = end_column - column > 0.5 * height and end_row - row > 0.45 * height
        if large and (sure is None or not sure[piece]):
            paths, crossed = find_cuts(np.where(mask, area[window], 0), height)
            good = crossed < 5 * stroke
            paths, crossed = paths[good], crossed[good]
        part = (np.arange(mask.shape[1]) >= paths[:, :, None]).sum(axis=0)  # (h, w): how many cuts are to the left
        for number in range(len(paths) + 1):
            own = mask & (part == number)
            if not own.any():
                continue
            columns, rows = np.flatnonzero(own.any(axis=0)), np.flatnonzero(own.any(axis=1))
            box = (row + rows[0], row + rows[-1] + 1, column + columns[0], column + columns[-1] + 1)
            cut = crossed[number - 1] / stroke if number else 0.0
            left_edge = np.stack([column + paths[number - 1], np.arange(row, end_row)], axis=1) if number else None
            place = window, own, left_edge
            found.append(((box[2] + box[3]) / 2, box, float(area[window][own].sum()), cut, piece, place))
    found.sort(key=lambda atom: atom[0])
    for number, atom in enumerate(found, start=1):
        window, own, _ = atom[-1]
        atoms[window][own] = number
    typical = np.median([pieces.mass[piece] for piece in line]) if len(line) else 1.0
    mass = np.array([atom[2] for atom in found])
    skip = _SKIP[0] + _SKIP[1] * np.minimum(1, mass / max(typical, 1e-9))
    (x, y), slope = _large_centres(boxes, height), line_slope(boxes, height)
    middle = float(y.mean() - slope * x.mean())
    candidates = list(_candidates(found, height, slope, middle))
    cuts = [atom[-1][-1] for atom in found]
    wide = np.array([pieces.boxes[atom[4], 3] - pieces.boxes[atom[4], 2] > height for atom in found])
    stroke = max(1, round(0.08 * height))
    return Line(atoms, (top, left), mass, skip, candidates, stroke, cuts, wide, middle, slope, height)


def line_slope(boxes, height):
    """Return by how many pixels a line of pieces with `boxes` falls a pixel; where it has few of them, 0 is likely."""
    x, y = _large_centres(boxes, height)
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / ((x**2).sum() + 3 * height**2))


def _large_centres(boxes, height):
    """Return the columns and the rows in which the middles of a line's large pieces lie, or of all if none is."""
    large = boxes[:, 1] - boxes[:, 0] > 0.5 * height
    top, bottom, left, right = boxes[large if large.any() else ...].T
    return (left + right) / 2, (top + bottom) / 2


def _candidates(found, height, slope, middle):
    """Yield every `_Candidate` of up to `_MOST_ATOMS` neighbours in a line whose middle is row `middle` in column 0."""
    for first in range(len(found)):
        box, joins, gaps = list(found[first][1]), 0, 0.0
        for last in range(first + 1, min(len(found), first + _MOST_ATOMS) + 1):
            _, other, _, _, piece, _ = found[last - 1]
            if last - 1 > first and piece != found[last - 2][4]:
                gap = max(0, other[2] - box[3]) / height
                if gap > _WIDEST_GAP:
                    break
                joins, gaps = joins + 1, gaps + gap
            box = [min(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), max(box[3], other[3])]
            tall, wide = box[1] - box[0], box[3] - box[2]
            if wide > 1.7 * height and last - 1 > first:
                break
            if tall < 0.4 * height:
                continue
            right_cut = found[last][3] if last < len(found) and found[last][4] == piece else 0.0
            off = abs((box[0] + box[1]) / 2 - middle - slope * (box[2] + box[3]) / 2) / height
            wider = wide / max(tall, 0.7 * height)
            beyond = (0.65 - tall / height, tall / height - 1.5, wider - 1.1, off - 0.25)
            shape = (1, *(max(0, amount) for amount in beyond), found[first][3] + right_cut, joins, gaps)
            yield _Candidate(first, last, tuple(map(int, box)), shape)


def by_end(candidates):
    """Return the numbers of the candidates that end with each atom, a dict of lists."""
    ending = {}
    for number, candidate in enumerate(candidates):
        ending.setdefault(candidate.last, []).append(number)
    return ending


def best_path(atoms, skip, candidates, costs):
    """Return the candidates (their numbers, left to right) that divide a line at the least cost, and that cost.

    A line of so many `atoms` is covered from left to right: each is part of one candidate or skipped. `costs` has one
    number a candidate, `skip` one an atom. This is dynamic programming: the best way to the end of atom k is the best
    way to some earlier place, and one step.
    """
    best, step = np.zeros(atoms + 1), [None] * (atoms + 1)
    best[1:] = np.inf
    ending = by_end(candidates)
    for place in range(1, atoms + 1):
        best[place] = best[place - 1] + skip[place - 1]
        for number in ending.get(place, ()):
            cost = best[candidates[number].first] + costs[number]
            if cost < best[place]:
                best[place], step[place] = cost, number
    chosen, place = [], atoms
    while place:
        number = step[place]
        if number is None:
            place -= 1
        else:
            chosen.append(number)
            place = candidates[number].first
    return chosen[::-1], best[-1]
