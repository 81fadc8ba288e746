"""Keras on JAX or PyTorch beside Keras on TensorFlow: the same file, the same answers; `make test-backends` runs it.

It needs what .venv-backends holds; KERAS_BACKEND says which backend is held against TensorFlow.
"""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import gradients, networks, paths, recipes, training

ON_TENSORFLOW = """
import sys
import keras, numpy as np
import mnist_helpers as mh
from mnist_course import gradients, networks, training

weights, images, answers, saved = sys.argv[1:]
assert keras.backend.backend() == "tensorflow"
model, images = networks.load_network(weights), np.load(images)
def loss(x):
    return keras.ops.sum(keras.losses.categorical_crossentropy(mh.one_hot(np.zeros(len(images), int)), model(x)))
np.savez(answers, read=mh.predict(model, images), slopes=gradients.compute(loss, mh.scale_pixels(images)))
training.save_weights(model, saved)
"""


@pytest.fixture(params=["standard", "fast"])
def trained(request):
    """A network that has made some steps on this backend, and the digits on which it made them."""
    images, labels = make_digits(256)
    model, options = recipes.prepare(recipes.RECIPES[request.param], images, labels, seed=0)
    model.fit(options["training"], epochs=2, verbose=0)
    return model, images


def test_the_backend_is_the_one_asked_for():
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"] != "tensorflow"


def test_a_file_saved_on_one_backend_gives_the_same_answers_on_the_other(trained, tmp_path):
    model, images = trained
    here, there = tmp_path / paths.WEIGHTS_NAME, tmp_path / "there.weights.h5"
    training.save_weights(model, here)
    np.save(tmp_path / "images.npy", images)
    arguments = [here, tmp_path / "images.npy", tmp_path / "answers.npz", there]
    command = [sys.executable, "-c", ON_TENSORFLOW, *map(str, arguments)]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = np.load(tmp_path / "answers.npz")
    np.testing.assert_allclose(answers["read"], mh.predict(model, images), atol=1e-5)
    np.testing.assert_allclose(mh.predict(networks.load_network(there), images), answers["read"], atol=1e-5)

    def loss(x):
        return keras.ops.sum(keras.losses.categorical_crossentropy(mh.one_hot(np.zeros(len(images), int)), model(x)))

    apart = np.abs(gradients.compute(loss, mh.scale_pixels(images)) - answers["slopes"])
    assert np.quantile(apart, 0.999) < 1e-5 and apart.max() < 0.01  # a sum at a ReLU's kink may fall on either side
