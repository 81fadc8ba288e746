"""README and model card say what was measured, and name what exists."""

import hashlib
import json
import re
import statistics

import pytest

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


@pytest.mark.parametrize("name", ["mnist_cnn.weights.h5", "mnist_robust.weights.h5", "mnist_robust.tflite"])
def test_card_names_the_shipped_files(name):
    digest = hashlib.sha256((paths.ROOT / "models" / name).read_bytes()).hexdigest()
    assert f"| `{name}` |" in CARD and digest in CARD


def test_own_handwriting_agrees_with_the_stored_results():
    results = json.loads((paths.BENCHMARKS / "own_digits.json").read_text(encoding="utf-8"))["read right"]
    for group in ("all", "tuned on", "not tuned on", "photos"):
        number, *shares = results[group].values()
        assert f"| {number} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |" in README


def test_letters_and_scribbles_agree_with_the_stored_results():
    results = json.loads((paths.BENCHMARKS / "not_digits.json").read_text(encoding="utf-8"))
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
    assert top - ignored - {"outputs/"} <= named and modules <= named
    for name in named - {"outputs/"}:
        folders = (paths.ROOT, paths.ROOT / "mnist_course", paths.NOTEBOOKS, paths.ROOT / "tests")
        assert any((folder / name).exists() for folder in folders), name
