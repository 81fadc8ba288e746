"""The gradient that the library under Keras computes is the one that nudging finds."""

import keras
import numpy as np

import mnist_helpers as mh
from mnist_course import gradients


def test_the_gradient_is_what_nudging_finds():
    at = np.random.default_rng(0).random((2, 3)).astype("float32")
    slopes = gradients.compute(lambda x: keras.ops.sum(keras.ops.square(x) * 3), at)
    assert isinstance(slopes, np.ndarray) and slopes.dtype == np.float32
    np.testing.assert_allclose(slopes, 6 * at, rtol=1e-5)


def test_the_gradient_of_a_loss_leaves_pixels_and_network_as_they_were():
    model, x = mh.build_cnn(), np.random.default_rng(0).random((3, 28, 28, 1)).astype("float32")
    before, weights, y = x.copy(), model.get_weights(), mh.one_hot([1, 2, 3])

    def loss(pixels):
        return keras.ops.sum(keras.losses.categorical_crossentropy(y, model(pixels)))

    slopes = gradients.compute(loss, x)
    brightest = np.unravel_index(np.abs(slopes).argmax(), slopes.shape)
    step = np.zeros_like(x)
    step[brightest] = 0.01
    nudged = keras.ops.convert_to_numpy(loss(x + step) - loss(x - step)) / 0.02
    assert slopes.shape == x.shape and abs(nudged - slopes[brightest]) < 0.05 * abs(slopes[brightest])
    np.testing.assert_array_equal(x, before)
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
