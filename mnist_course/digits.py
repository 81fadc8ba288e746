"""Which ink of an ink map is a digit: its pieces."""

import numpy as np

from mnist_course.ink import NO_INK, grow, label_pieces, piece_boxes


def _measure_pieces(labels, ink):
    """Return, for the pieces numbered from 1, their longer sides in pixels, and their ink; arrays (pieces,)."""
    top, bottom, left, right = piece_boxes(labels).T
    return np.maximum(bottom - top, right - left), np.bincount(labels.ravel(), weights=ink.ravel())[1:]


def _drop_specks_and_borders(labels, ink):
    """Return which pieces can belong to a digit (boolean mask), and the longer side of the largest of them."""
    sides, mass = _measure_pieces(labels, ink)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    contact = np.bincount(edge, minlength=len(sides) + 1)[1:]
    inside = contact <= 0.15 * max(ink.shape)
    if (sides * inside).max() < max(0.25 * sides.max(), 0.1 * max(ink.shape)):
        inside[:] = True  # nothing else in the picture: the ink at the edge is the digit
    largest = sides[(mass * sides * inside).argmax()]
    good = inside & (sides >= 0.08 * largest) & (mass >= 0.01 * (mass * inside).max())
    return np.append(False, good)[labels], largest


def choose_digit(ink):
    """Keep the digit's part of an ink map; drop specks and page borders. Raises ValueError for no digit or several."""
    labels = label_pieces(ink > 0.4)
    if not labels.any():
        raise ValueError(NO_INK)
    mask, largest = _drop_specks_and_borders(labels, ink)
    kept = labels[mask]
    if (kept == kept[0]).all():
        return np.where(grow(mask, 2) > 0, ink, 0)  # with the grey rim of its strokes
    joined = grow(mask, max(1, 0.07 * largest)) > 0  # bridges the gaps of a broken stroke
    groups = np.where(mask, label_pieces(joined), 0)
    sides, mass = _measure_pieces(groups, ink)
    main = (mass * sides).argmax()
    several = np.sum((sides >= 0.6 * sides[main]) & (mass >= 0.25 * mass[main]))
    if several > 1:
        raise ValueError(f"found {several} digits: crop the picture to one.")
    near = np.unique(groups[grow(groups == main + 1, max(1, 0.2 * largest)) > 0])
    strokes = [number for number in near if number and sides[number - 1] >= 0.25 * sides[main]]  # a little apart
    digit = np.isin(groups, strokes)
    return np.where(grow(digit, 2) > 0, ink, 0)
