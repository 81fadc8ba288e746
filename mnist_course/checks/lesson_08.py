"""Checks of the exercises in notebook 08."""

import numpy as np
from scipy.stats import binomtest

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "The network called `robust` practised bent digits and other pens. What does its name promise about pushes "
        "along the gradient?",
        (
            (
                "Nothing, as it did not practise them",
                "Ask of every robust network: against what? At strong pushes, notebook 7 saw `standard` ahead.",
            ),
            (
                "That it bears more than `standard`",
                "That was not so: at strong pushes, notebook 7 saw `standard` ahead. Its practice was about hands "
                "and pens.",
            ),
            (
                "That small pushes stay harmless",
                "Along the gradient many small pushes pull together and add up; only random ones partly cancel out.",
            ),
        ),
        right="a",
    ),
    Question(
        "Of 10,000 test images, one pair of digits was confused 5 times, another pair 4 times. What would another "
        "seed give?",
        (
            (
                "The same counts, as the images are the same",
                "The images are, but another seed gives another network, and it misreads other images.",
            ),
            (
                "The same order, as it is a tendency",
                "A difference of one in counts so small shows no tendency; luck alone often makes it.",
            ),
            (
                "Perhaps the other order, by mere luck",
                "Counts so small are mostly luck, so do not explain their order.",
            ),
        ),
        right="c",
    ),
    Question(
        "The probability of an image's true digit falls from 0.01 to 0.0001. What happens to the accuracy and to "
        "this image's loss?",
        (
            (
                "Both stay as they are",
                "Accuracy does, as the image was misread before. The loss also sees how wrong it is.",
            ),
            (
                "Accuracy falls, the loss stays",
                "The image was misread already, so accuracy cannot fall by it. The loss sees how wrong it is.",
            ),
            (
                "Accuracy falls, the loss doubles",
                "The loss does. But with 0.01 the image was misread already, so accuracy stays.",
            ),
            (
                "Accuracy stays, the loss doubles",
                "It was misread before and after. Minus the logarithm goes from 4.6 to 9.2: the loss sees how wrong.",
            ),
        ),
        right="d",
    ),
)


@exercise(
    "8.1",
    hints=[
        "Take the formula of the lesson and solve it for n.",
        "0.01 percentage points are 0.0001 as a share; the error gets 8.3 times smaller than for 10,000 images.",
        "n = p * (1 - p) / 0.0001**2",
    ],
    takeaway="Half the error costs four times the images: MNIST's test set cannot show hundredths of a point.",
)
def check_images_needed(answer):
    images, expected = number(answer), 0.993 * 0.007 / 0.0001**2
    if abs(images - expected) <= 0.01 * expected:
        return
    if abs(images - 83_373) < 1000:
        raise NotYet("The error shrinks with the square root of the number of images, not with the number itself.")
    if abs(images - 0.993 * 0.007 / 0.01**2) < 5:
        raise NotYet("0.01 percentage points are a share of 0.0001, not of 0.01.")
    if abs(images - (expected - 10_000)) <= 0.001 * expected:
        raise NotYet("That is how many more you need than MNIST has; the question asks for all.")
    raise NotYet(f"With {images:,.0f} images one standard error is {standard_error(images)}.")


def standard_error(images):
    return f"{100 * np.sqrt(0.993 * 0.007 / images):.4g} percentage points" if images > 0 else "not defined"


@exercise(
    "8.2",
    hints=[
        "Two numbers are enough: how many images only the first misread, and how many only the second.",
        "only_first = (~first_right & second_right).sum(), and the other way round.",
        "binomtest(int(only_first), int(only_first + only_second)).pvalue, unless both are 0.",
    ],
    takeaway="Images on which both agree cannot say who is better, however many there are.",
)
def check_mcnemar(function):
    for only_first, only_second, both_wrong in ((12, 3, 20), (3, 12, 5), (7, 7, 0), (30, 9, 4)):
        first, second = np.ones(500, bool), np.ones(500, bool)
        first[:only_first] = second[only_first : only_first + only_second] = False
        first[-both_wrong - 1 : -1] = second[-both_wrong - 1 : -1] = False
        order = np.random.default_rng(only_first).permutation(500)
        value = number(call(function, first[order], second[order]))
        expected = binomtest(only_first, only_first + only_second).pvalue
        case = f"With {only_first} images misread by the first only and {only_second} by the second only"
        if abs(value - expected) < 1e-6:
            continue
        if not 0 <= value <= 1:
            raise NotYet(f"A p-value lies between 0 and 1; your function returned {value:.4g}.")
        for side in ("less", "greater"):
            if abs(value - binomtest(only_first, only_first + only_second, alternative=side).pvalue) < 1e-6:
                raise NotYet("This is the one-sided p-value; either network might be the better one, so use two sides.")
        with_both = binomtest(only_first + both_wrong, only_first + only_second + 2 * both_wrong).pvalue
        if abs(value - with_both) < 1e-6:
            raise NotYet("Images that both networks misread are counted; leave them out.")
        raise NotYet(f"{case}, the p-value is {expected:.4g}; your function returned {value:.4g}.")
    same = np.arange(50) > 3
    if abs(number(call(function, same, same)) - 1) > 1e-6:
        raise NotYet("When the networks never disagree, the p-value is 1.")


@exercise(
    "8.3",
    hints=[
        "First the mean over the networks, then the largest of the ten.",
        "probabilities.mean(axis=0) has the shape (images, 10).",
        "probabilities.mean(axis=0).argmax(axis=1)",
    ],
    takeaway="Averaging keeps how sure each network was; and yes, the second choice of all may win.",
)
def check_read_together(function):
    rng = np.random.default_rng(7)
    probabilities = rng.dirichlet(np.ones(10), size=(5, 200))
    probabilities[:, 0] = 0.02
    probabilities[[0, 1, 2, 3, 4], 0, [1, 2, 3, 5, 6]] = 0.48  # five first choices, and one second choice of all
    probabilities[:, 0, 8] = 0.38
    probabilities[:, 1] = 0.01
    probabilities[:3, 1, 4], probabilities[:3, 1, 9] = 0.50, 0.42  # three are a little for 4,
    probabilities[3:, 1, 9] = 0.91  # two are very sure of 9
    expected = probabilities.mean(axis=0).argmax(axis=1)
    digits = array(call(function, probabilities), (200,))
    if (digits == expected).all():
        return
    if digits.dtype.kind == "f" and digits.max() <= 1:
        raise NotYet("These are probabilities; return the digit that has the largest one.")
    if (digits == probabilities[0].argmax(axis=1)).all():
        raise NotYet("This reads with the first network only.")
    first_choices = probabilities.argmax(axis=2)
    votes = np.stack([(first_choices == digit).sum(axis=0) for digit in range(10)], axis=1)
    if (votes[np.arange(200), digits.astype(int).clip(0, 9)] == votes.max(axis=1)).all():
        raise NotYet("This is a majority vote: it forgets how sure each network was. Average the probabilities.")
    if (digits == probabilities.max(axis=0).argmax(axis=1)).all():
        raise NotYet("This follows the single surest network; take the mean, not the maximum.")
    raise NotYet(f"{(digits != expected).sum()} of 200 images are read otherwise than by the mean probabilities.")
