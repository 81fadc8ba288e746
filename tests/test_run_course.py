"""run_course.py on small invented notebooks; test_packs.py runs it on real ones."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from invented_course import PARAMETERS, write_notebook

import run_course
from mnist_course import paths


def only_run(course):
    """The folder of the only run and its entries in summary.json by notebook."""
    (folder,) = (course / "outputs" / "course").iterdir()
    entries = json.loads((folder / "summary.json").read_text())["notebooks"]
    return folder, {entry["notebook"]: entry for entry in entries}


def test_run_executes_in_order_and_reports_key_results(course, capsys, monkeypatch):
    broken_kernel = course / "jupyter" / "kernels" / "python3" / "kernel.json"
    broken_kernel.parent.mkdir(parents=True)
    broken_kernel.write_text('{"argv": ["false"], "display_name": "Python 3", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(course / "jupyter"))
    assert run_course.main(["--fast", "--html", "-p", "NAME", "7"]) == 0
    folder, entries = only_run(course)
    assert list(entries) == ["01_make", "02_use"]
    assert entries["01_make"]["parameters"] == {"COUNT": 3, "NAME": "7"}  # NAME is declared as text
    assert entries["02_use"]["parameters"] == {}
    assert entries["01_make"]["key_results"] == ["for 7: line 0", "line 1", "line 2"]
    assert entries["02_use"]["key_results"] == ["'made by 01'"]  # 02 read what 01 wrote into the run's own folder
    assert {entry["status"] for entry in entries.values()} == {"done"}
    table = capsys.readouterr().out
    assert re.search(
        r"01_make +0:\d\d +done +for 7: line 0\n +line 1\n +line 2\n02_use +0:\d\d +done +'made by 01'", table
    )
    assert "made by 01" in (folder / "02_use.html").read_text()
    executed = (folder / "01_make.ipynb").read_text()
    assert str(course) not in executed
    streams = [output for output in json.loads(executed)["cells"][3]["outputs"] if output["output_type"] == "stream"]
    assert len(streams) == 1  # flushed three times, stored once
    assert not any(course.joinpath("outputs").glob("*.txt"))


def test_a_failure_stops_the_run_and_resume_skips_what_finished(course, capsys):
    broken = write_notebook(course / "notebooks" / "03_fails.ipynb", (PARAMETERS, "parameters"), "COUNT / 0")
    write_notebook(course / "notebooks" / "04_after.ipynb", "'after'")
    assert run_course.main(["--notebooks", "01", "03", "04", "-p", "COUNT", "4"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("03_fails stopped in cell 2, 'COUNT / 0': ZeroDivisionError")
    assert "To go on: python run_course.py --resume outputs/course/" in captured.err
    assert "Traceback" not in captured.err + captured.out
    assert re.search(r"03_fails +0:\d\d +failed\n04_after +waiting\n", captured.out)
    folder, before = only_run(course)
    assert captured.err.startswith(before["03_fails"]["error"]) and before["04_after"]["status"] == "waiting"

    stored = (folder / "01_make.ipynb").read_text()
    write_notebook(broken, (PARAMETERS, "parameters"), ("COUNT / 1", "key-result"))
    assert run_course.main(["--resume", str(folder)]) == 0
    _, entries = only_run(course)
    assert (folder / "01_make.ipynb").read_text() == stored and entries["01_make"] == before["01_make"]
    assert entries["03_fails"]["status"] == "done" and entries["03_fails"]["key_results"] == ["4.0"]
    assert entries["03_fails"]["error"] is None
    assert capsys.readouterr().out.rpartition("notebook ")[2].count("done") == 3  # the table shows the whole run


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-p", "COUMT", "3"], "These notebooks have no parameter COUMT: choose from COUNT, LOUD, NAME, RATE."),
        (
            ["-p", "OUTPUT_DIR", "x"],
            "These notebooks have no parameter OUTPUT_DIR: choose from COUNT, LOUD, NAME, RATE.",
        ),
        (["-p", "COUNT", "2.5"], "COUNT takes a value of type int, got '2.5'."),
        (["-p", "COUNT", "True"], "COUNT takes a value of type int, got 'True'."),
        (["-p", "RATE", "fast"], "RATE takes a value of type float, got 'fast'."),
        (["-p", "LOUD", "1"], "LOUD takes a value of type bool, got '1'."),
        (["--notebooks", "01", "7"], "No notebook's name starts with '7': choose from 01_make, 02_use."),
        (["--timeout", "0"], "--timeout takes at least 1 second, got 0."),
        (["--resume", "nowhere"], "nowhere is not the folder of an earlier run: give one of outputs/course/."),
        (
            ["--resume", ".", "--fast"],
            "--resume goes on as the run began: leave out --notebooks, -p, --fast and --refresh.",
        ),
        (["--refresh", "--fast"], "--refresh uses the notebooks' own parameters: leave out -p and --fast."),
    ],
)
def test_bad_arguments_are_refused_before_anything_starts(course, capsys, arguments, sentence):
    assert run_course.main(arguments) == 2
    assert capsys.readouterr().err == f"run_course.py: {sentence}\n"
    assert not (course / "outputs").exists()


def test_interrupt_is_exit_130_and_can_be_resumed(course):
    write_notebook(
        course / "notebooks" / "03_long.ipynb",
        "import pathlib, time\npathlib.Path('started').touch()",
        "time.sleep(0 if pathlib.Path('go_on').exists() else 60)",
    )
    program = (
        "import pathlib, run_course, sys\n"
        "from mnist_course import paths\n"
        "paths.NOTEBOOKS = pathlib.Path('notebooks').resolve()\n"
        "paths.OUTPUTS = pathlib.Path('outputs').resolve()\n"
        "sys.exit(run_course.main(['--notebooks', '03']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(paths.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (course / "notebooks" / "started").exists() and process.poll() is None:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "03_long was interrupted." in err and "--resume" in err and "Traceback" not in err + out
    folder, entries = only_run(course)
    assert entries["03_long"]["status"] == "interrupted"
    (course / "notebooks" / "go_on").touch()
    assert run_course.main(["--resume", str(folder)]) == 0
    assert only_run(course)[1]["03_long"]["status"] == "done"


def test_refresh_takes_a_lesson_with_its_solutions_and_leaves_what_fails_as_it_was(course, capsys):
    lesson = write_notebook(course / "notebooks" / "03_shows.ipynb", "'asked'")
    solution = write_notebook(course / "notebooks" / "solutions" / "03_shows_solutions.ipynb", "'solved'")
    failing = write_notebook(course / "notebooks" / "solutions" / "04_fails.ipynb", "'fine'", "1 / 0")
    stored = failing.read_bytes()
    assert run_course.main(["--refresh", "--notebooks", "03", "04"]) == 1
    captured = capsys.readouterr()
    assert "03_shows: refreshed in 0:" in captured.out and "03_shows_solutions: refreshed in 0:" in captured.out
    for notebook, shown in ((lesson, "'asked'"), (solution, "'solved'")):
        assert nbformat.read(notebook, as_version=4).cells[1].outputs[0].data["text/plain"] == shown
    assert "04_fails stopped in cell 2, '1 / 0': ZeroDivisionError" in captured.err
    assert failing.read_bytes() == stored
    assert list((course / "outputs").iterdir()) == []


def test_ctrl_c_in_a_refresh_is_exit_130_and_leaves_the_notebook(course, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    stored = (course / "notebooks" / "01_make.ipynb").read_bytes()
    monkeypatch.setattr(run_course.notebook_runs, "execute", interrupt)
    assert run_course.main(["--refresh", "--notebooks", "01"]) == 130
    assert capsys.readouterr().err == "\nStopped by Ctrl-C.\n"
    assert (course / "notebooks" / "01_make.ipynb").read_bytes() == stored
    assert list((course / "outputs").iterdir()) == []
