"""Key results of a notebook: lines to read, each with its number, to be read back when the notebook was executed.

Taught in notebook 10; lessons 04, 05 and 08 record theirs, and `run_sweep.py` collects them.
"""

import math
from numbers import Real

_KIND = "application/vnd.mnist-course.result+json"  # the kind of output, as Jupyter names kinds, that carries a number


def record(name, value, line=None):
    """Publish a key result: show `line`, and keep the number with it in the notebook's output.

    `name` says in a few words what was measured, once in a notebook: "validation accuracy". `value` is a number,
    Python's or NumPy's, or a str. Without `line` the name and the value are shown. Raises ValueError for a value of
    another kind.
    """
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, (Real, str)):
        raise ValueError(f"A key result is a number or a text, {name} got {type(value).__name__}.")
    line = f"{name}: {value}" if line is None else line
    kept = None if isinstance(value, float) and not math.isfinite(value) else value  # JSON has no word for nan
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(line)
    else:
        display({"text/plain": line, _KIND: {"name": name, "value": kept}}, raw=True)


def read(notebook):
    """Return what an executed notebook, given by its path or as nbformat reads it, recorded: {name: value}.

    A number that was not finite is nan.
    """
    import nbformat  # here: who only records needs none of it

    cells = notebook.cells if hasattr(notebook, "cells") else nbformat.read(notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    found = [output.data[_KIND] for output in outputs if _KIND in output.get("data", {})]
    return {entry["name"]: math.nan if entry["value"] is None else entry["value"] for entry in found}
