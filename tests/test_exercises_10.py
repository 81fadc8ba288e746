"""The checks of notebook 10 accept right answers in any form and say what is off about wrong ones."""

import math
from statistics import NormalDist

import numpy as np
from exercise_tables import table_tests


def luck(spread, tries):
    return spread * np.random.default_rng(1).standard_normal((60_000, tries)).max(axis=1).mean()


def luck_by_middles(spread, tries):
    """Adds up the largest of `tries` over the quantiles of its own distribution, without drawing."""
    parts = (np.arange(20_000) + 0.5) / 20_000
    return np.float32(np.mean([NormalDist(0, spread).inv_cdf(part ** (1 / tries)) for part in parts]))


def choose_and_report(right, choosing):
    on_choosing = right[:, choosing].mean(axis=1)
    chosen = on_choosing.argmax()
    return chosen, on_choosing[chosen], right[chosen, ~choosing].mean()


def choose_by_counting(right, choosing):
    rows = [[value for value, counts in zip(row, choosing, strict=True) if counts] for row in right]
    chosen = max(range(len(rows)), key=lambda run: sum(rows[run]))
    others = [value for value, counts in zip(right[chosen], choosing, strict=True) if not counts]
    return np.array([chosen, sum(rows[chosen]) / len(rows[chosen]), sum(others) / len(others)])


def last_of_the_level(right, choosing):
    on_choosing = right[:, choosing].mean(axis=1)
    chosen = len(right) - 1 - on_choosing[::-1].argmax()
    return chosen, on_choosing[chosen], right[chosen, ~choosing].mean()


def chosen_by_all(right, choosing):
    chosen = right.mean(axis=1).argmax()
    return chosen, right[chosen, choosing].mean(), right[chosen, ~choosing].mean()


def best_nowhere(right, choosing):
    parts = right[:, choosing], right[:, ~choosing], right
    return min(set(range(len(right))) - {2, 5, *(part.mean(axis=1).argmax() for part in parts)})


def with_last(function, change):
    """The answer with its last value changed: `change(right, choosing, chosen)` returns it."""

    def changed(right, choosing):
        chosen, share, _ = function(right, choosing)
        return chosen, share, change(right, choosing, chosen)

    return changed


def two_rounds(once, again, keep):
    kept = np.argsort(once)[-keep:]
    means = again[kept].mean(axis=1)
    return kept[means.argmax()], means.max()


def two_rounds_by_sorting(once, again, keep):
    kept = sorted(range(len(once)), key=lambda setting: -once[setting])[:keep]
    mean, setting = max((sum(again[setting]) / len(again[setting]), setting) for setting in kept)
    return [setting, mean]


def place_among_kept(once, again, keep):
    means = again[np.argsort(once)[-keep:]].mean(axis=1)
    return means.argmax(), means.max()


def second_worst(once, again, keep):
    kept = np.argsort(once)[-keep:-1]  # without the winner of the first round
    worst = kept[again[kept].mean(axis=1).argmin()]
    return worst, again[worst].mean()


def right_setting(change):
    """The right setting with another mean: `change(once, again, setting)` returns it."""

    def changed(once, again, keep):
        setting, _ = two_rounds(once, again, keep)
        return setting, change(once, again, setting)

    return changed


def stub(*arguments): ...


RIGHT = {
    "10.1": [(luck,), (luck_by_middles,)],
    "10.2": [(choose_and_report,), (choose_by_counting,)],
    "10.3": [(two_rounds,), (two_rounds_by_sorting,)],
    "10.4": [(26,), (np.int64(26),), (26.0,)],
}
WRONG = {
    "10.1": [
        ((stub,), "not attempted"),
        ((lambda spread, tries: luck(1, tries),), "lead for a spread of 1"),
        ((lambda spread, tries: spread,), "the spread itself"),
        ((lambda spread, tries: spread * math.sqrt(2 * math.log(tries)),), "very many tries only"),
        ((lambda spread, tries: 0.0,), "the mean of all results"),
        ((lambda spread, tries: luck(spread, tries) if tries > 1 else spread,), "nothing is chosen"),
        ((lambda spread, tries: spread * tries / 2,), "With a spread of 0.1 and 10 tries the lead is 0.1539"),
    ],
    "10.2": [
        ((stub,), "not attempted"),
        ((last_of_the_level,), "Runs 2 and 5 are level"),
        ((lambda right, choosing: choose_and_report(right, ~choosing),), "must not choose"),
        ((chosen_by_all,), "best on all images"),
        ((lambda right, choosing: (0.5, 0.9, 0.9),), "the number of a run"),
        ((lambda right, choosing: (best_nowhere(right, choosing), 0.9, 0.9),), "Run 2 reads most"),
        ((with_last(choose_and_report, lambda right, choosing, run: right[run].mean()),), "of all images"),
        ((with_last(choose_and_report, lambda right, choosing, run: right[run, choosing].mean()),), "Both shares"),
        (
            (with_last(choose_and_report, lambda right, choosing, run: right[:, ~choosing].mean(axis=1).max()),),
            "not the chosen one's",
        ),
        ((lambda right, choosing: np.array(choose_and_report(right, choosing))[[0, 2, 1]],), "wrong way round"),
        ((with_last(choose_and_report, lambda right, choosing, run: 0.5),), "Its shares are"),
        ((lambda right, choosing: 2,), "shape (3,)"),
    ],
    "10.3": [
        ((stub,), "not attempted"),
        ((lambda once, again, keep: (once.argmax(), once.max()),), "winner of the first round"),
        ((lambda once, again, keep: (again.mean(axis=1).argmax(), 90),), "was not among the"),
        ((place_among_kept,), "a place among those kept"),
        ((lambda once, again, keep: (once.argmin(), 90),), "best of the first round"),
        ((second_worst,), "has the best mean with new seeds; you return"),
        ((lambda once, again, keep: (90.2, 90.2),), "the number of a setting"),
        ((right_setting(lambda once, again, one: np.mean([once[one], *again[one]])),), "first result is in your mean"),
        ((right_setting(lambda once, again, one: once[one]),), "by which it was chosen"),
        ((right_setting(lambda once, again, one: again[one].max()),), "best new seed"),
        ((right_setting(lambda once, again, one: 12.0),), "Its mean over new seeds is"),
    ],
    "10.4": [
        ((None,), "not attempted"),
        ((13,), "their variances add up"),
        ((25,), "round up"),
        ((52,), "for both together"),
        ((6,), "square at the end"),
        ((3,), "one standard error; asked are three"),
        ((0,), "cannot be trained"),
        ((100,), "5.89 standard errors"),
        ((25.92,), "whole number"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(10, RIGHT, WRONG)
