"""run_course.py on small invented notebooks, and once on the course itself."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest

import run_course

PARAMETERS = """COUNT: int = 2  # how many lines to print
RATE: float = 0.5  # a rate
LOUD: bool = False  # shout
NAME: str = "Ada"  # whom to greet
OUTPUT_DIR: str = ""  # empty: the course's outputs/ folder"""


def write_notebook(path, *cells):
    """Write a notebook; a cell is its source, or (source, tag)."""
    pairs = [cell if isinstance(cell, tuple) else (cell, None) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {path.stem}")])
    for source, tag in pairs:
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {}))
    notebook.metadata.kernelspec = {"display_name": "Other", "language": "python", "name": "not-installed-anywhere"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder that run_course takes for the course's: two good notebooks, more for a test to add."""
    monkeypatch.setattr(run_course, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(run_course, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setattr(run_course, "FAST_PARAMETERS", tmp_path / "fast_parameters.yml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fast_parameters.yml").write_text("01_make: {COUNT: 1}\n")
    write_notebook(
        tmp_path / "notebooks" / "01_make.ipynb",
        (PARAMETERS, "parameters"),
        (
            "print('for', NAME, end=': ')\nfor number in range(COUNT):\n    print('line', number, flush=True)",
            "key-result",
        ),
        "import pathlib\npathlib.Path(OUTPUT_DIR, 'made.txt').write_text('made by 01')",
    )
    write_notebook(
        tmp_path / "notebooks" / "02_use.ipynb",
        ('OUTPUT_DIR: str = ""  # empty: the course\'s outputs/ folder', "parameters"),
        ("import pathlib\npathlib.Path(OUTPUT_DIR, 'made.txt').read_text()", "key-result"),
    )
    return tmp_path


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
    assert run_course.main(["--html", "-p", "COUNT", "3", "-p", "NAME", "7"]) == 0
    folder, entries = only_run(course)
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


def test_fast_takes_the_quick_parameters_and_p_has_the_last_word(course):
    assert run_course.main(["--fast", "--notebooks", "01"]) == 0
    folder, entries = only_run(course)
    assert list(entries) == ["01_make"] and entries["01_make"]["parameters"] == {"COUNT": 1}
    chosen = run_course.choose_parameters(run_course.find_notebooks(["01"]), [("COUNT", "5")], fast=True)
    assert chosen == {"01_make": {"COUNT": 5}}


@pytest.mark.parametrize(
    ("name", "cells", "sentence"),
    [
        (
            "03_fails",
            ["fine = 1", "\nvalue = 1\nvalue / 0"],
            "03_fails stopped in cell 2, 'value = 1': ZeroDivisionError",
        ),
        (
            "03_dies",
            [(PARAMETERS, "parameters"), "import os\nos._exit(0)"],
            "03_dies stopped in cell 2, 'import os': its Py",
        ),
        (
            "03_slow",
            ["import time", "time.sleep(60)"],
            "03_slow stopped in cell 2, 'time.sleep(60)': it took longer than 2",
        ),
        ("03_exits", ["import sys\nsys.exit('No.')"], "03_exits stopped in cell 1, 'import sys': SystemExit: No."),
    ],
)
def test_failures_name_notebook_and_cell_and_stop_the_run(course, capsys, name, cells, sentence):
    write_notebook(course / "notebooks" / f"{name}.ipynb", *cells)
    write_notebook(course / "notebooks" / "04_after.ipynb", "print('never')")
    assert run_course.main(["--notebooks", "03", "04", "--timeout", "2"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert "Traceback" not in captured.err + captured.out
    assert re.search(rf"{name} +0:\d\d +failed\n04_after +waiting\n", captured.out)
    _, entries = only_run(course)
    assert entries[name]["error"].startswith(sentence)
    assert entries["04_after"]["status"] == "waiting"


def test_resume_skips_what_finished_and_keeps_the_parameters(course, capsys):
    broken = write_notebook(course / "notebooks" / "03_fails.ipynb", (PARAMETERS, "parameters"), "COUNT / 0")
    assert run_course.main(["-p", "COUNT", "4"]) == 1
    folder, before = only_run(course)
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


def test_values_are_read_as_papermill_reads_them():
    from papermill.cli import _resolve_type

    for text, annotation in [("3", "int"), ("-1", "int"), ("2.5", "float"), ("1e-3", "float"), ("True", "bool")]:
        value = run_course.parse_value("X", text, annotation)
        assert value == _resolve_type(text) and type(value).__name__ == annotation
    assert run_course.parse_value("X", "1", "float") == 1.0


def test_interrupt_is_exit_130_and_can_be_resumed(course):
    write_notebook(
        course / "notebooks" / "03_long.ipynb",
        "import pathlib, time\npathlib.Path('started').touch()",
        "time.sleep(0 if pathlib.Path('go_on').exists() else 60)",
    )
    program = (
        "import pathlib, run_course, sys\n"
        "run_course.NOTEBOOKS = pathlib.Path('notebooks').resolve()\n"
        "run_course.OUTPUTS = pathlib.Path('outputs').resolve()\n"
        "sys.exit(run_course.main(['--notebooks', '03']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=course,
        env=os.environ | {"PYTHONPATH": str(run_course.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (course / "notebooks" / "started").exists() and process.poll() is None:
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "03_long was interrupted." in err and "--resume" in err and "Traceback" not in err + out
    folder, entries = only_run(course)
    assert entries["03_long"]["status"] == "interrupted"
    (course / "notebooks" / "go_on").touch()
    assert run_course.main(["--resume", str(folder)]) == 0
    assert only_run(course)[1]["03_long"]["status"] == "done"


def test_refresh_stores_outputs_as_a_fresh_clone_shows_them(course):
    notebook = write_notebook(
        course / "notebooks" / "03_shows.ipynb",
        (PARAMETERS, "parameters"),
        "import pathlib\nfolder = pathlib.Path(OUTPUT_DIR)\nprint(folder / 'file.h5', folder.resolve() / 'x', COUNT)",
        "print('a', flush=True)\nprint('b', flush=True)\n1 + 1",
    )
    solution = write_notebook(course / "notebooks" / "solutions" / "03_shows.ipynb", "'solved'")
    before = nbformat.read(notebook, as_version=4)
    before.metadata.update(papermill={"duration": 1.0}, widgets={"state": {}})
    nbformat.write(before, notebook)
    assert run_course.main(["--refresh", "--notebooks", "03"]) == 0
    after = nbformat.read(notebook, as_version=4)
    assert [(cell.id, cell.source, cell.metadata) for cell in before.cells] == [
        (cell.id, cell.source, cell.metadata) for cell in after.cells
    ]
    assert [cell.execution_count for cell in after.cells[1:]] == [1, 2, 3]
    assert after.cells[2].outputs[0].text == "outputs/file.h5 outputs/x 2\n"
    stream, result = after.cells[3].outputs
    assert stream.text == "a\nb\n" and result.data["text/plain"] == "2" and result.execution_count == 3
    assert set(after.metadata) == {"kernelspec", "language_info", "course"}
    assert after.metadata.course.code_sha256 == run_course.code_sha256(after)
    assert after.metadata.kernelspec.name == "python3"
    assert nbformat.read(solution, as_version=4).cells[1].outputs[0].data["text/plain"] == "'solved'"
    assert list((course / "outputs").iterdir()) == []
    stored = notebook.read_bytes()
    assert run_course.main(["--refresh", "--notebooks", "03"]) == 0
    assert notebook.read_bytes() == stored  # the same code gives the same file


def test_refresh_leaves_a_notebook_that_fails_as_it_was(course, capsys):
    notebook = write_notebook(course / "notebooks" / "03_fails.ipynb", "'fine'", "1 / 0")
    stored = notebook.read_bytes()
    assert run_course.main(["--refresh", "--notebooks", "03"]) == 1
    assert "03_fails stopped in cell 2, '1 / 0': ZeroDivisionError" in capsys.readouterr().err
    assert notebook.read_bytes() == stored
    assert list((course / "outputs").iterdir()) == []


def test_code_hash_sees_every_change_of_code_but_not_the_repository():
    def code_hash(*sources):
        return run_course.code_sha256(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources))))

    setup = 'COURSE_REPOSITORY = ""  # owner/name\nimport os'
    assert code_hash(setup, "1") == code_hash(setup.replace('""', '"ada/mnist-course"'), "1")
    hashes = [code_hash(setup, "1"), code_hash(setup, "2"), code_hash(setup + " ", "1"), code_hash(setup + "\n1")]
    assert len(set(hashes)) == 4


def test_the_whole_course_runs_fast(project, tmp_path):
    """The command as a user types it, from another folder, on the real notebooks."""
    environment = os.environ | {"MPLBACKEND": "agg"}
    command = [sys.executable, str(project / "run_course.py"), "--fast", "--html"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    folder = (tmp_path / re.search(r"Everything is in (.*)", result.stdout)[1]).resolve()
    entries = json.loads((folder / "summary.json").read_text())["notebooks"]
    assert [entry["notebook"] for entry in entries] == [path.stem for path in run_course.find_notebooks()]
    for entry in entries:
        assert entry["status"] == "done" and entry["key_results"], entry
        executed = nbformat.read(folder / f"{entry['notebook']}.ipynb", as_version=4)
        pictures = [
            out for cell in executed.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})
        ]
        assert pictures, f"{entry['notebook']} shows no figure"
        assert (folder / f"{entry['notebook']}.html").stat().st_size > 100_000
    assert (folder / "mnist_cnn.weights.h5").exists()
    assert [path.name for path in (project / "outputs").iterdir()] == ["course"]
