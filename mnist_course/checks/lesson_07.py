"""Checks of the exercises in notebook 07."""

import numpy as np

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "A network with 99 % on MNIST reads few of your photos. What do you do first?",
        (
            (
                "Compare its input with its training data",
                "Look at the 28 x 28 picture it gets. Prepared as MNIST's digits were, nearly all simulated photos "
                "were read.",
            ),
            (
                "Train a larger network on MNIST",
                "The same network read nearly all simulated photos once they were prepared properly; its size was "
                "not the fault.",
            ),
            (
                "Invert each photo before it is read",
                "The usual way inverts too, and fails: digits stay small and off-centre, and the shadows stay.",
            ),
        ),
        right="a",
    ),
    Question(
        "The network called `standard` reads a picture of the letter B. What do you know for sure about its ten "
        "probabilities?",
        (
            (
                "All ten are near 0",
                "They cannot be: softmax divides by the sum, so they add up to 1, whatever the picture shows.",
            ),
            (
                "Each is near a tenth",
                "Nobody taught `standard` that. `robust` practised it on pictures of no digit, and even so nothing "
                "is sure.",
            ),
            ("They add up to 1", "Softmax sees to that, so one digit is always the answer, even to a B."),
        ),
        right="c",
    ),
    Question(
        "The first convolution has 32 filters, the second has 64, all 3 x 3. How many numbers has one filter of "
        "the second, without its bias?",
        (
            ("9", "That would do for one picture. The second layer gets 32 of them, and each filter looks at all."),
            ("288", "3 x 3 x 32, a block and not a square: it looks at all 32 pictures that come in."),
            ("320", "Those are all parameters of the first layer, 32 x (9 + 1). One filter here has 3 x 3 x 32."),
            ("576", "That is 9 x 64. What counts is how many pictures come in, 32, not how many filters there are."),
        ),
        right="b",
    ),
)

WRONG_WIDTHS = {
    3: "That is what a value after the first convolution sees; each later layer adds to it.",
    4: "That is what a value after the first pooling sees; two layers are still to come.",
    5: "That is how wide the map after the second pooling is; the question is how much of the image one value sees.",
    6: "After the first pooling, neighbouring values lie two pixels apart; a 3 x 3 window there reaches further.",
    7: "After the first pooling, neighbouring values lie two pixels apart, so later windows reach further than that.",
    8: "That is what a value after the second convolution sees; the second pooling still joins two by two of them.",
    9: "After the first pooling, neighbouring values lie two pixels apart, also for the second pooling.",
    12: "Windows side by side overlap: count only the pixels that each further value adds.",
    28: "The whole image is 28 pixels wide; one value sees only a part of it.",
    36: "Widths do not multiply, because windows overlap: count the pixels that each layer adds.",
    100: "That is the number of pixels in the square; the question asks for its width.",
}


@exercise(
    "7.1",
    hints=[
        "Go from the image to the second pooling and note two things for each layer: what one value sees, and how many "
        "pixels of the image two neighbouring values lie apart.",
        "A window of 3 adds 2 steps, a window of 2 adds 1 step. A step is 1 pixel until the first pooling, then 2.",
        "Convolution 3, pooling 3 + 1 = 4, convolution 4 + 2 x 2 = 8, and the last pooling adds one step of 2.",
    ],
    takeaway="Even here one value sees about an eighth of the image; only the dense layer sees a whole digit.",
)
def check_receptive_field(answer):
    width = number(answer, whole=True)
    if width in WRONG_WIDTHS:
        raise NotYet(WRONG_WIDTHS[width])
    if width != 10:
        raise NotYet(f"It is not {width}; follow one value back to the image, layer by layer.")


@exercise(
    "7.2",
    hints=[
        "shift(images, pixels) moves to the right; what does a negative number of pixels do?",
        "Loop over 1 to 6 pixels and print the accuracy of mh.predict(standard, ...).argmax(axis=1).",
        "(mh.predict(standard, shift(validation_images[:1000], -pixels)).argmax(axis=1) == "
        "validation_labels[:1000]).mean() is the accuracy; take the first number of pixels with less than 0.9.",
    ],
    takeaway="The two sides differ by a pixel: what holds for one direction has to be measured again for another.",
)
def check_left_limit(answer):
    pixels = number(answer)
    if pixels < 0:
        raise NotYet("Give the distance as a positive number of pixels.")
    if pixels != int(pixels):
        raise NotYet(f"Expected a whole number of pixels, received {pixels}.")
    if pixels == 3:
        raise NotYet("At 3 pixels to the left it still reads more than 90 %; was that the other direction?")
    if pixels < 4:
        raise NotYet(f"At {pixels:g} pixels it still reads more than 90 %.")
    if pixels != 4:
        raise NotYet(f"At {pixels:g} pixels it reads fewer than 90 %, but a smaller shift is already enough.")


@exercise(
    "7.3",
    hints=[
        "First the n distances, shape (n,), then the order in which they rise.",
        "features - query subtracts the query from every row; np.linalg.norm(..., axis=1) gives the n distances.",
        "np.argsort(distances)[:k] are the indices of the k smallest, in rising order.",
    ],
    takeaway="Two lines are a whole classifier: let the nearest neighbours vote on the label.",
)
def check_nearest(function):
    rng = np.random.default_rng(0)
    for n, d, k in ((40, 6, 9), (25, 128, 3)):
        features, query = rng.normal(size=(n, d)) * rng.uniform(0.5, 3, (n, 1)), rng.normal(size=d)
        difference = features - query
        distances = np.linalg.norm(difference, axis=1)
        expected = np.argsort(distances)[:k]
        found = array(call(function, query, features, k), (k,))
        if np.allclose(np.sort(found), np.sort(distances)[:k]):
            raise NotYet("These are the distances; return the indices of the rows.")
        if (found == np.argsort(-distances)[:k]).all():
            raise NotYet("These are the farthest rows, the farthest first; look for the smallest distances.")
        if (found == expected[::-1]).all():
            raise NotYet("These are the right rows, but the farthest of them comes first.")
        if (np.sort(found) == np.sort(expected)).all() and (found != expected).any():
            raise NotYet("These are the right rows, but not in the order of their distances.")
        if (found == expected + 1).all():
            raise NotYet("All indices are one too high; rows are counted from 0.")
        if (found == np.argsort(np.abs(difference).sum(axis=1))[:k]).all():
            raise NotYet("This adds up absolute differences; the Euclidean distance adds up their squares.")
        if (found == np.argsort(-(features @ query))[:k]).all():
            raise NotYet("This compares by the dot product; look for the smallest Euclidean distance.")
        if (found != expected).any():
            raise NotYet(f"With {n} other feature vectors, not all indices are those of the {k} nearest.")


@exercise(
    "7.4",
    hints=[
        "The gradient says which way the loss rises. Which way do you have to go?",
        "Only the signs of the gradient count: np.sign(gradient) is -1, 0 or 1 for every pixel.",
        "np.clip(x - step * np.sign(gradient), 0, 1)",
    ],
    takeaway="The sign decides: away from the truth along its gradient, or towards a label of your choice against it.",
)
def check_push_towards(function):
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, (3, 28, 28, 1)).astype("float32")
    x[:, :8], x[:, -8:] = 0, 1  # paper above and ink below
    gradient = rng.normal(size=x.shape).astype("float32")
    for step in (0.1, 0.25):
        pushed = array(call(function, x, gradient, step), x.shape)
        unclipped = x - step * np.sign(gradient)
        if np.allclose(pushed, unclipped, atol=1e-5):
            raise NotYet("The direction is right, but some pixels left the range from 0 to 1; clip them.")
        if np.allclose(pushed, unclipped.clip(0, None), atol=1e-5):
            raise NotYet("The direction is right, but some pixels are above 1.")
        if np.allclose(pushed, unclipped.clip(None, 1), atol=1e-5):
            raise NotYet("The direction is right, but some pixels are below 0.")
        if np.allclose(pushed, np.clip(x + step * np.sign(gradient), 0, 1), atol=1e-5):
            raise NotYet("This makes the loss rise; you want the loss of your label to fall.")
        if np.allclose(pushed, np.clip(x - step * gradient, 0, 1), atol=1e-5):
            raise NotYet("Every pixel moves by `step`, whatever the size of its gradient; only the sign counts.")
        if np.allclose(pushed, x, atol=1e-5):
            raise NotYet("These are the pixels as they came; nothing has moved.")
        if not np.allclose(pushed, unclipped.clip(0, 1), atol=1e-5):
            raise NotYet(f"With a step of {step}, other pixels do not come out as expected.")
