"""The exercises of notebook 03: right answers of several forms are accepted, and each mistake is named."""

import math

import keras
import numpy as np
import pytest
from exercise_tables import table_tests
from scipy import special

import mnist_helpers as mh
from mnist_course.checks import lesson_03

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def softmax_row_by_row(logits):
    rows = []
    for row in logits.tolist():
        exponentials = [math.exp(logit - max(row)) for logit in row]
        rows.append([value / sum(exponentials) for value in exponentials])
    return rows


def softmax_that_overflows(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def softmax_with_one_maximum(logits):
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def shares_of_powers_of_two(logits):
    return 2**logits / (2**logits).sum(axis=1, keepdims=True)


def untouched(*arguments): ...


VERTICAL = [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]
RIGHT = {
    "3.1": [(215_658,), (np.int64(215_658),), (215_658.0,)],
    "3.2": [
        (VERTICAL,),
        (np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8,),
        (np.array([[0, 0, 0], [-0.3, 0.1, 0.2], [0, 0, 0]], dtype="float32"),),
    ],
    "3.3": [(12.2,), (np.float32(47.07),), (34,)],
    "3.4": [(softmax_row_by_row,), (lambda logits: special.softmax(logits, axis=1),), (keras.ops.softmax,)],
}
WRONG = {
    "3.1": [
        ((None,), "not attempted yet"),
        ((225_034,), "the network with 32 filters"),
        ((224_874,), "changed the first layer only"),
        ((207_018,), "as deep as the first layer has filters"),
        ((215_440,), "left the biases out"),
        ((108_618,), "the second still has 64 filters"),
        ((9_440,), "the two convolutional layers"),
        ((9_376,), "how many fewer they are"),
        ((215_659,), "It is not 215,659"),
    ],
    "3.2": [
        ((None,), "not attempted yet"),
        (([-1, 0, 1],), "Expected an array of shape (3, 3)"),
        (([[-1, 0, 2]] * 3,), "It answers 765 on even ink"),
        (([[-1, -1, -1], [0, 0, 0], [1, 1, 1]],), "answers to horizontal edges too"),
        (([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]],), "answers to horizontal edges too"),
        ((np.zeros((3, 3)),), "does not answer at all"),
        (([[1, -1, 0], [-1, 1, 0], [0, 0, 0]],), "does not answer at all"),
        (([[-1, 2, -1]] * 3,), "positive and negative answers"),
        (([[1, 0, -1]] * 3,), "change the signs"),
    ],
    "3.3": [
        ((None,), "not attempted yet"),
        ((2.302,), "mh.predict scales for you"),
        ((3.1,), "`model` has learned a batch"),
        ((0.6,), "`model` has learned a batch"),
        ((73_000.0,), "Take the mean over the images"),
    ],
    "3.4": [
        ((untouched,), "not attempted yet"),
        ((lambda logits: softmax_row_by_row(logits)[0],), "Expected an array of shape (5, 10)"),
        ((lambda logits: special.log_softmax(logits, axis=1),), "never negative"),
        ((special.softmax,), "The whole batch adds up to 1"),
        ((lambda logits: special.softmax(logits, axis=0),), "Each column adds up to 1"),
        ((np.exp,), "The first row adds up to"),
        ((shares_of_powers_of_two,), "Each row adds up to 1, but the values are off"),
        ((softmax_that_overflows,), "its own largest logit"),
        ((softmax_with_one_maximum,), "its own largest logit"),
        ((lambda logits: softmax_that_overflows(np.clip(logits, -700, 700)),), "add 1,000 to all logits of a row"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(3, RIGHT, WRONG)


def test_parameter_count_is_what_keras_counts():
    layers = mh.build_cnn().layers
    changed = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(16, 3)])
    for layer in layers[1:]:
        changed.add(layer.__class__.from_config(layer.get_config()))
    assert changed.count_params() == lesson_03.COUNT


@pytest.mark.parametrize("seed", [1, 2])
def test_raw_loss_of_any_seed_is_accepted_however_it_is_measured(seed):
    keras.utils.set_random_seed(seed)
    images, labels = (part[:100] for part in mh.load_mnist()[0])
    model, pixels = mh.build_cnn(), images[..., np.newaxis].astype("float32")
    lesson_03.check_raw_loss(model.evaluate(pixels, mh.one_hot(labels), verbose=0)[0])
    lesson_03.check_raw_loss(mh.evaluate(labels, model.predict(pixels, verbose=0))["loss"])
