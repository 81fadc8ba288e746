"""Pieces of a line of handwriting: made as MNIST's pictures are, cut where they say, the same for the same seed."""

import numpy as np
import pytest

from mnist_course import neighbours, pen_strokes


@pytest.fixture(scope="module")
def digits():
    return pen_strokes.draw_digits(np.arange(600) % 10, np.random.default_rng(1))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def box(images):
    """The height and the width of the ink in `images`, integers (n,) each."""
    return [(images > 60).any(axis=axis).sum(axis=1) for axis in (2, 1)]


@pytest.fixture
def cut_in_one_way(monkeypatch, rng):
    ways = dict(neighbours.MISCUT)

    def cut(images, way):
        monkeypatch.setattr(neighbours, "MISCUT", {way: ways[way]})
        return neighbours.miscut_digits(images, rng)

    return cut


@pytest.mark.parametrize("cut", [neighbours.cut_out_digits, neighbours.miscut_digits])
def test_pieces_are_made_as_mnist_was(cut, digits, rng):
    pieces = cut(digits, rng)
    assert pieces.dtype == np.uint8 and pieces.shape[1:] == (28, 28) and 500 < len(pieces) <= 600
    assert (pieces.max(axis=(1, 2)) == 255).all()
    longer_side = np.maximum(*box(pieces))
    assert longer_side.max() <= 22 and 18 <= np.median(longer_side) <= 20
    middle = (pieces.sum(axis=1) * np.arange(28)).sum(axis=1) / pieces.sum(axis=(1, 2))
    assert np.abs(middle - 14).max() < 2.5 and (np.abs(middle - 14) < 0.6).mean() > 0.9


def test_the_same_seed_cuts_the_same_pieces(digits):
    first, second, other = (neighbours.cut_out_digits(digits, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_what_is_cut_out_is_the_digit_that_was_given_with_clutter(digits, rng):
    pieces = neighbours.cut_out_digits(digits, rng).reshape(600, -1).astype(float)
    likeness = np.corrcoef(pieces, digits.reshape(600, -1).astype(float))[:600, 600:]
    assert np.median(np.diag(likeness)) > 0.6 > 0.3 > np.median(likeness)
    assert (np.diag(likeness) < 0.999).mean() > 0.9


def test_two_are_wide_three_are_wider_and_halves_are_narrow(cut_in_one_way, digits):
    shape = {}
    for way in neighbours.MISCUT:
        height, width = box(cut_in_one_way(digits, way))
        shape[way] = np.median(width / height)
    whole = np.median(np.divide(*box(digits)[::-1]))
    assert shape["a left part"] < 0.95 * whole and shape["a right part"] < 0.95 * whole
    assert whole < shape["one and a half"] < shape["two on the left"] and whole < shape["half and one"]
    assert 1.6 * whole < shape["two on the left"] < 2.6 * whole < shape["three"] < 4 * whole
    assert shape["two on the right"] == pytest.approx(shape["two on the left"], rel=0.15)


def test_neighbours_write_with_a_similar_pen(cut_in_one_way):
    strokes = np.zeros((100, 28, 28), np.uint8)
    strokes[:50, 4:24, 13:15] = strokes[50:, 4:24, 9:19] = 255
    order = np.random.default_rng(2).permutation(100)
    rows = np.pad(cut_in_one_way(strokes[order], "two on the left")[:, 14] > 128, [(0, 0), (1, 1)]).astype(int)
    widths = [np.flatnonzero(np.diff(row) < 0) - np.flatnonzero(np.diff(row) > 0) for row in rows]
    pairs = np.array([each for each in widths if len(each) == 2])  # the others touch
    assert len(pairs) > 40 and (pairs.max(axis=1) > 2 * pairs.min(axis=1)).sum() <= 2  # where thin goes over to thick


def test_a_piece_that_could_be_a_1_is_left_out(cut_in_one_way, rng):
    ones = pen_strokes.draw_style("1 plain", 200, rng)
    zeros = pen_strokes.draw_style("0 wide", 200, rng)
    assert len(cut_in_one_way(ones, "a left part")) < 60
    assert len(cut_in_one_way(ones, "two on the right")) > 150  # beside another it is none
    assert len(cut_in_one_way(zeros, "a left part")) > 150
    assert len(cut_in_one_way(ones.transpose(0, 2, 1), "a left part")) > 150  # a dash


def test_nothing_given_nothing_cut(rng):
    nothing = np.zeros((0, 28, 28), np.uint8)
    assert neighbours.cut_out_digits(nothing, rng).shape == neighbours.miscut_digits(nothing, rng).shape == (0, 28, 28)
