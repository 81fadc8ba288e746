"""The exercises of notebook 07: right answers of several forms are accepted, and each mistake is named."""

import numpy as np
from exercise_tables import table_tests
from scipy import ndimage

import mnist_helpers as mh
from mnist_course import paths, training


def nearest_at_once(query, features, k):
    return np.argsort(np.linalg.norm(features - query, axis=1))[:k]


def nearest_in_a_loop(query, features, k):
    distances = [sum((a - b) ** 2 for a, b in zip(row, query, strict=True)) for row in features]
    return sorted(range(len(features)), key=distances.__getitem__)[:k]


def nearest_expanded(query, features, k):
    return np.argsort(np.square(features).sum(axis=1) - 2 * features @ query, kind="stable")[:k]


def distances_only(query, features, k):
    return np.sort(np.linalg.norm(features - query, axis=1))[:k]


def farthest(query, features, k):
    return np.argsort(-np.linalg.norm(features - query, axis=1))[:k]


def shuffled(query, features, k):
    return np.roll(nearest_at_once(query, features, k), 1)


def by_absolute_differences(query, features, k):
    return np.argsort(np.abs(features - query).sum(axis=1))[:k]


def by_dot_product(query, features, k):
    return np.argsort(-(features @ query))[:k]


def by_angle(query, features, k):
    return np.argsort(-(features @ query) / np.linalg.norm(features, axis=1))[:k]


def push_at_once(x, gradient, step):
    return np.clip(x - step * np.sign(gradient), 0, 1)


def push_by_cases(x, gradient, step):
    pushed = np.where(gradient > 0, x - step, np.where(gradient < 0, x + step, x))
    return np.minimum(np.maximum(pushed, 0), 1).tolist()


def push_as_tensor(x, gradient, step):
    import tensorflow as tf

    return tf.clip_by_value(tf.constant(x) - step * tf.sign(tf.constant(gradient)), 0, 1)


def untouched(*arguments): ...


RIGHT = {
    "7.1": [(10,), (10.0,), (np.int64(10),)],
    "7.2": [(4,), (np.float32(4),), (np.array([4]),)],
    "7.3": [(nearest_at_once,), (nearest_in_a_loop,), (nearest_expanded,)],
    "7.4": [(push_at_once,), (push_by_cases,), (push_as_tensor,)],
}
WRONG = {
    "7.1": [
        ((None,), "not attempted yet"),
        ((3,), "after the first convolution"),
        ((4,), "after the first pooling sees"),
        ((5,), "how wide the map"),
        ((6,), "a 3 x 3 window there"),
        ((7,), "later windows reach further"),
        ((8,), "after the second convolution sees"),
        ((9,), "also for the second pooling"),
        ((12,), "side by side overlap"),
        ((28,), "The whole image"),
        ((36,), "do not multiply"),
        ((100,), "the number of pixels in the square"),
        ((11,), "It is not 11"),
        ((9.5,), "whole number"),
    ],
    "7.2": [
        ((None,), "not attempted yet"),
        ((-4,), "a positive number of pixels"),
        ((3.7,), "whole number of pixels, received 3.7"),
        ((3,), "the other direction"),
        ((2,), "At 2 pixels it still reads more than 90 %"),
        ((0,), "At 0 pixels it still reads more than 90 %"),
        ((5,), "a smaller shift is already enough"),
        ((28,), "a smaller shift is already enough"),
    ],
    "7.3": [
        ((untouched,), "not attempted yet"),
        ((distances_only,), "These are the distances"),
        ((farthest,), "farthest rows"),
        ((lambda query, features, k: nearest_at_once(query, features, k)[::-1],), "the farthest of them comes first"),
        ((shuffled,), "not in the order of their distances"),
        ((lambda query, features, k: nearest_at_once(query, features, k) + 1,), "one too high"),
        ((by_absolute_differences,), "absolute differences"),
        ((by_dot_product,), "dot product"),
        ((by_angle,), "not all indices are those of the 9 nearest"),
        ((lambda query, features, k: nearest_at_once(query, features, len(features)),), "shape (9,)"),
    ],
    "7.4": [
        ((untouched,), "not attempted yet"),
        ((lambda x, gradient, step: x - step * np.sign(gradient),), "left the range"),
        ((lambda x, gradient, step: np.maximum(x - step * np.sign(gradient), 0),), "some pixels are above 1"),
        ((lambda x, gradient, step: np.minimum(x - step * np.sign(gradient), 1),), "some pixels are below 0"),
        ((lambda x, gradient, step: push_at_once(x, -gradient, step),), "makes the loss rise"),
        ((lambda x, gradient, step: np.clip(x - step * gradient, 0, 1),), "only the sign counts"),
        ((lambda x, gradient, step: x,), "nothing has moved"),
        ((lambda x, gradient, step: push_at_once(x, gradient, 0.1),), "With a step of 0.25"),
        ((lambda x, gradient, step: push_at_once(x, gradient, step) * 255,), "With a step of 0.1"),
        ((lambda x, gradient, step: push_at_once(x, gradient, step)[..., 0],), "Expected an array of shape"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(7, RIGHT, WRONG)


def test_a_value_after_the_second_pooling_sees_what_the_check_expects():
    model = mh.build_cnn()
    for layer in (model.layers[0], model.layers[2]):  # all positive, so that every pixel counts wherever it is seen
        kernel, bias = layer.get_weights()
        layer.set_weights([np.ones_like(kernel), np.zeros_like(bias)])
    values = np.eye(784, dtype="float32").reshape(784, 28, 28, 1)  # one bright pixel each
    for layer in model.layers[:4]:
        values = layer(values)
    sees = mh.keras.ops.convert_to_numpy(values)[:, 2, 2, 0].reshape(28, 28) > 0
    assert sees.any(axis=0).sum() == sees.any(axis=1).sum() == 10 and sees.sum() == 100


def test_left_limit_is_what_the_shipped_network_does():
    images, labels = mh.split_train_validation(*mh.load_mnist()[0])[1]
    model = mh.build_cnn()
    training.load_weights(model, paths.SHIPPED_WEIGHTS)
    shifted = [ndimage.shift(images[:1000], (0, 0, -pixels), order=0) for pixels in range(1, 5)]
    accuracies = [(mh.predict(model, moved).argmax(axis=1) == labels[:1000]).mean() for moved in shifted]
    assert min(accuracies[:3]) > 0.92 and accuracies[3] < 0.88
