"""The checks of notebook 09 accept right answers in any form and say what is off about wrong ones."""

import itertools
import math

import numpy as np
from exercise_tables import table_tests


def cheapest(costs_of, atoms):
    best, came_by = {0: 0.0}, {}
    for last in range(1, atoms + 1):
        for first in range(last):
            if first in best and (first, last) in costs_of:
                cost = best[first] + costs_of[first, last]
                if cost < best.get(last, np.inf):
                    best[last], came_by[last] = cost, (first, last)
    parts = []
    while atoms:
        parts.append(came_by[atoms])
        atoms = came_by[atoms][0]
    return parts[::-1]


def from_the_right(costs_of, atoms):
    """Works with costs to the end, in arrays."""
    rest, step = np.full(atoms + 1, np.inf), np.zeros(atoms + 1, int)
    rest[atoms] = 0
    for first in range(atoms - 1, -1, -1):
        for last in range(first + 1, atoms + 1):
            if (cost := costs_of.get((first, last), np.inf) + rest[last]) < rest[first]:
                rest[first], step[first] = cost, last
    place, parts = 0, []
    while place < atoms:
        parts.append([place, step[place]])
        place = step[place]
    return np.array(parts)


def all_ways(costs_of, atoms):
    best = None
    for count in range(atoms):
        for borders in itertools.combinations(range(1, atoms), count):
            parts = list(itertools.pairwise((0, *borders, atoms)))
            if all(part in costs_of for part in parts):
                cost = sum(costs_of[part] for part in parts)
                best = min(best or (cost, parts), (cost, parts))
    return best[1]


def greedy(costs_of, atoms):
    place, parts = 0, []
    while place < atoms:
        parts.append(min((part for part in costs_of if part[0] == place), key=costs_of.get))
        place = parts[-1][1]
    return parts


def fewest_parts(costs_of, atoms):
    return cheapest({part: 100 + cost for part, cost in costs_of.items()}, atoms)


def single_atoms(costs_of, atoms):
    return [(place, place + 1) for place in range(atoms)] if atoms == 8 else cheapest(costs_of, atoms)


def keeps_rule(digits):
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def repair(probabilities, rule=keeps_rule):
    likeliest = probabilities.argmax(axis=1).tolist()
    numbers = [likeliest]
    for place in range(len(likeliest)):
        numbers += [likeliest[:place] + [digit] + likeliest[place + 1 :] for digit in range(10)]
    valid = [number for number in numbers if rule(number)]
    return max(valid, key=lambda number: math.prod(probabilities[np.arange(len(number)), number]))


def repair_by_logarithms(probabilities):
    """Goes by what a change costs, and returns an array."""
    logs = np.log(probabilities)
    digits = logs.argmax(axis=1)
    if keeps_rule(digits.tolist()):
        return digits
    loss = logs.max(axis=1, keepdims=True) - logs
    for flat in np.argsort(loss, axis=None):
        changed = digits.copy()
        place, digit = np.unravel_index(flat, loss.shape)
        changed[place] = digit
        if keeps_rule(changed.tolist()):
            return changed


def least_sure(probabilities):
    digits = probabilities.argmax(axis=1)
    if keeps_rule(digits.tolist()):
        return digits
    place = probabilities.max(axis=1).argmin()
    for digit in range(10):
        digits[place] = digit
        if keeps_rule(digits.tolist()):
            return digits


def first_place(probabilities):
    digits = probabilities.argmax(axis=1)
    place = int(probabilities.max(axis=1).argmax())
    for digit in range(10):
        if keeps_rule(digits.tolist()):
            return digits
        digits[place] = digit
    return digits


def always_changes(probabilities):
    digits = np.array(repair(probabilities))
    if keeps_rule(probabilities.argmax(axis=1).tolist()):
        digits[-1] = 9 - digits[-1]
    return digits


def without_nine(digits):
    return (sum(digits[::-2]) + 2 * sum(digits[-2::-2])) % 10 == 0


def check_digit_doubled(digits):
    return keeps_rule([*digits, 0])


def from_the_left(digits):
    return keeps_rule(digits[::-1])


def plain_sum(digits):
    return sum(digits) % 10 == 0


def last_changed(probabilities):
    digits = probabilities.argmax(axis=1)
    digits[-1] = (digits[-1] + 1) % 10
    return digits


def two_changes(probabilities):
    digits = probabilities.argsort(axis=1)[:, -1]
    if not keeps_rule(digits.tolist()):
        digits[:2] = 9 - digits[:2]
    return digits


def threshold(confidence, right, most):
    for t in np.unique(confidence):
        kept = confidence >= t
        if (~right[kept]).mean() <= most:
            return t, (~kept).mean()


def threshold_by_sorting(confidence, right, most):
    """Counts along the sorted confidences, and returns a t between two of them."""
    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], np.cumsum(~right[order])
    last_of_ties = np.append(sure[1:] < sure[:-1], True)
    good = np.flatnonzero(last_of_ties & (wrong <= most * np.arange(1, len(sure) + 1) + 1e-12))[-1]
    following = sure[good + 1] if good + 1 < len(sure) else sure[good] - 0.1
    return [(sure[good] + following) / 2, 1 - (good + 1) / len(sure)]


def stops_early(confidence, right, most):
    best = None
    for t in np.unique(confidence)[::-1]:
        kept = confidence >= t
        if (~right[kept]).mean() > most:
            break
        best = t, (~kept).mean()
    return best or (confidence.max(), 0.5)


def splits_ties(confidence, right, most):
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(wrong <= most)[-1]
    return confidence[order][good], 1 - (good + 1) / len(order)


def among_all(confidence, right, most):
    for t in np.unique(confidence):
        kept = confidence >= t
        if (~right & kept).mean() <= most:
            return t, (~kept).mean()


def one_too_low(confidence, right, most):
    t, handed = threshold(confidence, right, most)
    return max(confidence[confidence < t], default=t), handed


def second(change):
    def changed(confidence, right, most):
        t, handed = threshold(confidence, right, most)
        return t, change(handed, len(confidence))

    return changed


def stub(*arguments): ...


RIGHT = {
    "9.1": [(cheapest,), (from_the_right,)],
    "9.2": [(repair,), (repair_by_logarithms,)],
    "9.3": [(threshold,), (threshold_by_sorting,)],
    "9.4": [(0.99, 5, 0.95 ** (1 / 11)), (np.float64(0.9), np.int64(0), 0.99535), (0.95, 1.0, np.array([0.99535]))],
}
WRONG = {
    "9.1": [
        ((stub,), "not attempted"),
        ((greedy,), "the cheapest part at each place"),
        ((fewest_parts,), "with more parts"),
        ((single_atoms,), "the cheapest costs"),
        ((all_ways,), "do not try all ways"),
        ((lambda costs_of, atoms: cheapest(costs_of, atoms)[::-1],), "reverse the list"),
        ((lambda costs_of, atoms: cheapest(costs_of, atoms)[1:],), "without gap or overlap"),
        ((lambda costs_of, atoms: [(0, atoms)],), "not in the table"),
        ((lambda costs_of, atoms: [],), "empty"),
        ((lambda costs_of, atoms: 0.9,), "return the list of parts"),
        ((lambda costs_of, atoms: ["first", "second"],), "each a pair"),
        ((lambda costs_of, atoms: 1 / 0,), "raised ZeroDivisionError"),
    ],
    "9.2": [
        ((stub,), "not attempted"),
        ((least_sure,), "least sure digit"),
        ((first_place,), "times as probable"),
        ((always_changes,), "nothing has to be changed"),
        ((lambda p: p.argmax(axis=1),), "you return them unchanged"),
        ((two_changes,), "You change 2 places"),
        ((lambda p: repair(p, without_nine),), "take 9 off"),
        ((lambda p: repair(p, check_digit_doubled),), "the last digit is not doubled"),
        ((lambda p: repair(p, from_the_left),), "count from the right"),
        ((lambda p: repair(p, plain_sum),), "every second digit is doubled"),
        ((last_changed,), "not a multiple of 10"),
        ((lambda p: p.max(axis=1),), "no digits"),
        ((lambda p: p.argmax(axis=1)[:-1],), "shape (8,)"),
    ],
    "9.3": [
        ((stub,), "not attempted"),
        ((stops_early,), "a lower t does as well"),
        ((splits_ties,), "stays together"),
        ((among_all,), "not among all numbers"),
        ((one_too_low,), "what equals t is kept"),
        ((lambda confidence, right, most: (0, 0),), "are wrong"),
        ((lambda confidence, right, most: (1.5, 1),), "keeps no number"),
        ((second(lambda handed, count: 1 - handed),), "the share kept"),
        ((second(lambda handed, count: handed * count),), "a count"),
        ((second(lambda handed, count: handed / 2 + 0.1),), "yours is"),
        ((lambda confidence, right, most: 0.5,), "shape (2,)"),
    ],
    "9.4": [
        ((None, None, None), "not attempted"),
        ((99, 5, 0.99535), "write 0.99, not 99"),
        ((0.3, 0, 0.99535), "above 0.5 and below 1"),
        ((0.99, 6, 0.99535), "fewer than 95 %"),
        ((0.99, 4, 0.99535), "may be longer"),
        ((0.99, 5.5, 0.99535), "whole number"),
        ((0.99, 5, 1 - 0.05 / 11), "take a root"),
        ((0.99, 5, 0.95**11), "asked is which share"),
        ((0.99, 5, 0.99), "eleventh power"),
        ((0.99, -5, 0.99535), "cannot have -5 digits"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(9, RIGHT, WRONG)
