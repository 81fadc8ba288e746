"""Collects every notebook, with the parameters in fast_parameters.yml, when pytest meets that file; shared fixtures."""

import os
import shutil

import papermill
import pytest
import yaml
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel
from nbval.plugin import IPyNbFile

import run_course

os.environ.update(run_course.KERNEL_ENVIRONMENT)  # the kernels that pytest starts inherit it


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the notebooks with their own parameters")


def pytest_collect_file(file_path, parent):
    if file_path.name == "fast_parameters.yml":
        return FastNotebooks.from_parent(parent, path=file_path)


class FastNotebooks(pytest.File):
    """The notebooks as copies in a temporary folder; the learner's outputs/ stays out of it."""

    def collect(self):
        fast_parameters = {} if self.config.option.full else yaml.safe_load(self.path.read_text(encoding="utf-8"))
        folder = self.config._tmp_path_factory.mktemp("notebooks")
        for notebook in run_course.find_notebooks(solutions=True):
            name = notebook.relative_to(run_course.NOTEBOOKS).with_suffix("").as_posix()
            copy = folder / f"{name.replace('/', '_')}.ipynb"
            prepare(notebook, copy, dict(fast_parameters.get(notebook.stem) or {}))
            yield FastNotebook.from_parent(self, path=copy, name=name, nodeid=f"{self.nodeid}::{name}")


def prepare(notebook, copy, parameters):
    """Write a copy with other parameters by papermill's prepare step, its cells counted as in the original."""
    if "OUTPUT_DIR" in run_course.find_parameters(notebook):
        parameters["OUTPUT_DIR"] = str(copy.with_suffix(""))
        copy.with_suffix("").mkdir()
    prepared = papermill.execute_notebook(notebook, None, parameters, prepare_only=True, kernel_name="python3")
    if parameters:
        (index,) = [i for i, cell in enumerate(prepared.cells) if run_course.has_tag(cell, "injected-parameters")]
        injected = prepared.cells.pop(index)
        prepared.cells[index - 1].source += "\n" + injected.source
    run_course.write_whole(copy, run_course.nbformat.writes(prepared))


class FastNotebook(IPyNbFile):
    """nbval's notebook, run in the folder of the original and named after it."""

    def setup(self):
        self.kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME, cwd=str((run_course.NOTEBOOKS / self.name).parent))
        self.setup_sanitize_files()

    def collect(self):
        for cell in super().collect():
            cell.reportinfo = lambda cell=cell: (self.path, 0, f"{self.name}::{cell.name}")
            yield cell


@pytest.fixture
def project(tmp_path):
    """A copy of the project, as a clone would be, in which a test may write."""
    unwanted = shutil.ignore_patterns(".*", "outputs", "__pycache__", "*.egg-info")
    return shutil.copytree(run_course.ROOT, tmp_path / "project", ignore=unwanted)
