"""What a worker of a sweep does: one run in a process of its own, its outcome moved into place when it is whole.

A sweep's folder has runs/IDENTITY/ for each run that is done, runs/IDENTITY.failed/ for what is left of one that
failed, and runs/.IDENTITY-…/ while one is tried. Nothing here imports Dask or Keras.
"""

import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import filelock
import psutil

from mnist_course import paths
from mnist_course.tied import tied

GRACE = 10  # seconds beyond its time in which a run may say by itself which cell took so long
_started = {}  # of this process: {sweep: processes that run for it}
_stopped = set()  # sweeps for which nothing more is to run


def threads_environment(cores):
    """Return the environment variables that hold NumPy and TensorFlow to so many threads."""
    libraries = ("OMP", "OPENBLAS", "MKL", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    return {f"{name}_NUM_THREADS" if "TF" not in name else f"{name}_THREADS": str(cores) for name in libraries}


def carry_out_on_worker(run, share, bound, most_memory):
    """Carry out a run on the Dask worker that calls this; return the row.

    It gets `share` cores, of `bound`, a list of cores a worker, those of this one. Its memory is `most_memory` bytes,
    or with None this worker's own limit.
    """
    from distributed import get_worker

    worker = get_worker()
    known = bound and isinstance(worker.name, int) and worker.name < len(bound)
    if not most_memory and worker.memory_manager.memory_limit:
        most_memory = worker.memory_manager.memory_limit / worker.state.nthreads
    return carry_out(run, share, bound[worker.name] if known else None, most_memory)


def carry_out(run, cores=1, bound=None, most_memory=None):
    """Carry out a run unless its outcome is there; return its row, a dictionary.

    `run` is what `sweeps.run` made of it. It gets so many `cores`, on Linux those in the list `bound`, and is ended
    when its processes take more than `most_memory` bytes. The row's status is "done", "failed", "died", where another
    try can help, or "busy", where somebody else is carrying it out just now.
    """
    folder, final = Path(run["folder"]), Path(run["folder"]) / "runs" / run["identity"]
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(folder / "locks" / run["identity"]) as alone:
            if row := find_done(run, final):
                return row
            if not alone:
                return _row(run, status="busy")
            for left_over in final.parent.glob(f".{run['identity']}-*"):
                shutil.rmtree(left_over, ignore_errors=True)
            return _try_once(run, final, cores, bound, most_memory)
    except OSError as error:
        return _row(run, status="failed", error=f"{run['work']}: {error}")


def read_row(folder):
    """Return the row in a run's folder, or None when there is no whole one."""
    try:
        return json.loads((folder / "row.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def stop(sweep):
    """End what this process is running for a sweep, and start nothing more for it."""
    _stopped.add(sweep)
    for process in _started.pop(sweep, ()):
        _end(process)


def find_done(run, final):
    """Return the row of an earlier run, unless this sweep is to do it again and has not yet."""
    row = read_row(final)
    return row if row and (not run["again"] or row["sweep"] == run["sweep"]) else None


@contextlib.contextmanager
def _only_one(path):
    """Give True where no other process carries this out, as far as the file system can tell; else False."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        yield False
        return
    except NotImplementedError:  # a file system without locks: a run may be done twice, and is kept once
        pass
    try:
        yield True
    finally:
        lock.release()


def _row(run, **facts):
    kept = {name: run[name] for name in ("identity", "work", "code", "sweep", "parameters")}
    blank = {"results": {}, "status": "failed", "error": None, "seconds": 0.0, "cores": 1, "machine": platform.node()}
    return kept | blank | facts


def _try_once(run, final, cores, bound, most_memory):
    """Run it in a new folder; move that into place and return the row."""
    attempt = final.with_name(f".{run['identity']}-{uuid.uuid4().hex[:8]}")
    attempt.mkdir()
    try:
        (attempt / "run.json").write_text(json.dumps(run), encoding="utf-8")
        begin = time.monotonic()
        facts = _run_process(run, attempt, cores, bound, most_memory)
        row = _row(run, **facts, seconds=round(time.monotonic() - begin, 2), cores=cores)
        with open(attempt / "row.json", "w", encoding="utf-8") as file:
            json.dump(row | {"status": "done" if row["status"] == "done" else "failed"}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        return _move_into_place(run, row, attempt, final)
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def _move_into_place(run, row, attempt, final):
    """Rename the folder of an attempt to what it is known by; the first that is done stays."""
    failed = final.with_name(f"{final.name}.failed")
    if row["status"] != "done":
        shutil.rmtree(failed, ignore_errors=True)
        os.replace(attempt, failed)
        return row
    if run["again"] and final.exists():
        old = final.with_name(f".{final.name}-old-{uuid.uuid4().hex[:8]}")
        os.replace(final, old)
    try:
        os.replace(attempt, final)  # fails where another one stands
    except OSError:
        if not (other := read_row(final)):
            raise
        return other
    for left_over in (failed, *final.parent.glob(f".{final.name}-old-*")):
        shutil.rmtree(left_over, ignore_errors=True)
    return row


def _run_process(run, attempt, cores, bound, most_memory):
    """Run the process to its end; return status, results and error."""
    command = tied([sys.executable, *run["command"], str(attempt / "run.json")], bound)
    environment = os.environ | threads_environment(cores) | {"PYTHONPATH": str(paths.ROOT)}
    with open(attempt / "log.txt", "wb") as log:
        process = subprocess.Popen(
            command, cwd=paths.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    _started.setdefault(run["sweep"], []).append(process)
    if run["sweep"] in _stopped:
        _end(process)
    try:
        reason = _wait(process, run["timeout"], most_memory)
    finally:
        _end(process)
        if process in _started.get(run["sweep"], ()):
            _started[run["sweep"]].remove(process)
    return _outcome(run, attempt, process.returncode, reason)


def _wait(process, seconds, most_memory):
    """Wait for the end of a process; return why it was ended before, or None."""
    deadline = time.monotonic() + seconds + GRACE
    while True:
        try:
            process.wait(1)
            return None
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                return f"it took longer than {seconds} seconds"
            if most_memory and _memory(process) > most_memory:
                return f"it took more than the {most_memory / 2**30:.1f} GB of memory that a run may take here"


def _family(process):
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _memory(process):
    whole = 0
    for member in _family(process):
        with contextlib.suppress(psutil.Error):
            whole += member.memory_info().rss
    return whole


def _end(process):
    """Kill a process and all that it started."""
    if process.poll() is None:
        for member in reversed(_family(process)):
            with contextlib.suppress(psutil.Error):
                member.kill()
        process.kill()
        process.wait()


def _outcome(run, attempt, exit_code, reason):
    """Return what came of a process that has ended, from what it left in its folder."""
    if exit_code == 0 and not reason:
        return {"status": "done", "results": json.loads((attempt / "results.json").read_text(encoding="utf-8"))}
    try:
        said = json.loads((attempt / "error.json").read_text(encoding="utf-8"))
        return {"status": "died" if said["again"] else "failed", "error": said["error"]}
    except (OSError, ValueError):
        pass
    where = run["work"]
    with contextlib.suppress(OSError):
        where += f", {(attempt / 'at.txt').read_text(encoding='utf-8')}"
    if not reason and exit_code > 0:
        last = (attempt / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        return {"status": "failed", "error": f"{where}: {''.join(last) or f'exit code {exit_code}'}"}
    reason = reason or f"its process was killed (signal {-exit_code}: by somebody, or because memory ran out)"
    return {"status": "died", "error": f"{where}: {reason}"}
