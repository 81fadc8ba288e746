"""What a sweep can repeat: a notebook, or a training by train_model.py. Their parameters and their code."""

import ast
import hashlib
import json
import os
from typing import NamedTuple

from mnist_course import paths
from mnist_course.parameters import parse_value
from mnist_course.recipes import RECIPES

TRAINING = "training"
_TRAINING_PARAMETERS = {
    "recipe": "str",
    "seed": "int",
    "epochs": "int",
    "learning_rate": "float",
    "patience": "int",
    "batch_size": "int",
}


class Work(NamedTuple):
    """What is repeated; `find_work` makes one."""

    name: str  # the notebook's, or "training"
    source: str  # the notebook or command, from the course's folder
    parameters: dict  # {name: type as a word, or None where the notebook does not say}
    code: str  # the SHA-256 of all that decides what comes out of a run
    command: tuple  # what Python runs, before the path of a file with the run's particulars


def find_work(start):
    """Return the work that `start` names: "training", or a notebook by the start of its name, such as "04".

    ValueError when it names none, or more than one.
    """
    command = ("-m", "mnist_course.one_run")
    if start == TRAINING:
        return Work(TRAINING, "train_model.py", _TRAINING_PARAMETERS, code_sha256("train_model.py"), command)
    from mnist_course import notebook_runs  # here and below: it takes seconds, and a training needs none of it

    notebook, *others = notebook_runs.find_notebooks([start])
    if others:
        raise ValueError(f"{start!r} names {notebook.stem} and {others[0].stem}: a sweep repeats one notebook.")
    kinds = {name: kind for name, kind in notebook_runs.find_parameters(notebook).items() if name != "OUTPUT_DIR"}
    source = os.path.relpath(notebook, paths.ROOT)
    return Work(notebook.stem, source, kinds, code_sha256(source), command)


def code_sha256(source):
    """Return the SHA-256 of a notebook's or command's code and of all the course's modules that it imports.

    `source` is a path from the course's folder. What those import counts too.
    """
    path = paths.ROOT / source
    if path.suffix == ".ipynb":
        import nbformat

        from mnist_course import notebook_runs

        notebook = nbformat.read(path, as_version=4)
        own = notebook_runs.code_sha256(notebook).encode()
        waiting = _imported("\n".join(_python(cell) for cell in notebook.cells if cell.cell_type == "code"))
    else:
        own = path.read_bytes()
        waiting = _imported(own.decode())
    found = set()
    while waiting - found:
        module = (waiting - found).pop()
        found.add(module)
        waiting |= _imported(module.read_text(encoding="utf-8"))
    return hashlib.sha256(own + b"".join(module.read_bytes() for module in sorted(found))).hexdigest()


def _python(cell):
    """Return the source of a cell, empty where it is no plain Python."""
    try:
        ast.parse(cell.source)
    except SyntaxError:
        return ""
    return cell.source


def _imported(text):
    """Return the files of the course that a text of Python imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = {paths.ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("mnist_")}
    return {file for file in files if file.is_file()}


def check_parameters(work, parameters):
    """Return the parameters of one run with every value as its type says; ValueError for an unknown or mistyped one.

    A text may stand for a number, as on a command line.
    """
    checked = {}
    for name, value in parameters.items():
        if name not in work.parameters:
            known = ", ".join(work.parameters) or "none"
            raise ValueError(f"{work.name} has no parameter {name}: choose from {known}.")
        value = value.item() if hasattr(value, "item") else value
        if not isinstance(value, (int, float, str, bool, type(None))):
            raise ValueError(f"{name} takes one number or text a run, got {value!r}.")
        kind = work.parameters[name]
        if isinstance(value, float) and kind in ("int", "bool"):
            raise ValueError(f"{name} takes a value of type {kind}, got {value!r}.")
        checked[name] = parse_value(name, str(value), kind)
    if work.name == TRAINING:
        _check_training(checked)
    return checked


def _check_training(parameters):
    recipe = parameters.get("recipe", "standard")
    if recipe not in RECIPES:
        raise ValueError(f"There is no recipe {recipe}: choose from {', '.join(RECIPES)}.")
    if "batch_size" in parameters and recipe != "standard":
        raise ValueError(f"The recipe {recipe} is made for batches of 128: leave out batch_size.")


def training_arguments(parameters):
    """Return what train_model.py is given for these parameters, a list of texts."""
    return [text for name, value in parameters.items() for text in (f"--{name.replace('_', '-')}", str(value))]


def identify(work, parameters):
    """Return what a run is known by: the same for the same code and parameters, 16 letters and digits."""
    whole = json.dumps([work.name, work.code, sorted(parameters.items())])
    return hashlib.sha256(whole.encode()).hexdigest()[:16]
