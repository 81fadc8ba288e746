"""Checks of the exercises in notebook 03."""

import numpy as np

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "The slope of a weight is -0.9. What does that tell you?",
        (
            (
                "The best weight is 0.9 higher than this one",
                "The direction is right. But a slope is true only nearby; how far to go, the learning rate decides.",
            ),
            (
                "The best weight is 0.9 lower than this one",
                "Below 0 means that the loss falls as the weight grows; and how far is another question.",
            ),
            (
                "A slightly larger weight lowers the loss",
                "The loss falls as the weight grows. How far to go, the learning rate decides.",
            ),
        ),
        right="c",
    ),
    Question(
        "You have called `compile`, and nothing else yet. What has happened to the weights?",
        (
            (
                "Nothing so far",
                "`compile` names the optimizer and the loss. Only `fit` uses them and moves the weights.",
            ),
            (
                "They took one step downhill",
                "`compile` sees no image, so it has no loss and no slope; the steps are made by `fit`.",
            ),
            (
                "The best of many sets was chosen",
                "No sets are compared at all: `fit` goes from where it stands, one step after the other.",
            ),
        ),
        right="a",
    ),
    Question(
        "The validation images were split off stratified. What does that mean for the ten digits?",
        (
            (
                "Each has as many images in both parts",
                "The parts have 54,000 and 6,000 images: what agrees is the shares, not the numbers.",
            ),
            (
                "Chance decides how many go where",
                "Chance decides which images go where. How many of each digit go was fixed before.",
            ),
            (
                "All ten are equally frequent in a part",
                "The 1 stays the most frequent digit and the 5 the rarest, in both parts.",
            ),
            (
                "Each keeps its share in both parts",
                "Both parts have the same mix of digits, and the mix itself is not even.",
            ),
        ),
        right="d",
    ),
)

COUNT = 16 * (9 + 1) + 64 * (9 * 16 + 1) + 128 * (1600 + 1) + 10 * (128 + 1)
OTHER_COUNTS = {
    225_034: "That is the network with 32 filters; halve them, and count again.",
    16 * 10 + 18_496 + 204_928 + 1_290: "You changed the first layer only; what does each filter of the second see?",
    16 * 10 + 64 * 10 + 204_928 + 1_290: "A filter of the second layer is as deep as the first layer has filters.",
    16 * 9 + 64 * 144 + 1600 * 128 + 128 * 10: "Each filter and each unit also has a bias; you left the biases out.",
    16 * 10 + 32 * 145 + 128 * 801 + 1_290: "Only the first layer was halved; the second still has 64 filters.",
    16 * 10 + 64 * 145: "Those are the two convolutional layers; the question asks for the whole network.",
    225_034 - COUNT: "That is how many fewer they are; the question asks how many remain.",
}


@exercise(
    "3.1",
    hints=[
        "Two of the four layers with parameters change: the first, and the one that looks at its pictures.",
        "A filter of the second layer is now 3 x 3 x 16 numbers deep, and it still has one bias. There are 64 of them.",
        "Add 16 x (9 + 1), 64 x (3 x 3 x 16 + 1), and the two dense layers as they were: 204,928 and 1,290.",
    ],
    takeaway="Half the filters in one layer halve the depth of the next. The large dense layer stays as it is.",
)
def check_parameter_count(answer):
    count = number(answer, whole=True)
    if count in OTHER_COUNTS:
        raise NotYet(OTHER_COUNTS[count])
    if count != COUNT:
        raise NotYet(f"It is not {count:,}. Go from layer to layer as in the lesson and write down all four numbers.")


def convolve(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3)).round(3)


@exercise(
    "3.2",
    hints=[
        "edge_filter subtracts the row above from the row below. Which two columns would you subtract?",
        "Even areas give 0 when the nine numbers add up to 0, horizontal edges when each row does.",
        "Put -1 into the left column, 0 into the middle one, 1 into the right one: edge_filter turned by 90 degrees.",
    ],
    takeaway="Nine numbers decide which edges a filter answers to. The first layer learns such numbers from the data.",
)
def check_left_edge_filter(answer):
    kernel = array(answer, (3, 3)).astype(float)
    left_edge, top_edge, even = np.zeros((9, 9)), np.zeros((9, 9)), np.full((9, 9), 255.0)
    left_edge[:, 4:] = top_edge[4:] = 255
    if convolve(even, kernel).any():
        raise NotYet(f"It answers {convolve(even, kernel)[0, 0]:g} on even ink of 255; the numbers must add up to 0.")
    if convolve(top_edge, kernel).any():
        raise NotYet("It answers to horizontal edges too, where ink begins below empty paper; there it must give 0.")
    response = convolve(left_edge, kernel)
    if not response.any():
        raise NotYet("It does not answer at all where ink begins to the right of empty paper.")
    if (response > 0).any() and (response < 0).any():
        raise NotYet("At one left edge it gives positive and negative answers; let it compare left with right only.")
    if (response < 0).any():
        raise NotYet(
            "It is dark where ink begins to the right of empty paper, bright where ink ends; change the signs."
        )


@exercise(
    "3.3",
    hints=[
        "Do what check 1 of the lesson does with one seed, but without mh.predict: it scales the pixels for you.",
        'Raw pixels for the network: validation_images[..., np.newaxis].astype("float32"), between 0 and 255.',
        "probabilities = mh.build_cnn().predict(those pixels, verbose=0); "
        'raw_loss = mh.evaluate(validation_labels, probabilities)["loss"]',
    ],
    takeaway="The same network, nothing learned: inputs 255 times larger turn even guesses into confident wrong ones. "
    "A first loss far above ln 10 tells you before any training.",
)
def check_raw_loss(answer):
    loss = number(answer)
    if 2 < loss < 2.6:
        raise NotYet("That is what scaled pixels give. mh.predict scales for you; call the network's own predict.")
    if loss < 8:
        raise NotYet(
            "Too low for a new network and raw pixels. `model` has learned a batch by heart; take mh.build_cnn()."
        )
    if loss > 200:
        raise NotYet("That is more than raw pixels cause. Take the mean over the images; no pixel is above 255.")


def reference_softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@exercise(
    "3.4",
    hints=[
        "Each row is a case of its own: its sum runs along axis=1, and keepdims=True keeps it a column to divide by.",
        "np.exp(1000) is infinite. Subtract the same number from all logits of a row: its probabilities stay the same.",
        "Start with logits = logits - logits.max(axis=1, keepdims=True). Then np.exp, then divide by the rows' sums.",
    ],
    takeaway="Softmax sees only differences of logits: subtract each row's largest, and no exponential overflows.",
)
def check_softmax(function):
    logits = np.random.default_rng(2).normal(0, 2, (5, 10))
    expected = reference_softmax(logits)
    probabilities = array(call(function, logits), logits.shape)
    if (probabilities < 0).any():
        raise NotYet("A probability is never negative, and some of these are.")
    if abs(probabilities.sum() - 1) < 1e-4:
        raise NotYet("The whole batch adds up to 1; each row, one image, has to: sum along axis=1.")
    if np.allclose(probabilities.sum(axis=0), 1, atol=1e-4):
        raise NotYet("Each column adds up to 1. A row is one image, so it is the rows that have to: sum along axis=1.")
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-4):
        raise NotYet(f"The first row adds up to {probabilities[0].sum():.3f}; ten probabilities add up to 1.")
    if not np.allclose(probabilities, expected, atol=1e-5):
        raise NotYet("Each row adds up to 1, but the values are off: np.exp of each logit, divided by the row's sum.")
    result = call(function, logits + np.array([[1000], [0], [-1000], [1000], [-1000]]))
    if not np.isfinite(np.asarray(result, dtype=float)).all():
        raise NotYet(
            "Right for small logits. When one row is near 1,000 and another near -1,000, the result is not finite: "
            "subtract from each row its own largest logit before np.exp."
        )
    if not np.allclose(result, expected, atol=1e-5):
        raise NotYet(
            "Right for small logits. But add 1,000 to all logits of a row, and its probabilities must not change."
        )
