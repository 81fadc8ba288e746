"""The arithmetic of the benchmarks, on invented results; nothing is trained."""

import json
import sys

import numpy as np
import pytest

import mnist_helpers as mh

sys.path.append(str(mh.ROOT / "benchmarks"))

import recipe_table
import seeds
import time_to_accuracy

STORED = json.loads((mh.ROOT / "benchmarks" / "seeds.json").read_text(encoding="utf-8"))


def sure(share, count=100):
    """Probabilities (count, 10) of a network that always says 3 with this confidence."""
    probabilities = np.full((count, 10), (1 - share) / 9)
    probabilities[:, 3] = share
    return probabilities


@pytest.mark.parametrize("share, right, expected", [(0.9, 90, 0), (0.9, 50, 0.4), (0.6, 100, 0.4)])
def test_calibration_error_is_the_distance_of_confidence_from_accuracy(share, right, expected):
    labels = np.where(np.arange(100) < right, 3, 7)
    assert seeds.calibration_error(labels, sure(share)) == pytest.approx(expected, abs=1e-9)


def test_calibration_error_weighs_groups_by_size():
    labels = np.full(100, 3)
    probabilities = np.concatenate([sure(0.9, 75), sure(0.5, 25)])  # all right: off by 0.1 and by 0.5
    assert seeds.calibration_error(labels, probabilities) == pytest.approx(0.75 * 0.1 + 0.25 * 0.5)


def test_spread_is_the_standard_deviation_over_seeds():
    runs = [{"test_accuracy": accuracy} for accuracy in (0.99, 0.992, 0.994)]
    assert seeds.spread(runs) == "99.20 % ± 0.20 over 3 seeds"
    assert seeds.spread(runs[:1]) == "99.00 % over 1 seeds"


def test_the_first_epoch_does_not_count_for_the_speed():
    runs = [{"epochs": [(30.0, 0.9), (40.0, 0.9), (50.0, 0.9)]}, {"epochs": [(20.0, 0.9), (32.0, 0.9)]}]
    assert time_to_accuracy.seconds_an_epoch(runs) == 10


def test_table_compares_times_with_standard():
    run = {"epochs": 10, "test_accuracy": 0.99, "own_handwriting": 0.9}
    result = {"parameters": 1234, "runs": [run, run | {"test_accuracy": 0.992}], "averaged": run}
    names = recipe_table.PURPOSES
    an_epoch = {name: 5 if name == "fast" else 10 for name in names}
    lines = recipe_table.table({name: result for name in names}, {"seconds_an_epoch": an_epoch}).splitlines()
    assert len(lines) == 2 + len(names) + 1 and all(line.count("|") == 8 for line in lines)
    assert "| 10 | 1 | 99.10 ± 0.14 %, 2 seeds | 90.0 ± 0.0 % |" in lines[2]
    assert "| 10 | 0.5 |" in lines[3]


def trained(*mistakes):
    """Stored results of networks that misread so many images each, counted from image 0."""
    return {"runs": [{"test_accuracy": 1 - count / 10_000, "misread": list(range(count))} for count in mistakes]}


def test_a_gain_within_the_spread_over_seeds_is_called_not_significant():
    mistakes = {"standard": (100, 102), "fast": (120, 122), "robust": (56, 68), "tiny": (60, 70), "record": (20, 22)}
    results = {name: trained(*counts) for name, counts in mistakes.items()}
    lines = recipe_table.comparisons(results).splitlines()[2:]
    assert lines[0] == "| `fast` | `standard` | 0.20 (0.14 to 0.26) | 4 of 4 |"
    assert lines[2] == "| `tiny` | `robust` | 0.03 (−0.32 to 0.38), not significant | 2 of 4 |"
    assert len(lines) == 4


@pytest.mark.parametrize("name", STORED)
def test_stored_mistakes_agree_with_the_stored_accuracy(name):
    for run in STORED[name]["runs"]:
        if "misread" in run:
            assert len(set(run["misread"])) == round(10_000 * (1 - run["test_accuracy"]))
        low, high = run["test_interval"]
        assert low < run["test_accuracy"] < high


def test_stored_mistakes_of_the_shipped_network_are_its_mistakes():
    images, labels = mh.load_mnist()[1]
    model = mh.build_cnn()
    mh.load_weights(model, mh.SHIPPED_WEIGHTS)
    probabilities = mh.predict(model, images)
    misread = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    stored = set(STORED["standard"]["runs"][0]["misread"])
    assert len(stored ^ set(misread)) <= 2  # another machine may round a tie the other way


def mean_and_spread(name, accuracy):
    accuracies = [run[accuracy] for run in STORED[name]["runs"]]
    return np.mean(accuracies), np.std(accuracies, ddof=1)


def test_twice_the_epochs_of_record_bring_less_than_the_spread_over_seeds_as_notebook_07_says():
    for accuracy in ("validation_accuracy", "test_accuracy"):
        (longer, spread), (shorter, other_spread) = (
            mean_and_spread(n, accuracy) for n in ("record", "record, 16 epochs")
        )
        averaged = STORED["record"]["averaged"][accuracy] - STORED["record, 16 epochs"]["averaged"][accuracy]
        assert max(abs(longer - shorter), abs(averaged)) < min(spread, other_spread)
        if accuracy == "validation_accuracy":
            assert longer >= shorter  # the rule by which the longer training was taken


def test_steps_of_the_ladder_bring_what_notebook_07_says():
    steps = json.loads((mh.ROOT / "benchmarks" / "ladder.json").read_text(encoding="utf-8"))["steps"]
    record = STORED["record"]
    accuracies = [
        [run["validation_accuracy"] for run in runs] for runs in (STORED["standard"]["runs"], *steps.values())
    ]
    accuracies.append([run["unshifted"]["validation_accuracy"] for run in record["runs"]])
    accuracies.append([run["validation_accuracy"] for run in record["runs"]])
    accuracies.append([record["averaged"]["validation_accuracy"]])
    means = [np.mean(part) for part in accuracies]
    one_cycle, convolutions, normalisation, warped, epochs, places, averaging = np.diff(means)
    assert list(steps) == ["one cycle of 5 epochs", "five convolutions", "batch normalisation", "warped digits"]
    assert one_cycle < 0 and warped < 0 and convolutions > epochs
    standard_error = np.sqrt(means[-1] * (1 - means[-1]) / 6000)
    assert epochs > standard_error > max(abs(gain) for gain in (normalisation, warped, places, averaging))
