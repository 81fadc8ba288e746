"""Many runs of a notebook or a training, on every core or on many machines: what run_sweep.py is made of.

Notebook 10 uses `grid`. Dask hands the runs to its workers; `mnist_course.sweep_runs` carries them out.
"""

import collections
import contextlib
import itertools
import logging
import os
import queue
import signal
import statistics
import time
import uuid
from multiprocessing import resource_tracker
from pathlib import Path

from mnist_course import paths, sweep_runs, sweep_works

_LONGEST_LOST = 60  # seconds in which a scheduler that was lost may come back
SECONDS_TO_ANSWER = 10  # seconds in which a scheduler has to answer at first
_MOST_LOST = 3  # workers that a run may lose, and still be handed to another
_LOOK = 0.5  # seconds between two looks at the clock and the workers
_CALM = {  # what Dask's own processes need not do beside runs that want the cores
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.allowed-failures": 0,  # what a lost worker did is handed out here, to one that is free
    "distributed.scheduler.active-memory-manager.start": False,
}


def grid(**values):
    """Return every combination of the values, a list of dictionaries, the last name varying fastest. In notebook 10.

    A value is one number or text, or a list, tuple, range or array of them: `grid(EPOCHS=1, SEED=range(3))`.
    """
    lists = [[one] if isinstance(one, str) or not hasattr(one, "__iter__") else one for one in values.values()]
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*lists)]


def plan(work, runs, folder=None):
    """Return what a sweep is to do, a dictionary: the work, its folder, and in "runs" a dictionary a run, each once.

    `work` is "training", the start of a notebook's name, or a `sweep_works.Work`; `runs` is a list of dictionaries of
    parameters. ValueError for parameters that the work does not have, or of another type.
    """
    work = sweep_works.find_work(work) if isinstance(work, str) else work
    folder = Path(folder or paths.OUTPUTS / "sweeps" / work.name).resolve()
    planned = {}
    for parameters in runs:
        parameters = sweep_works.check_parameters(work, parameters)
        identity = sweep_works.identify(work, parameters)
        planned[identity] = {
            **{"identity": identity, "work": work.name, "source": work.source, "code": work.code},
            **{"command": list(work.command), "parameters": parameters, "folder": str(folder)},
        }
    if not planned:
        raise ValueError("A sweep needs at least one run.")
    return {"work": work, "folder": folder, "runs": list(planned.values())}


def find_rows(planned):
    """Return the rows of a plan's runs that lie in its folder, {identity: row}, done or failed."""
    rows = {}
    for run in planned["runs"]:
        done = planned["folder"] / "runs" / run["identity"]
        row = sweep_runs.read_row(done) or sweep_runs.read_row(done.with_name(f"{done.name}.failed"))
        if row:
            rows[run["identity"]] = row
    return rows


def run(work, runs, folder=None, **options):
    """Carry out what is not done yet of some runs, side by side; return a row each, in their order.

    `work`, `runs` and `folder` are as for `plan`: `run("04", grid(LEARNING_RATE=[0.001, 0.003], SEED=range(3)))`; the
    options and what is returned are those of `carry_out`.
    """
    return carry_out(plan(work, runs, folder), **options)


def carry_out(planned, *, workers=None, scheduler=None, retries=1, timeout=3600, again=False, watch=None):
    """Carry out what is not done yet of a plan, side by side; return a row each, in their order.

    A row is a dictionary: "parameters", "results" (what the notebook recorded, {name: number}), "status" ("done" or
    "failed"), "error" (a sentence, or None), "seconds", "cores", and "folder", the path of what the run left: the
    executed notebook, weights. With `again`, what is done is done once more.

    One run a core at a time, or so many `workers`; or on the cluster of a Dask `scheduler`, "tcp://host:8786". A run
    whose process dies or takes longer than `timeout` seconds is tried `retries` times more, one with a failing cell is
    not. `watch` is called after each change and twice a second with what is known: its `runs`, `rows` by identity,
    how many are `running`, and `latest`, the row of a run that has just ended, else None. Ctrl-C ends what is running;
    the same call goes on. OSError when the scheduler cannot be reached or stays lost.
    """
    sweep = uuid.uuid4().hex
    rows = {} if again else {key: row for key, row in find_rows(planned).items() if row["status"] == "done"}
    waiting = [one for one in planned["runs"] if one["identity"] not in rows]
    progress = _Progress(planned, rows, watch or (lambda progress: None))
    if waiting:
        details = {"sweep": sweep, "again": again, "timeout": timeout}
        workers = workers or count_cores()
        cluster = Cluster(scheduler, workers, min(workers, len(waiting)))
        try:
            _carry_out_all([one | details for one in waiting], cluster, retries, progress)
        finally:
            cluster.close(sweep)
    progress.tell()
    return progress.rows_in_order()


class _Progress:
    """How far a sweep has come."""

    def __init__(self, planned, rows, watch):
        self.folder, self.work, self.runs = planned["folder"], planned["work"], planned["runs"]
        self.rows, self.watch, self.latest = dict(rows), watch, None
        self.running, self.slots = 0, 1

    def add(self, row):
        """Note a row of a run that has ended for good."""
        self.rows[row["identity"]] = self.latest = row
        self.tell()
        self.latest = None

    def tell(self):
        """Call the watcher."""
        self.watch(self)

    def count(self, status):
        """Return how many runs are "done" or "failed"."""
        return sum(row["status"] == status for row in self.rows.values())

    def seconds_left(self):
        """Return an estimate from the runs that are done, or None before the first of them."""
        seconds = [row["seconds"] for row in self.rows.values() if row["status"] == "done"]
        if not seconds:
            return None
        return statistics.mean(seconds) * (len(self.runs) - len(self.rows)) / max(self.slots, 1)

    def rows_in_order(self):
        """Return the rows known by now in the order of the plan, each with the path of its folder."""
        found = [self.rows[one["identity"]] for one in self.runs if one["identity"] in self.rows]
        endings = {"done": "", "failed": ".failed"}
        return [row | {"folder": self.folder / "runs" / f"{row['identity']}{endings[row['status']]}"} for row in found]


# ---------------------------------------------------------------- workers


def count_cores():
    """Return how many cores this process may use."""
    return len(_cores())


def _cores():
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count()))


@contextlib.contextmanager
def _deaf_to_ctrl_c():
    """Let what is started here, threads and their processes, never hear Ctrl-C, where the system can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # or the first process that is started does, and lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Cluster:
    """A Dask cluster of this machine's cores, or the one of a scheduler that runs somewhere."""

    def __init__(self, scheduler, workers, needed):
        try:
            import dask
            import distributed
        except ImportError as error:
            raise OSError("A sweep needs Dask: python -m pip install distributed") from error
        self.distributed, self.scheduler, self.cluster, self.loop = distributed, scheduler, None, None
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # a lost worker is no news here
        cores = _cores()
        self.share, self.bound, self.most_memory = 1, None, None
        if not scheduler:
            self.share = max(1, len(cores) // workers)
            if hasattr(os, "sched_setaffinity") and workers * self.share <= len(cores):
                self.bound = [cores[at * self.share : (at + 1) * self.share] for at in range(workers)]
            self.most_memory = int(distributed.system.MEMORY_LIMIT / workers)
            self.loop = distributed.utils.LoopRunner()
            with _deaf_to_ctrl_c(), dask.config.set(_CALM):  # Ctrl-C waits: Dask cannot end what has half begun
                self.loop.start()  # the workers that this thread starts are deaf too: the sweep ends them
                self.cluster = distributed.LocalCluster(
                    n_workers=needed, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL, memory_limit=None, loop=self.loop.loop,
                )  # fmt: skip
        self.client = None
        self.connect(SECONDS_TO_ANSWER)

    def connect(self, seconds):
        """Connect to the scheduler; OSError when that does not answer in so many seconds."""
        if self.client:
            self.client.close(timeout=1)
        address = self.cluster or self.scheduler
        try:
            self.client = self.distributed.Client(address, timeout=seconds, set_as_default=False)
        except (OSError, ValueError) as error:
            message = f"No Dask scheduler answers at {self.scheduler}: start one with `dask scheduler`, then try again."
            raise OSError(message) from error

    def slots(self):
        """Return how many runs the workers can take at a time; 0 while there is no worker or no scheduler."""
        if self.client.status != "running":
            return 0
        try:
            return sum(self.client.nthreads().values())
        except (OSError, RuntimeError, ValueError, TypeError, AttributeError):
            return 0

    def reconnect(self):
        """Wait for a scheduler that was lost; OSError when it does not come back."""
        deadline = time.monotonic() + _LONGEST_LOST
        while self.client.status == "closed":
            if time.monotonic() > deadline:
                lost = f"The scheduler at {self.scheduler} was lost"
                raise OSError(f"{lost}. What is done is kept: start it, and repeat the command.")
            try:
                self.connect(5)
            except OSError:
                time.sleep(1)

    def submit(self, run):
        """Hand a run to a worker that is free; return Dask's future of its row."""
        shares = self.share, self.bound, self.most_memory
        key = f"run-{run['identity']}-{uuid.uuid4().hex[:8]}"
        return self.client.submit(sweep_runs.carry_out_on_worker, run, *shares, key=key, pure=False)

    def close(self, sweep):
        """End what still runs for a sweep, and what this started."""
        try:
            if self.client and self.client.status == "running":
                self.client.run(sweep_runs.stop, sweep, on_error="ignore")
                self.client.close(timeout=2)
        except Exception:  # whatever Dask says of workers that are gone: they end by themselves
            pass
        finally:
            if self.cluster:
                with contextlib.suppress(TimeoutError):
                    self.cluster.close(timeout=10)
                self.loop.stop()


# ---------------------------------------------------------------- the runs of a sweep


def _carry_out_all(waiting, cluster, retries, progress):
    """Keep every worker busy until each run is done or has failed for good."""
    waiting, ended, running = [(one, 0) for one in waiting], queue.SimpleQueue(), {}
    later = []  # (when, run, tries): somebody else is carrying it out
    workers_lost = collections.Counter()
    looked = 0.0
    while waiting or running or later:
        now = time.monotonic()
        if now - looked > _LOOK:
            looked, progress.slots = now, cluster.slots()
            waiting += [entry[1:] for entry in later if entry[0] <= now]
            later = [entry for entry in later if entry[0] > now]
            progress.tell()
        while waiting and len(running) < progress.slots:
            one, tries = waiting.pop(0)
            future = cluster.submit(one)
            running[future] = one, tries
            future.add_done_callback(ended.put)
        progress.running = len(running)
        try:
            future = ended.get(timeout=_LOOK)
        except queue.Empty:
            cluster.reconnect()
            lost = [future for future in running if future.status in ("cancelled", "lost")]
        else:
            lost = [future] if future in running and future.status in ("cancelled", "lost") else []
            if future in running and not lost:
                one, tries = running.pop(future)
                row = _row_of(future, one)
                if row["status"] == "busy":
                    later.append((time.monotonic() + 1, one, tries))
                elif row["status"] == "lost" and workers_lost[one["identity"]] < _MOST_LOST:
                    workers_lost[one["identity"]] += 1
                    waiting.insert(0, (one, tries))
                    looked = 0.0  # or it would go to the place of the worker that is no more
                elif row["status"] == "died" and tries < retries:
                    waiting.append((one, tries + 1))
                else:
                    row["status"] = "done" if row["status"] == "done" else "failed"
                    progress.running = len(running)
                    progress.add(row | {"tries": tries + 1})
        waiting[:0] = [running.pop(future) for future in lost]


def _row_of(future, run):
    """Return the row that a worker returned, or one that says what went wrong with the worker."""
    try:
        error = future.exception()
        if error is None:
            return future.result()
        lost = type(error).__name__ == "KilledWorker"
    except OSError as gone:  # the scheduler was lost before it could hand over what the worker returned
        error, lost = gone, True
    said = f"the worker could not begin ({type(error).__name__}: {error})"
    said = "its worker, or the scheduler, was lost several times" if lost else said
    row = {"results": {}, "seconds": 0.0, "cores": 1, "machine": "", "error": f"{run['work']}: {said}"}
    kept = {name: run[name] for name in ("identity", "work", "code", "sweep", "parameters")}
    return kept | row | {"status": "lost" if lost else "failed"}
