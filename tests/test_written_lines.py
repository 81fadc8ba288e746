"""A sheet has the digits it was given: apart or touching as asked, line below line, level or sloping."""

import numpy as np
import pytest
from scipy import ndimage
from synthetic import make_digits

from mnist_course import written_lines

IMAGES, LABELS = make_digits(40)
LINES = [IMAGES[:7], IMAGES[7:9], IMAGES[9:20], IMAGES[20:21]]  # each digit in one piece
SIZE = (500, 700)


def find_pieces(ink):
    """The slices (rows, columns) of the connected strokes, without dots and dashes at the end of a line."""
    pieces = ndimage.find_objects(ndimage.label(ink > 0.3, np.ones((3, 3)))[0])
    tallest = max(rows.stop - rows.start for rows, _ in pieces)
    return [(rows, columns) for rows, columns in pieces if rows.stop - rows.start > tallest / 2]


def count_rows_of_ink(ink):
    return np.count_nonzero(np.diff((ink > 0.3).any(axis=1).astype(int)) == 1)


def write(seed, lines=LINES, **how):
    return written_lines.write_lines(lines, SIZE, np.random.default_rng(seed), **how)


@pytest.mark.parametrize("seed", range(12))
def test_digits_touch_as_often_as_asked(seed):
    apart, some, joined = (len(find_pieces(write(seed, touching=share, slope=8))) for share in (0, 0.5, 1))
    assert (apart, joined) == (sum(map(len, LINES)), len(LINES))
    assert joined < some < apart


def test_touching_strokes_overlap_by_little():
    wide = [write(seed, [IMAGES[:10]], touching=1) > 0.3 for seed in range(8)]
    alone = [write(seed, [IMAGES[:10]], touching=0) > 0.3 for seed in range(8)]
    for joined, apart in zip(wide, alone, strict=True):
        assert joined.sum() > 0.85 * apart.sum()  # ink lost to overlaps
        columns = [np.ptp(np.flatnonzero(ink.any(axis=0))) for ink in (joined, apart)]
        assert columns[0] < columns[1]


@pytest.mark.parametrize("seed", range(12))
def test_lines_stand_apart_and_within_the_sheet(seed):
    ink = write(seed, touching=0.3)
    assert ink.shape == SIZE and ink.dtype == np.float32 and 0.5 < ink.max() <= 1 and ink.min() == 0
    assert count_rows_of_ink(ink) == len(LINES)
    sloping = write(seed, touching=0.3, slope=10)
    for axis, side in enumerate(SIZE):
        places = np.nonzero(sloping > 0.1)[axis]
        assert 0.07 * side < places.min() and places.max() < 0.93 * side


def test_digits_of_a_line_differ_a_little_in_size_and_place():
    heights, feet = [], []
    for seed in range(8):
        pieces = find_pieces(write(seed, [IMAGES[:12]]))
        tall = np.array([rows.stop - rows.start for rows, _ in pieces])
        foot = np.array([rows.stop for rows, _ in pieces])
        heights.append(tall / np.median(tall))
        feet.append((foot - np.median(foot)) / np.median(tall))
    assert 0.05 < np.std(heights) and 0.7 < np.min(heights) and np.max(heights) < 1.4
    assert 0.01 < np.std(feet) < 0.06


def test_writing_slopes_as_far_as_asked():
    def angles(slope):
        found = []
        for seed in range(25):
            pieces = find_pieces(write(seed, [IMAGES[:10]], slope=slope))
            middles = [(columns.start + columns.stop) / 2 for _, columns in pieces]
            feet = [-rows.stop for rows, _ in pieces]
            found.append(np.rad2deg(np.arctan(np.polyfit(middles, feet, 1)[0])))
        return np.array(found)

    assert np.abs(angles(0)).max() < 2
    sloping = angles(8)
    assert sloping.min() < -4 and sloping.max() > 4 and np.abs(sloping).max() < 11


def test_the_same_generator_state_writes_the_same():
    assert (write(1) == write(1)).all() and (write(1) != write(2)).any()


@pytest.mark.parametrize(
    ("lines", "how", "words"),
    [
        ([], {}, "list of 1 to 12 lines, but received 0"),
        ([IMAGES[:2]] * 13, {}, "but received 13"),
        ([IMAGES[:2], IMAGES[:0]], {}, r"uint8 \(0, 28, 28\) for line 2"),
        ([IMAGES[:21]], {}, r"n from 1 to 20.* uint8 \(21, 28, 28\)"),
        ([IMAGES[0]], {}, r"uint8 \(28, 28\) for line 1"),
        ([IMAGES[:2] / 255], {}, "float64"),
        ([IMAGES[:2] * 0], {}, "line 1 has one without"),
        (LINES, {"touching": 1.5}, "received 1.5 and 0.0"),
        (LINES, {"slope": 30}, "received 0.0 and 30"),
    ],
)
def test_other_input_is_refused(lines, how, words):
    with pytest.raises(ValueError, match=words):
        write(0, lines, **how)
