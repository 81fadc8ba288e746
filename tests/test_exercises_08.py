"""The checks of notebook 08 accept right answers in any form and say what is off about wrong ones."""

import numpy as np
from exercise_tables import table_tests
from scipy.stats import binomtest


def mcnemar(first, second):
    a, b = int((~first & second).sum()), int((first & ~second).sum())
    return binomtest(a, a + b).pvalue if a + b else 1


def mcnemar_by_counting(first, second):
    pairs = list(zip(first, second, strict=True))
    a, b = pairs.count((True, False)), pairs.count((False, True))
    return np.array(1.0 if a + b == 0 else binomtest(min(a, b), a + b).pvalue)


def one_sided(first, second):
    a, b = int((~first & second).sum()), int((first & ~second).sum())
    return binomtest(a, a + b, alternative="less").pvalue if a + b else 1


def with_both_wrong(first, second):
    a, b = int((~first).sum()), int((~second).sum())
    return binomtest(a, a + b).pvalue


def never_together(first, second):
    return 0.5 if (first == second).all() else mcnemar(first, second)


def by_loop(probabilities):
    return [int(np.argmax(sum(network[i] for network in probabilities))) for i in range(probabilities.shape[1])]


def by_vote(probabilities):
    first_choices = probabilities.argmax(axis=2)
    return np.array([np.bincount(votes, minlength=10).argmax() for votes in first_choices.T])


def stub(*arguments): ...


RIGHT = {
    "8.1": [(695_100,), (np.float64(0.993 * 0.007 / 1e-8),), (700_000,)],
    "8.2": [(mcnemar,), (mcnemar_by_counting,)],
    "8.3": [(lambda p: p.mean(axis=0).argmax(axis=1),), (by_loop,), (lambda p: np.sum(p, axis=0).argmax(axis=-1),)],
}
WRONG = {
    "8.1": [
        ((None,), "not attempted"),
        ((83_373,), "square root"),
        ((69.51,), "a share of 0.0001"),
        ((685_100,), "more you need than MNIST has"),
        ((100_000,), "one standard error is 0.02636 percentage points"),
        ((-5,), "not defined"),
    ],
    "8.2": [
        ((stub,), "not attempted"),
        ((one_sided,), "one-sided"),
        ((with_both_wrong,), "both networks misread"),
        ((never_together,), "never disagree"),
        ((lambda first, second: 15.3,), "between 0 and 1"),
        ((lambda first, second: 0.5,), "With 12 images misread by the first only"),
    ],
    "8.3": [
        ((stub,), "not attempted"),
        ((by_vote,), "majority vote"),
        ((lambda p: p[0].argmax(axis=1),), "first network only"),
        ((lambda p: p.mean(axis=0).max(axis=1),), "return the digit"),
        ((lambda p: p.max(axis=0).argmax(axis=1),), "surest network"),
        ((lambda p: p.mean(axis=0).argmin(axis=1),), "of 200 images"),
        ((lambda p: p.mean(axis=1),), "shape (200,)"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(8, RIGHT, WRONG)
