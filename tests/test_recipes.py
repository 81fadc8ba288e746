"""The recipes: networks of the promised size, batches a network can learn from, new ones in every epoch."""

import keras
import numpy as np
import pytest

import mnist_helpers as mh
import train_model
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
    model.compile("adam", "categorical_crossentropy")
    losses = model.fit(pictures, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and pictures.epoch >= 4


def test_robust_learning_rate_falls_to_nothing(images_and_labels):
    model, options = recipes.robust(*images_and_labels, seed=0, epochs=3, learning_rate=0.002)
    rate, steps = model.optimizer._learning_rate, 3 * len(options["training"][0])
    assert float(rate(0)) == pytest.approx(0.002) and float(rate(steps)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["fast", "tiny", "record"])
def test_one_cycle_rises_and_then_falls_to_nothing(name, images_and_labels):
    model, options = recipes.RECIPES[name](*images_and_labels, seed=0, epochs=8, learning_rate=0.01)
    rate = [float(model.optimizer._learning_rate(step)) for step in range(41)]  # 5 steps an epoch
    assert options["epochs"] == options["patience"] == 8
    assert rate[0] < 0.001 and max(rate) == pytest.approx(0.01, rel=0.01) and rate.index(max(rate)) == 4
    assert rate[4:] == sorted(rate[4:], reverse=True) and rate[40] == pytest.approx(0, abs=1e-6)


def test_every_recipe_can_be_chosen_and_has_a_network():
    assert list(train_model.DEFAULTS) == list(recipes.RECIPES)
    assert set(recipes.BUILDERS) == set(recipes.RECIPES) - {"robust"}  # which trains the network of `standard`
    assert "standard" in train_model.RECIPES_HELP


@pytest.mark.parametrize("name, most", [("standard", 225_034), ("fast", 50_000), ("tiny", 10_000), ("record", 330_000)])
def test_networks_keep_their_size_and_are_found_again_by_their_weights(name, most, tmp_path):
    model = recipes.BUILDERS[name]()
    assert model.output_shape == (None, 10) and model.count_params() <= most
    assert f"{model.count_params():,} parameters" in recipes.BUILDERS[name].__doc__
    mh.save_weights(model, tmp_path / "some.weights.h5")
    found = recipes.load_network(tmp_path / "some.weights.h5")
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype(np.uint8)
    np.testing.assert_allclose(mh.predict(found, images), mh.predict(model, images), atol=1e-6)


def test_weights_of_no_recipe_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    mh.save_weights(other, tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="which no recipe of the course builds"):
        recipes.load_network(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="There is no weights file"):
        recipes.load_network(tmp_path / "none.weights.h5")


def test_warped_pictures_show_every_image_once_an_epoch_with_its_label(images_and_labels):
    images, labels = images_and_labels
    counted = np.zeros_like(images[:300])
    counted[:, 8:20, 8:20] = (np.arange(300) % 200 + 50)[:, None, None]  # a large square keeps its grey when warped
    pictures = recipes.WarpedPictures(counted, np.arange(300) % 10, seed=0)
    batches = [pictures[batch] for batch in range(len(pictures))]
    x, y = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert [len(batch[0]) for batch in batches] == [128, 128, 44]
    assert x.dtype == y.dtype == np.float32 and x.shape == (300, 28, 28, 1) and 0 <= x.min() and x.max() <= 1
    grey = np.rint(x[:, 13, 13, 0] * 255).astype(int)
    assert sorted(grey) == sorted(np.arange(300) % 200 + 50)
    np.testing.assert_array_equal((grey - 50) % 10, y.argmax(axis=1))


def test_warped_pictures_depend_on_seed_and_epoch_only(images_and_labels):
    first, second, other = (recipes.WarpedPictures(*images_and_labels, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[1][0], second[1][0])
    assert (first[1][0] != other[1][0]).any()
    first.on_epoch_end()
    assert (first[1][0] != second[1][0]).any()


def test_shifted_predictions_are_the_mean_over_five_places():
    class BrightestRow:  # answers with the position of the brightest row, as a probability of 1 for one of ten classes
        def predict(self, x, **options):
            return np.eye(10, dtype="float32")[x.sum(axis=(2, 3)).argmax(axis=1) - 10]

    images = np.zeros((3, 28, 28), np.uint8)
    images[0, 14, 5:20] = images[1, 17, 5:20] = 200
    images[2, 13, 27] = images[2, 15, 2] = 255  # the first leaves the picture, moved right; it must not come back
    images[2, 13, 0] = 254
    expected = np.zeros((3, 10))
    expected[0, [3, 4, 5]] = expected[1, [6, 7, 8]] = 0.2, 0.6, 0.2
    expected[2, [2, 3, 4, 5]] = 0.2, 0.4, 0.2, 0.2
    np.testing.assert_allclose(recipes.predict_shifted(BrightestRow(), images), expected, atol=1e-6)


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
