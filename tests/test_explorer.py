"""The kernel's side of the walkable network; tests/browser/ touches its values."""

import keras
import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import explorer, packed_weights

IMAGES, _ = make_digits(3)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return mh.build_cnn()


def test_the_browser_gets_the_weights_and_the_pictures(model):
    widget = explorer.show(model, IMAGES)
    for one, other in zip(model.get_weights(), packed_weights.unpack(widget._weights), strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(np.frombuffer(widget._images, np.uint8).reshape(-1, 28, 28), IMAGES)
    assert widget._titles == ["Image 0", "Image 1", "Image 2"]
    assert "createExplorer" in widget._esm and "http" not in widget._esm + widget._css


def test_weights_will_do_in_place_of_a_network(model):
    assert explorer.show(model.get_weights(), IMAGES)._weights == explorer.show(model, IMAGES)._weights


def test_without_images_it_takes_a_validation_image_of_each_digit(model):
    widget = explorer.show(model)
    (_, _), (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    known = {image.tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    shown = np.frombuffer(widget._images, np.uint8).reshape(-1, 28, 28)
    assert [known[image.tobytes()] for image in shown] == list(range(10))
    assert widget._titles[7] == "A validation image, label 7"


def test_where_nothing_moves_a_picture_with_words_stands_instead(model):
    bundle, _ = explorer.show(model, IMAGES)._repr_mimebundle_()
    read = mh.predict(model, IMAGES)[0]
    assert bundle["text/html"].startswith('<img alt="From left to right: Image 0; the strongest maps')
    assert f"ten bars, the longest at {read.argmax()} with {read.max():.1%}" in bundle["text/html"]
    assert bundle["text/plain"].startswith("The network, layer by layer: run this cell in JupyterLab or Colab")


def another_activation():
    layers = keras.layers
    convolutions = [part for n in (32, 64) for part in (layers.Conv2D(n, 3, activation="tanh"), layers.MaxPooling2D(2))]
    end = [layers.Flatten(), layers.Dense(128), layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28, 1)), *convolutions, *end])


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Dense(3)]), r"the shapes \(1, 3\), \(3,\)"),
        (another_activation, "one of the same shapes that computes otherwise"),
        (lambda: [np.zeros(3)], r"have the shapes \(3,\)"),
    ],
)
def test_another_network_is_refused_in_a_sentence(build, words):
    with pytest.raises(ValueError, match=f"Expected the course's network, .* but received .*{words}"):
        explorer.show(build(), IMAGES)


@pytest.mark.parametrize("images", [IMAGES[:0], IMAGES / 255, IMAGES[0]])
def test_other_images_are_refused_in_a_sentence(model, images):
    with pytest.raises(ValueError, match="Expected (raw images|at least one image)"):
        explorer.show(model, images)
