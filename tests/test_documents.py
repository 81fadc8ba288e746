"""README and model card say what was measured, and name what exists."""

import hashlib
import json
import re
import statistics

import pytest

import evaluate_model
import test_model
from benchmarks import recipe_table
from mnist_course import paths, recipes

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
CARD = (paths.ROOT / "models" / "README.md").read_text(encoding="utf-8")
SEEDS = json.loads((paths.BENCHMARKS / "seeds.json").read_text(encoding="utf-8"))


def percent(share):
    return f"{100 * share:.2f} %"


def test_the_table_of_recipes_is_the_stored_results():
    assert recipe_table.readme_with_tables(README) == README, "run `python -m benchmarks.recipe_table`"
    for name in recipes.RECIPES:
        mean = statistics.mean(run["test_accuracy"] for run in SEEDS[name]["runs"])
        assert f"| `{name}` |" in README and f"{percent(mean)[:-2]} ± " in README


@pytest.mark.parametrize("recipe", ["standard", "robust"])
def test_the_card_of_the_shipped_networks_says_what_is_stored(recipe):
    runs = SEEDS[recipe]["runs"]
    for run in runs:
        low, high = (100 * end for end in run["test_interval"])
        expected = (
            f"| seed {run['seed']} | {percent(run['test_accuracy'])} | {low:.2f} to {high:.2f} % | "
            f"{percent(run['validation_accuracy'])} | {run['best_epoch']} of {run['epochs']} |"
        )
        assert expected in CARD
    assert runs[0]["seed"] == 0 and f"**{percent(runs[0]['test_accuracy'])}** of the test images" in CARD


@pytest.mark.parametrize(
    "name", ["mnist_cnn.weights.h5", "mnist_robust.weights.h5", "mnist_robust.tflite", "mnist_lines.tflite"]
)
def test_card_names_the_shipped_files(name):
    digest = hashlib.sha256((paths.ROOT / "models" / name).read_bytes()).hexdigest()
    assert f"| `{name}` |" in CARD and digest in CARD


def printed(command):
    """Return the lines that README shows under `$ command`."""
    return README.split(f"$ {command}\n")[1].split("\n```")[0].splitlines()


def test_the_shipped_training_is_the_stored_one():
    run = SEEDS["standard"]["runs"][0]
    trained = printed("python train_model.py")[1]
    best = f"{run['best_epoch']}: validation accuracy {run['validation_accuracy']:.2%}"
    assert trained == (
        f"Trained {run['epochs']} epochs; the best was epoch {best}, validation loss {run['validation_loss']:.4f}."
    )
    for recipe in ("standard", "robust"):
        run = SEEDS[recipe]["runs"][0]
        assert f"loss {run['test_loss']:.4f}." in CARD.split(f"\n## {recipe}\n")[1].split("\n## ")[0]
    run = SEEDS["standard"]["runs"][0]
    assert f"{run['epochs']} epochs, of which epoch {run['best_epoch']} had the lowest loss" in CARD


def test_readme_shows_what_the_evaluation_prints(tmp_path, capsys):
    assert evaluate_model.main(["--weights", str(paths.SHIPPED_WEIGHTS), "--output-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out.splitlines()
    weights, *shown, saved = printed("python evaluate_model.py")
    assert weights == "Weights: models/mnist_cnn.weights.h5 (225,034 parameters)" and saved.startswith("Saved outputs/")
    missing = [line for line in shown if line != "..." and line not in out]
    run = SEEDS["standard"]["runs"][0]
    if f"10000 images, {len(run['misread'])} of them misclassified" in out:  # no tie that this machine rounds otherwise
        assert not missing
    low, high = run["test_interval"]
    assert shown[:2] == [
        f"Test accuracy {run['test_accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%}), "
        f"loss {run['test_loss']:.4f}",
        f"10000 images, {len(run['misread'])} of them misclassified",
    ]


def test_readme_shows_what_the_reader_prints(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path)  # where no learner's network is
    assert test_model.main([str(paths.SAMPLE_PICTURE)]) == 0
    out = capsys.readouterr().out.splitlines()
    network, answer, *preview = printed("python test_model.py data/samples/crossed_seven.jpg")
    assert out[0].endswith(network.removeprefix("Network: the shipped reader, ")) and out[1].endswith(answer)
    assert [line.rstrip() for line in out[2:]] == [line.rstrip() for line in preview]


def test_own_handwriting_agrees_with_the_stored_results():
    results = json.loads((paths.BENCHMARKS / "own_digits.json").read_text(encoding="utf-8"))["read right"]
    for group in ("all", "tuned on", "not tuned on", "photos"):
        number, *shares = results[group].values()
        assert f"| {number} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |" in README
    every, photos = (next(iter(results[group].values())) for group in ("all", "photos"))
    assert f"Measured on {every} pictures" in README and f"read of the {every} pictures" in README
    assert f"The other {every - photos} of the {every} are" in README


def test_letters_and_scribbles_agree_with_the_stored_results():
    results = json.loads((paths.BENCHMARKS / "not_digits.json").read_text(encoding="utf-8"))["drawings"]
    shares = [f"{100 * row['refused or below 50 %']:.0f} %" for row in results.values()]
    every, trained_on, like_digits, others, scribbles, empty = shares
    assert results["letters"]["pictures"] == sum(results[f"letters, {kind}"]["pictures"] for kind in (
        "shapes trained on", "like digits", "others"
    ))  # fmt: skip
    for words in (
        f"{every} of all letters",
        f"{trained_on} of those whose shapes it was trained to refuse",
        f"{like_digits} of those that are also a way to write a digit",
        f"{others} of the others; {scribbles} of scribbles and {empty} of empty pages",
    ):
        assert words in README


@pytest.mark.parametrize("text", [README, CARD], ids=["README", "models/README"])
def test_links_lead_somewhere(text):
    folder = paths.ROOT if text is README else paths.ROOT / "models"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (folder / target).exists(), target


def test_every_notebook_and_make_target_is_named():
    for notebook in sorted((paths.NOTEBOOKS).glob("*.ipynb")):
        assert f"notebooks/{notebook.name}" in README
    targets = set(re.findall(r"^([a-z-]+):.*##", (paths.ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for named in re.findall(r"`make ([a-z-]+)", README):
        assert named in targets, named


def test_the_tree_names_every_file_and_only_what_exists():
    tree = README.split("## What is where")[1].split("```")[1]
    named = set(re.findall(r"[\w/]+/(?=[\s,;])|[\w./]+\.(?:py|md|cff|toml|txt)\b|\bLICENSE|\bMakefile", tree))
    top = {path.name + "/" * path.is_dir() for path in paths.ROOT.iterdir() if not path.name.startswith((".", "_"))}
    modules = {path.name for path in (paths.ROOT / "mnist_course").glob("[a-z]*.py")}
    ignored = {"mnist_course.egg-info/", "build/", "README.md"}
    made = {"outputs/", "my_notebooks/"}
    assert top - ignored - made <= named and modules <= named
    for name in named - made:
        folders = (paths.ROOT, paths.ROOT / "mnist_course", paths.NOTEBOOKS, paths.ROOT / "tests")
        assert any((folder / name).exists() for folder in folders), name


def test_whole_numbers_agree_with_the_stored_results():
    results = json.loads((paths.BENCHMARKS / "whole_numbers.json").read_text(encoding="utf-8"))
    section = README.split("\n## Whole numbers\n")[1].split("\n## ")[0]
    groups = [name for name, row in results["pages"].items() if isinstance(row, dict) and "digits right" in row]
    assert len(groups) == 6
    for group in groups:
        rows = [results[part][group] for part in ("pages", "pages, cut")]
        shares = [f"{100 * row[name]:.1f} %" for row in rows for name in ("digits right", "lines right")]
        assert f"| {rows[0]['digits']:,} | {' | '.join(shares)} |" in section
    turned = results["turned pages"]["all"]
    shares = [f"{100 * turned[name]:.1f} %" for name in ("digits right", "lines right")]
    assert f"| {turned['digits']:,} | {' | '.join(shares)} |" in section
    claimed = results.get("pages without digits", {}).get("all")
    assert not claimed or f"claims {claimed['digits claimed']} digits on {claimed['pages']} such pages" in section
