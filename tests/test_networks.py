"""The networks: of the promised size, found again by their weights, read at several places."""

import keras
import numpy as np
import pytest

import mnist_helpers as mh
from mnist_course import networks, paths, training


@pytest.mark.parametrize("name, most", [("standard", 225_034), ("fast", 50_000), ("tiny", 10_000), ("record", 330_000)])
def test_networks_keep_their_size_and_are_found_again_by_their_weights(name, most, tmp_path):
    model = networks.BUILDERS[name]()
    assert model.output_shape == (None, 10) and model.count_params() <= most
    assert f"{model.count_params():,} parameters" in networks.BUILDERS[name].__doc__
    training.save_weights(model, tmp_path / "some.weights.h5")
    found = networks.load_network(tmp_path / "some.weights.h5")
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype(np.uint8)
    np.testing.assert_allclose(mh.predict(found, images), mh.predict(model, images), atol=1e-6)


def test_weights_of_no_recipe_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    training.save_weights(other, tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="which no recipe of the course builds"):
        networks.load_network(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="There is no weights file"):
        networks.load_network(tmp_path / "none.weights.h5")


def test_reading_at_five_places_is_the_mean_of_shifted_readings():
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
    np.testing.assert_allclose(networks.predict_at_places(BrightestRow(), images, 5), expected, atol=1e-6)


def test_reading_at_one_place_is_reading_and_at_none_is_refused():
    images, model = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype(np.uint8), mh.build_cnn()
    np.testing.assert_array_equal(networks.predict_at_places(model, images, 1), mh.predict(model, images))
    for places in (0, 6):
        with pytest.raises(ValueError, match=f"Expected 1 to 5 places .* received {places}"):
            networks.predict_at_places(model, images, places)


@pytest.mark.parametrize("name, layers", [("fast", 3), ("tiny", 5), ("record", 5)])
def test_normalisation_follows_a_short_training(name, layers):
    """With Keras's own momentum of 0.99 the means of the two epochs of `fast` would still hold the first batches."""
    found = [layer for layer in networks.BUILDERS[name]().layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.momentum for layer in found] == [0.9] * layers


def test_own_weights_come_before_the_shipped(tmp_path, capsys):
    networks.load_trained_network(tmp_path)
    assert "the shipped weights" in capsys.readouterr().out
    own = mh.build_cnn()
    training.save_weights(own, tmp_path / paths.WEIGHTS_NAME)
    loaded = networks.load_trained_network(tmp_path)
    assert "your own weights" in capsys.readouterr().out
    np.testing.assert_array_equal(loaded.get_weights()[0], own.get_weights()[0])
