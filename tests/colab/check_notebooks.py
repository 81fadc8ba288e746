"""Runs every notebook as Colab would, with its versions, from an uploaded zip; started by `make test-colab`.

The kernels' Python is .venv-colab's, which holds what tests/colab_versions.txt lists and what the set-up cell installs.
"""

import os
import shutil
import subprocess
from pathlib import Path

import papermill
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from mnist_course import notebook_runs, packs, paths

PYTHON = paths.ROOT / ".venv-colab" / "bin" / "python"
STARTUP = Path(__file__).parent / "startup"
NOTEBOOKS = notebook_runs.find_notebooks(solutions=True)
INSTALLED = "install -q --no-deps -r mnist-course/mnist_course/colab_requirements.txt\n"


class ColabKernel(AsyncKernelManager):
    """A kernel of Colab's Python, which knows the course only from what the set-up cell does."""

    @property
    def kernel_spec(self):
        command = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")

    def start_kernel(self, **options):
        environment = os.environ | notebook_runs.KERNEL_ENVIRONMENT | {"PYTHONPATH": str(STARTUP)}
        options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
        return super().start_kernel(**options)


@pytest.fixture(scope="session")
def zips(clone):
    """The zips of the course as it is now, by their kind; only the teacher's has the solutions."""
    return {kind: packs.make_pack(kind, clone) for kind in ("student", "teacher")}


@pytest.fixture
def content(tmp_path, monkeypatch):
    """The folder in which Colab runs a notebook, with a stand-in for pip that only notes what it was asked for."""
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/pip.log"\n', encoding="utf-8")
    pip.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pip.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "content").mkdir()
    return tmp_path / "content"


def test_the_versions_are_those_of_colab():
    lines = (paths.ROOT / "tests" / "colab_versions.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if not line.startswith("#")]
    done = subprocess.run([PYTHON, "-m", "pip", "freeze"], capture_output=True, text=True, check=True)
    installed = {line.lower().replace("-", "_") for line in done.stdout.splitlines()}
    assert not {line.lower().replace("-", "_") for line in listed} - installed
    version = "import sys; print(*sys.version_info[:2])"
    assert subprocess.run([PYTHON, "-c", version], capture_output=True, text=True).stdout == "3 13\n"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_notebook_runs_on_colab(notebook, zips, content):
    kind = "teacher" if notebook.parent == paths.SOLUTIONS else "student"
    shutil.copy(zips[kind], content)
    executed = papermill.execute_notebook(
        str(notebook),
        str(content / notebook.name),
        notebook_runs.read_fast_parameters().get(notebook.stem) or {},
        kernel_name="python3",
        language="python",
        cwd=content,
        progress_bar=False,
        execution_timeout=1800,
        kernel_manager_class=ColabKernel,
    )
    assert (content / "mnist-course" / "mnist_helpers.py").is_file(), "the set-up cell did not take the zip"
    assert (content.parent / "pip.log").read_text(encoding="utf-8") == INSTALLED
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert not [output.text for cell in code for output in cell.outputs if output.get("name") == "stderr"]
