"""The exercises of notebook 02: right answers of several forms are accepted, and each mistake is named."""

import numpy as np
from exercise_tables import table_tests


def untouched(*arguments): ...


def slopes(weights, x, y):
    shares = np.exp(x @ weights.T)
    return (shares / shares.sum(axis=1, keepdims=True) - y).T @ x / len(x)


def step(weights, x, y, learning_rate):
    return weights - learning_rate * slopes(weights, x, y)


def step_image_by_image(weights, x, y, learning_rate):
    moved = weights.copy()
    for image, target in zip(x, y, strict=True):
        shares = np.exp(weights @ image) / np.exp(weights @ image).sum()
        moved -= learning_rate * np.outer(shares - target, image) / len(x)
    return moved


def step_in_place(weights, x, y, learning_rate):
    weights -= learning_rate * slopes(weights, x, y)
    return weights


def fit(weights, x, y, learning_rate, batch_size, epochs):
    for _ in range(epochs):
        for start in range(0, len(x), batch_size):
            batch = slice(start, start + batch_size)
            weights = step(weights, x[batch], y[batch], learning_rate)
    return weights


def fit_cut_beforehand(weights, x, y, learning_rate, batch_size, epochs):
    places = np.arange(batch_size, len(x), batch_size)
    batches = list(zip(np.split(x, places), np.split(y, places), strict=True))
    for batch in batches * epochs:
        weights = step(weights, *batch, learning_rate)
    return weights


def fit_without_the_rest(weights, x, y, learning_rate, batch_size, epochs):
    whole = len(x) // batch_size * batch_size
    return fit(weights, x[:whole], y[:whole], learning_rate, batch_size, epochs)


def fit_with_all_images(weights, x, y, learning_rate, batch_size, epochs):
    return fit(weights, x, y, learning_rate, len(x), epochs)


def fit_first_batch(weights, x, y, learning_rate, batch_size, epochs):
    return fit(weights, x[:batch_size], y[:batch_size], learning_rate, batch_size, epochs)


def fit_one_step(weights, x, y, learning_rate, batch_size, epochs):
    return step(weights, x[:batch_size], y[:batch_size], learning_rate)


def fit_from_the_end(weights, x, y, *settings):
    return fit(weights, x[::-1], y[::-1], *settings)


RIGHT = {
    "2.1": [((-0.48, 0.3),), ([-0.48, 0.3],), (np.array([0.2 - 1, 0.5]) * 0.6,)],
    "2.2": [(step,), (step_image_by_image,), (step_in_place,)],
    "2.3": [(fit,), (fit_cut_beforehand,)],
}
WRONG = {
    "2.1": [
        ((None,), "not attempted yet"),
        ((-0.48,), "Expected an array of shape (2,)"),
        (((0.3, -0.48),), "in the other order"),
        (((0.48, -0.3),), "The signs are turned round"),
        (((-0.8, 0.5),), "the pixel of 0.6 is missing"),
        (((0.12, 0.3),), "subtract the target"),
        (((-0.48, -0.3),), "For the row of 8, (share - target) times pixel is not -0.3"),
        (((-0.5, 0.3),), "For the row of 3, (share - target) times pixel is not -0.5"),
    ],
    "2.2": [
        ((untouched,), "not attempted yet"),
        ((lambda weights, x, y, rate: (weights - rate * slopes(weights, x, y)).sum(axis=1),), "of shape (10, 784)"),
        ((lambda weights, x, y, rate: step(weights, x, y, -rate),), "goes uphill"),
        ((lambda weights, x, y, rate: weights,), "the weights before the step"),
        ((lambda weights, x, y, rate: slopes(weights, x, y),), "not where you arrive"),
        ((lambda weights, x, y, rate: -rate * slopes(weights, x, y),), "not where you arrive"),
        ((lambda weights, x, y, rate: step(weights, x, y, 1),), "The learning rate is missing"),
        ((lambda weights, x, y, rate: step(weights, x, y, rate * len(x)),), "take their mean"),
        ((lambda weights, x, y, rate: step(weights, x, y, 0.5),), "With a learning rate of 0.02, other images"),
    ],
    "2.3": [
        ((untouched,), "not attempted yet"),
        ((fit_without_the_rest,), "The last batch is lost: 27 images"),
        ((fit_with_all_images,), "This makes one step an epoch"),
        ((lambda *given: fit(*given[:-1], 1),), "one epoch instead of 3"),
        ((fit_first_batch,), "only the first batch of every epoch"),
        ((fit_one_step,), "one single step"),
        ((lambda weights, x, y, rate, *rest: fit(weights, x, y, -rate, *rest),), "goes uphill"),
        ((fit_from_the_end,), "27 images in batches of 8, 3 epochs do not come out"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(2, RIGHT, WRONG)
