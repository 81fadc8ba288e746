"""The arithmetic of the benchmarks, on invented results; nothing is trained."""

import itertools
import json

import numpy as np
import pytest
from PIL import Image
from scipy.stats import t, ttest_ind

import mnist_helpers as mh
from benchmarks import backends, first_networks, ladder, own_digits, recipe_table, seeds, time_to_accuracy
from mnist_course import networks, paths, training
from mnist_course.recipes import RECIPES

STORED = json.loads((paths.BENCHMARKS / "seeds.json").read_text(encoding="utf-8"))


def test_spread_is_the_standard_deviation_over_seeds():
    runs = [{"test_accuracy": accuracy} for accuracy in (0.99, 0.992, 0.994)]
    assert seeds.spread(runs) == "99.20 % ± 0.20 over 3 seeds"
    assert seeds.spread(runs[:1]) == "99.00 % over 1 seeds"


class CornerReader:
    """Stands in for reading: says what the first pixel says, one more where the second is lit; notes the places."""

    def __init__(self):
        self.places = []

    def __call__(self, model, images, places):
        self.places.append(places)
        return np.eye(10, dtype="float32")[(images[:, 0, 0] + (images[:, 0, 1] > 0)) % 10]


@pytest.fixture
def corner_reader(monkeypatch):
    """60 training images that are read right and 40 test images of which every other is misread."""
    labels = np.arange(60, dtype=np.uint8) % 10
    images = np.zeros((60, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 5, 5] = labels, 1
    test_images = images[:40].copy()
    test_images[::2, 0, 1] = 1
    monkeypatch.setattr(mh, "load_mnist", lambda: ((images, labels), (test_images, labels[:40])))
    split = mh.split_train_validation
    monkeypatch.setattr(mh, "split_train_validation", lambda *parts: split(*parts, validation_size=20))
    reader = CornerReader()
    monkeypatch.setattr(networks, "predict_at_places", reader)
    return reader


def test_measure_says_validation_for_validation_and_test_for_test(corner_reader):
    measured = seeds.measure([None], 1, None)
    assert (measured["validation_accuracy"], measured["test_accuracy"]) == (1, 0.5)
    assert measured["misread"] == list(range(0, 40, 2))
    assert measured["test_interval"][0] < 0.5 < measured["test_interval"][1]


def test_a_refused_picture_counts_as_misread(corner_reader):
    images = np.zeros((4, 28, 28), np.uint8)  # the last two were refused; a black picture is "read" as 0
    images[:2, 5, 5] = 1
    assert seeds.measure([None], 1, (images, np.array([0, 3, 0, 0])))["own_handwriting"] == 0.25
    probabilities = np.eye(10)[[0, 3, 0, 0]]
    probabilities[2:] = np.nan
    assert own_digits.share_right(probabilities, np.array([0, 4, 0, 0]), np.ones(4, bool)) == 0.25


def test_real_photos_need_the_preparation_and_the_training_as_notebook_06_says():
    stored = json.loads(own_digits.RESULTS.read_text(encoding="utf-8"))
    group = " and ".join(own_digits.PHOTO_KINDS)
    number, *shares = stored["read right"][group].values()
    assert shares == sorted(set(shares))  # usual, proper, proper with the robust network
    assert number / 2 < stored[group]["tuned on"] < number
    parts = [stored["read right"][kind] for kind in own_digits.PHOTO_KINDS]
    for way, share in zip(own_digits.WAYS, shares, strict=True):
        assert sum(part["pictures"] * part[way] for part in parts) / number == pytest.approx(share, abs=1e-4)


def test_share_of_side_is_that_of_the_longer_side():
    page = np.full((200, 300), 255, np.uint8)
    page[50:150, 140:160] = 0
    assert own_digits.share_of_side(Image.fromarray(page)) == pytest.approx(0.5, abs=0.03)


def test_pictures_that_are_refused_are_loaded_as_black(tmp_path):
    (tmp_path / "labels.tsv").write_text("file\tlabel\nodd.png\t0\n")
    (tmp_path / "odd.png").write_bytes(b"no picture")
    images, labels = seeds.load_own_digits(tmp_path)
    assert images.shape == (1, 28, 28) and not images.any() and labels.tolist() == [0]


@pytest.mark.parametrize("recipe, places", [("fast", [1]), ("record", [5, 1])])
def test_networks_are_measured_as_their_recipe_reads(recipe, places, corner_reader, tmp_path, monkeypatch, capsys):
    (tmp_path / paths.LOG_NAME).write_text("loss,accuracy,val_loss,val_accuracy\n3,0,2,0\n3,0,1,0\n3,0,4,0\n")
    monkeypatch.setattr(seeds, "train", lambda *arguments, **options: [("the command", tmp_path, 1.0)])
    monkeypatch.setattr(networks, "load_network", lambda path: None)
    assert seeds.main(["--recipe", recipe, "--seeds", "0"]) == 0
    # every measurement reads validation and test images; the last is that of the networks averaged
    assert corner_reader.places == [each for number in [*places, places[0]] for each in (number, number)]
    assert "seed 0: test accuracy 50.00%, best epoch 2" in capsys.readouterr().out


def test_choosing_reads_validation_images_only(corner_reader, monkeypatch):
    monkeypatch.setattr(mh, "load_mnist", lambda load=mh.load_mnist: (load()[0], (None, None)))  # no test images
    assert seeds.measure([None], 1, None, validation_only=True) == {"validation_accuracy": 1}


def test_seeds_are_trained_as_a_sweep_and_a_failure_is_told(tmp_path, monkeypatch):
    asked = []

    def run(work, runs, folder, **options):
        asked.append((work, runs, folder))
        row = {"status": "done", "folder": tmp_path / "runs" / "1a", "seconds": 9.0, "error": None}
        return [row | {"parameters": parameters} for parameters in runs]

    monkeypatch.setattr(paths, "OUTPUTS", tmp_path)
    monkeypatch.setattr(seeds.sweeps, "run", run)
    (command, folder, seconds), other = seeds.train("fast", [0, 3], epochs=1)
    assert asked == [
        ("training", [{"recipe": "fast", "seed": seed, "epochs": 1} for seed in (0, 3)], tmp_path / "seeds")
    ]
    assert command.startswith("python train_model.py --recipe fast --seed 0 --epochs 1 --output-dir ")
    assert command.endswith("/runs/1a") and (folder, seconds) == (tmp_path / "runs" / "1a", 9.0)
    failed = {"status": "failed", "error": "training: no room"}
    monkeypatch.setattr(seeds.sweeps, "run", lambda *arguments, **options: [failed])
    with pytest.raises(ValueError, match="training: no room"):
        seeds.train("fast", [0])


def test_times_are_whole_trainings_compared_within_their_round():
    def round_of(**seconds):
        return {name: [{"processor_seconds": each} for each in of_recipe] for name, of_recipe in seconds.items()}

    rounds = [round_of(standard=[200], fast=[8, 12]), round_of(standard=[100], fast=[6, 8])]
    assert time_to_accuracy.relative_times(rounds) == {"standard": [1, 1], "fast": [0.05, 0.07]}


def test_table_compares_times_with_standard():
    run = {"epochs": 10, "test_accuracy": 0.99, "own_handwriting": 0.9}
    result = {"parameters": 1234, "runs": [run, run | {"test_accuracy": 0.992}], "averaged": run}
    rounds = [{"standard": [{"processor_seconds": 10}], "fast": [{"processor_seconds": each}]} for each in (4, 6)]
    lines = recipe_table.table(dict.fromkeys(RECIPES, result), {"rounds": rounds}).splitlines()
    assert len(lines) == 2 + len(RECIPES) + 1 and all(line.count("|") == 8 for line in lines)
    assert "| 10 | 1 | 99.10 ± 0.14 %, 2 seeds | 90.0 ± 0.0 % |" in lines[2]
    assert "| 10 | 0.5 (0.4 to 0.6) |" in lines[3]
    assert "| 10 | – |" in lines[4]


def trained(*mistakes):
    """Stored results of networks that misread so many images each, counted from image 0."""
    return {"runs": [{"test_accuracy": 1 - count / 10_000, "misread": list(range(count))} for count in mistakes]}


def test_intervals_are_widened_for_four_comparisons_and_what_holds_0_is_not_called_a_difference():
    mistakes = {"standard": (100, 102), "fast": (120, 122), "robust": (56, 68), "tiny": (60, 70), "record": (20, 22)}
    results = {name: trained(*counts) for name, counts in mistakes.items()}
    lines = recipe_table.comparisons(results).splitlines()[2:]
    assert lines[0] == "| `fast` | `standard` | 0.20 (0.07 to 0.33) | 4 of 4 |"
    assert lines[2] == "| `tiny` | `robust` | 0.03 (−0.70 to 0.76), these data cannot tell | 2 of 4 |"
    assert len(lines) == 4


@pytest.mark.parametrize("name", STORED)
def test_stored_mistakes_agree_with_the_stored_accuracy(name):
    for run in STORED[name]["runs"]:
        assert len(set(run["misread"])) == round(10_000 * (1 - run["test_accuracy"]))
        low, high = run["test_interval"]
        assert low < run["test_accuracy"] < high


def test_stored_mistakes_of_the_shipped_network_are_its_mistakes():
    images, labels = mh.load_mnist()[1]
    model = mh.build_cnn()
    training.load_weights(model, paths.SHIPPED_WEIGHTS)
    probabilities = mh.predict(model, images)
    misread = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    stored = set(STORED["standard"]["runs"][0]["misread"])
    assert len(stored ^ set(misread)) <= 2  # another machine may round a tie the other way


def mean_and_spread(name, accuracy):
    accuracies = [run[accuracy] for run in STORED[name]["runs"]]
    return np.mean(accuracies), np.std(accuracies, ddof=1)


def test_twice_the_epochs_of_record_bring_less_than_the_spread_over_seeds_as_notebook_08_says():
    for accuracy in ("validation_accuracy", "test_accuracy"):
        (longer, spread), (shorter, other_spread) = (
            mean_and_spread(n, accuracy) for n in ("record", "record, 16 epochs")
        )
        averaged = STORED["record"]["averaged"][accuracy] - STORED["record, 16 epochs"]["averaged"][accuracy]
        assert max(abs(longer - shorter), abs(averaged)) < min(spread, other_spread)
        if accuracy == "validation_accuracy":
            assert longer >= shorter  # the rule by which the longer training was taken


def test_steps_of_the_ladder_bring_what_notebook_08_says():
    stored = json.loads((paths.BENCHMARKS / "ladder.json").read_text(encoding="utf-8"))
    rungs = {"standard": STORED["standard"]["runs"]} | {step: row["runs"] for step, row in stored["steps"].items()}
    rungs["warped digits"] = [run["unshifted"] for run in STORED["record"]["runs"]]
    rungs["five places"] = STORED["record"]["runs"]
    values = [100 * np.array([run["validation_accuracy"] for run in runs]) for runs in rungs.values()]
    degrees = sum(len(part) - 1 for part in values)
    spread = np.sqrt(sum(((part - part.mean()) ** 2).sum() for part in values) / degrees)
    verdicts, gains = {}, {}
    for step, before, after in zip(list(rungs)[1:], values, values[1:], strict=False):
        gains[step] = after.mean() - before.mean()
        margin = spread * np.sqrt(1 / len(before) + 1 / len(after)) * t.ppf(1 - 0.05 / 2 / 9, degrees)
        verdicts[step] = np.sign(gains[step]) if abs(gains[step]) > margin else 0
    assert verdicts == {
        "one cycle of 5 epochs": -1,
        "learning rate 0.002": 1,
        "five convolutions": 1,
        "no dense layer, wider pooling": 0,
        "batch normalisation": 0,
        "learning rate 0.004": 0,
        "32 epochs": 0,
        "warped digits": 1,
        "five places": 0,
    }
    assert abs(gains["one cycle of 5 epochs"] + 1 / 3) < 0.05 and abs(gains["warped digits"] - 1 / 4) < 0.05
    assert gains["learning rate 0.002"] + gains["five convolutions"] > -gains["one cycle of 5 epochs"]


def test_each_step_of_the_ladder_changes_one_thing_and_is_stored_with_its_settings():
    stored = json.loads((paths.BENCHMARKS / "ladder.json").read_text(encoding="utf-8"))
    assert stored["command"] == "python -m benchmarks.ladder"
    assert list(stored["steps"]) == list(ladder.STEPS)
    rows = [RECIPES["standard"], *(recipe for recipe, _ in ladder.STEPS.values()), RECIPES["record"]._replace(places=1)]
    networks = ["standard", *(build or recipe.network for recipe, build in ladder.STEPS.values()), "record"]
    settings = ("pictures", "epochs", "learning_rate")
    for number, (before, after) in enumerate(itertools.pairwise(rows)):
        changed = [name for name in settings if getattr(before, name) != getattr(after, name)]
        changed += ["network"] * (networks[number] != networks[number + 1])
        assert len(changed) == 1, (changed, after)
    for (recipe, _), row in zip(ladder.STEPS.values(), stored["steps"].values(), strict=True):
        assert {name: getattr(recipe, name) for name in row if name != "runs"} == {
            name: value for name, value in row.items() if name != "runs"
        }
        assert [run["seed"] for run in row["runs"]] == [0, 1, 2]


def test_networks_of_the_ladder_have_the_parameters_that_it_says():
    assert ladder.ends_as_standard().count_params() == 383_578
    assert ladder.without_normalisation().count_params() == 306_650


# ---------------------------------------------------------------- the order of the images, and dropout


@pytest.mark.parametrize("recipe", ["standard", "fast"])
def test_the_repeated_order_cost_nothing_that_can_be_told_as_notebook_04_says(recipe):
    repeated, shuffled = (
        [100 * run["validation_accuracy"] for run in STORED[name]["runs"]]
        for name in (f"{recipe}, repeated order", recipe)
    )
    low, high = ttest_ind(shuffled, repeated, equal_var=False).confidence_interval(1 - 0.05 / 2)
    assert low < 0 < high and max(-low, high) < 0.15


def test_dropout_leaves_a_narrower_gap_as_notebook_04_says():
    runs = json.loads((paths.BENCHMARKS / "dropout.json").read_text(encoding="utf-8"))["runs"]

    def losses(name, dropout):
        return np.array([run[name] for run in runs if run["dropout"] == dropout])  # (seeds, epochs)

    reported, switched_off = (
        [losses(name, dropout)[:, -1] for dropout in (0.5, 0.0)] for name in ("loss", "loss_with_dropout_off")
    )
    validation = [losses("val_loss", dropout)[:, -1] for dropout in (0.5, 0.0)]
    assert (validation[0] - reported[0] < 0).all()  # as reported, dropout closes the gap
    assert (0 < validation[0] - switched_off[0]).all()
    assert (validation[0] - switched_off[0] < validation[1] - switched_off[1]).all()  # narrower in all three seeds
    assert (switched_off[0] - switched_off[1]).mean() < (reported[0] - reported[1]).mean() / 2  # it was the measuring
    without = losses("val_loss", 0.0).mean(axis=0)
    assert without[5:].min() > without[4]  # after five epochs it no longer falls


# ---------------------------------------------------------------- first networks


def test_shifted_images_move_and_what_becomes_free_is_black():
    images = np.random.default_rng(0).integers(1, 256, (3, 28, 28)).astype(np.uint8)
    assert (first_networks.shift(images, 0, 0) == images).all()
    right, up = first_networks.shift(images, 0, 2), first_networks.shift(images, -2, 0)
    assert (right[:, :, 2:] == images[:, :, :26]).all() and not right[:, :, :2].any()
    assert (up[:, :26] == images[:, 2:]).all() and not up[:, 26:].any()


def test_each_side_is_measured_under_its_own_name():
    images = np.zeros((4, 28, 28), np.uint8)
    images[:, 10, 10] = 1
    places = {"right": (10, 12), "left": (10, 8), "down": (12, 10), "up": (8, 10)}
    for side, (row, column) in places.items():
        read = lambda part: part[:, row, column]  # noqa: B023, E731
        measured = first_networks.measure(read, images, np.ones(4))
        assert measured == {"validation_accuracy": 0, "shifted": {name: float(name == side) for name in places}}


def test_the_first_networks_are_what_notebook_02_says():
    stored = json.loads(first_networks.RESULTS.read_text(encoding="utf-8"))["networks"]
    assert list(stored) == ["nearest mean", *first_networks.NETWORKS]
    assert all(len(entry["runs"]) == 3 for name, entry in stored.items() if name != "nearest mean")
    plain, shifted = (
        [100 * np.mean([measured(run) for run in entry["runs"]]) for entry in stored.values()]
        for measured in (lambda run: run["validation_accuracy"], lambda run: np.mean(list(run["shifted"].values())))
    )
    assert [round(gain) for gain in np.diff(plain)] == [11, 5, 0, 2, 0]
    lost = np.subtract(plain, shifted)
    assert round(lost[:4].min()) == 18 and round(lost[:4].max()) == 33 and np.round(lost[4:]).tolist() == [4, 4]
    *_, dense, without_dropout, course = (entry["parameters"] for entry in stored.values())
    assert course - dense == 39 and without_dropout == course == mh.build_cnn().count_params()


def test_the_stored_nearest_mean_is_the_one_of_notebook_01():
    (images, labels), validation = mh.split_train_validation(*mh.load_mnist()[0])
    stored = json.loads(first_networks.RESULTS.read_text(encoding="utf-8"))["networks"]["nearest mean"]["runs"]
    assert [first_networks.measure(first_networks.nearest_mean(images, labels), *validation)] == stored


def test_backends_are_compared_round_by_round():
    seconds = {"tensorflow": (2.0, 4.0), "jax": (1.0, 3.0), "torch": (4.0, 8.0)}
    runs = {
        name: [
            {"processor_seconds": [9.0, last], "test_accuracy": accuracy}
            for last, accuracy in zip(lasts, (0.99, 0.992), strict=True)
        ]
        for name, lasts in seconds.items()
    }
    assert backends.ratios(runs, "jax") == [0.5, 0.75] and backends.ratios(runs, "tensorflow") == [1, 1]
    rows = backends.table({"versions": dict.fromkeys(seconds, "1.2"), "runs": runs}).splitlines()[2:]
    assert rows == [
        "| `tensorflow` | 1.2 | 9.0 | 3.0 | 1 | 99.10 ± 0.14 %, 2 seeds |",
        "| `jax` | 1.2 | 9.0 | 2.0 | 0.62 (0.50 to 0.75) | 99.10 ± 0.14 %, 2 seeds |",
        "| `torch` | 1.2 | 9.0 | 6.0 | 2.00 (2.00 to 2.00) | 99.10 ± 0.14 %, 2 seeds |",
    ]
