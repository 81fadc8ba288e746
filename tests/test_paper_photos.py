"""The simulator draws the digit it was given, each time a little differently."""

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
