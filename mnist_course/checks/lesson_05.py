"""Checks of the exercises in notebook 05."""

import numpy as np

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "The validation losses are 5, 3, 4, 3.5, 3.2, and the patience is 3. What does early stopping do?",
        (
            (
                "It goes on, as the loss fell twice",
                "Falling is not enough: patience counts the epochs since the last new minimum, the loss of epoch 2.",
            ),
            (
                "It goes on, as the loss rose only once",
                "Patience does not count rises. It counts the epochs since the last new minimum.",
            ),
            (
                "It stops after the third epoch",
                "That is the first epoch without a new minimum; with a patience of 3, two more may follow.",
            ),
            (
                "It stops after the fifth epoch",
                "Epochs 3, 4 and 5 brought no new minimum below 3, although the loss fell twice.",
            ),
        ),
        right="d",
    ),
    Question(
        "`keras.callbacks.EarlyStopping(patience=3)` has just ended `fit`. Which weights does the network hold?",
        (
            (
                "Those of the last epoch",
                "Stopping undoes nothing. The best ones are in a file, if a checkpoint saved them, and you load them.",
            ),
            (
                "Those of the best epoch",
                "You want those. A checkpoint saves them to a file, and they must be loaded from there.",
            ),
            (
                "Those of the epoch before the first rise",
                "Nothing is undone when training stops: the network stays as the last epoch left it.",
            ),
        ),
        right="a",
    ),
    Question(
        "One place of the mean 4 is medium grey. What does this tell you about the single 4s?",
        (
            (
                "Nearly all of them are medium grey there",
                "A mean need not be what anybody wrote: ink and empty paper together average to grey.",
            ),
            (
                "Many have ink there and many do not",
                "The grey counts how many put ink there, and how much: hands differ at this place.",
            ),
            (
                "The typical 4 has a pale stroke there",
                "A mean image is no typical digit: its grey says how many hands put ink there.",
            ),
        ),
        right="b",
    ),
)


@exercise(
    "5.1",
    hints=[
        "What the network answered stands along the horizontal axis: each digit it can answer has a column.",
        "Right answers stand on the diagonal: set it to 0 in a copy with np.fill_diagonal. Then add up each column.",
        "After matrix = results['confusion_matrix'].copy() and np.fill_diagonal(matrix, 0), take "
        "matrix.sum(axis=0).argmax().",
    ],
    takeaway="A row tells what happens to a digit, a column what an answer is worth. They are two different questions.",
)
def check_wrong_answer(answer, matrix):
    matrix = array(matrix, (10, 10))
    mistakes = matrix * (1 - np.eye(10, dtype=int))
    times = mistakes.sum(axis=0)
    digit = number(answer, whole=True)
    if 0 <= digit <= 9 and times[digit] == times.max():
        return
    if digit == times.max():
        raise NotYet(f"{digit} is how often that wrong answer was given; the question asks which digit it is.")
    if not 0 <= digit <= 9:
        raise NotYet(f"A digit is a number from 0 to 9, received {digit}.")
    if digit == mistakes.sum(axis=1).argmax():
        raise NotYet(f"{digit} is the digit that is misread most often, a row. The answers stand in the columns.")
    if digit == matrix.sum(axis=0).argmax():
        raise NotYet(f"{digit} is the answer given most often, right ones included; leave out the diagonal.")
    raise NotYet(f"{digit} was the wrong answer {times[digit]} times, and another digit was it more often.")


@exercise(
    "5.2",
    hints=[
        "Copy the line that makes `redrawn`; the second number in `size` says how many images each test set has.",
        "With size=(2000, 2500) you get 2,000 accuracies on 2,500 images each; .std() measures how widely they spread.",
        "spread_ratio = redrawn_2500.std() / redrawn.std(), where redrawn_2500 is made like `redrawn`, from `correct`.",
    ],
    takeaway="The spread shrinks with the square root of the number of images: half of it costs four times as many.",
)
def check_spread(answer):
    ratio = number(answer)
    if abs(ratio - 4) < 0.4:
        raise NotYet("The number of images changes by a factor of 4. The spread changes by less: measure it.")
    if abs(ratio - 0.5) < 0.05:
        raise NotYet("That is the ratio upside down: divide the spread for 2,500 images by the one for 10,000.")
    if abs(ratio - 1) < 0.1:
        raise NotYet("The spread did not change. Are there 2,500 images in each of the 2,000 redrawn test sets?")
    if abs(ratio - 3**0.5) < 0.1:
        raise NotYet(f"{ratio:.2f} is what comes out without repetition; draw with repetition, as the lesson does.")
    if abs(ratio - 2) > 0.2:
        raise NotYet(f"Measured on 2,000 redrawn test sets of each size, the ratio is not {ratio:.2f}.")


def trial_readings(count, share_wrong, seed):
    """Labels and probabilities of invented readings, no two equally confident."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(10, 0.3), count).astype("float32")
    labels = probabilities.argmax(axis=1)
    wrong = rng.permutation(count)[: round(share_wrong * count)]
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return labels, probabilities


@exercise(
    "5.3",
    hints=[
        "Two questions: which images were misread, and how confident was the network about each of these?",
        "wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels) holds the indices of the mistakes.",
        "order = np.argsort(-probabilities[wrong].max(axis=1)) ranks the mistakes; return wrong[order][:k].",
    ],
    takeaway="Look at the most confident mistakes first: there you meet doubtful labels and real weaknesses.",
)
def check_confident_mistakes(function):
    labels, probabilities = trial_readings(count=60, share_wrong=0.5, seed=0)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    confidence, of_truth = probabilities[wrong].max(axis=1), probabilities[wrong, labels[wrong]]
    order = np.argsort(-confidence)
    found = array(call(function, labels, probabilities, 5), (5,))
    if (found != np.round(found)).any():
        raise NotYet("Indices are whole numbers; these look like probabilities.")
    if (found == order[:5]).all():
        raise NotYet("These are places in your list of mistakes; return the indices of these images among all images.")
    if set(found) == set(wrong[order][-5:]):
        raise NotYet("These are the least confident mistakes; start at the other end.")
    if (found == wrong[np.argsort(of_truth)][:5]).all() or (found == wrong[np.argsort(-of_truth)][:5]).all():
        raise NotYet("This ranks by the true digit's probability. Confidence is the largest of the ten.")
    if not np.isin(found, wrong).all():
        raise NotYet("Among these are images that were read right, or none at all; return indices of mistakes only.")
    if set(found) == set(wrong[order][:5]) and (found != wrong[order][:5]).any():
        raise NotYet("These are the right five images, but not the most confident first.")
    if (found != wrong[order][:5]).any():
        raise NotYet("These are mistakes, but on other readings they are not the five most confident ones.")
    labels, probabilities = trial_readings(count=20, share_wrong=0.15, seed=1)
    found = np.asarray(call(function, labels, probabilities, 8))
    if found.size != 3:
        raise NotYet(f"With 3 mistakes and k = 8, return the 3 that there are; your function returned {found.size}.")


TRIALS = [  # confidence, correct, target, the smallest threshold that will do
    ([0.71, 0.95, 0.99, 0.52, 0.97, 0.78], [True, True, True, False, False, True], 0.8, 0.71),
    ([0.9, 0.5, 1.0, 0.9, 1.0, 0.9, 1.0, 0.9], [True, False, True, False, True, False, True, True], 0.8, 1.0),
]


def compare_threshold(threshold, confidence, correct, target, best):
    """NotYet unless `threshold` has the same images answered as `best`, the smallest that reaches the target."""
    answered, wanted = confidence >= threshold, confidence >= best
    if (answered == wanted).all():
        return
    if threshold == target:
        raise NotYet(f"{target} is the target itself. How sure it is and how often it is right are two things.")
    if not 0 <= threshold <= 1:
        raise NotYet(f"A threshold is one of the confidences, between 0 and 1; received {threshold:.4g}.")
    if answered.sum() < wanted.sum():
        raise NotYet(
            f"At a threshold of {threshold:.4g} the network answers {answered.sum()} of {len(answered)} images; it "
            f"could answer {wanted.sum()} and still reach {target}. Accuracy can fall below the target and come back."
        )
    raise NotYet(
        f"Of the images with a confidence of at least {threshold:.4g}, {correct[answered].mean():.1%} are read right, "
        f"less than {target}. Images that are equally confident are answered together."
    )


@exercise(
    "5.4",
    hints=[
        "Every confidence that occurs is a candidate: what share of the images at least as confident is read right?",
        "Go through np.unique(confidence) from the smallest up and return the first one that reaches the target.",
        "For each candidate: if correct[confidence >= candidate].mean() >= target: return candidate. After the loop: "
        "return np.inf.",
    ],
    takeaway="A threshold is a choice, so validation images choose it. Test images then say, once, how good it is.",
)
def check_threshold(function, threshold, validation_labels, validation_probabilities):
    for confidence, correct, target, best in TRIALS:
        found = number(call(function, np.array(confidence), np.array(correct), target))
        compare_threshold(found, np.array(confidence), np.array(correct), target, best)
    confidence, correct = np.array([0.9, 0.8, 0.7]), np.array([False, True, False])
    try:
        nothing = call(function, confidence, correct, 0.9)
    except NotYet as reason:
        raise NotYet(f"It finds thresholds that exist. If none reaches the target, return np.inf. {reason}") from None
    if np.size(nothing) != 1 or not (confidence < nothing).all():
        raise NotYet("When no threshold reaches the target, nothing may be answered: return np.inf.")
    confidence = np.max(validation_probabilities, axis=1)
    correct = np.argmax(validation_probabilities, axis=1) == validation_labels
    expected = float(call(function, confidence, correct, 0.999))
    if threshold == expected:  # infinity too
        return
    if abs(number(threshold) - expected) > 0.00005:
        raise NotYet(
            f"Your function is right. On the validation images, for a target of 0.999, it gives {expected:.5f}, not "
            f"{number(threshold):.5f}; were other images or another target used?"
        )
