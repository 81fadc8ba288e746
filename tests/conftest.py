"""Collects the notebooks, with the parameters in fast_parameters.yml, and shares the machine; shared fixtures."""

import os
import shutil

import nbformat
import papermill
import pytest
from invented_course import write_course
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel
from nbval.plugin import IPyNbFile

from mnist_course import notebook_runs, packs, paths

LONGEST_FIRST = ("test_commands.py", "test_packs.py", ".ipynb", "test_mnist_helpers.py", "test_run_course.py")
# Several processes begin with these files, and fill up with the short ones, so that none ends long after the others.

os.environ.update(notebook_runs.KERNEL_ENVIRONMENT)  # the kernels that pytest starts inherit it


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the notebooks only, with their own parameters")


def pytest_configure(config):
    config.pluginmanager.register(NotebookCollector())  # a hook in this file would only see what lies in tests/
    if hasattr(config, "workerinput") and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        number = int(config.workerinput["workerid"].removeprefix("gw"))
        os.sched_setaffinity(0, {cores[number % len(cores)]})  # TensorFlow then starts one thread, not one a core


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        items.sort(key=place_in_line)


def place_in_line(item):
    file = item.nodeid.split("::")[0]
    return next((place for place, end in enumerate(LONGEST_FIRST) if file.endswith(end)), len(LONGEST_FIRST))


def pytest_ignore_collect(config):
    return config.option.full or None  # this hook is asked about the files in tests/ only


class NotebookCollector:
    """Gives each .ipynb in notebooks/ to nbval, as a copy in a temporary folder: the learner's outputs/ stays out."""

    def pytest_collect_file(self, file_path, parent):
        notebook = file_path.resolve()
        if notebook not in notebook_runs.find_notebooks(solutions=True):
            return None
        name = notebook.relative_to(paths.NOTEBOOKS)
        copy = parent.config._tmp_path_factory.mktemp(name.stem) / name.name
        parameters = {} if parent.config.option.full else notebook_runs.read_fast_parameters().get(name.stem) or {}
        prepare(notebook, copy, parameters)
        return Notebook.from_parent(parent, path=copy, folder=notebook.parent, nodeid=f"notebooks/{name.as_posix()}")


def prepare(notebook, copy, parameters):
    """Write a copy with other parameters by papermill's prepare step, its cells counted as in the original."""
    if "OUTPUT_DIR" in notebook_runs.find_parameters(notebook):
        parameters = {**parameters, "OUTPUT_DIR": str(copy.with_suffix(""))}
        copy.with_suffix("").mkdir()
    prepared = papermill.execute_notebook(notebook, None, parameters, prepare_only=True, kernel_name="python3")
    if parameters:
        (index,) = [i for i, cell in enumerate(prepared.cells) if notebook_runs.has_tag(cell, "injected-parameters")]
        injected = prepared.cells.pop(index)
        prepared.cells[index - 1].source += "\n" + injected.source
    nbformat.write(prepared, copy)


class Notebook(IPyNbFile):
    """nbval's notebook, run in the folder of the original; only cells tagged nbval-check-output are compared."""

    def __init__(self, *, folder, **options):
        super().__init__(**options)
        self.folder = folder
        self.compare_outputs = False

    def setup(self):
        self.kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME, cwd=str(self.folder))
        self.setup_sanitize_files()

    def collect(self):
        for cell in super().collect():
            cell.reportinfo = lambda cell=cell: (self.path, 0, cell.nodeid)
            yield cell


@pytest.fixture
def project(tmp_path):
    """A copy of the project, as a clone would be, in which a test may write."""
    unwanted = shutil.ignore_patterns(".*", "outputs", "my_notebooks", "__pycache__", "*.egg-info")
    return shutil.copytree(paths.ROOT, tmp_path / "project", ignore=unwanted)


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """The course's files, without what git ignores, in a folder where packs may be made."""
    root = tmp_path_factory.mktemp("clone") / "course"
    for name in packs.find_files():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.ROOT / name, root / name)
    return root


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder that is taken for the course's: two small notebooks, more for a test to add."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(paths, "SOLUTIONS", tmp_path / "notebooks" / "solutions")
    monkeypatch.setattr(paths, "MY_NOTEBOOKS", tmp_path / "my_notebooks")
    monkeypatch.setattr(paths, "FAST_PARAMETERS", tmp_path / "notebooks" / "fast_parameters.yml")
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.chdir(tmp_path)
    write_course(paths.NOTEBOOKS)
    return tmp_path
