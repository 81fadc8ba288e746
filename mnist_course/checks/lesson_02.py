"""Checks of the exercises in notebook 02."""

import numpy as np

from mnist_course.exercises import NotYet, array, call, exercise
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "In MNIST's images, what does the number 0 stand for?",
        (
            (
                "White paper",
                "On a photo, white paper has large numbers. MNIST is the other way round: its paper is black.",
            ),
            (
                "The darkest ink",
                "On a photo, dark ink has small numbers. MNIST is the other way round: its ink is bright.",
            ),
            (
                "Black paper",
                "It is white on black: 0 is empty paper, as four pixels in five are, and 255 the brightest ink.",
            ),
        ),
        right="c",
    ),
    Question(
        "You try five readers of digits and keep the best one. Which images choose it, and which say how good it is?",
        (
            (
                "Validation images choose, test images say",
                "What has chosen is used up as a witness: the winner's score is a little too good there.",
            ),
            (
                "Test images choose, and the same ones say",
                "You would choose whatever these images happen to favour, and nothing would be left to tell you "
                "the truth.",
            ),
            (
                "Training images choose, validation images say",
                "Readers have learned from the training images, so the one that remembers them best would win.",
            ),
            (
                "Validation images choose, and the same ones say",
                "They are right for choosing, but then the winner's score is a little too good on them.",
            ),
        ),
        right="a",
    ),
    Question(
        "You move all validation digits two pixels to the right. What happens to the accuracy of the nearest mean?",
        (
            (
                "It stays: the shapes are the same",
                "To your eye they are. The distance goes pixel by pixel, and knows nothing of strokes.",
            ),
            (
                "It falls: it compares place by place",
                "The ink no longer lies where the mean has it, and the distance asks for nothing else.",
            ),
            (
                "It stays: the means are blurred enough",
                "The blur comes from different hands writing centred digits; it does not make up for a shift.",
            ),
        ),
        right="b",
    ),
)

SHARES, TARGETS, PIXEL = np.array([0.2, 0.5]), np.array([1, 0]), 0.6


@exercise(
    "2.1",
    hints=[
        "A slope is (share - target) times pixel. The target is 1 for the true digit and 0 for every other.",
        "The row of 3: its share is 0.2, its target 1, the pixel 0.6. Is the slope above or below 0?",
        "slopes = ((0.2 - 1) * 0.6, (0.5 - 0) * 0.6)",
    ],
    takeaway="The weight of the true digit grows, the other one shrinks, and both the more, the more wrong they were.",
)
def check_slopes(answer):
    slopes = array(answer, (2,))
    right = (SHARES - TARGETS) * PIXEL
    wrong = [
        (right[::-1], "These are the right slopes in the other order: the row of 3 comes first."),
        (-right, "The signs are turned round: a slope says where the loss rises, and a step goes against it."),
        (SHARES - TARGETS, "This is share minus target, the slope of the score; the pixel of 0.6 is missing."),
        (SHARES * PIXEL, "This is share times pixel; subtract the target, 1 for the true digit, from the share first."),
    ]
    for other, words in wrong:
        if np.allclose(slopes, other, atol=1e-6):
            raise NotYet(words)
    for row, slope, expected in zip((3, 8), slopes, right, strict=True):
        if abs(slope - expected) > 1e-6:
            raise NotYet(f"For the row of {row}, (share - target) times pixel is not {slope:g}.")


def invented(count, seed):
    """Return weights (10, 784), x (count, 784) and y (count, 10) that no lesson shows."""
    rng = np.random.default_rng(seed)
    x = rng.random((count, 784)) * (rng.random((count, 784)) < 0.2)
    return rng.normal(0, 0.05, (10, 784)), x, np.eye(10)[rng.integers(0, 10, count)]


def gradient(weights, x, y):
    raised = np.exp(x @ weights.T)
    return (raised / raised.sum(axis=1, keepdims=True) - y).T @ x / len(x)


def descend(weights, x, y, *, rate, batch_size, epochs, images=None):
    """Return what the `fit` of exercise 2.3 has to return; with `images`, every epoch ends after so many of them."""
    for _ in range(epochs):
        for start in range(0, images or len(x), batch_size):
            part = slice(start, start + batch_size)
            weights = weights - rate * gradient(weights, x[part], y[part])
    return weights


@exercise(
    "2.2",
    hints=[
        "gradient(weights, x, y) has the slope of every weight, in the shape of the weights.",
        "The slope says where the loss rises. Go the other way, as far as the learning rate says.",
        "return weights - learning_rate * gradient(weights, x, y)",
    ],
    takeaway="One step is one line, and learning is this line, again and again.",
)
def check_step(function):
    for rate, seed in ((0.5, 0), (0.02, 1)):
        weights, x, y = invented(30, seed)
        slopes = gradient(weights, x, y)
        found = array(call(function, weights, x, y, rate), (10, 784))
        if np.allclose(found, weights - rate * slopes, atol=1e-8):
            continue
        if np.allclose(found, weights + rate * slopes, atol=1e-8):
            raise NotYet("This step goes uphill: subtract, because the slope says where the loss rises.")
        if np.allclose(found, weights, atol=1e-8):
            raise NotYet("These are the weights before the step; return the new ones.")
        if np.allclose(found, slopes, atol=1e-8) or np.allclose(np.abs(found), np.abs(rate * slopes), atol=1e-8):
            raise NotYet("This is how far to go, not where you arrive; start from the weights.")
        if np.allclose(found, weights - slopes, atol=1e-8):
            raise NotYet("The learning rate is missing: without it, every step is as long as its slope.")
        if np.allclose(found, weights - rate * slopes * len(x), atol=1e-8):
            raise NotYet("These slopes are added up over the images; take their mean, as `gradient` does.")
        raise NotYet(f"With a learning rate of {rate}, other images and weights do not come out as expected.")


@exercise(
    "2.3",
    hints=[
        "Two loops: over the epochs, and in each over the places where a batch starts. In the middle stands one step.",
        "range(0, len(x), batch_size) has the starts; x[start : start + batch_size] is a batch, the last one smaller.",
        "In the inner loop: weights = weights - learning_rate * gradient(weights, x[start : start + batch_size], "
        "y[start : start + batch_size]). Return the weights after both loops.",
    ],
    takeaway="That is `fit`: epochs, in them batches, and for each batch one step of all the weights.",
)
def check_fit(function):
    for rate, batch_size, epochs, seed in ((0.3, 8, 3, 2), (0.1, 5, 2, 3)):
        weights, x, y = invented(27, seed)
        found = array(call(function, weights, x, y, rate, batch_size, epochs), (10, 784))
        given = {"rate": rate, "batch_size": batch_size, "epochs": epochs}
        if np.allclose(found, descend(weights, x, y, **given), atol=1e-8):
            continue
        count, whole = len(x), len(x) // batch_size * batch_size
        wrong = [
            ({"images": whole}, f"The last batch is lost: {count} images are not a whole number of batches."),
            ({"batch_size": count}, "This makes one step an epoch, with all images; make one step a batch."),
            ({"epochs": 1}, f"This is the result of one epoch instead of {epochs}."),
            ({"images": batch_size}, "This uses only the first batch of every epoch."),
            ({"images": batch_size, "epochs": 1}, "This is one single step; where are the loops?"),
            ({"rate": -rate}, "This goes uphill: subtract, because the slope says where the loss rises."),
        ]
        for changed, words in wrong:
            if np.allclose(found, descend(weights, x, y, **given | changed), atol=1e-8):
                raise NotYet(words)
        raise NotYet(f"With {count} images in batches of {batch_size}, {epochs} epochs do not come out as expected.")
