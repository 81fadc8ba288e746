"""What does the engine of run_sweep.py cost? Times sweeps of equal runs with more and more workers.

    python -m benchmarks.sweep_efficiency                all three
    python -m benchmarks.sweep_efficiency trainings

`sleeping` measures the engine's share: with N workers there are four runs each, of so many seconds. `trainings` are
those of the recipe `fast` for one epoch: 8 with one worker on one core, then with two on two, three times in turn.
`papermill` are 3 runs of notebook 02 beside the same ones by papermill in a loop. Efficiency is the time of the runs
one after the other, divided by N times that of the sweep, from the first run's begin to the last one's end; the start
of the workers is told apart. Needs a machine that does nothing else. Each part replaces its own results.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measured_on import measured_on
from mnist_course import paths, sweep_runs, sweep_works, sweeps
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
_SLEEP = """
import json, pathlib, sys, time
path = pathlib.Path(sys.argv[1])
time.sleep(json.loads(path.read_text())["parameters"]["SECONDS"])
(path.parent / "results.json").write_text("{}")
"""
SLEEPING = sweep_works.Work("sleeping", "", {"SEED": "int", "SECONDS": "float"}, "of this file", ("-c", _SLEEP))


def time_sweep(work, runs, workers):
    """Return how long a sweep took in seconds: its workers' start, and from then to the end of the last run."""
    began = []

    def watch(progress):
        if progress.running and not began:
            began.append(time.monotonic())

    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        rows = sweeps.run(work, runs, folder, workers=workers, watch=watch)
        ended = max(Path(row["folder"], "row.json").stat().st_mtime for row in rows)
    assert all(row["status"] == "done" for row in rows), rows
    return round(began[0] - start, 1), round(time.monotonic() - (time.time() - ended) - began[0], 2)


def measure_sleeping(seconds=20):
    """Return {workers: times and efficiency} of sleeping runs."""
    measured = {"seconds a run": seconds}
    for workers in (1, 4, 16, 64):
        runs = sweeps.grid(SEED=range(4 * workers), SECONDS=seconds)
        starting, whole = time_sweep(SLEEPING, runs, workers)
        efficiency = round(len(runs) * seconds / (workers * whole), 3)
        measured[workers] = {"runs": len(runs), "start": starting, "seconds": whole, "efficiency": efficiency}
        print(f"{workers:2} workers, {len(runs)} runs of {seconds} s: {whole} s, efficiency {efficiency}", flush=True)
    return measured


def measure_trainings(count=8, rounds=3):
    """Return the times of trainings with one worker on one core, and with two on two, round by round."""
    runs, cores, measured = sweeps.grid(recipe="fast", epochs=1, seed=range(count)), sorted(os.sched_getaffinity(0)), []
    for _ in range(rounds):
        seconds = {}
        for workers in (1, 2):
            os.sched_setaffinity(0, cores[:workers])
            seconds[workers] = time_sweep("training", runs, workers)[1]
        measured.append({"seconds": seconds, "efficiency": round(seconds[1] / (2 * seconds[2]), 3)})
        print(f"{count} trainings: {measured[-1]}", flush=True)
    os.sched_setaffinity(0, cores)
    return {"runs": count, "rounds": measured}


def measure_papermill(count=3):
    """Return seconds a run of notebook 02, by papermill in a loop and by a sweep with one worker, on one core."""
    notebook, parameters = "02_how_a_network_learns", {"EPOCHS": 1}
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    environment = os.environ | sweep_runs.threads_environment(1)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            subprocess.run(
                ["papermill", f"notebooks/{notebook}.ipynb", f"{folder}/{seed}.ipynb", "-p", "SEED", str(seed)]
                + [text for name, value in parameters.items() for text in ("-p", name, str(value))],
                cwd=paths.ROOT, check=True, stderr=subprocess.DEVNULL, env=environment,
            )  # fmt: skip
    loop = (time.monotonic() - begin) / count
    swept = time_sweep("02", sweeps.grid(SEED=range(count), **parameters), 1)[1] / count
    print(f"a run of notebook 02: {loop:.1f} s by papermill, {swept:.1f} s in a sweep", flush=True)
    return {"runs": count, "papermill": round(loop, 2), "sweep": round(swept, 2), "ratio": round(swept / loop, 3)}


PARTS = {"sleeping": measure_sleeping, "trainings": measure_trainings, "papermill": measure_papermill}


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", choices=PARTS, help="what to measure (default all three)")
    only = parser.parse_args(argv).part
    for part in [only] if only else PARTS:
        about = {"command": f"python -m benchmarks.sweep_efficiency {part}", **measured_on()}
        about["load before"] = round(os.getloadavg()[0], 1)
        measured = about | PARTS[part]()
        results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        RESULTS.write_text(json.dumps(results | {part: measured}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
