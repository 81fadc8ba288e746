"""README and model card say what was measured, and name what exists."""

import hashlib
import json
import re
import statistics

import pytest

import mnist_helpers as mh

README = (mh.ROOT / "README.md").read_text(encoding="utf-8")
CARD = (mh.ROOT / "models" / "README.md").read_text(encoding="utf-8")
SEEDS = json.loads((mh.ROOT / "benchmarks" / "seeds.json").read_text(encoding="utf-8"))


def percent(share):
    return f"{100 * share:.2f} %"


def test_results_table_agrees_with_the_stored_results():
    accuracies = [row["test_accuracy"] for row in SEEDS]
    mean, deviation = statistics.mean(accuracies), statistics.stdev(accuracies)
    assert f"| mean of {len(SEEDS)} seeds | {percent(mean)} ± {100 * deviation:.2f} |" in README
    for row in SEEDS:
        low, high = (100 * end for end in row["test_interval"])
        expected = (
            f"| seed {row['seed']} | {percent(row['test_accuracy'])} | {low:.2f} to {high:.2f} % | "
            f"{percent(row['validation_accuracy'])} | {row['best_epoch']} of {row['epochs']} |"
        )
        assert expected in CARD


def test_card_describes_the_shipped_weights():
    assert hashlib.sha256(mh.SHIPPED_WEIGHTS.read_bytes()).hexdigest() in CARD
    shipped = SEEDS[0]
    assert shipped["seed"] == 0 and f"**{percent(shipped['test_accuracy'])}** of the test images" in CARD
    assert shipped["test_accuracy"] >= 0.991


@pytest.mark.parametrize("text", [README, CARD], ids=["README", "models/README"])
def test_links_lead_somewhere(text):
    folder = mh.ROOT if text is README else mh.ROOT / "models"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (folder / target).exists(), target


def test_every_notebook_and_make_target_is_named():
    for notebook in sorted((mh.ROOT / "notebooks").glob("*.ipynb")):
        assert f"notebooks/{notebook.name}" in README
    targets = set(re.findall(r"^([a-z-]+):.*##", (mh.ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for named in re.findall(r"`make ([a-z-]+)", README):
        assert named in targets, named
