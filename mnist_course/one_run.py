"""Carry out one run of a sweep in its folder: what mnist_course.sweep_runs starts in a process of its own.

    python -m mnist_course.one_run RUN.json

Leaves results.json, {name: number}, or error.json: a sentence, and whether another try can help.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from mnist_course import paths, sweep_works
from mnist_course.tied import tied


class _Failed(Exception):
    """The run did not reach its end: a sentence, and whether another try can help."""

    def __init__(self, sentence, again=False):
        super().__init__(sentence)
        self.again = again


def _run_notebook(run, folder):
    """Execute the notebook into the folder; return what it recorded."""
    from mnist_course import notebook_runs, results  # here: they take seconds, and a training needs none of it

    notebook = paths.ROOT / run["source"]
    executed = folder / notebook.name

    def note_cell(number):
        (folder / "at.txt").write_text(f"cell {number}", encoding="utf-8")

    try:
        notebook_runs.execute(notebook, executed, run["parameters"], folder, run["timeout"], note_cell)
    except notebook_runs.NotebookFailed as error:
        raise _Failed(str(error), error.again) from error
    return results.read(executed)


def _train(run, folder):
    """Train into the folder; return what the training log says of the epoch whose weights were kept."""
    arguments = sweep_works.training_arguments(run["parameters"])
    arguments += ["--output-dir", os.path.relpath(folder, paths.ROOT)]
    done = subprocess.run(
        tied([sys.executable, run["source"], *arguments]), cwd=paths.ROOT, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        if done.returncode < 0:
            raise _Failed(f"training: its process was killed (signal {-done.returncode})", again=True)
        raise _Failed(f"training: {said}")
    with open(folder / paths.LOG_NAME, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = min(range(len(rows)), key=lambda epoch: float(rows[epoch]["val_loss"]))
    return {
        "validation accuracy": float(rows[best]["val_accuracy"]),
        "validation loss": float(rows[best]["val_loss"]),
        "best epoch": best + 1,
        "epochs": len(rows),
    }


def main(path):
    run, folder = json.loads(Path(path).read_text(encoding="utf-8")), Path(path).parent
    carry_out = _train if run["work"] == sweep_works.TRAINING else _run_notebook
    try:
        if sweep_works.code_sha256(run["source"]) != run["code"]:
            raise _Failed(f"{run['work']}: the course's code here is not the code with which the sweep began")
        found = carry_out(run, folder)
    except (_Failed, OSError, ValueError) as error:
        failure = {"error": str(error), "again": getattr(error, "again", False)}
        (folder / "error.json").write_text(json.dumps(failure), encoding="utf-8")
        return 1
    (folder / "results.json").write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
