"""Key results: lines to read, and numbers to read back."""

import math

import IPython
import nbformat
import numpy as np
import pytest

from mnist_course import results


@pytest.fixture
def notebook(monkeypatch):
    """A notebook in which each `results.record` becomes the output of a cell, as in a kernel."""
    notebook = nbformat.v4.new_notebook()

    def display(data, raw):
        output = nbformat.v4.new_output("display_data", data=data)
        notebook.cells.append(nbformat.v4.new_code_cell(outputs=[output]))

    monkeypatch.setattr(IPython, "get_ipython", lambda: "a shell")
    monkeypatch.setattr(IPython.display, "display", display)
    return notebook


def test_what_is_recorded_is_shown_and_read_back_as_a_number(notebook, tmp_path):
    results.record("validation accuracy", np.float32(0.5), "50 % of them")
    results.record("epochs", 3)
    results.record("loss", float("nan"))
    notebook.cells.append(nbformat.v4.new_markdown_cell("Some words."))
    assert [cell.outputs[0].data["text/plain"] for cell in notebook.cells[:3]] == [
        "50 % of them",
        "epochs: 3",
        "loss: nan",
    ]
    nbformat.write(notebook, tmp_path / "executed.ipynb")
    for source in (notebook, tmp_path / "executed.ipynb"):
        read = results.read(source)
        assert list(read) == ["validation accuracy", "epochs", "loss"]
        assert read["validation accuracy"] == 0.5 and read["epochs"] == 3 and math.isnan(read["loss"])


def test_without_a_notebook_the_line_is_printed(capsys):
    results.record("validation accuracy", 0.5)
    assert capsys.readouterr().out == "validation accuracy: 0.5\n"


def test_only_numbers_and_texts_are_key_results():
    with pytest.raises(ValueError, match="A key result is a number or a text, accuracy got list"):
        results.record("accuracy", [0.5])
