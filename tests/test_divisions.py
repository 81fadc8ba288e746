"""Lines are found, touching digits are cut where little ink is crossed, and the cheapest division is the one taken."""

from itertools import combinations

import numpy as np
import pytest
from drawn_pictures import DIGITS, ink_mask, place

from mnist_course import divisions, ink, pictures


def sheet(rows, *, side=60, step=50, size=(400, 700), slope=0.0, left=20):
    """Ink of lines of digits, float32: `rows` lists texts, each `step` to the right and 90 below the one before."""
    ink = np.zeros(size)
    for row, text in enumerate(rows):
        for column, digit in enumerate(text):
            corner = (20 + 90 * row + round(slope * step * column), left + step * column)
            if digit != " ":
                ink = np.maximum(ink, place(ink_mask(DIGITS[int(digit)], side), size, corner))
    return ink.astype(np.float32)


def lengths(ink):
    pieces = divisions.find_pieces(ink)
    return [len(line) for line in divisions.find_lines(pieces, divisions.digit_height(pieces))]


@pytest.mark.parametrize("slope", [-0.14, 0, 0.14])
def test_lines_of_unequal_length_are_found_from_top_to_bottom_also_where_the_writing_slopes(slope):
    ink = sheet(["3608", "92", "83608"], slope=slope, size=(440, 400))
    ink = np.roll(ink, 60, axis=0) if slope < 0 else ink
    assert lengths(ink) == [4, 2, 5]


def test_columns_side_by_side_are_lines_of_their_own_read_row_by_row():
    assert lengths(sheet(["36     9308", "92     80"], size=(220, 700))) == [2, 4, 2, 2]


def test_specks_thin_lines_and_large_shapes_belong_to_no_line():
    ink = sheet(["3608", "9283"], size=(400, 700))
    ink[300:302, 10:690] = 0.5  # a printed line
    ink[200:203, 600:603] = 1  # a speck
    ink[220:390, 660:664] = 1  # a bar
    assert lengths(ink) == [4, 4]


def test_one_blot_does_not_decide_what_is_writing():
    ink = sheet(["360852", "92836", "36083"], size=(320, 400))
    ink[110:170, 300:318] = 1  # its stroke is three times as broad as a digit's
    assert lengths(ink) == [6, 6, 5]


def test_a_bold_digit_does_not_make_the_finer_ones_beside_it_no_writing():
    ink = sheet(["3608"], size=(140, 320))
    ink[25:75, 228:245] = 1  # five times as broad as the stroke of the 6
    assert lengths(ink) == [5]


def test_a_corner_of_the_table_is_no_line_of_writing():
    ink = sheet(["360852", "92836"], size=(320, 500))
    ink[270:320, 300:500] = 1  # as high as a digit, but its stroke is broader than half of that
    assert lengths(ink) == [6, 5]


def test_a_line_knows_its_slope_unless_it_is_too_short_for_one():
    for row, slope, low, high in (
        ("36083", 0.14, 0.11, 0.16), ("36083", 0, -0.02, 0.02), ("63", 0.14, 0, 0.1), ("3", 0.14, 0, 0),
    ):  # fmt: skip
        pieces = divisions.find_pieces(sheet([row], slope=slope, size=(160, 400)))
        assert low <= divisions.line_slope(pieces.boxes, 50) <= high, row


def test_edges_of_the_sheet_and_the_table_beside_it_are_no_writing():
    writing = sheet(["360", "92"], size=(250, 256))
    ink = writing.copy()
    ink[10:235, 220:232] = 0.7  # the edge of the sheet in shadow
    ink[243:, :] = ink[:, 250:] = 0.6  # a table at two sides
    assert np.array_equal(divisions.without_edges(ink), writing)


def test_what_is_alone_in_the_picture_is_no_edge():
    one = np.zeros((300, 300), np.float32)
    one[20:280, 140:160] = 1  # as a 1 may be
    assert divisions.without_edges(one) is one
    writing = sheet(["36"], side=300, step=220, size=(340, 460))
    assert divisions.without_edges(writing) is writing


def test_rulings_that_digits_stand_on_are_taken_off_them():
    writing = sheet(["3608"], size=(120, 260))
    ink = writing.copy()
    ink[60:62] = np.maximum(ink[60:62], 0.8)
    ink[:, 130:132] = np.maximum(ink[:, 130:132], 0.8)
    pieces = divisions.find_pieces(ink)
    assert len(pieces.boxes) == 1
    cleaned, pieces = divisions.without_thin_lines(ink, pieces, 45)
    assert len(pieces.boxes) == 3
    assert np.abs(cleaned - writing).mean() < 0.3 * np.abs(ink - writing).mean()
    assert (cleaned[writing > 0.9] > 0).mean() > 0.97


def test_touching_digits_are_cut_between_them():
    ink = sheet(["00"], step=20, size=(100, 140))
    pieces = divisions.find_pieces(ink)
    assert len(pieces.boxes) == 1
    top, bottom, left, right = pieces.boxes[0]
    paths, crossed = divisions.find_cuts(ink[top:bottom, left:right], bottom - top)
    alone = np.flatnonzero(place(ink_mask(DIGITS[0], 60), ink.shape, (20, 20)).any(axis=0))[-1] - left
    assert len(crossed) and np.abs(paths.mean(axis=1) - alone).min() < 8


def test_cuts_never_leave_the_piece_and_run_from_row_to_row():
    ink = sheet(["8"], size=(100, 100))[20:80, 20:80]
    paths, crossed = divisions.find_cuts(ink, 40)
    assert len(paths) and np.abs(np.diff(paths, axis=1)).max() <= 1
    assert (np.diff(paths.mean(axis=1)) > 0).all() and (crossed > 0).all()
    assert len(crossed) == len(paths)


class Span:
    def __init__(self, first, last):
        self.first, self.last = first, last


def cheapest(atoms, skip, spans, costs):
    """Try every set of candidates that do not overlap."""
    best = sum(skip)
    for count in range(1, atoms + 1):
        for chosen in combinations(range(len(spans)), count):
            covered = [atom for n in chosen for atom in range(spans[n].first, spans[n].last)]
            if len(covered) == len(set(covered)):
                best = min(best, sum(costs[n] for n in chosen) + sum(s for a, s in enumerate(skip) if a not in covered))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_costs_as_little_as_any(seed):
    rng = np.random.default_rng(seed)
    spans = [Span(first, last) for first in range(5) for last in range(first + 1, min(5, first + 3) + 1)]
    costs, skip = rng.uniform(0, 2, len(spans)), rng.uniform(0.5, 2, 5)
    chosen, cost = divisions.best_path(5, skip, spans, costs)
    assert cost == pytest.approx(cheapest(5, skip, spans, costs))
    assert [spans[n].first for n in chosen] == sorted(spans[n].first for n in chosen)
    skipped = set(range(5)) - {atom for n in chosen for atom in range(spans[n].first, spans[n].last)}
    assert cost == pytest.approx(costs[chosen].sum() + sum(skip[atom] for atom in skipped))


def test_no_candidate_means_that_all_is_skipped():
    assert divisions.best_path(2, [1, 2], [], []) == ([], 3)


def flood(mask):
    """The pieces of a mask, found pixel by pixel in the order in which they begin."""
    labels = np.zeros(mask.shape, int)
    for start in map(tuple, np.argwhere(mask)):
        waiting, number = [start], labels.max() + 1
        while waiting:
            row, column = waiting.pop()
            inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]
            if inside and mask[row, column] and not labels[row, column]:
                labels[row, column] = number
                waiting += [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return labels


@pytest.mark.parametrize("share", [0, 0.2, 0.4, 0.6, 1])
def test_pieces_are_those_that_a_flood_would_fill(share):
    rng = np.random.default_rng(0)
    for size in ((1, 1), (1, 9), (9, 1), (7, 8), (20, 30)):
        mask = rng.random(size) < share
        labels = ink.label_pieces(mask)
        np.testing.assert_array_equal(labels, flood(mask))
        boxes = [ink.bounding_box(labels == number) for number in range(1, labels.max() + 1)]
        np.testing.assert_array_equal(ink.piece_boxes(labels), np.reshape(boxes, (-1, 4)))


def test_a_piece_knows_its_ink_and_the_width_of_its_stroke():
    sheet = np.zeros((60, 80), np.float32)
    sheet[10:50, 10:15], sheet[20:24, 40:79] = 1, 0.6
    pieces = divisions.find_pieces(sheet)
    assert pieces.boxes.tolist() == [[10, 50, 10, 15], [20, 24, 40, 79]]
    assert pieces.mass == pytest.approx([200, 0.6 * 156]) and pieces.dark == pytest.approx([1, 0.6])
    assert pieces.stroke == pytest.approx([2.5 * 200 / 90, 0.6 * 2.5 * 156 / 86])


def test_what_holds_too_little_ink_is_black_28_x_28_and_no_box_of_ink_is_said():
    faint = np.zeros((300, 300), np.float32)
    faint[:, :40] = faint[:40] = 0.31
    for holds in (faint, 0.9 * faint[:5, :5], np.zeros((0, 0), np.float32)):
        assert not pictures.fit(holds).any() and pictures.fit(holds).shape == (28, 28)
    with pytest.raises(ValueError, match="found no ink"):
        ink.bounding_box(faint > 0.5)
