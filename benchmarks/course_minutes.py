"""How long does each notebook take? Copies the times of a whole run of the course to benchmarks/course_minutes.json.

    python run_course.py
    python -m benchmarks.course_minutes outputs/course/2026-11-22_18-00-00

Give the folder of a run with the notebooks' own parameters, made on a machine that did nothing else.
"""

import argparse
import datetime
import json
import sys
from pathlib import Path

from benchmarks.measured_on import measured_on
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")


def measured(folder):
    """Return {notebook: seconds} of the run in `folder`; ValueError when it is no whole run as the notebooks are."""
    try:
        entries = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["notebooks"]
        unfinished = [entry["notebook"] for entry in entries if entry["status"] != "done"]
        changed = [entry["notebook"] for entry in entries if entry["parameters"]]
        seconds = {entry["notebook"]: entry["seconds"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is not the folder of a run: give one of outputs/course/.") from error
    if unfinished:
        raise ValueError(f"{folder} did not finish {', '.join(unfinished)}: go on with run_course.py --resume.")
    if changed:
        raise ValueError(f"{folder} ran {', '.join(changed)} with other parameters: give a run without --fast and -p.")
    return seconds


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of a run, in outputs/course/")
    folder = parser.parse_args(argv).folder
    seconds = measured(folder)
    results = {
        "command": "python run_course.py",
        "date": datetime.date.fromtimestamp((folder / "summary.json").stat().st_mtime).isoformat(),
        **measured_on(),
        "seconds": seconds,
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for notebook, time in seconds.items():
        print(f"{notebook}: {time:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
