"""Reads every number on a page: lines of digits, each with the network's probabilities and its place in the picture.

`read_page` goes from any picture to lines of digits: the ink (`ink`), how the page lies, lines and cuts (`divisions`).
What a line says is then told by a network that reads the whole of it (`strips`), beside the one of single digits; or,
where there is none, by the best division of the line by what the network of single digits says of every candidate.
"""

import functools
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from mnist_course import divisions, pictures, strips
from mnist_course.ink import NO_INK, ink_steps, page_ink

DOUBTFUL = 0.5  # a digit that is less probable is not claimed
_HEIGHT = 40  # pixels of the ink map that a digit is tall, where the picture has that many
_PAGE = 256  # pixels on the longer side of the smallest picture of a page
_MOST_CANDIDATES = 20_000  # on a page
_LEAST_OF_LINE, _LEAST_OF_PAGE = 0.3, 0.65  # of the ink that is read for sure, or it is something else than digits
_SURE, _LEAST_SURE = 0.97, 0.55  # the probability of what needs no cut, and its share of the ink of narrow pieces
_NOT_DIGITS = "found no digits: what is written here is something else, or too faint or too small to be read."


class Digit(NamedTuple):
    """A digit that was read, the ten probabilities, float32 (10,), and where it stands in the picture.

    `box` is left, top, right, bottom in pixels of the picture (one that `pictures.shrink` leaves as it is). Where the
    page was turned, `quadrilateral` lists the corners, from the digit's own top left one, as (x, y), else it is None.
    `image`, uint8 (28, 28), is what was read. Where it was cut from what touches it on its left, `cut` lists the points
    of that line as (x, y), else it is None.
    """

    digit: int
    probability: float
    probabilities: np.ndarray
    box: tuple
    quadrilateral: tuple | None
    image: np.ndarray
    cut: tuple | None = None


class Page(NamedTuple):
    """The lines of a page, each a list of `Digit`, and by how many degrees it was turned clockwise to be read."""

    lines: list
    turned: int

    def texts(self):
        """Return each line as a text of digits."""
        return ["".join(str(digit.digit) for digit in line) for line in self.lines]


def read_page(image, network, line_network=None):
    """Read all digits in a PIL image with a `reader.Reader`; return a `Page` of at least one digit.

    Where there are several, the `reader.LineReader` in `line_network` reads them, line by line; without one, and in
    pictures below 256 pixels, the lines are divided by what `network` says. Raises ValueError when there is no ink, or
    nothing that could be read as digits.
    """
    image = pictures.shrink(image)
    single, alone = _read_single(image, network)
    if single and alone and single.probability > 0.9:
        return Page([[single]], 0)
    try:
        page = _read_lines(image, network, line_network)
    except ValueError:
        if single:
            return Page([[single]], 0)
        raise
    return Page([[single]], 0) if single and not _more_likely(page, single) else page


def _more_likely(page, single):
    """Return whether a page of digits is a better reading of a picture than a single one."""
    found = [digit for line in page.lines for digit in line]
    heights = [digit.box[3] - digit.box[1] for digit in found]
    likely = np.mean([digit.probability for digit in found])
    if len(found) > 2 and max(heights) < 0.5 * (single.box[3] - single.box[1]):  # the one is a frame, or the table
        return likely > 0.8
    left, top, right, bottom = single.box
    middles = [((digit.box[0] + digit.box[2]) / 2, (digit.box[1] + digit.box[3]) / 2) for digit in found]
    if all(left < x < right and top < y < bottom for x, y in middles):  # parts of the one digit, or digits that touch
        return likely > single.probability + 0.15
    return likely > 0.8 and (min(heights) > 0.4 * max(heights) or len(found) > 2) or likely > single.probability + 0.2


def _read_single(image, network):
    """Return the one `Digit` of a picture, or None, and whether there is no other ink that could be one."""
    taken = {}
    try:
        for name, step in pictures.steps(image):
            taken[name] = step
    except ValueError:
        return None, False
    last = taken["28 x 28"]
    probabilities = network.read(last[None])[0]
    digit = int(probabilities.argmax())
    alone, box = True, (0, 0, *image.size)
    if "the digit" in taken:
        chosen, ink = taken["the digit"] > 0, [step for name, step in taken.items() if "rulings removed" in name][0]
        if (ink[~chosen] > divisions.INK).any():
            pieces = divisions.find_pieces(ink)
            sides = np.max([pieces.boxes[:, 1] - pieces.boxes[:, 0], pieces.boxes[:, 3] - pieces.boxes[:, 2]], axis=0)
            inside = np.isin(np.arange(1, len(sides) + 1), pieces.labels[chosen])
            side = max(np.ptp(np.flatnonzero(chosen.any(axis=axis))) for axis in (0, 1))
            other = ~inside & (pieces.dark > 0.5)
            at_border = chosen[[0, -1]].any() or chosen[:, [0, -1]].any()  # it may be the table around a sheet
            few = (other & (sides >= 4)).sum() < (2 if at_border else 6)
            alone = few and not (other & (sides >= 0.3 * side)).any()
        rows, columns = np.flatnonzero(chosen.any(axis=1)), np.flatnonzero(chosen.any(axis=0))
        scale = max(image.size) / max(chosen.shape)
        box = tuple(scale * side for side in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return Digit(digit, float(probabilities[digit]), probabilities, box, None, last), alone


def _read_lines(image, network, line_network):
    if max(image.size) < _PAGE:  # numbers cut out closely, or cut off: the line network reads fewer of them
        line_network = None
    networks = network, line_network
    ink, corner, scale = find_ink(image)
    ink = divisions.without_edges(ink)
    try:
        turn, lines = _read_turned(ink, *networks)
    except ValueError:
        if max(image.size) < _PAGE:
            raise
        # only the darkest ink: what is left of a page's rulings is paler than writing
        turn, lines = _read_turned(np.clip(2 * ink - 1, 0, 1), *networks)
    to_picture = functools.partial(_to_picture, turn=turn, shape=ink.shape, corner=corner, scale=scale)
    result = []
    for line in lines:
        result.append([])
        for *reading, (top, bottom, left, right), image_28, cut in line:
            corners = to_picture([(left, top), (right, top), (right, bottom), (left, bottom)])
            box = (*np.min(corners, axis=0).tolist(), *np.max(corners, axis=0).tolist())
            cut = cut if cut is None else to_picture(cut)
            result[-1].append(Digit(*reading, box, corners if turn else None, image_28, cut))
    return Page(result, -90 * turn % 360)


def _read_turned(ink, network, line_network):
    turn = _find_turn(ink, network)
    return turn, _read_ink(np.ascontiguousarray(np.rot90(ink, turn)), network, line_network)


def find_ink(image):
    """Return the ink map of a PIL image, float32 (h, w) in [0, 1], and how to come from its pixels to those of `image`.

    That is a corner and a scale. Raises ValueError when there is no ink.
    """
    ink = height = None
    if max(image.size) >= _PAGE:  # small writing on a sheet
        try:
            ink = page_ink(image, 800)
            height = divisions.digit_height(divisions.find_pieces(ink), 0.15)
        except ValueError:
            pass
    corner = (0, 0)
    if height is None or height > 0.1 * max(ink.shape):  # large writing
        sheet, ink = pictures.last_of(ink_steps(image, ""))
        part, corner = (image.crop(sheet), sheet[:2]) if sheet else (image, corner)
        height = divisions.digit_height(divisions.find_pieces(ink))
        side = int(np.clip(max(ink.shape) * _HEIGHT / height, 256, 1400))
        if side > 1.2 * max(ink.shape) and max(part.size) > max(ink.shape):
            _, ink = pictures.last_of(ink_steps(part, "closer: ", side))
        return ink, corner, max(part.size) / max(ink.shape)
    if not 0.7 * _HEIGHT <= height <= 2 * _HEIGHT:
        ink = page_ink(image, int(max(ink.shape) * min(_HEIGHT / height, 2.5)))
    return ink, corner, max(image.size) / max(ink.shape)


def _most_of_side(ink):
    """Return the share of its picture's longer side that a digit takes at most; small ink maps show few digits."""
    return 1 if max(ink.shape) <= 256 else 0.15


def _find_turn(ink, network):
    """Return how many quarter turns anticlockwise an ink map needs before it can be read: 0 unless it clearly does.

    Every piece as large as most, and smaller ones, because most may be digits that touch, is read as it is and turned:
    the network knows how digits stand, and the turn is taken at which it surely reads most pieces.
    """
    pieces = divisions.find_pieces(ink)
    if not len(pieces.boxes):
        raise ValueError(NO_INK)
    sides = np.max([pieces.boxes[:, 1] - pieces.boxes[:, 0], pieces.boxes[:, 3] - pieces.boxes[:, 2]], axis=0)
    near = sides <= _most_of_side(ink) * max(ink.shape)
    if not near.any():
        return 0
    near &= divisions.written_alike(pieces, near)
    order = np.flatnonzero(near)[np.argsort(sides[near])]
    amount = np.cumsum(pieces.weight()[order])
    usual = sides[order][np.searchsorted(amount, amount[-1] / 2)]
    alike = order[(sides[order] > 0.3 * usual) & (sides[order] < 1.6 * usual)][-60:]
    if len(alike) < 3:
        return 0
    images = np.stack([_whole(piece, pieces, ink) for piece in alike])
    shares = []
    for turn in range(4):
        best = network.read(np.ascontiguousarray(np.rot90(images, turn, axes=(1, 2)))).max(axis=1)
        shares.append(np.mean(best > _SURE))
        if shares[0] > 0.7:
            return 0
    turn = int(np.argmax(shares))
    return turn if shares[turn] > shares[0] + 0.05 + 0.5 / len(alike) else 0


def _read_ink(ink, network, line_network):
    """Read an ink map that stands upright; return its lines: (digit, probability, probabilities, box, image, cut).

    A box is top, bottom, left, right in the ink map. Raises ValueError when it does not look like digits.
    """
    ink, lines = divide_ink(ink, network)
    result, ink_read, ink_seen = [], 0.0, 0.0
    for line in lines:
        if line_network:
            frames = line_network.read(strips.cut_out(line, ink))
            digits, share = spelled_digits(line, frames, ink, network)
        else:
            digits, share = _best_digits(line, *read_candidates(line, ink, network))
        ink_seen += line.mass.sum()
        if share >= _LEAST_OF_LINE:
            ink_read += share * line.mass.sum()
            result.append(digits)
    if ink_read < _LEAST_OF_PAGE * ink_seen or not result:
        raise ValueError(_NOT_DIGITS)
    return result


def divide_ink(ink, network):
    """Return an ink map, float32 (h, w), that stands upright without what is too thin for writing, and the lines on it.

    A line is a `divisions.Line`; what the `network` surely reads whole is not cut. Raises ValueError when there is no
    ink, or when it does not look like digits.
    """
    pieces = divisions.find_pieces(ink)
    if not len(pieces.boxes):
        raise ValueError(NO_INK)
    height = divisions.digit_height(pieces, _most_of_side(ink))
    ink, pieces = divisions.without_thin_lines(ink, pieces, height)
    height = divisions.digit_height(pieces, _most_of_side(ink))
    found = divisions.find_lines(pieces, height)
    sure = _sure_pieces(found, pieces, ink, height, network)
    lines = [divisions.divide(line, pieces, ink, height, sure) for line in found]
    if not 0 < sum(len(line.candidates) for line in lines) <= _MOST_CANDIDATES:
        raise ValueError(_NOT_DIGITS)
    return ink, lines


def read_candidates(line, ink, network):
    """Read each candidate of a `divisions.Line` cut from an ink map (h, w), float32 in [0, 1], 1 is ink.

    Returns the probabilities, float32 (candidates, 10), and the pictures that were read, uint8 (candidates, 28, 28), as
    MNIST would show them. Where digits touch they may share a stroke, and a cut leaves it to one of them: a candidate
    cut out of a wide piece is read a second time with the ink beside it, a stroke wide, and the surer reading counts.
    """
    images = np.zeros((len(line.candidates), 28, 28), np.uint8)
    for number, candidate in enumerate(line.candidates):
        images[number] = _normalise(line, candidate, ink, 0)
    if not len(images):
        return np.zeros((0, 10), np.float32), images
    probabilities = network.read(images)
    cut = np.flatnonzero([candidate.is_cut() and line.wide[candidate.first] for candidate in line.candidates])
    if len(cut):
        wider = np.stack([_normalise(line, line.candidates[number], ink, line.stroke) for number in cut])
        second = network.read(wider)
        surer = second.max(axis=1) > probabilities[cut].max(axis=1)
        probabilities, images[cut[surer]] = np.array(probabilities), wider[surer]
        probabilities[cut[surer]] = second[surer]
    return probabilities, images


def spelled_digits(line, frames, ink, network):
    """Return the digits that the `frames` (n, 12) of a `divisions.Line` spell, and the share of its ink that they read.

    Where each stands, the candidates tell; without one, because no cut was made beside it, it has what ink of no other
    stands in its columns. Where no stroke was cut, the `network` of single digits reads it too; its word counts half.
    """
    letters, (top, left), (high, wide) = strips.spell(frames), line.corner, line.atoms.shape
    places = strips.find_places([letter.frame for letter in letters], line)
    candidates = strips.find_candidates(places, line)
    nearest = np.searchsorted((places[1:] + places[:-1]) / 2, left + np.arange(wide))
    free, area = line.atoms > 0, ink[top : top + high, left : left + wide]
    for candidate in filter(None, candidates):
        free &= ~_is_in(candidate, line.atoms)
    digits, read = [], 0.0
    for number, (letter, candidate) in enumerate(zip(letters, candidates, strict=True)):
        own = _is_in(candidate, line.atoms) if candidate else free & (nearest == number)
        region = own if own.any() else np.broadcast_to(nearest == number, own.shape)
        if letter.digit is None or not region.any():
            continue
        image = _fit(np.where(own, area, 0), line.slope)
        probabilities = letter.probabilities[1:11]
        if candidate and not candidate.is_cut():
            probabilities = _both(probabilities, network.read(image[None])[0])
        digit = int(probabilities.argmax())
        best = float(probabilities[digit])
        rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
        box = top + rows[0], top + rows[-1] + 1, left + columns[0], left + columns[-1] + 1
        cut = line.cuts[candidate.first] if candidate else None
        digits.append((digit, best, probabilities, tuple(map(int, box)), image, cut))
        read += max(0, (best - DOUBTFUL) / (1 - DOUBTFUL)) * area[own].sum()
    return digits, read / line.mass.sum()


def _both(first, second):
    """Return what two networks say together of one digit, float32 (10,), where the second counts half.

    Their sum is that of the `first`: what it keeps back, for nothing and for no digit, the second cannot know.
    """
    product = first.clip(1e-3) * np.sqrt(second.clip(1e-3))
    return first.sum() * product / product.sum()


def _is_in(candidate, atoms):
    return (atoms > candidate.first) & (atoms <= candidate.last)


def _best_digits(line, probabilities, images):
    """Return the digits of the best division of a `divisions.Line`, and the share of its ink that they surely read."""
    costs = np.array([candidate.price() for candidate in line.candidates])
    costs = costs - np.log(probabilities.max(axis=1).clip(1e-3)) if len(costs) else costs
    chosen, _ = divisions.best_path(len(line.skip), line.skip, line.candidates, costs)
    digits = []
    for number in chosen:
        digit = int(probabilities[number].argmax())
        best = float(probabilities[number, digit])
        candidate = line.candidates[number]
        cut = line.cuts[candidate.first]
        digits.append((digit, best, probabilities[number], candidate.box, images[number], cut))
    return digits, _share_read(line, chosen, probabilities)


def _share_read(line, chosen, probabilities):
    """Return the share of a line's ink that its division reads as digits, each counted by how sure it is."""
    read = 0.0
    for number in chosen:
        sure = (probabilities[number].max() - DOUBTFUL) / (1 - DOUBTFUL)
        read += max(0, sure) * line.mass[line.candidates[number].first : line.candidates[number].last].sum()
    return read / line.mass.sum()


def _sure_pieces(lines, pieces, ink, height, network):
    """Return which pieces need no cut, boolean (pieces,): narrow ones that the network reads as they are.

    Raises ValueError where it reads few of them so: letters, cut small enough, would all be ones.
    """
    sure = np.zeros(len(pieces.boxes), bool)
    tall, wide = pieces.boxes[:, 1] - pieces.boxes[:, 0], pieces.boxes[:, 3] - pieces.boxes[:, 2]
    narrow = [piece for line in lines for piece in line if wide[piece] < 0.9 * height and tall[piece] > 0.5 * height]
    if narrow:
        slopes = {piece: divisions.line_slope(pieces.boxes[line], height) for line in lines for piece in line}
        images = np.stack([_whole(piece, pieces, ink, slopes[piece]) for piece in narrow])
        sure[narrow] = network.read(images).max(axis=1) > _SURE
        least = _LEAST_SURE - 0.7 / len(narrow)  # a few can be misread by chance
        if len(narrow) > 3 and pieces.mass[sure].sum() < least * pieces.mass[narrow].sum():
            raise ValueError(_NOT_DIGITS)
    return sure


def _whole(piece, pieces, ink, slope=0):
    top, bottom, left, right = pieces.boxes[piece]
    own = pieces.labels[top:bottom, left:right] == piece + 1
    return _fit(np.where(own, ink[top:bottom, left:right], 0), slope)


def _fit(ink, slope):
    """Return the digit in a piece of an ink map as MNIST would show it, turned as if its sloping line were level."""
    angle = np.rad2deg(np.arctan(slope))
    if abs(angle) > 1.5:
        framed = np.pad(ink, max(ink.shape) // 4 + 1)
        ink = np.asarray(Image.fromarray(framed).rotate(angle, Image.Resampling.BILINEAR))
    return pictures.fit(ink)


def _normalise(line, candidate, ink, more):
    """Return a candidate as MNIST would show it, uint8 (28, 28), with `more` pixels of the ink that it was cut from."""
    top, bottom, left, right = candidate.box
    row, column = top - line.corner[0], left - line.corner[1]
    start, stop = max(0, column - more), min(line.atoms.shape[1], column + right - left + more)
    atoms = line.atoms[row : row + bottom - top, start:stop]
    own = _is_in(candidate, atoms)
    if more:
        near = Image.fromarray(own.astype(np.uint8)).filter(ImageFilter.MaxFilter(2 * more + 1))
        own = (np.asarray(near) > 0) & (atoms > 0)
    area = ink[top:bottom, line.corner[1] + start : line.corner[1] + stop]
    return _fit(np.where(own, area, 0), line.slope)


def _to_picture(points, turn, shape, corner, scale):
    """Return points (x, y) of an ink map of `shape`, found after so many quarter turns, as they lie in the picture."""
    height, width = shape
    x, y = np.asarray(points, float).T
    x, y = [(x, y), (width - y, x), (width - x, height - y), (y, height - x)][turn]
    return tuple(zip((scale * x + corner[0]).tolist(), (scale * y + corner[1]).tolist(), strict=True))
