"""The recipe `robust`: batches the network can learn from, the same for the same seed, new in every epoch."""

import keras
import numpy as np
import pytest

from mnist_course import pen_strokes, recipes


@pytest.fixture(scope="module")
def images_and_labels():
    labels = np.arange(640) % 10
    return pen_strokes.draw_digits(labels, np.random.default_rng(1)), labels


@pytest.fixture(scope="module")
def pictures(images_and_labels):
    return recipes.RobustPictures(*images_and_labels, seed=0)


def test_a_batch_holds_all_three_sorts(pictures):
    assert len(pictures) == 5 and recipes.BATCH_SIZE == 128
    x, y = pictures[0]
    assert x.dtype == y.dtype == np.float32 and x.shape == (128, 28, 28, 1) and y.shape == (128, 10)
    assert x.min() == 0 and x.max() == 1 and np.isfinite(x).all()
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    assert (y.max(axis=1) == 1).sum() == recipes.MNIST + recipes.DRAWN
    assert (y == np.float32(0.1)).all(axis=1).sum() == recipes.NOT_DIGITS


def test_labels_stay_with_their_images(images_and_labels):
    images, labels = images_and_labels
    marked = np.zeros_like(images)
    marked[:, 10:18, 10:18] = (labels * 20 + 50)[:, None, None]
    x, y = recipes.RobustPictures(marked, labels, seed=0)[0]
    x, y = x[: recipes.MNIST, :, :, 0], y[: recipes.MNIST].argmax(axis=1)
    grey = np.rint(x.max(axis=(1, 2)) * 255)
    untouched = np.isin(grey, labels * 20 + 50) & (grey < 231)
    assert untouched.sum() > 10
    np.testing.assert_array_equal((grey[untouched] - 50) / 20, y[untouched])


def test_the_same_seed_gives_the_same_epochs_and_another_epoch_other_pictures(images_and_labels):
    first, second = (recipes.RobustPictures(*images_and_labels, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first[1][0], second[1][0])
    first.on_epoch_end()
    assert (first[1][0] != second[1][0]).any()
    other = recipes.RobustPictures(*images_and_labels, seed=4)
    assert (other[1][0] != second[1][0]).any()


def test_fit_learns_from_the_pictures_and_starts_a_new_epoch_each_time(images_and_labels):
    pictures = recipes.RobustPictures(*images_and_labels, seed=0)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    rate = recipes.robust_learning_rate(pictures)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy")
    losses = model.fit(pictures, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and pictures.epoch >= 4


def test_the_learning_rate_falls_to_nothing(pictures):
    rate = recipes.robust_learning_rate(pictures)
    assert float(rate(0)) == pytest.approx(recipes.LEARNING_RATE)
    assert float(rate(recipes.EPOCHS * len(pictures))) == pytest.approx(0, abs=1e-9)


def test_augmented_digits_are_changed_but_still_there(images_and_labels):
    images, _ = images_and_labels
    x = recipes.augment(images, np.random.default_rng(0))
    assert x.dtype == np.float32 and x.shape == images.shape and 0 <= x.min() and x.max() <= 1
    assert (x.max(axis=(1, 2)) > 0.5).all()
    assert np.abs(x - images / 255).mean(axis=(1, 2)).min() > 0
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(x, images, strict=True)]
    assert 0.5 < np.median(likeness) < 0.95


def test_look_up_at_the_pixels_gives_the_picture_and_outside_nothing(images_and_labels):
    x = images_and_labels[0][:5] / np.float32(255)
    row, column = np.broadcast_arrays(*np.meshgrid(np.arange(28.0), np.arange(28.0), indexing="ij"), x)[:2]
    np.testing.assert_allclose(recipes.look_up(x, row, column), x, atol=1e-6)
    between = recipes.look_up(x, row, column + 0.5)[:, :, :-1]
    np.testing.assert_allclose(between, (x[:, :, 1:] + x[:, :, :-1]) / 2, atol=1e-6)
    assert recipes.look_up(x, row + 40, column).max() == 0
