"""Checks of the exercises in notebook 09."""

import itertools
import math

import numpy as np

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "A network reads MNIST with 99 % and a photo of your digit wrongly. What do you look at first?",
        (
            (
                "How many epochs it was trained",
                "More of the same training does not change what it was trained on; the photo may differ from that.",
            ),
            (
                "What 28 x 28 picture it received",
                "Compare what it gets with what it was trained on; notebook 6 won back most photos that way.",
            ),
            (
                "Whether it has enough parameters",
                "It reads 99 % with these parameters. First look at what it received.",
            ),
        ),
        right="b",
    ),
    Question(
        "A network answers only where its confidence is 95 % or more. What happens when you lower that limit?",
        (
            (
                "It answers fewer images, with more right among them",
                "That is what a higher limit does.",
            ),
            (
                "It answers more images, all as right as before",
                "What comes in is less sure, and less sure readings are more often wrong.",
            ),
            (
                "It answers more images, with more wrong among them",
                "You buy answers with errors: the coverage curve of notebook 5 shows the price.",
            ),
            (
                "Nothing, as the readings stay the same",
                "The readings do, but more of them now count as answers.",
            ),
        ),
        right="c",
    ),
    Question(
        "You show a letter A to a network with ten outputs and softmax that never met anything but digits. What does "
        "it answer?",
        (
            (
                "Some digit, perhaps with high confidence",
                "The ten probabilities add up to 1, whatever the picture. Only practice could spread them.",
            ),
            (
                "Ten probabilities near 0",
                "They add up to 1, so they cannot all be near 0.",
            ),
            (
                "Ten probabilities of about 0.1 each",
                "It would have to learn that: `robust` practised it on pictures of no digit, this network did not.",
            ),
        ),
        right="a",
    ),
)


# ---------------------------------------------------------------- 9.1


@exercise(
    "9.1",
    hints=[
        "Keep the cheapest cost of each place, and the part by which you came there; begin with place 0, at cost 0.",
        "For each place `last`, go through all parts that end there and begin at a place that has a cost.",
        "Then walk back: append the part that ends at the place, go to where it begins, until 0; reverse the list.",
    ],
    takeaway="One cost a place is enough: what lies to its left never has to be looked at again.",
)
def check_cheapest(function):
    trap = {(0, 1): 0.1, (1, 2): 5.0, (0, 2): 1.0, (2, 3): 0.5}
    small = {(0, 1): 0.2, (0, 2): 0.5, (1, 2): 2.0, (1, 3): 3.0, (2, 3): 1.0, (2, 4): 0.3, (3, 4): 0.9, (3, 5): 2.5}
    dead_end = {(0, 2): 1.0, (2, 3): 1.0, (1, 3): 0.1, (0, 3): 3.0}
    many_parts = {(0, 4): 2.0} | {(place, place + 1): 0.3 for place in range(4)}
    for costs, atoms in ((trap, 3), (small | {(4, 5): 0.1}, 5), (dead_end, 3), (many_parts, 4), *map(_table, (8, 9))):
        parts = _parts(call(function, costs, atoms))
        _say_what_is_off(parts, costs, atoms)
    costs, atoms = _table(26)
    try:
        parts = _parts(call(function, costs, atoms))
    except NotYet as reason:
        if "had not returned" in str(reason):
            raise NotYet("With 26 atoms it does not come back: do not try all ways, keep one cost a place.") from None
        raise
    _say_what_is_off(parts, costs, atoms)


def _table(atoms):
    rng = np.random.default_rng(atoms)
    pairs = itertools.combinations(range(atoms + 1), 2)
    return {pair: round(float(rng.uniform(0.1, 2) * (pair[1] - pair[0]) ** 0.8), 3) for pair in pairs}, atoms


def _parts(answer):
    """Return the answer as a list of pairs of int."""
    if isinstance(answer, (int, float)):
        raise NotYet("That is one number, the cost perhaps; return the list of parts.")
    try:
        pairs = [(first, last) for first, last in answer]
        return [(number(first, whole=True), number(last, whole=True)) for first, last in pairs]
    except (TypeError, ValueError):
        raise NotYet("Expected a list of parts, each a pair (first, last), such as [(0, 2), (2, 3)].") from None


def _cheapest(costs, atoms):
    best = {0: (0.0, [])}
    for last in range(1, atoms + 1):
        ways = [(best[a][0] + cost, best[a][1] + [(a, b)]) for (a, b), cost in costs.items() if b == last and a in best]
        if ways:
            best[last] = min(ways)
    return best[atoms]


def _greedy(costs, atoms):
    parts, place = [], 0
    while place < atoms:
        following = [pair for pair in costs if pair[0] == place]
        if not following:
            return None
        parts.append(min(following, key=costs.get))
        place = parts[-1][1]
    return parts


def _say_what_is_off(parts, costs, atoms):
    expected, way = _cheapest(costs, atoms)
    case = f"With costs_of = {costs} and {atoms} atoms" if len(costs) < 6 else f"With {atoms} atoms"
    if not parts:
        raise NotYet(f"{case} the list of parts is empty; there is a way.")
    if unknown := [part for part in parts if part not in costs]:
        raise NotYet(f"{case} your division has the part {unknown[0]}, which is not in the table.")
    if parts != sorted(parts) and parts == sorted(parts, reverse=True):
        raise NotYet("The parts come from right to left, as you walked back; reverse the list.")
    places = [0, *(last for _, last in parts)]
    if any(first != place for place, (first, _) in zip(places, parts, strict=False)) or places[-1] != atoms:
        raise NotYet(f"{case} your parts {parts} do not lead from 0 to {atoms} without gap or overlap.")
    cost = sum(costs[part] for part in parts)
    if abs(cost - expected) < 1e-9:
        return
    if parts == _greedy(costs, atoms):
        raise NotYet(
            f"{case} you took the cheapest part at each place: cost {cost:.3g}; another way costs {expected:.3g}."
        )
    if len(parts) < len(way):
        raise NotYet(f"{case} your division has few parts but costs {cost:.3g}; with more parts it is {expected:.3g}.")
    raise NotYet(f"{case} your division costs {cost:.3g}; the cheapest costs {expected:.3g}.")


# ---------------------------------------------------------------- 9.2


@exercise(
    "9.2",
    hints=[
        "Write the rule first, as a function of a list of digits. 7 9 9 2 7 3 9 8 7 1 3 keeps it.",
        "digits[-2::-2] are the digits to be doubled, digits[::-2] the others.",
        "Make all numbers that differ in one place, keep the valid ones, take the one with the largest product.",
    ],
    takeaway="One digit more than needed, and a misread digit shows; the probabilities say which one it was.",
)
def check_repair(function):
    for seed, places in enumerate((8, 11, 5, 12, 7, 16)):
        probabilities, valid = _doubtful(seed, places)
        expected = _repaired(probabilities)
        answer = array(call(function, probabilities), (places,)).tolist()
        if answer == expected:
            continue
        likeliest = probabilities.argmax(axis=1)
        given = f"for a number of {places} digits"
        if set(answer) - set(range(10)):
            raise NotYet(f"These are no digits, {given}; return whole numbers from 0 to 9.")
        changed = np.flatnonzero(np.array(answer) != likeliest)
        for rule, words in _OTHER_RULES.items():
            if answer == _repaired(probabilities, rule):
                raise NotYet(f"Your number breaks the rule, {given}: {words}")
        if valid:
            raise NotYet(f"The likeliest digits keep the rule already, {given}; then nothing has to be changed.")
        if not len(changed):
            raise NotYet(f"The likeliest digits break the rule, {given}, and you return them unchanged.")
        if len(changed) > 1:
            raise NotYet(f"You change {len(changed)} places, {given}; one is allowed.")
        if not _keeps_rule(answer):
            raise NotYet(f"Your number breaks the rule, {given}: its sum is not a multiple of 10.")
        if changed[0] == probabilities.max(axis=1).argmin():
            raise NotYet("You change the least sure digit, but another digit has a more probable second choice.")
        ratio = _probability(probabilities, expected) / _probability(probabilities, answer)
        raise NotYet(f"Your number keeps the rule, {given}, but another one is {ratio:.3g} times as probable.")


def _luhn(digits, *, offset=1, minus=9):
    total = 0
    for place, digit in enumerate(digits[::-1]):
        digit = 2 * digit if place % 2 == offset else digit
        total += digit - minus if digit > 9 else digit
    return total % 10 == 0


def _keeps_rule(digits):
    return _luhn(digits)


_OTHER_RULES = {  # that are taken for this one, and what to say then
    lambda digits: _luhn(digits, minus=0): "take 9 off what exceeds 9 after doubling.",
    lambda digits: _luhn(digits, offset=0): "count from the right; the last digit is not doubled, the last but one is.",
    lambda digits: sum(digits) % 10 == 0: "every second digit is doubled.",
}


def _probability(probabilities, digits):
    return math.prod(probabilities[place, digit] for place, digit in enumerate(digits))


def _repaired(probabilities, keeps_rule=_keeps_rule):
    likeliest = probabilities.argmax(axis=1).tolist()
    numbers = [likeliest] + [
        likeliest[:place] + [digit] + likeliest[place + 1 :] for place in range(len(likeliest)) for digit in range(10)
    ]
    return max(filter(keeps_rule, numbers), key=lambda digits: _probability(probabilities, digits), default=None)


def _doubtful(seed, places):
    """Return probabilities (places, 10) and whether the likeliest digits keep the rule.

    The least sure digit has no good second choice; a surer one has, and it is the right one. Where they do not keep
    the rule, every other rule leads to another number.
    """
    rng, valid = np.random.default_rng(seed), seed % 3 == 2
    while True:
        true = rng.integers(10, size=places)
        probabilities = rng.uniform(0.0001, 0.0002, (places, 10))
        probabilities[np.arange(places), true] = 0.99
        unsure, misread = rng.choice(places, 2, replace=False)
        probabilities[unsure] = 0.055 + rng.uniform(0, 0.001, 10)
        probabilities[unsure, true[unsure]] = 0.5
        if not valid:
            wrong = (true[misread] + rng.integers(1, 10)) % 10
            probabilities[misread, [wrong, true[misread]]] = 0.55, 0.44
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        results = [_repaired(probabilities, rule) for rule in (_keeps_rule, *_OTHER_RULES)]
        unlike = {tuple(result) for result in [*results, probabilities.argmax(axis=1).tolist()] if result}
        if _keeps_rule(true.tolist()) and (valid or len(unlike) == 5):
            return probabilities, valid


# ---------------------------------------------------------------- 9.3


@exercise(
    "9.3",
    hints=[
        "Try every confidence that occurs as t, the lowest first; np.unique sorts them.",
        "kept = confidence >= t; the share of wrong ones is that among the kept, not among all.",
        "Return the first t at which (~right[kept]).mean() <= most, with (~kept).mean().",
    ],
    takeaway="Every promise about errors has its price in handed-over numbers; say both.",
)
def check_threshold(function):
    for confidence, right, most in _cases():
        answer = array(call(function, confidence, right, most), (2,))
        t, handed = float(answer[0]), float(answer[1])
        expected = _lowest(confidence, right, most)
        kept = confidence >= t
        if (kept == (confidence >= expected)).all():
            _say_what_share(handed, kept)
            continue
        case = f"With {len(confidence)} numbers and at most {most:.0%} wrong"
        above = confidence > t
        if abs(handed - (~above).mean()) < 1e-6 and (above == (confidence >= expected)).all():
            raise NotYet("This t is the highest confidence that is handed over; what equals t is kept.")
        if not kept.any():
            raise NotYet(f"{case}, t = {t:.3g} keeps no number at all.")
        share = (~right[kept]).mean()
        if share > most and (~right & kept).sum() / len(right) <= most:
            raise NotYet("Count the wrong ones among those kept, not among all numbers.")
        if share > most:
            tie = " What has the same confidence stays together." if (confidence == t).sum() > 1 else ""
            raise NotYet(f"{case}, t = {t:.3g} keeps {kept.sum()}, of which {share:.1%} are wrong.{tie}")
        raise NotYet(f"{case}, a lower t does as well: the share wrong goes up and down, so look at every t.")


def _say_what_share(handed, kept):
    if abs(handed - (~kept).mean()) < 1e-6:
        return
    if abs(handed - kept.mean()) < 1e-6:
        raise NotYet("t is right. The second number is the share kept; return the share handed over.")
    if abs(handed - (~kept).sum()) < 1e-6:
        raise NotYet("t is right. The second number is a count; return the share handed over, from 0 to 1.")
    raise NotYet(f"t is right. The share handed over is {(~kept).mean():.4g}, yours is {handed:.4g}.")


def _lowest(confidence, right, most):
    return min(t for t in confidence if (~right[confidence >= t]).mean() <= most)


def _cases():
    """Yield cases: one where the share goes up and down, one with ties, some at random; always one t will do."""
    yield np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, True, True, True, False]), 0.25
    yield np.array([0.9, 0.6, 0.6, 0.8, 0.6, 0.99]), np.array([True, False, True, True, False, True]), 0.25
    for seed in range(4):
        rng = np.random.default_rng(seed)
        confidence = np.round(rng.beta(4, 1, 300), 2)
        right = rng.random(300) < confidence
        right[confidence >= 0.98] = True
        yield confidence, right, 0.02 + 0.03 * seed


# ---------------------------------------------------------------- 9.4


@exercise(
    "9.4",
    hints=[
        "Independent errors multiply: of numbers with n digits, digit_share**n are right.",
        "Take logarithms: n * log(digit_share) must be at least log(0.95); round n down.",
        "For the share that 11 digits need, take the eleventh root of 0.95.",
    ],
    takeaway="Each digit more costs the same factor, so long numbers ask for digits far better than 99 %.",
)
def check_own_reader(digit_share, longest_number, needed_share):
    share = number(digit_share)
    if 50 < share <= 100:
        raise NotYet(f"digit_share is a share from 0.5 to 1; write {share / 100:g}, not {share:g}.")
    if not 0.5 < share < 1:
        raise NotYet(f"digit_share is {share:g}; choose a share above 0.5 and below 1.")
    longest, needed = number(longest_number, whole=True), number(needed_share)
    if longest < 0:
        raise NotYet(f"A number cannot have {longest} digits; 0 means that even one digit is too many.")
    if share**longest < 0.95 - 1e-12:
        raise NotYet(f"Of numbers with {longest} digits only {share**longest:.1%} are right, fewer than 95 %.")
    if share ** (longest + 1) >= 0.95 + 1e-12:
        raise NotYet(f"Numbers may be longer: with {longest + 1} digits {share ** (longest + 1):.1%} are still right.")
    if abs(needed - 0.95 ** (1 / 11)) < 3e-5:
        return
    if abs(needed - (1 - 0.05 / 11)) < 3e-5:
        raise NotYet("You shared 5 % out among 11 digits: near, but errors multiply, so take a root.")
    if abs(needed - 0.95**11) < 1e-4:
        raise NotYet("That is what 11 digits make of 95 %; asked is which share makes 95 % of 11 digits.")
    raise NotYet(f"needed_share is {needed:.5g}; its eleventh power should be 0.95.")
