"""Run a notebook, or a training, many times with other parameters, on every core or on many machines.

    python run_sweep.py 04 -g LEARNING_RATE 0.0003 0.001 0.003 -g SEED 0 1 2 -p EPOCHS 3
    python run_sweep.py training -g recipe fast tiny -g seed 0 1 2

Everything goes to outputs/sweeps/<name>/: results.csv, summary.json, report.html, and a folder a run. The same command
goes on where it was interrupted; what is done is not done again.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import yaml

from mnist_course import paths, sweep_report, sweeps
from mnist_course.command_line import command

_BETWEEN_TABLES = 20  # seconds


def minutes(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def named(parameters):
    return ", ".join(f"{name} {value}" for name, value in parameters.items()) or "its own parameters"


def read_file(path):
    """Return the runs in a YAML file, a list of dictionaries: its list of runs, or the grid of its names and values."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML that can be read: {str(error).splitlines()[0]}.") from error
    if isinstance(content, dict):
        return sweeps.grid(**{str(name): values for name, values in content.items()})
    if isinstance(content, list) and content and all(isinstance(one, dict) for one in content):
        return content
    raise ValueError(f"{path} holds neither a list of runs, each NAME: value, nor NAME: [values].")


def choose_runs(arguments):
    """Return the runs that the arguments ask for, a list of dictionaries of parameters."""
    names = [name for name, *_ in arguments.grid] + [name for name, _ in arguments.parameters]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{twice} is given twice.")
    if lonely := next((name for name, *values in arguments.grid if not values), None):
        raise ValueError(f"-g {lonely} needs values: -g {lonely} 0 1 2.")
    combinations = sweeps.grid(**{name: values for name, *values in arguments.grid})
    listed = read_file(arguments.file) if arguments.file else [{}]
    return [dict(arguments.parameters) | one | combination for one in listed for combination in combinations]


class Display:
    """What the terminal shows: one line that is rewritten; elsewhere a line for every run that has ended."""

    def __init__(self, planned, result):
        self.planned, self.result, self.shown = planned, result, sys.stdout.isatty()
        self.written = time.monotonic()

    def watch(self, progress):
        if progress.latest:
            self.say(progress, progress.latest)
            if time.monotonic() - self.written > _BETWEEN_TABLES:
                sweep_report.write_tables(self.planned, progress.rows_in_order())
                self.written = time.monotonic()
        if self.shown:
            print(f"\r\033[K{self.line(progress)}", end="", flush=True)

    def say(self, progress, row):
        failed, start = row["status"] != "done", "\r\033[K" if self.shown else ""
        result = sweep_report.choose_result([row])
        found = row["error"] if failed else f"{result} {row['results'][result]:.6g}" if result else "done"
        ended = f"{len(progress.rows)} of {len(progress.runs)}"
        print(f"{start}{ended}: {named(row['parameters'])}: {found} ({minutes(row['seconds'])})", flush=True)

    def line(self, progress):
        rows, left = list(progress.rows.values()), progress.seconds_left()
        parts = [f"{progress.count('done')} of {len(progress.runs)} done, {progress.running} running"]
        if failed := progress.count("failed"):
            parts.append(f"{failed} failed")
        if progress.slots == 0:
            parts.append("waiting for workers")
        elif left is not None and len(rows) < len(progress.runs):
            parts.append(f"about {minutes(left)} left")
        result = sweep_report.choose_result(rows, self.result if any(row["results"] for row in rows) else None)
        if best := sweep_report.best_row(rows, result):
            parts.append(f"best {result} {best['results'][result]:.5g}")
        return ", ".join(parts)

    def end(self):
        if self.shown:
            print("\r\033[K", end="", flush=True)


def known_seconds(planned, rows):
    """Return how long a run takes, in seconds, and how that is known; None where nothing is known."""
    if done := [row["seconds"] for row in rows.values() if row["status"] == "done"]:
        return statistics.mean(done), f"as the {len(done)} that are done took"
    name = planned["work"].name
    stored = json.loads((paths.BENCHMARKS / "course_minutes.json").read_text(encoding="utf-8"))["seconds"]
    if name in stored:
        return stored[name], "as it took with its own parameters on the two cores of benchmarks/course_minutes.json"
    if name != "training":
        return None
    trained = json.loads((paths.BENCHMARKS / "seeds.json").read_text(encoding="utf-8"))
    recipes = [one["parameters"].get("recipe", "standard") for one in planned["runs"]]
    seconds = [statistics.mean(run["seconds"] for run in trained[recipe]["runs"]) for recipe in recipes]
    return statistics.mean(seconds), "as the recipes took in benchmarks/seeds.json, with their own epochs"


def show_plan(planned, workers, again):
    """Print the runs and how long what is not done will take."""
    rows = sweeps.find_rows(planned)
    waiting = 0
    for one in planned["runs"]:
        status = rows[one["identity"]]["status"] if one["identity"] in rows else "to do"
        waiting += again or status != "done"
        print(f"{status:6}  {named(one['parameters'])}")
    known = known_seconds(planned, rows)
    print(f"{len(planned['runs'])} runs, {waiting} of them to do, in {paths.shown(planned['folder'])}")
    if known and waiting:
        workers = workers or sweeps.count_cores()
        whole = known[0] * -(-waiting // workers)
        print(f"About {minutes(whole)} with {workers} at a time, if a run takes {minutes(known[0])}, {known[1]}.")


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", help="what to run: a notebook by the start of its name, such as 04, or: training")
    parser.add_argument(
        "-g", nargs="+", action="append", default=[], metavar=("NAME", "VALUE"), dest="grid",
        help="a parameter and its values; repeated, every combination is run",
    )  # fmt: skip
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="parameters",
        help="a parameter with the same value in every run; may be repeated",
    )  # fmt: skip
    parser.add_argument("--file", type=Path, metavar="GRID.YML", help="a list of runs, or NAME: [values] a line")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where runs are kept (default outputs/sweeps/)")
    parser.add_argument("--dry-run", action="store_true", help="list the runs and the time they may take")
    parser.add_argument("--again", action="store_true", help="also run what is done")
    parser.add_argument("--result", metavar="NAME", help="the key result to draw (default: the first accuracy)")
    parser.add_argument("--workers", type=int, metavar="N", help="runs at a time on this machine (default: one a core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run on a Dask cluster: tcp://host:8786")
    parser.add_argument("--retries", type=int, default=1, metavar="N", help="more tries after a death (default 1)")
    parser.add_argument("--timeout", type=int, default=3600, metavar="SECONDS", help="limit for a run (default 3600)")
    arguments = parser.parse_args(argv)
    for name, least in (("workers", 1), ("retries", 0), ("timeout", 1)):
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise ValueError(f"--{name} takes at least {least}, got {value}.")
    if arguments.scheduler and arguments.workers:
        raise ValueError("--workers is for this machine; the cluster of --scheduler has its own.")
    return arguments


@command
def main(argv=None):
    arguments = parse(argv)
    planned = sweeps.plan(arguments.work, choose_runs(arguments), arguments.folder)
    if arguments.dry_run:
        return show_plan(planned, arguments.workers, arguments.again)
    display, options = Display(planned, arguments.result), vars(arguments)
    chosen = {name: options[name] for name in ("workers", "scheduler", "retries", "timeout", "again")}
    done = sum(row["status"] == "done" for row in sweeps.find_rows(planned).values())
    print(f"{len(planned['runs'])} runs, {done} of them done before", flush=True)
    try:
        rows = sweeps.carry_out(planned, **chosen, watch=display.watch)
    except KeyboardInterrupt:
        rows = list(sweeps.find_rows(planned).values())
        report = sweep_report.write_tables(planned, rows, arguments.result)
        print(f"\nWhat is done is in {paths.shown(report)}. To go on: the same command.", file=sys.stderr)
        raise
    finally:
        display.end()
    report = sweep_report.write_tables(planned, rows, arguments.result)
    failed = sum(row["status"] == "failed" for row in rows)
    print(f"{len(rows) - failed} done, {failed} failed, {sweep_report.core_hours(rows):.3f} core-hours")
    print(f"Report: {paths.shown(report)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
