"""Writes the table of recipes into README.md, from seeds.json and time_to_accuracy.json.

python benchmarks/recipe_table.py
"""

import json
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- recipes -->\n", "<!-- /recipes -->"
PURPOSES = {
    "standard": "the course's specification",
    "fast": "the shortest way to 99 %",
    "robust": "other people's handwriting",
    "tiny": "at most 10,000 parameters",
    "record": "at most 330,000 parameters; reads each image at five places",
}


def percent(shares, digits):
    """Mean and, of more than one, standard deviation of shares between 0 and 1, in percent."""
    shares = [100 * share for share in shares]
    deviation = f" ± {statistics.stdev(shares):.{digits}f}" if len(shares) > 1 else ""
    return f"{statistics.mean(shares):.{digits}f}{deviation} %"


def table(seeds, times):
    lines = [
        "| recipe | what it is for | parameters | epochs | time | read right of 10,000 test images | own handwriting |",
        "|---|---|---|---|---|---|---|",
    ]
    epochs = {name: statistics.mean(run["epochs"] for run in seeds[name]["runs"]) for name in PURPOSES}
    seconds = {name: epochs[name] * times["seconds_an_epoch"][name] for name in PURPOSES}
    for name, purpose in PURPOSES.items():
        runs, time = seeds[name]["runs"], seconds[name] / seconds["standard"]
        accuracy = percent([run["test_accuracy"] for run in runs], 2)
        own = percent([run["own_handwriting"] for run in runs if "own_handwriting" in run], 1)
        row = f"| `{name}` | {purpose} | {seeds[name]['parameters']:,} | {epochs[name]:.3g} | {time:.2g} | "
        lines.append(f"{row}{accuracy}, {len(runs)} seeds | {own} |")
    averaged = seeds["record"]["averaged"]
    lines.append(
        f"| | the predictions of these {len(runs)} averaged | | | {len(runs) * time:.2g} | "
        f"{100 * averaged['test_accuracy']:.2f} % | {100 * averaged['own_handwriting']:.1f} % |"
    )
    return "\n".join(lines) + "\n"


def readme_with_table(readme):
    results = [json.loads((ROOT / "benchmarks" / name).read_text()) for name in ("seeds.json", "time_to_accuracy.json")]
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table(*results) + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(readme_with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
