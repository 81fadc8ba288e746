"""Sweeps with faults: workers and schedulers killed, full disks, runs that hang; nothing lost, nothing mixed."""

import csv
import errno
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import distributed
import filelock
import psutil
import pytest
from invented_course import write_notebook
from sweeping import WORK

import run_sweep
from mnist_course import paths, sweep_report, sweep_runs, sweep_works, sweeps


def one_run(folder, **parameters):
    (run,) = sweeps.plan(WORK, [{"SEED": 0} | parameters], folder)["runs"]
    return run | {"sweep": "this one", "again": False, "timeout": 30}


def begun(folder, ending=""):
    """The runs that were begun, or that reached their end, by seed: as often as they were."""
    return sorted(int(path.name.split("-")[0]) for path in (folder / "begun").glob(f"*{ending}"))


def left_over(folder):
    return [path.name for path in (folder / "runs").iterdir() if path.name.startswith(".")]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this took too long"
        time.sleep(0.05)


def table(folder):
    with open(folder / "results.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------- one run


def test_a_run_is_kept_and_not_done_again(tmp_path):
    run = one_run(tmp_path, SEED=7)
    row = sweep_runs.carry_out(run)
    assert row["status"] == "done" and row["results"] == {"accuracy": 0.7} and row["seconds"] > 0
    assert sweep_runs.carry_out(run) == row and begun(tmp_path) == [7]
    again = run | {"again": True, "sweep": "another"}
    assert sweep_runs.carry_out(again)["sweep"] == "another" == sweep_runs.carry_out(again)["sweep"]
    assert begun(tmp_path) == [7, 7] and left_over(tmp_path) == []


@pytest.mark.parametrize(
    "what, status, sentence",
    [
        ("fails", "failed", "fake: cell 3 failed"),
        ("dies", "died", "fake: its process was killed (signal 9: by somebody, or because memory ran out)"),
        ("hangs", "died", "fake: it took longer than 3 seconds"),
        ("fills memory", "died", "fake: it took more than the 0.2 GB of memory that a run may take here"),
    ],
)
def test_what_goes_wrong_is_told_and_said_to_be_worth_another_try_or_not(
    what, status, sentence, tmp_path, monkeypatch
):  # fmt: skip
    monkeypatch.setattr(sweep_runs, "GRACE", 0)
    run = one_run(tmp_path, WHAT=what) | {"timeout": 3 if what == "hangs" else 30}
    row = sweep_runs.carry_out(run, most_memory=200_000_000)
    assert (row["status"], row["error"]) == (status, sentence)
    (kept,) = (tmp_path / "runs").iterdir()
    assert kept.name == f"{run['identity']}.failed" and sweep_runs.read_row(kept) == row | {"status": "failed"}
    (number,) = (int(path.read_text()) for path in (tmp_path / "begun").iterdir())
    assert not psutil.pid_exists(number)


def test_a_full_disk_fails_the_run_and_leaves_what_was_there(tmp_path, monkeypatch):
    done = sweep_runs.carry_out(one_run(tmp_path, SEED=1))

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    row = sweep_runs.carry_out(one_run(tmp_path, SEED=2))
    assert row["status"] == "failed" and "No space left on device" in row["error"]
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [done["identity"]]
    assert sweep_runs.carry_out(one_run(tmp_path, SEED=2))["status"] == "done"


def test_two_that_carry_out_the_same_run_cannot_mix(tmp_path, monkeypatch):
    run = one_run(tmp_path)
    (tmp_path / "locks").mkdir()
    with filelock.FileLock(tmp_path / "locks" / run["identity"]):
        assert sweep_runs.carry_out(run)["status"] == "busy" and not (tmp_path / "begun").exists()
    row = sweep_runs.carry_out(run)
    monkeypatch.setattr(sweep_runs, "find_done", lambda *arguments: None)  # as if it had begun before the other's end
    assert sweep_runs.carry_out(run | {"sweep": "late"}) == row  # the first stays
    assert begun(tmp_path, ".ended") == [0, 0] and left_over(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the process looks for its parent twice a second")
def test_a_run_ends_with_its_worker_even_by_kill_9(tmp_path):
    program = f"from mnist_course import sweep_runs; sweep_runs.carry_out({one_run(tmp_path, WHAT='hangs')!r})"
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=paths.ROOT)
    wait_for(lambda: any(path.read_text() for path in tmp_path.glob("begun/*")))
    (number,) = (int(path.read_text()) for path in (tmp_path / "begun").iterdir())
    worker.kill()
    worker.wait()
    wait_for(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE, 5)
    assert sweep_runs.carry_out(one_run(tmp_path) | {"identity": one_run(tmp_path, WHAT="hangs")["identity"]})
    assert left_over(tmp_path) == []


def test_threads_are_held_to_the_share_of_the_cores():
    held = sweep_runs.threads_environment(2)
    assert held == dict.fromkeys(
        (
            *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
            *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
        ),
        "2",
    )


# ---------------------------------------------------------------- many runs


def kill_a_worker(progress):
    """Kill, once, the worker that carries out the run that sleeps."""
    if progress.running == 2 and not kill_a_worker.killed:
        (worker, *_) = [
            process.parent()
            for process in psutil.Process().children(recursive=True)
            if "-c" in process.cmdline() and "results.json" in " ".join(process.cmdline())
        ] or [None]
        if worker:
            kill_a_worker.killed = worker.pid
            worker.kill()


def test_a_sweep_survives_a_killed_worker_and_tells_what_failed(tmp_path, monkeypatch):
    runs = [{"SEED": seed, "SLEEP": 1.2} for seed in range(5)]
    runs += [{"SEED": 5, "WHAT": "dies once"}, {"SEED": 6, "WHAT": "fails"}, {"SEED": 7, "WHAT": "dies"}, runs[0]]
    kill_a_worker.killed = None
    rows = sweeps.run(WORK, runs, tmp_path, workers=2, watch=kill_a_worker)
    assert kill_a_worker.killed
    assert [row["parameters"]["SEED"] for row in rows] == list(range(8))
    assert [row["status"] for row in rows] == ["done"] * 6 + ["failed"] * 2
    assert [row["results"].get("accuracy") for row in rows[:6]] == [seed / 10 for seed in range(6)]
    assert rows[5]["tries"] == 2 and rows[6]["tries"] == 1 and rows[7]["tries"] == 2
    assert begun(tmp_path, ".ended") == [0, 1, 2, 3, 4, 5]  # each reached its end once
    assert all((row["folder"] / "row.json").exists() for row in rows) and left_over(tmp_path) == []
    monkeypatch.setattr(sweeps, "Cluster", None)
    assert sweeps.run(WORK, runs[:6], tmp_path) == [
        {name: value for name, value in row.items() if name != "tries"} for row in rows[:6]
    ]  # nothing is started


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "tests/sweeping.py", *map(str, arguments)],
        cwd=paths.ROOT, env=os.environ | {"PYTHONPATH": str(paths.ROOT)},
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def processes_for(folder):
    """The processes that run something for a sweep's folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if str(folder) in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def test_ctrl_c_ends_everything_and_the_same_command_goes_on(tmp_path):
    chance, kept = random.Random(0), {}
    for _ in range(2):
        process = start(tmp_path, 6, 0.5)
        wait_for(lambda: processes_for(tmp_path / "runs"))
        time.sleep(chance.uniform(0, 0.8))
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 130 and error == "\nStopped by Ctrl-C.\n", error
        assert processes_for(tmp_path) == []
        done = [row for row in tmp_path.glob("runs/*/row.json") if "." not in row.parent.name]
        kept |= {row: row.stat().st_mtime_ns for row in done}
    assert start(tmp_path, 6, 0.5).wait(timeout=120) == 0
    assert [int(row["SEED"]) for row in table(tmp_path)] == list(range(6))
    assert set(begun(tmp_path, ".ended")) == set(range(6)) and left_over(tmp_path) == []
    assert {row: row.stat().st_mtime_ns for row in kept} == kept  # what was recorded as done was not done again


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be held back here")
def test_ctrl_c_waits_until_dask_has_started(monkeypatch):
    started = []

    def start_workers(**options):
        signal.raise_signal(signal.SIGINT)
        started.append(options)

    monkeypatch.setattr(distributed, "LocalCluster", start_workers)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may not hear it
    try:
        with pytest.raises(KeyboardInterrupt):
            sweeps.Cluster(None, 1, 1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(started) == 1


def test_two_sweeps_at_once_in_one_folder_do_every_run_once(tmp_path):
    sweeping = [start(tmp_path, count, 0.3) for count in (5, 8)]
    for process in sweeping:
        assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
    assert begun(tmp_path) == begun(tmp_path, ".ended") == list(range(8))
    rows = table(tmp_path)
    assert sorted(int(row["SEED"]) for row in rows) == list(range(8)) and {row["status"] for row in rows} == {"done"}


def start_cluster(port):
    """Start a scheduler and a worker as two terminals would, and return both."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": paths.ROOT}
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", f"tcp://127.0.0.1:{port}", "--nworkers", "1", "--nthreads", "1", "--no-dashboard"]
    return [subprocess.Popen([sys.executable, "-m", "dask", *rest], **quiet) for rest in (scheduler, worker)]


def answers(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_a_scheduler_that_is_killed_and_started_again_loses_nothing(tmp_path):
    port = random.Random(os.getpid()).randrange(20_000, 30_000)
    cluster, process = start_cluster(port), None
    try:
        wait_for(lambda: answers(port))
        process = start(tmp_path, 5, 0.5, f"tcp://127.0.0.1:{port}")
        wait_for(lambda: (tmp_path / "begun").exists() and begun(tmp_path, ".ended"))
        cluster[0].kill()
        cluster[0].wait()
        cluster[1].terminate()
        cluster += start_cluster(port)
        assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
    finally:
        for member in [*cluster, *([process] if process else [])]:
            member.terminate()
    assert [int(row["SEED"]) for row in table(tmp_path)] == list(range(5))
    assert begun(tmp_path, ".ended") == list(range(5))


def test_what_a_scheduler_takes_with_it_when_it_is_lost_is_asked_for_again(tmp_path, monkeypatch):
    result, asked = distributed.Future.result, []

    def lost_once(future, *args, **how):
        asked.append(future.key)
        if len(asked) == 1:
            raise distributed.comm.CommClosedError("Stream is closed")
        return result(future, *args, **how)

    monkeypatch.setattr(distributed.Future, "result", lost_once)
    (row,) = sweeps.run(WORK, [{"SEED": 0}], tmp_path, workers=1)
    assert row["status"] == "done" and len(asked) == 2 and begun(tmp_path) == [0]


def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeps, "SECONDS_TO_ANSWER", 1)
    with pytest.raises(
        OSError, match="No Dask scheduler answers at tcp://127.0.0.1:9: start one with `dask scheduler`"
    ):
        sweeps.run(WORK, [{"SEED": 0}], tmp_path, scheduler="tcp://127.0.0.1:9")


# ---------------------------------------------------------------- parameters


def test_a_grid_is_every_combination_in_order():
    assert sweeps.grid(EPOCHS=1, RATE=[0.1, 0.2], SEED=range(2)) == [
        {"EPOCHS": 1, "RATE": rate, "SEED": seed} for rate in (0.1, 0.2) for seed in (0, 1)
    ]
    assert sweeps.grid(recipe="fast") == [{"recipe": "fast"}]


def test_a_run_is_known_by_its_code_and_its_parameters_however_they_are_written():
    def identity(work=WORK, **parameters):
        return sweeps.plan(work, [parameters])["runs"][0]["identity"]

    assert identity(SEED=1, SLEEP=1) == identity(SLEEP="1.0", SEED="1")
    known = [identity(SEED=1), identity(SEED=2), identity(SEED=1, SLEEP=0.0), identity(WORK._replace(code="x"), SEED=1)]
    assert len(set(known)) == 4


def test_the_code_of_a_work_is_all_that_it_imports(project, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", project)
    before = sweep_works.code_sha256("train_model.py")
    (project / "mnist_course" / "sheets.py").write_text("# not imported by a training")
    assert sweep_works.code_sha256("train_model.py") == before
    with open(project / "mnist_course" / "neighbours.py", "a") as file:  # imported by what a recipe imports
        file.write("# changed\n")
    assert sweep_works.code_sha256("train_model.py") != before


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["01", "-g", "COUMT", "1"], "01_make has no parameter COUMT: choose from COUNT, RATE, LOUD, NAME."),
        (["01", "-p", "OUTPUT_DIR", "x"], "01_make has no parameter OUTPUT_DIR: choose from COUNT, RATE, LOUD, NAME."),
        (["01", "-g", "COUNT", "1", "2.5"], "COUNT takes a value of type int, got '2.5'."),
        (["01", "-g", "COUNT"], "-g COUNT needs values: -g COUNT 0 1 2."),
        (["01", "-g", "COUNT", "1", "-p", "COUNT", "2"], "COUNT is given twice."),
        (["0", "-p", "COUNT", "1"], "'0' names 01_make and 02_use: a sweep repeats one notebook."),
        (["7"], "No notebook's name starts with '7': choose from 01_make, 02_use."),
        (["training", "-g", "recipe", "quick"], "There is no recipe quick: choose from "),
        (["training", "-g", "recipe", "fast", "-p", "batch_size", "64"], "The recipe fast is made for batches of 128"),
        (["01", "--file", "grid.yml"], "grid.yml holds neither a list of runs"),
        (["01", "--file", "none.yml"], "[Errno 2] No such file or directory: 'none.yml'"),
        (["01", "--workers", "0"], "--workers takes at least 1, got 0."),
        (["01", "--scheduler", "tcp://a:1", "--workers", "2"], "--workers is for this machine"),
    ],
)
def test_bad_arguments_are_refused_before_anything_starts(course, capsys, arguments, sentence):
    (course / "grid.yml").write_text("seven\n")
    assert run_sweep.main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"run_sweep.py: {sentence}")
    assert not (course / "outputs").exists()


@pytest.mark.parametrize(
    "text, runs",
    [
        ("COUNT: [1, 2]\nNAME: Ada\n", [{"COUNT": 1, "NAME": "Ada"}, {"COUNT": 2, "NAME": "Ada"}]),
        ("- {COUNT: 1}\n- {COUNT: 2, RATE: 1e-3}\n", [{"COUNT": 1}, {"COUNT": 2, "RATE": 0.001}]),
    ],
)
def test_runs_come_from_a_file_too_and_a_dry_run_starts_nothing(course, capsys, text, runs):
    (course / "grid.yml").write_text(text)
    assert run_sweep.main(["01", "--file", "grid.yml", "-p", "LOUD", "True", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == [f"to do   LOUD True, {run_sweep.named(run)}" for run in runs]
    assert lines[-1].startswith("2 runs, 2 of them to do, in ") and not (course / "outputs").exists()


# ---------------------------------------------------------------- the command and its report


def test_a_sweep_of_a_notebook_gives_a_table_a_report_and_the_executed_notebooks(course, capsys):
    write_notebook(
        course / "notebooks" / "03_scores.ipynb",
        ("RATE: float = 0.5  # a rate\nSEED: int = 0  # a seed\nOUTPUT_DIR: str = ''  # where", "parameters"),
        "from mnist_course import results\nresults.record('accuracy', RATE + SEED, f'accuracy {RATE + SEED:.1%}')",
        "import pathlib\npathlib.Path(OUTPUT_DIR, 'made.txt').write_text('by a run')\n1 / (2 - SEED)",
    )
    command = ["03", "-g", "RATE", "0.25", "-g", "SEED", "1", "2", "--workers", "2"]
    assert run_sweep.main(command) == 1
    out = capsys.readouterr().out
    assert "RATE 0.25, SEED 1: accuracy 1.25 (0:" in out
    failure = "03_scores stopped in cell 3, 'import pathlib': ZeroDivisionError: division by zero"
    assert f"RATE 0.25, SEED 2: {failure}" in out and out.splitlines()[-2].startswith("1 done, 1 failed, 0.0")
    folder = course / "outputs" / "sweeps" / "03_scores"
    good, bad = table(folder)
    assert (good["accuracy"], good["status"], good["error"]) == ("1.25", "done", "") and bad["error"] == failure
    assert (folder / good["place"]).name == "03_scores.ipynb" and (folder / bad["place"]).exists()
    assert (folder / good["place"]).with_name("made.txt").read_text() == "by a run"
    summary = json.loads((folder / "summary.json").read_text())
    assert [summary[name] for name in ("runs", "done", "failed", "waiting")] == [2, 1, 1, 0]
    assert f'href="{good["place"]}"' in (folder / "report.html").read_text()
    assert run_sweep.main(command[:-4] + ["1"]) == 0  # the first alone
    assert "1 runs, 1 of them done before" in capsys.readouterr().out


def rows_of(*values):
    """Invented rows of (rate, seed, accuracy)."""
    blank = {"status": "done", "seconds": 36.0, "cores": 1, "error": None, "machine": "here", "code": "c0de"}
    return [
        blank
        | {"identity": f"{at:016x}", "work": "fake", "parameters": {"RATE": rate, "SEED": seed, "EPOCHS": 3}}
        | {"results": {"accuracy": accuracy}}
        for at, (rate, seed, accuracy) in enumerate(values)
    ]


def test_groups_have_mean_and_standard_deviation_over_the_seeds():
    rows = rows_of((0.1, 0, 0.5), (0.1, 1, 0.7), (0.2, 0, 0.8))
    first, second = sweep_report.groups(rows)
    assert first["parameters"] == {"RATE": 0.1} and first["runs"] == 2
    assert sweep_report.spread(first["results"]["accuracy"]) == "0.60 ± 0.14"
    assert sweep_report.spread(second["results"]["accuracy"]) == "0.8"
    assert sweep_report.best_row(rows, "accuracy") == rows[2] and sweep_report.core_hours(rows) == 0.03


def test_the_report_stands_alone_and_says_in_words_what_its_picture_shows(tmp_path):
    rows = rows_of((0.1, 0, 0.5), (0.1, 1, 0.7), (0.2, 0, 0.8), (0.2, 1, float("nan")))
    planned = sweeps.plan(WORK, [{"SEED": 0}], tmp_path)
    page = sweep_report.write_tables(planned, rows).read_text()
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page and 'src="data:image/png' in page
    assert 'alt="accuracy over RATE: RATE 0.1: 0.60 ± 0.14; RATE 0.2: 0.8"' in page
    assert "<td>0.60 ± 0.14</td>" in page and "In all of them: EPOCHS 3." in page
    assert "The highest mean, 0.8, has RATE 0.2. Some settings have fewer than three runs" in page
