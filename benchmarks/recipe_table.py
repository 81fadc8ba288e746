"""Writes the tables of recipes and of backends into README.md, from seeds, time_to_accuracy and backends.json.

    python -m benchmarks.recipe_table
"""

import json
import statistics
import sys
from itertools import pairwise, product

from scipy.stats import binomtest, ttest_ind

from benchmarks import backends, time_to_accuracy
from mnist_course import paths
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES

README = paths.ROOT / "README.md"


def percent(shares, digits):
    """Mean and, of more than one, standard deviation of shares between 0 and 1, in percent."""
    shares = [100 * share for share in shares]
    deviation = f" ± {statistics.stdev(shares):.{digits}f}" if len(shares) > 1 else ""
    return f"{statistics.mean(shares):.{digits}f}{deviation} %"


def time_words(ratios):
    """Say the mean and the range of a recipe's times relative to `standard`; a dash when they were not measured."""
    if not ratios or set(ratios) == {1}:
        return "1" if ratios else "–"
    return f"{statistics.mean(ratios):.2g} ({min(ratios):.2g} to {max(ratios):.2g})"


def table(seeds, times):
    lines = [
        "| recipe | what it is for | parameters | epochs | time | read right of 10,000 test images | own handwriting |",
        "|---|---|---|---|---|---|---|",
    ]
    epochs = {name: statistics.mean(run["epochs"] for run in seeds[name]["runs"]) for name in RECIPES}
    relative = time_to_accuracy.relative_times(times["rounds"])
    for name, recipe in RECIPES.items():
        purpose = recipe.purpose + f"; reads each image at {recipe.places} places" * (recipe.places > 1)
        runs = seeds[name]["runs"]
        time = time_words(relative.get(name, []))
        accuracy = percent([run["test_accuracy"] for run in runs], 2)
        own = percent([run["own_handwriting"] for run in runs if "own_handwriting" in run], 1)
        row = f"| `{name}` | {purpose} | {seeds[name]['parameters']:,} | {epochs[name]:.3g} | {time} | "
        lines.append(f"{row}{accuracy}, {len(runs)} seeds | {own} |")
    averaged = seeds["record"]["averaged"]
    lines.append(
        f"| | the predictions of these {len(runs)} averaged | | | | "
        f"{100 * averaged['test_accuracy']:.2f} % | {100 * averaged['own_handwriting']:.1f} % |"
    )
    return "\n".join(lines) + "\n"


def comparisons(seeds):
    """Each recipe beside the next better one: the gain, Welch's interval over seeds, McNemar's test on the networks.

    The intervals are simultaneous (Bonferroni): 95 % is the confidence that all of them hold.
    """
    lines = [
        "| from | to | gain in percentage points (95 % intervals, together) | pairs of networks told apart |",
        "|---|---|---|---|",
    ]
    accuracies = {name: [100 * run["test_accuracy"] for run in seeds[name]["runs"]] for name in RECIPES}
    pairs = list(pairwise(sorted(RECIPES, key=lambda name: statistics.mean(accuracies[name]))))
    for worse, better in pairs:
        gain = statistics.mean(accuracies[better]) - statistics.mean(accuracies[worse])
        low, high = ttest_ind(accuracies[better], accuracies[worse], equal_var=False).confidence_interval(
            1 - 0.05 / len(pairs)
        )
        verdict = "" if low > 0 else ", these data cannot tell"
        misread = [[set(run["misread"]) for run in seeds[name]["runs"]] for name in (worse, better)]
        told_apart = [binomtest(len(a - b), len(a ^ b)).pvalue < 0.05 for a, b in product(*misread) if a != b]
        row = f"| `{worse}` | `{better}` | {gain:.2f} ({low:.2f} to {high:.2f}){verdict}"
        lines.append(f"{row} | {sum(told_apart)} of {len(misread[0]) * len(misread[1])} |".replace("-", "−"))
    return "\n".join(lines) + "\n"


def readme_with_tables(readme):
    names = ("seeds", "time_to_accuracy", "backends")
    seeds, times, runs = (json.loads((paths.BENCHMARKS / f"{name}.json").read_text()) for name in names)
    tables = {"recipes": table(seeds, times), "comparisons": comparisons(seeds), "backends": backends.table(runs)}
    for name, lines in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = readme.split(begin)
        readme = before + begin + lines + end + rest.split(end)[1]
    return readme


@command
def main(argv=None):
    README.write_text(readme_with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
