"""The exercises of notebook 05: right answers of several forms are accepted, and each mistake is named."""

import numpy as np
from exercise_tables import table_tests

MATRIX = 900 * np.eye(10, dtype=int)
MATRIX[2, 2] = 1000  # 2 is given most often, right answers included
MATRIX[[4, 7], 9] = 7, 6  # 9 is the wrong answer 13 times
MATRIX[3, [5, 8, 1]] = 5  # 3 is misread 15 times
TIED = MATRIX.copy()
TIED[0, 6] = 13
FEW = np.eye(10, dtype=int)
FEW[1, 6] = FEW[2, 6] = FEW[3, 6] = 1  # 6 is the wrong answer, 3 times


def untouched(*arguments): ...


def rank(labels, probabilities, k, confidence=lambda labels, probabilities: -probabilities.max(axis=1)):
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(confidence(labels[wrong], probabilities[wrong]))][:k]


def rank_one_by_one(labels, probabilities, k):
    mistakes = [i for i in range(len(labels)) if max(probabilities[i]) != probabilities[i][labels[i]]]
    return sorted(mistakes, key=lambda i: max(probabilities[i]), reverse=True)[:k]


def rank_with_right_ones(labels, probabilities, k):
    return np.argsort(-probabilities.max(axis=1))[:k]


def rank_places(labels, probabilities, k):
    wrong = probabilities.argmax(axis=1) != labels
    return np.argsort(-probabilities[wrong].max(axis=1))[:k]


def rank_by_truth(labels, probabilities):
    return probabilities[np.arange(len(labels)), labels]


def rank_always_k(labels, probabilities, k):
    order = np.argsort(np.where(probabilities.argmax(axis=1) != labels, -probabilities.max(axis=1), 0))
    return order[:k]


def try_all(confidence, correct, target):
    for candidate in np.unique(confidence):
        if correct[confidence >= candidate].mean() >= target:
            return candidate
    return np.inf


def try_all_in_pairs(confidence, correct, target):
    pairs, best, right = sorted(zip(confidence, correct, strict=True), reverse=True), float("inf"), 0
    for place, (sure, is_right) in enumerate(pairs):
        right += is_right
        last_of_equals = place + 1 == len(pairs) or pairs[place + 1][0] < sure
        if last_of_equals and right / (place + 1) >= target:
            best = sure
    return best


def just_below(confidence, correct, target):
    return float(try_all(confidence, correct, target)) - 0.00001


def cut_between_equals(confidence, correct, target):
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    reached = np.flatnonzero(accuracy >= target)
    return confidence[order][reached[-1]] if len(reached) else np.inf


def stop_at_first_fall(confidence, correct, target):
    best = np.inf
    for candidate in np.unique(confidence)[::-1]:
        if correct[confidence >= candidate].mean() < target:
            return best
        best = candidate
    return best


def no_way_out(confidence, correct, target):
    return min(candidate for candidate in confidence if correct[confidence >= candidate].mean() >= target)


def without_last_line(confidence, correct, target):
    threshold = try_all(confidence, correct, target)
    return None if threshold == np.inf else threshold


def answer_something(confidence, correct, target):
    return min(try_all(confidence, correct, target), confidence.max())


def make_validation(seed=3):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(10, 0.1), 6000).astype("float32")
    doubt = rng.random(6000) < 0.5 * (1 - probabilities.max(axis=1))
    return (probabilities.argmax(axis=1) + doubt) % 10, probabilities


VALIDATION = make_validation()
THRESHOLD = try_all(VALIDATION[1].max(axis=1), VALIDATION[1].argmax(axis=1) == VALIDATION[0], 0.999)
HOPELESS = (VALIDATION[1].argmax(axis=1) + 1) % 10, VALIDATION[1]

RIGHT = {
    "5.1": [(9, MATRIX), (np.int64(9), MATRIX), (9.0, MATRIX.tolist()), (9, TIED), (6, TIED), (6, FEW)],
    "5.2": [(2.0,), (np.float64(1.95),), (np.array(2.06),)],
    "5.3": [(rank,), (rank_one_by_one,), (lambda *arguments: rank(*arguments).tolist(),)],
    "5.4": [
        (try_all, THRESHOLD, *VALIDATION),
        (try_all_in_pairs, float(THRESHOLD), *VALIDATION),
        (just_below, round(float(THRESHOLD), 5), *VALIDATION),
        (try_all, np.inf, *HOPELESS),
    ],
}
WRONG = {
    "5.1": [
        ((None, MATRIX), "not attempted yet"),
        ((13, MATRIX), "13 is how often that wrong answer was given"),
        ((3, FEW), "3 is how often that wrong answer was given"),
        ((17, MATRIX), "a number from 0 to 9, received 17"),
        ((-1, MATRIX), "a number from 0 to 9, received -1"),
        ((3, MATRIX), "3 is the digit that is misread most often, a row"),
        ((2, MATRIX), "leave out the diagonal"),
        ((5, MATRIX), "5 was the wrong answer 5 times"),
        ((9, MATRIX[:9]), "Expected an array of shape (10, 10)"),
    ],
    "5.2": [
        ((None,), "not attempted yet"),
        ((4.0,), "changes by a factor of 4"),
        ((0.5,), "upside down"),
        ((1.01,), "The spread did not change"),
        ((1.74,), "1.74 is what comes out without repetition"),
        ((2.5,), "the ratio is not 2.50"),
        ((0.0017,), "the ratio is not 0.00"),
    ],
    "5.3": [
        ((untouched,), "not attempted yet"),
        ((lambda labels, probabilities, k: rank(labels, probabilities, k - 1),), "Expected an array of shape (5,)"),
        ((lambda labels, probabilities, k: -np.sort(-probabilities.max(axis=1))[:k],), "these look like probabilities"),
        ((rank_places,), "places in your list of mistakes"),
        ((lambda *arguments: rank(*arguments, lambda _, p: p.max(axis=1)),), "the least confident mistakes"),
        ((lambda *arguments: rank(*arguments, rank_by_truth),), "ranks by the true digit's probability"),
        (
            (lambda *arguments: rank(*arguments, lambda *a: -rank_by_truth(*a)),),
            "ranks by the true digit's probability",
        ),
        ((rank_with_right_ones,), "images that were read right"),
        ((lambda *arguments: rank(*arguments) + 1000,), "or none at all"),
        ((lambda *arguments: np.sort(rank(*arguments)),), "but not the most confident first"),
        ((lambda *arguments: rank(*arguments)[::-1],), "but not the most confident first"),
        ((lambda *arguments: rank(*arguments, lambda labels, _: labels),), "not the five most confident ones"),
        ((rank_always_k,), "With 3 mistakes and k = 8"),
    ],
    "5.4": [
        ((untouched, None, *VALIDATION), "not attempted yet"),
        ((untouched, THRESHOLD, *VALIDATION), "not attempted yet"),
        ((lambda confidence, correct, target: target, THRESHOLD, *VALIDATION), "0.8 is the target itself"),
        ((lambda confidence, *_: len(confidence), THRESHOLD, *VALIDATION), "between 0 and 1; received 6"),
        ((stop_at_first_fall, THRESHOLD, *VALIDATION), "answers 1 of 6 images; it could answer 5 and still reach 0.8"),
        ((lambda confidence, *_: confidence.min(), THRESHOLD, *VALIDATION), "66.7% are read right, less than 0.8"),
        ((cut_between_equals, THRESHOLD, *VALIDATION), "equally confident are answered together"),
        ((lambda *arguments: (0.8, 0.7), THRESHOLD, *VALIDATION), "Expected one number"),
        ((no_way_out, THRESHOLD, *VALIDATION), "return np.inf. The function raised ValueError"),
        ((without_last_line, THRESHOLD, *VALIDATION), "If none reaches the target, return np.inf"),
        ((answer_something, THRESHOLD, *VALIDATION), "nothing may be answered: return np.inf"),
        ((try_all, THRESHOLD - 0.001, *VALIDATION), "were other images or another target used?"),
        ((try_all, 0.999, *VALIDATION), "not 0.99900"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(5, RIGHT, WRONG)
