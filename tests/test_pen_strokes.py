"""Digits drawn as pen strokes: made as MNIST's pictures are, of every digit, the same for the same seed."""

import re
import time

import numpy as np
import pytest

from mnist_course import pen_strokes


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_every_style_is_written_in_the_notation_and_every_digit_has_several():
    for name, style in (pen_strokes.STYLES | pen_strokes.NOT_DIGITS | pen_strokes.SCRIBBLES).items():
        for stroke in style.split("/"):
            assert re.fullmatch(r"\s*\d\d!?(\s+\d\d!?)+\s*", stroke), name
    counts = np.bincount([int(name[0]) for name in pen_strokes.STYLES], minlength=10)
    assert len(counts) == 10 and counts.min() >= 7


def test_pictures_are_made_as_mnist_was(rng):
    images = pen_strokes.draw_digits(np.arange(1000) % 10, rng)
    assert images.dtype == np.uint8 and images.shape == (1000, 28, 28)
    assert (images.max(axis=(1, 2)) == 255).all()
    mass = images.sum(axis=(1, 2))
    for axis in (1, 2):  # where the ink fits: a long tail may keep the centre of mass from the middle
        centre = (images.sum(axis=3 - axis) * np.arange(28)).sum(axis=1) / mass
        assert ((centre > 13.49) & (centre < 14.51)).mean() > 0.99
    rows, columns = ((images > 60).any(axis=axis).sum(axis=1) for axis in (2, 1))
    longer_side = np.maximum(rows, columns)
    assert longer_side.max() <= 22 and np.median(longer_side) == 20


def test_the_same_seed_draws_the_same_pictures_and_two_hands_differ():
    first, second = (pen_strokes.draw_digits([3, 3, 4], np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (first[0] != first[1]).any()


@pytest.mark.parametrize("name", pen_strokes.STYLES)
def test_every_style_can_be_drawn(name, rng):
    images = pen_strokes.draw_style(name, 3, rng)
    assert images.shape == (3, 28, 28) and (images > 128).any(axis=(1, 2)).all()


def test_a_corner_is_sharp_and_a_lifted_pen_leaves_a_gap():
    control, _, careful, quick = pen_strokes.read_style("00! 60! 69")
    away = np.abs(careful @ control - (6, 0)).sum(axis=1).min()
    assert away < 0.2 < np.abs(quick @ control - (6, 0)).sum(axis=1).min()
    control, stroke_of, careful, _ = pen_strokes.read_style("00 09 / 60 69")
    assert stroke_of.tolist() == [0, 0, 1, 1]
    x = (careful @ control)[:, 0]
    assert not ((x > 0.01) & (x < 5.99)).any()


def test_steps_of_the_pen_are_even():
    for style in pen_strokes.STYLES.values():
        control, _, careful, _ = pen_strokes.read_style(style)
        steps = np.sort(np.hypot(*np.diff(careful @ control, axis=0).T))
        steps = steps[: len(steps) - style.count("/")]  # without the jumps between two strokes
        assert steps.max() < 2 * np.median(steps), style


def test_scribbles_are_letters_scribbles_and_stains(rng):
    images = pen_strokes.draw_scribbles(41, rng)
    assert images.dtype == np.uint8 and images.shape == (41, 28, 28)
    assert (images[:31].max(axis=(1, 2)) == 255).all()  # a stain may be an empty page


def test_nothing_asked_nothing_drawn(rng):
    assert pen_strokes.draw_digits([], rng).shape == (0, 28, 28)


def test_what_cannot_be_drawn_is_refused_in_one_sentence(rng):
    for labels in ([10], [-1], [[1]], 3):
        with pytest.raises(ValueError, match="integers from 0 to 9"):
            pen_strokes.draw_digits(labels, rng)
    with pytest.raises(ValueError, match="no style '1 upside down'"):
        pen_strokes.draw_style("1 upside down", 1, rng)


def test_drawing_is_fast(rng):
    labels = np.arange(2000) % 10
    start = time.process_time()
    pen_strokes.draw_digits(labels, rng)
    assert time.process_time() - start < 4  # 500 a second here; about 4,000 where many are drawn at once
