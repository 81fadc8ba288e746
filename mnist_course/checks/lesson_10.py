"""Checks of the exercises in notebook 10."""

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "Two trainings of one recipe, with different seeds, end 0.15 points apart on the test images. What do you "
        "report of the recipe?",
        (
            (
                "The higher one, as it can be reached",
                "Whoever trains it once gets neither the higher nor the lower one, but one near their mean.",
            ),
            (
                "The lower one, to be on the safe side",
                "That is a choice by result too; it makes the recipe look worse than it is.",
            ),
            (
                "The mean, and how far apart they are",
                "And better of more than two seeds. The distance is part of the result.",
            ),
        ),
        right="c",
    ),
    Question(
        "54,000 images in batches of 128 make 422 steps an epoch. You change to batches of 256. What does an epoch "
        "have now?",
        (
            (
                "422 steps, as there are as many images",
                "There are, but each step takes twice as many of them.",
            ),
            (
                "844 steps, as batches are twice as large",
                "The other way round: larger batches use the images up in fewer steps.",
            ),
            (
                "Half the images, each of them seen twice",
                "An epoch is one pass over all images, whatever the batches.",
            ),
            (
                "211 steps, each over twice as many images",
                "54,000 / 256 is 210.9, so 211 with a short last one; the weights move half as often.",
            ),
        ),
        right="d",
    ),
    Question(
        "You train by steps of slopes, with a learning rate of 0.01, then 0.1, 1, 10 and 100. What will the loss after "
        "a hundred steps do?",
        (
            (
                "Get lower at first, then much higher",
                "Too small a rate gets nowhere, too large a rate jumps over the valley.",
            ),
            (
                "Get lower each time, as steps get longer",
                "Only up to a point: then each step jumps over the valley.",
            ),
            (
                "End at the same value, sooner or later",
                "A hundred steps are not enough for the smallest rate, and the largest never gets there.",
            ),
        ),
        right="a",
    ),
)


# ---------------------------------------------------------------- 10.1


@exercise(
    "10.1",
    hints=[
        "Let the true mean be 0. Draw `tries` results, keep the largest; do that many times and take the mean.",
        "rng.standard_normal((100_000, tries)) has a row for each time; .max(axis=1) keeps the largest of each.",
        "Multiply by spread: twice the spread is twice the luck.",
    ],
    takeaway="Luck grows with every try, ever more slowly, and in proportion to the spread.",
)
def check_luck(function):
    for spread, tries in ((0.1, 10), (0.06, 2), (1.0, 1), (0.25, 40), (0.1, 5)):
        value = number(call(function, spread, tries))
        expected = _expected_lead(spread, tries)
        if abs(value - expected) <= 0.03 * expected + 0.01 * spread:
            continue
        case = f"With a spread of {spread:g} and {tries} {'try' if tries == 1 else 'tries'}"
        if tries == 1:
            raise NotYet(f"{case} nothing is chosen, so the lead is 0 on average; your function returned {value:.3g}.")
        if abs(value - _expected_lead(1, tries)) < 0.05:
            raise NotYet(f"{case} your function returned {value:.3g}: that is the lead for a spread of 1.")
        if abs(value - spread) < 0.02 * spread:
            raise NotYet(f"{case} your function returned the spread itself; the best of many lies further up.")
        if tries > 2 and abs(value - spread * np.sqrt(2 * np.log(tries))) < 0.01 * value:
            raise NotYet("That formula holds for very many tries only; for few it says too much. Draw instead.")
        if abs(value) < 0.1 * expected:
            raise NotYet(f"{case} you found {value:.3g}: is that the mean of all results, not of the largest ones?")
        raise NotYet(f"{case} the lead is {expected:.4f} on average; your function returned {value:.4g}.")


def _expected_lead(spread, tries):
    """Return by how much the largest of some normal numbers lies above their mean, on average."""
    return spread * quad(lambda z: z * tries * norm.pdf(z) * norm.cdf(z) ** (tries - 1), -9, 9)[0]


# ---------------------------------------------------------------- 10.2


@exercise(
    "10.2",
    hints=[
        "right[:, choosing] are the columns that choose, right[:, ~choosing] the others.",
        "The mean over axis 1 of the first gives a share a run; argmax names the first of the highest.",
        "Return that run, its share of the first columns, and right[chosen, ~choosing].mean().",
    ],
    takeaway="The images that chose have been used up; the others still tell the truth.",
)
def check_choose_and_report(function):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        right, choosing = _choice(rng)
        on_choosing, on_others = right[:, choosing].mean(axis=1), right[:, ~choosing].mean(axis=1)
        expected = int(on_choosing.argmax())
        chosen, share, reported = array(call(function, right, choosing), (3,)).tolist()
        if chosen == expected and np.allclose([share, reported], [on_choosing[expected], on_others[expected]]):
            continue
        if chosen != expected:
            _say_how_it_was_chosen(chosen, right, on_choosing, on_others)
        if np.allclose(reported, right[expected].mean()):
            raise NotYet("The run is right. Your last share is of all images; those that chose are still among them.")
        if np.allclose([share, reported], [on_others[expected], on_choosing[expected]]):
            raise NotYet("The run is right. The two shares are the wrong way round.")
        if np.allclose(reported, on_choosing[expected]):
            raise NotYet("The run is right. Both shares are of the images that chose; report the others.")
        if np.allclose(reported, on_others.max()):
            raise NotYet("The run is right. Your last share is the best of all runs there, not the chosen one's.")
        values = f"{on_choosing[expected]:.3f} and {on_others[expected]:.3f}"
        raise NotYet(f"The run is right. Its shares are {values}; you return {share:.3g} and {reported:.3g}.")


def _choice(rng):
    """Return right (8, 400) and choosing (400,), such that every other way to choose names another run."""
    while True:
        right = rng.random((8, 400)) < 0.85
        choosing = rng.random(400) < 0.4
        right[2, choosing] |= rng.random(choosing.sum()) < 0.7
        right[5, choosing] = right[2, choosing]  # level with it
        right[[[2], [5]], ~choosing] &= rng.random((2, (~choosing).sum())) < 0.8
        shares = right[:, choosing].mean(axis=1), right[:, ~choosing].mean(axis=1), right.mean(axis=1)
        if len({2, 5, *(share.argmax() for share in shares)}) == 4:
            return right, choosing


def _say_how_it_was_chosen(chosen, right, on_choosing, on_others):
    if chosen != int(chosen) or not 0 <= chosen < len(right):
        raise NotYet(f"The first of your three values is {chosen:.3g}; return the number of a run, counted from 0.")
    chosen = int(chosen)
    if on_choosing[chosen] == on_choosing.max():
        raise NotYet(f"Runs {on_choosing.argmax()} and {chosen} are level; take the first of them.")
    if chosen == on_others.argmax():
        raise NotYet("Your run is the best on the other images: they are to report, so they must not choose.")
    if chosen == right.mean(axis=1).argmax():
        raise NotYet("Your run is the best on all images; only those marked True in `choosing` may choose.")
    raise NotYet(f"Run {on_choosing.argmax()} reads most of the choosing images; you chose run {chosen}.")


# ---------------------------------------------------------------- 10.3


@exercise(
    "10.3",
    hints=[
        "np.argsort(once)[-keep:] are the settings that go into the second round.",
        "Only `again` counts there: again[kept].mean(axis=1) has a mean for each of those kept.",
        "kept[means.argmax()] is the setting's own number; means.argmax() alone counts within those kept.",
    ],
    takeaway="The first round finds, the second one measures: what chose is not counted again.",
)
def check_two_rounds(function):
    for seed in range(6):
        once, again, keep = _rounds(np.random.default_rng(seed))
        kept = np.argsort(once)[-keep:]
        means = again.mean(axis=1)
        expected = int(kept[means[kept].argmax()])
        setting, mean = array(call(function, once, again, keep), (2,)).tolist()
        if setting == expected and np.isclose(mean, means[expected]):
            continue
        if setting == expected:
            _say_which_mean(mean, once, again, expected)
        if setting != int(setting) or not 0 <= setting < len(once):
            raise NotYet(f"The first of your two values is {setting:.4g}; return the number of a setting, from 0.")
        setting = int(setting)
        if setting == once.argmax():
            raise NotYet("You return the winner of the first round; the new seeds are to decide among those kept.")
        if setting not in kept and setting == means.argmax():
            raise NotYet(f"Setting {setting} is the best with new seeds, but was not among the {keep} kept.")
        if setting in (means[kept].argmax(), means[np.sort(kept)].argmax(), means[kept[::-1]].argmax()):
            raise NotYet("That is a place among those kept; return the setting's number among all.")
        if setting not in kept:
            raise NotYet(f"Setting {setting} was not among the {keep} best of the first round.")
        raise NotYet(f"Of those kept, setting {expected} has the best mean with new seeds; you return {setting}.")


def _rounds(rng):
    """Return once (9,), again (9, 4) and keep, such that every other rule names another setting."""
    while True:
        once, again, keep = rng.normal(90, 1, 9), rng.normal(90, 1, (9, 4)), int(rng.integers(3, 5))
        kept, means = np.argsort(once)[-keep:], again.mean(axis=1)
        right = kept[means[kept].argmax()]
        places = {int(means[order].argmax()) for order in (kept, np.sort(kept), kept[::-1])}
        if right not in {once.argmax(), means.argmax(), *places} and not places & {*kept, means.argmax()}:
            with_first = np.column_stack([once, again]).mean(axis=1)
            if kept[with_first[kept].argmax()] == right:
                return once, again, keep


def _say_which_mean(mean, once, again, expected):
    if np.isclose(mean, np.mean([once[expected], *again[expected]])):
        raise NotYet("The setting is right. Its first result is in your mean: that one was chosen for being high.")
    if np.isclose(mean, once[expected]):
        raise NotYet("The setting is right. You report its first result, by which it was chosen.")
    if np.isclose(mean, again[expected].max()):
        raise NotYet("The setting is right. You report its best new seed; report their mean.")
    raise NotYet(f"The setting is right. Its mean over new seeds is {again[expected].mean():.4g}, not {mean:.4g}.")


# ---------------------------------------------------------------- 10.4


@exercise(
    "10.4",
    hints=[
        "The standard error of one mean of n seeds is 0.06 / sqrt(n).",
        "That of the difference of two such means is sqrt(2) times as large.",
        "Solve 0.05 = 3 * 0.06 * sqrt(2 / n) for n, and round up.",
    ],
    takeaway="Half the difference needs four times the seeds; two or three show only what is large.",
)
def check_seeds_needed(answer):
    seeds = number(answer, whole=True)
    if seeds == 26:
        return
    if seeds == 13:
        raise NotYet("That is enough for one mean; here two means have luck of their own, and their variances add up.")
    if seeds == 25:
        raise NotYet("With 25 it is not quite three standard errors; round up.")
    if seeds == 52:
        raise NotYet("That is the number for both together; asked is how many each recipe needs.")
    if seeds in (5, 6):
        raise NotYet("The standard error shrinks with the square root of the number of seeds; square at the end.")
    if seeds in (2, 3):
        raise NotYet("That makes the difference one standard error; asked are three.")
    if seeds < 1:
        raise NotYet(f"A recipe cannot be trained with {seeds} seeds.")
    errors = 0.05 / (0.06 * np.sqrt(2 / seeds))
    raise NotYet(f"With {seeds} seeds each, the difference is {errors:.2f} standard errors of the two means.")
