"""What is done to training pictures: batches a network can learn from, new ones in every epoch, changed as promised."""

import keras
import numpy as np
import pytest

from mnist_course import augmentation, pen_strokes


@pytest.fixture(scope="module")
def images_and_labels():
    labels = np.arange(640) % 10
    return pen_strokes.draw_digits(labels, np.random.default_rng(1)), labels


@pytest.fixture(scope="module")
def pictures(images_and_labels):
    return augmentation.RobustPictures(*images_and_labels, seed=0)


def test_a_batch_holds_all_sorts(pictures):
    assert len(pictures) == 5 and augmentation.BATCH_SIZE == 128
    x, y = pictures[0]
    assert x.dtype == y.dtype == np.float32 and x.shape == (128, 28, 28, 1) and y.shape == (128, 10)
    assert x.min() == 0 and x.max() == 1 and np.isfinite(x).all()
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)
    labelled = augmentation.MNIST + augmentation.DRAWN + augmentation.CUT_OUT
    assert (y[:labelled].max(axis=1) == 1).all()
    assert (y[labelled:] == np.float32(0.1)).all()
    assert len(y[labelled:]) == augmentation.NOT_DIGITS + augmentation.MISCUT


def test_labels_stay_with_their_images(images_and_labels):
    images, labels = images_and_labels
    marked = np.zeros_like(images)
    marked[:, 10:18, 10:18] = (labels * 20 + 50)[:, None, None]
    x, y = augmentation.RobustPictures(marked, labels, seed=0)[0]
    x, y = x[: augmentation.MNIST, :, :, 0], y[: augmentation.MNIST].argmax(axis=1)
    grey = np.rint(x.max(axis=(1, 2)) * 255)
    untouched = np.isin(grey, labels * 20 + 50) & (grey < 231)
    assert untouched.sum() > 10
    np.testing.assert_array_equal((grey[untouched] - 50) / 20, y[untouched])


def test_digits_cut_out_of_a_line_keep_their_labels():
    images, labels = np.zeros((640, 28, 28), np.uint8), np.arange(640) % 2
    images[:, 4:24, 8:20] = 255
    images[labels == 0, 8:20, 11:17] = 0  # a frame is a 0, a full box a 1
    x, y = augmentation.RobustPictures(images, labels, seed=0)[0]
    begin = augmentation.MNIST + augmentation.DRAWN
    x, y = (each[begin : begin + augmentation.CUT_OUT] for each in (x[..., 0], y.argmax(axis=1)))
    assert ((x[:, 12:16, 13:15].mean(axis=(1, 2)) > 0.5) == (y == 1)).mean() > 0.8 and 0 < y.mean() < 1


def test_the_same_seed_gives_the_same_epochs_and_another_epoch_other_pictures(images_and_labels):
    first, second = (augmentation.RobustPictures(*images_and_labels, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first[1][0], second[1][0])
    first.on_epoch_end()
    assert (first[1][0] != second[1][0]).any()
    other = augmentation.RobustPictures(*images_and_labels, seed=4)
    assert (other[1][0] != second[1][0]).any()


def test_fit_learns_from_the_pictures_and_starts_a_new_epoch_each_time(images_and_labels):
    pictures = augmentation.RobustPictures(*images_and_labels, seed=0)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "categorical_crossentropy")
    losses = model.fit(pictures, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and pictures.epoch >= 4


def test_warped_pictures_show_every_image_once_an_epoch_with_its_label(images_and_labels):
    images, labels = images_and_labels
    counted = np.zeros_like(images[:300])
    counted[:, 8:20, 8:20] = (np.arange(300) % 200 + 50)[:, None, None]  # a large square keeps its grey when warped
    pictures = augmentation.WarpedPictures(counted, np.arange(300) % 10, seed=0)
    batches = [pictures[batch] for batch in range(len(pictures))]
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert [len(batch[0]) for batch in batches] == [128, 128, 44]
    assert x.dtype == y.dtype == np.float32 and x.shape == (300, 28, 28, 1) and 0 <= x.min() and x.max() <= 1
    grey = np.rint(x[:, 13, 13, 0] * 255).astype(int)
    assert sorted(grey) == sorted(np.arange(300) % 200 + 50)
    np.testing.assert_array_equal((grey - 50) % 10, y.argmax(axis=1))


def test_warped_pictures_depend_on_seed_and_epoch_only(images_and_labels):
    first, second, other = (augmentation.WarpedPictures(*images_and_labels, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[1][0], second[1][0])
    assert (first[1][0] != other[1][0]).any()
    first.on_epoch_end()
    assert (first[1][0] != second[1][0]).any()


def test_three_in_ten_pictures_of_robust_stay_as_they_are(images_and_labels):
    glyph = images_and_labels[0][0]
    pictures = augmentation.RobustPictures(np.stack([glyph] * 640), images_and_labels[1], seed=0)
    x = np.concatenate([pictures[batch][0][: augmentation.MNIST, :, :, 0] for batch in range(len(pictures))])
    untouched = (x == glyph / np.float32(255)).all(axis=(1, 2))
    assert len(x) == 5 * augmentation.MNIST and 0.22 < untouched.mean() < 0.38


def tilt(x):
    """The direction in degrees, measured from the horizontal, of the bar in each picture of `x` (n, 28, 28)."""
    places = np.arange(28) - 13.5
    weight = x / x.sum(axis=(1, 2), keepdims=True)
    row, column = (weight * places[:, None]).sum(axis=(1, 2)), (weight * places).sum(axis=(1, 2))
    rows, columns = places[None, :, None] - row[:, None, None], places[None, None] - column[:, None, None]
    across = (weight * rows * columns).sum(axis=(1, 2))
    spread = (weight * columns**2).sum(axis=(1, 2)) - (weight * rows**2).sum(axis=(1, 2))
    return np.rad2deg(np.arctan2(2 * across, spread) / 2)


def test_warped_digits_are_turned_and_slanted_to_either_side():
    level = np.zeros((400, 28, 28), np.float32)
    level[:, 13:15, 4:24] = 1
    upright = level.transpose(0, 2, 1)
    turned = tilt(augmentation.warp(level, np.random.default_rng(0)))
    slanted = tilt(augmentation.warp(upright, np.random.default_rng(0)).transpose(0, 2, 1))
    assert 6 < turned.std() < 8.5 and 8.5 < slanted.std() < 12  # degrees; bending alone gives 3
    assert max(abs(turned.mean()), abs(slanted.mean())) < 1


def test_damage_rubs_out_and_fades_some_pictures_and_adds_no_ink(images_and_labels):
    x = images_and_labels[0] / np.float32(255)
    damaged = augmentation.damage(x, np.random.default_rng(0))
    changed = (damaged != x).any(axis=(1, 2))
    assert 0.2 < changed.mean() < 0.45 and (damaged <= x).all()
    assert 0.02 < 1 - damaged[changed].sum() / x[changed].sum() < 0.4


def test_augmented_digits_are_changed_but_still_there(images_and_labels):
    images, _ = images_and_labels
    x = augmentation.augment(images, np.random.default_rng(0))
    assert x.dtype == np.float32 and x.shape == images.shape and 0 <= x.min() and x.max() <= 1
    assert (x.max(axis=(1, 2)) > 0.5).all()
    assert np.abs(x - images / 255).mean(axis=(1, 2)).min() > 0
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(x, images, strict=True)]
    assert 0.5 < np.median(likeness) < 0.95


def test_look_up_at_the_pixels_gives_the_picture_and_outside_nothing(images_and_labels):
    x = images_and_labels[0][:5] / np.float32(255)
    row, column = np.broadcast_arrays(*np.meshgrid(np.arange(28.0), np.arange(28.0), indexing="ij"), x)[:2]
    np.testing.assert_allclose(augmentation.look_up(x, row, column), x, atol=1e-6)
    between = augmentation.look_up(x, row, column + 0.5)[:, :, :-1]
    np.testing.assert_allclose(between, (x[:, :, 1:] + x[:, :, :-1]) / 2, atol=1e-6)
    assert augmentation.look_up(x, row + 40, column).max() == 0
