"""The simulator draws the digits it was given, each time a little differently."""

import numpy as np
import pytest
from synthetic import make_digits

from mnist_course import paper_photos, pictures


def test_a_photo_shows_its_digit():
    for image in make_digits(10)[0]:
        photo = paper_photos.photograph(image, np.random.default_rng(0))
        assert photo.mode == "RGB" and photo.size == (paper_photos.WIDTH, paper_photos.HEIGHT)
        again = pictures.to_mnist(photo)
        height, width = (np.ptp(np.nonzero(image)[axis]) + 1 for axis in (0, 1))
        tall, wide = (np.ptp(np.nonzero(again > 60)[axis]) + 1 for axis in (0, 1))
        assert tall / wide == pytest.approx(height / width, rel=0.35)


def test_the_same_generator_state_gives_the_same_photo():
    image = make_digits(1)[0][0]
    first, second, other = (paper_photos.photograph(image, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.tobytes() == second.tobytes() != other.tobytes()


def test_other_input_is_refused():
    with pytest.raises(ValueError, match="Expected one raw image"):
        paper_photos.photograph(np.zeros((28, 28)), np.random.default_rng(0))


LINES = [make_digits(12)[0][:7], make_digits(12)[0][7:]]


def test_a_page_is_a_photo_that_its_generator_fixes():
    first, second, other = (paper_photos.photograph_page(LINES, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.tobytes() == second.tobytes() != other.tobytes()
    for photo in (first, other):
        assert photo.mode == "RGB" and 900 <= max(photo.size) <= 2000
        assert 0.59 < min(photo.size) / max(photo.size) < 0.86


def test_pages_lie_upright_and_across():
    sizes = [paper_photos.sheet_size(np.random.default_rng(seed)) for seed in range(20)]
    assert {height > width for height, width in sizes} == {True, False}


@pytest.mark.parametrize("seed", range(12))
def test_what_is_written_is_seen_whole_on_every_paper(seed):
    size = (300, 400)
    ink = np.zeros(size, np.float32)
    ink[25:275, 33:367] = 1  # as far out as writing goes
    ink[28:272, 36:364] = 0
    marked, empty = (
        np.asarray(paper_photos.photograph_ink(drawn, np.random.default_rng(seed)), float) for drawn in (ink, ink * 0)
    )
    seen = np.abs(marked - empty).max(axis=2) > 25  # all else is the same
    assert 0.5 * ink.sum() < seen.sum() < 3 * ink.sum()
    rows, columns = np.nonzero(seen)
    assert rows.min() > 2 and columns.min() > 2 and rows.max() < size[0] - 3 and columns.max() < size[1] - 3
    assert np.ptp(rows) > 0.7 * 250 and np.ptp(columns) > 0.7 * 334


def test_pages_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="Expected raw images"):
        paper_photos.photograph_page([np.zeros((2, 28, 28))], np.random.default_rng(0))
