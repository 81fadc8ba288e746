"""What does the engine of run_sweep.py cost? Times sweeps of equal runs with more and more workers.

    python -m benchmarks.sweep_efficiency
    python -m benchmarks.sweep_efficiency --sleeping-only --store

Sleeping runs measure the engine's share: with N workers there are four runs each, of so many seconds. Real runs are 24
trainings of the recipe `fast` for one epoch, with one and with two workers, a core each, and 3 runs of notebook 02
beside the same ones by papermill in a loop. Efficiency is the time of the runs one after the other, divided by N times
that of the sweep, from the first run's begin to the last one's end; the start of the workers is told apart. Needs a
machine that does nothing else.
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


def measure_sleeping(seconds):
    """Return {workers: times and efficiency} of sleeping runs."""
    measured = {}
    for workers in (1, 4, 16, 64):
        runs = sweeps.grid(SEED=range(4 * workers), SECONDS=seconds)
        starting, whole = time_sweep(SLEEPING, runs, workers)
        efficiency = round(len(runs) * seconds / (workers * whole), 3)
        measured[workers] = {"runs": len(runs), "start": starting, "seconds": whole, "efficiency": efficiency}
        print(f"{workers:2} workers, {len(runs)} runs of {seconds} s: {whole} s, efficiency {efficiency}", flush=True)
    return measured


def measure_real(count):
    """Return the times of trainings with one worker on one core, and with two on two."""
    runs, cores, seconds = sweeps.grid(recipe="fast", epochs=1, seed=range(count)), sorted(os.sched_getaffinity(0)), {}
    for workers in (1, 2):
        os.sched_setaffinity(0, cores[:workers])
        seconds[workers] = time_sweep("training", runs, workers)[1]
        print(f"{workers} workers, {count} trainings: {seconds[workers]} s", flush=True)
    os.sched_setaffinity(0, cores)
    return {"runs": count, "seconds": seconds, "efficiency": round(seconds[1] / (2 * seconds[2]), 3)}


def measure_papermill(count):
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


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="that a sleeping run sleeps (default 20)")
    parser.add_argument("--sleeping-only", action="store_true", help="measure the engine's share alone")
    parser.add_argument("--store", action="store_true", help="for maintainers: replace the stored results")
    arguments = parser.parse_args(argv)
    given = " ".join(sys.argv[1:] if argv is None else argv)
    measured = {"command": f"python -m benchmarks.sweep_efficiency {given}".rstrip(), **measured_on()}
    measured["load before"] = round(os.getloadavg()[0], 1)
    measured["sleeping"] = {"seconds a run": arguments.seconds, **measure_sleeping(arguments.seconds)}
    if not arguments.sleeping_only:
        measured |= {"trainings": measure_real(24), "beside papermill": measure_papermill(3)}
    if arguments.store:
        RESULTS.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
