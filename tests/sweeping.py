"""A sweep in a process of its own, of runs that take a fraction of a notebook's time: for test_sweeps.py.

python tests/sweeping.py FOLDER RUNS SECONDS [SCHEDULER]
"""

import sys

from mnist_course import sweep_report, sweep_works, sweeps
from mnist_course.command_line import command

FAKE = """
import json, os, pathlib, sys, time, uuid
path = pathlib.Path(sys.argv[1])
run = json.loads(path.read_text())
chosen = run["parameters"]
begun = pathlib.Path(run["folder"], "begun", f"{chosen['SEED']}-{uuid.uuid4().hex}")
first = not list(begun.parent.glob(f"{chosen['SEED']}-*"))
begun.parent.mkdir(exist_ok=True)
begun.write_text(str(os.getpid()))
what = chosen.get("WHAT", "works")
if what == "fails":
    sys.exit("cell 3 failed")
if what == "dies" or what == "dies once" and first:
    os.kill(os.getpid(), 9)
if what == "fills memory":
    kept = b"x" * 400_000_000
time.sleep(60 if what in ("hangs", "fills memory") else chosen.get("SLEEP", 0.0))
(path.parent / "results.json").write_text(json.dumps({"accuracy": chosen["SEED"] / 10}))
begun.rename(begun.with_name(begun.name + ".ended"))
"""  # a run that tells when it began and ended, in a fraction of the time of a notebook
WORK = sweep_works.Work("fake", "fake.py", {"SEED": "int", "SLEEP": "float", "WHAT": "str"}, "c0de", ("-c", FAKE))


@command
def main(argv=None):
    folder, count, seconds, *scheduler = argv or sys.argv[1:]
    planned = sweeps.plan(WORK, sweeps.grid(SEED=range(int(count)), SLEEP=float(seconds)), folder)
    rows = sweeps.carry_out(planned, scheduler=scheduler[0] if scheduler else None, workers=2)
    sweep_report.write_tables(planned, rows)


if __name__ == "__main__":
    sys.exit(main())
