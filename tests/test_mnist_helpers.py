"""The Keras side of the course, tested on small printed digits, invented losses and invented probabilities."""

import subprocess
import sys

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import paths, training


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# ---------------------------------------------------------------- data


def test_scale_pixels():
    x = mh.scale_pixels(np.array([[[0] * 14 + [51] * 14] * 27 + [[255] * 28]], np.uint8))
    assert x.shape == (1, 28, 28, 1) and x.dtype == np.float32
    assert x.min() == 0 and x.max() == 1 and x[0, 0, 20, 0] == np.float32(0.2)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 28, 28), np.float32),
        np.zeros((2, 28, 28), np.int64),
        np.zeros((28, 28), np.uint8),
        np.zeros((2, 32, 32), np.uint8),
        mh.scale_pixels(np.zeros((2, 28, 28), np.uint8)),
    ],
)
def test_scale_pixels_refuses_what_is_not_raw(images):
    with pytest.raises(ValueError, match="Expected raw images, uint8 .* but received"):
        mh.scale_pixels(images)


def test_one_hot():
    y = mh.one_hot(np.array([0, 9, 3]))
    assert y.shape == (3, 10) and y.dtype == np.float32
    assert y.argmax(axis=1).tolist() == [0, 9, 3] and y.sum(axis=1).tolist() == [1, 1, 1]
    assert mh.one_hot(np.array([], int)).shape == (0, 10)


@pytest.mark.parametrize("labels", [[10], [-1], [1.0], [[1, 2]], ["7"], [True]])
def test_one_hot_refuses_other_labels(labels):
    with pytest.raises(ValueError, match="Expected labels, integers from 0 to 9"):
        mh.one_hot(labels)


# ---------------------------------------------------------------- network


def test_network_is_the_specified_one():
    model = mh.build_cnn()
    assert [layer.__class__.__name__ for layer in model.layers] == [
        "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    assert [layer.output.shape[1:] for layer in model.layers[:5]] == [
        (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,),
    ]  # fmt: skip
    assert model.count_params() == 225_034
    activations = [layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")]
    assert activations == ["relu", "relu", "relu", "softmax"] and model.layers[6].rate == 0.5
    assert isinstance(model.optimizer, keras.optimizers.Adam) and model.loss == "categorical_crossentropy"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)


# ---------------------------------------------------------------- evaluation


def invented_probabilities(digits, confidence):
    probabilities = np.full((len(digits), 10), (1 - np.array(confidence, float)[:, None]) / 9)
    probabilities[np.arange(len(digits)), digits] = confidence
    return probabilities


def test_evaluate_counts_right():
    labels = np.array([0, 0, 1, 1])
    results = mh.evaluate(labels, invented_probabilities([0, 1, 1, 1], [0.9, 0.8, 0.7, 0.6]))
    assert results["accuracy"] == 0.75
    assert results["loss"] == pytest.approx(-np.mean(np.log([0.9, 0.2 / 9, 0.7, 0.6])))
    assert results["recall"][:3].tolist() == [0.5, 1, 0]
    assert results["precision"][:2].tolist() == pytest.approx([1, 2 / 3])
    assert results["f1"][:2].tolist() == pytest.approx([2 / 3, 0.8])
    matrix = results["confusion_matrix"]
    assert matrix.shape == (10, 10) and matrix.sum() == 4 and matrix[0, 1] == 1 and matrix[1, 1] == 2
    low, high = results["interval"]  # Wilson's formula for 3 of 4, by hand
    z = 1.959964
    centre, half = (0.75 + z**2 / 8) / (1 + z**2 / 4), z * np.sqrt(0.75 * 0.25 / 4 + z**2 / 64) / (1 + z**2 / 4)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_loss_agrees_with_keras():
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(10), size=50).astype("float32"), rng.integers(0, 10, 50)
    expected = keras.losses.categorical_crossentropy(mh.one_hot(labels), probabilities)
    assert mh.evaluate(labels, probabilities)["loss"] == pytest.approx(float(np.mean(expected)), rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 10), (4, 9), (4,)])
def test_evaluate_refuses_shapes_that_do_not_match(shape):
    with pytest.raises(ValueError, match="Expected labels .* but received"):
        mh.evaluate(np.zeros(4, int), np.zeros(shape))


def sure(share, count=100):
    """Probabilities (count, 10) of a network that always says 3 with this confidence."""
    probabilities = np.full((count, 10), (1 - share) / 9)
    probabilities[:, 3] = share
    return probabilities


@pytest.mark.parametrize("share, right, expected", [(0.9, 90, 0), (0.9, 50, 0.4), (0.6, 100, 0.4)])
def test_calibration_error_is_the_distance_of_confidence_from_accuracy(share, right, expected):
    labels = np.where(np.arange(100) < right, 3, 7)
    assert mh.calibration_error(labels, sure(share)) == pytest.approx(expected, abs=1e-9)


def test_calibration_error_weighs_groups_by_size():
    labels = np.full(100, 3)
    probabilities = np.concatenate([sure(0.9, 75), sure(0.5, 25)])  # all right: off by 0.1 and by 0.5
    assert mh.calibration_error(labels, probabilities) == pytest.approx(0.75 * 0.1 + 0.25 * 0.5)


def test_most_confused_lists_mistakes_only():
    matrix = np.diag([100] * 10)
    matrix[4, 9], matrix[3, 5], matrix[9, 4] = 7, 2, 3
    assert mh.most_confused(matrix) == [(4, 9, 7), (9, 4, 3), (3, 5, 2)]
    assert mh.most_confused(matrix, count=1) == [(4, 9, 7)]


def test_misclassified_are_ranked_by_confidence():
    probabilities = invented_probabilities([1, 2, 3, 4], [0.6, 0.9, 0.99, 0.8])
    assert mh.rank_misclassified([5, 5, 3, 5], probabilities).tolist() == [1, 3, 0]


def test_shipped_weights_read_validation_images():
    _, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    model = mh.build_cnn()
    training.load_weights(model, paths.SHIPPED_WEIGHTS)
    assert mh.evaluate(labels[:2000], mh.predict(model, images[:2000]))["accuracy"] > 0.985


# ---------------------------------------------------------------- plots, by what they drew


def test_plot_images():
    images, labels = make_digits(13)
    figure = mh.plot_images(images, [f"label {label}" for label in labels])
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 13 and len(figure.axes) == 20
    np.testing.assert_array_equal(drawn[4].images[0].get_array(), images[4])
    assert drawn[4].get_title() == f"label {labels[4]}" and figure.get_facecolor() == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="Expected images"):
        mh.plot_images(images[:0])


def test_plot_class_counts():
    (ax,) = mh.plot_class_counts({"training": np.array([0, 0, 7]), "test": np.array([7])}).axes
    assert [bar.get_height() for bar in ax.containers[0]] == [2, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "test"]
    assert ax.get_xlabel() == "digit"


def test_plot_learning_curves_marks_the_best_epoch():
    history = {"loss": [3, 2, 1], "val_loss": [3, 1, 2], "accuracy": [0.1, 0.5, 0.6], "val_accuracy": [0.2, 0.6, 0.5]}
    for ax, name in zip(mh.plot_learning_curves(history).axes, ("loss", "accuracy"), strict=True):
        assert ax.lines[0].get_ydata().tolist() == history[name]
        assert ax.lines[1].get_ydata().tolist() == history[f"val_{name}"]
        assert ax.lines[0].get_xdata().tolist() == [1, 2, 3] and list(ax.lines[2].get_xdata()) == [2, 2]
        assert "best epoch: 2" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_plot_confusion_matrix_prints_every_count():
    matrix = np.diag(range(10, 20))
    matrix[4, 9] = 3
    ax = mh.plot_confusion_matrix(matrix).axes[0]
    assert {(*text.get_position(), text.get_text()) for text in ax.texts} == {
        (9, 4, "3"), *((digit, digit, str(10 + digit)) for digit in range(10)),
    }  # fmt: skip
    assert np.isnan(np.ma.filled(ax.images[0].get_array(), np.nan).diagonal()).all()


def test_plot_misclassified_shows_truth_reading_and_confidence():
    images, _ = make_digits(4)
    probabilities = invented_probabilities([1, 2, 3, 4], [0.6, 0.9, 0.99, 0.8])
    figure = mh.plot_misclassified(images, np.array([5, 5, 3, 5]), probabilities, count=2)
    assert [axes.get_title() for axes in figure.axes] == ["true 5, read 2\n90.0% sure", "true 5, read 4\n80.0% sure"]
    with pytest.raises(ValueError, match="No image is misclassified"):
        mh.plot_misclassified(images, np.array([1, 2, 3, 4]), probabilities)


# ---------------------------------------------------------------- the import


def test_import_says_nothing_and_changes_nothing():
    code = (
        "import os, random, sys, matplotlib, numpy as np\n"
        "look = lambda: (dict(os.environ), random.getstate(), str(np.random.get_state()), dict(matplotlib.rcParams))\n"
        "import mnist_helpers\n"  # imports Keras, which sets a seed of its own; from here on only our lines count
        "before = look()\n"
        "del sys.modules['mnist_helpers']\n"
        "import mnist_helpers\n"
        "print([one == other for one, other in zip(before, look())])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[True, True, True, True]\n", "")
