"""Finding, parametrising, executing and refreshing notebooks, on small invented ones."""

import nbformat
import pytest
from invented_course import PARAMETERS, write_notebook
from papermill.cli import _resolve_type

from mnist_course import notebook_runs, parameters


def test_notebooks_are_found_in_order_and_solutions_only_when_asked_for(course):
    folder = course / "notebooks"
    for name in ("10_last", "03_third", "solutions/03_third_solutions"):
        write_notebook(folder / f"{name}.ipynb", "1")
    write_notebook(folder / "Untitled.ipynb", "'of the learner, no lesson'")
    lessons = [folder / f"{name}.ipynb" for name in ("01_make", "02_use", "03_third", "10_last")]
    solutions = [folder / "solutions" / "03_third_solutions.ipynb"]
    assert notebook_runs.find_notebooks() == lessons
    assert notebook_runs.find_notebooks(solutions=True) == lessons + solutions
    assert notebook_runs.find_notebooks(["03", "01_m"], solutions=True) == [lessons[0], lessons[2], *solutions]
    with pytest.raises(ValueError, match="No notebook's name starts with '7': choose from 01_make, 02_use, 03_third"):
        notebook_runs.find_notebooks(["01", "7"])


def test_fast_takes_the_quick_parameters_and_a_pair_has_the_last_word(course):
    notebooks = notebook_runs.find_notebooks()
    assert notebook_runs.choose_parameters(notebooks, [], fast=False) == {"01_make": {}, "02_use": {}}
    chosen = notebook_runs.choose_parameters(notebooks, [("COUNT", "5")], fast=True)
    assert chosen == {"01_make": {"COUNT": 5, "NAME": "Grace"}, "02_use": {}}
    (course / "notebooks" / "fast_parameters.yml").write_text("# none yet\n")
    assert notebook_runs.choose_parameters(notebooks, [], fast=True) == {"01_make": {}, "02_use": {}}


@pytest.mark.parametrize(
    "text, annotation", [("3", "int"), ("-1", "int"), ("2.5", "float"), ("1e-3", "float"), ("True", "bool")]
)
def test_values_are_read_as_papermill_reads_them(text, annotation):
    value = parameters.parse_value("X", text, annotation)
    assert value == _resolve_type(text) and type(value).__name__ == annotation


def test_a_whole_number_is_a_float_and_a_number_a_text_where_that_is_declared():
    assert parameters.parse_value("X", "1", "float") == 1.0
    assert parameters.parse_value("X", "7", "str") == "7"


@pytest.mark.parametrize(
    ("name", "cells", "timeout", "sentence"),
    [
        (
            "03_fails",
            ["fine = 1", "\nvalue = 1\nvalue / 0", "'never'"],
            60,
            "03_fails stopped in cell 2, 'value = 1': ZeroDivisionError: division by zero",
        ),
        (
            "03_dies",
            [(PARAMETERS, "parameters"), "import os\nos._exit(0)"],
            60,
            "03_dies stopped in cell 2, 'import os': its Python process died (killed, crashed or out of memory)",
        ),
        (
            "03_slow",
            ["import time", "time.sleep(60)"],
            1,
            "03_slow stopped in cell 2, 'time.sleep(60)': it took longer than 1 seconds",
        ),
        ("03_exits", ["'fine'", "import sys\nsys.exit('No.')"], 60, "03_exits stopped in cell 2, 'import sys': System"),
    ],
)
def test_a_failure_names_notebook_and_cell_and_the_reason(course, capfd, name, cells, timeout, sentence):
    notebook = write_notebook(course / "notebooks" / f"{name}.ipynb", *cells)
    started = []
    with pytest.raises(notebook_runs.NotebookFailed) as failure:
        notebook_runs.execute(notebook, course / "out.ipynb", {}, course, timeout, started.append)
    assert str(failure.value).startswith(sentence)
    assert started == [1, 2] and notebook_runs.count_cells(notebook) == len(cells)
    assert capfd.readouterr() == ("", "")


def test_code_hash_sees_every_change_of_code_but_not_the_repository():
    def code_hash(*sources):
        return notebook_runs.code_sha256(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources))))

    setup = 'COURSE_REPOSITORY = ""  # owner/name\nimport os'
    assert code_hash(setup, "1") == code_hash(setup.replace('""', '"ada/mnist-course"'), "1")
    hashes = [code_hash(setup, "1"), code_hash(setup, "2"), code_hash(setup + " ", "1"), code_hash(setup + "\n1")]
    assert len(set(hashes)) == 4


def test_refresh_stores_outputs_as_a_fresh_clone_shows_them(course):
    notebook = write_notebook(
        course / "notebooks" / "03_shows.ipynb",
        (PARAMETERS, "parameters"),
        "import pathlib\nfolder = pathlib.Path(OUTPUT_DIR)\nprint(folder / 'file.h5', folder.resolve() / 'x', COUNT)",
        "print('a', flush=True)\nprint('b', flush=True)\n1 + 1",
    )
    before = nbformat.read(notebook, as_version=4)
    before.metadata.update(papermill={"duration": 1.0}, widgets={"state": {}})
    nbformat.write(before, notebook)
    notebook_runs.refresh(notebook, timeout=60)
    after = nbformat.read(notebook, as_version=4)
    assert [(cell.id, cell.source, cell.metadata) for cell in before.cells] == [
        (cell.id, cell.source, cell.metadata) for cell in after.cells
    ]
    assert [cell.execution_count for cell in after.cells[1:]] == [1, 2, 3]
    assert after.cells[2].outputs[0].text == "outputs/file.h5 outputs/x 2\n"
    stream, result = after.cells[3].outputs
    assert stream.text == "a\nb\n" and result.data["text/plain"] == "2" and result.execution_count == 3
    assert set(after.metadata) == {"kernelspec", "language_info", "course"}
    assert after.metadata.course.code_sha256 == notebook_runs.code_sha256(after)
    assert after.metadata.kernelspec.name == "python3"
    assert list((course / "outputs").iterdir()) == []
    stored = notebook.read_bytes()
    notebook_runs.refresh(notebook, timeout=60)
    assert notebook.read_bytes() == stored  # the same code gives the same file
