"""Find, parametrise, execute and refresh the course's notebooks: what run_course.py and the tests are made of.

Nothing here prints; who wants to show how far a notebook has come passes `on_cell_start`.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import nbformat
import papermill
import yaml
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from mnist_course import paths
from mnist_course.files import write_whole
from mnist_course.parameters import parse_value
from mnist_course.tied import tied

KERNEL_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # figures appear, whatever the caller draws with
    "PYTHONPATH": str(paths.ROOT),  # this copy of the course, even if another one is installed
}


class NotebookFailed(Exception):
    """A notebook stopped early; the message names the notebook, the cell and the reason.

    `again` says whether another try can help: its process died or took too long, and no cell failed.
    """

    def __init__(self, message, again=False):
        super().__init__(message)
        self.again = again


class _CourseKernel(AsyncKernelManager):
    """The interpreter that runs this file, whatever kernels are registered; it writes to the notebook only.

    It ends with this process, and where the system can it listens on files: ports are taken twice where many start.
    """

    @property
    def kernel_spec(self):
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        if sys.platform == "linux":  # elsewhere ipykernel looks by itself whether its parent has ended
            command = tied(command)
        return KernelSpec(argv=command, display_name="Python 3", language="python")

    def start_kernel(self, **options):
        options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.name == "posix":
            self.transport, self.ip = "ipc", f"{tempfile.gettempdir()}/mnist-{uuid.uuid4().hex[:16]}"
        return super().start_kernel(env=os.environ | KERNEL_ENVIRONMENT, **options)


# ---------------------------------------------------------------- notebooks and their parameters


def find_notebooks(chosen=None, solutions=False):
    """Return the numbered notebooks in order, as a list of paths, then those of the solutions if asked for.

    With `chosen`, a list of texts, only those whose names start with one of them; ValueError for a text that no name
    starts with.
    """
    notebooks = sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if solutions:
        notebooks += sorted(paths.SOLUTIONS.glob("*.ipynb"))
    for start in chosen or []:
        if not any(path.stem.startswith(start) for path in notebooks):
            names = ", ".join(path.stem for path in notebooks) or "none"
            raise ValueError(f"No notebook's name starts with {start!r}: choose from {names}.")
    return [path for path in notebooks if not chosen or path.stem.startswith(tuple(chosen))]


def find_parameters(notebook):
    """Return the parameters of a notebook as papermill sees them: {name: annotation}."""
    parameters = papermill.inspect_notebook(str(paths.shown(notebook)))
    return {name: parameter["inferred_type_name"] for name, parameter in parameters.items()}


def read_fast_parameters():
    """Return what makes the notebooks quick, {notebook name: {parameter: value}}, from fast_parameters.yml."""
    return yaml.safe_load(paths.FAST_PARAMETERS.read_text(encoding="utf-8")) or {}


def choose_parameters(notebooks, pairs, fast):
    """Return what each notebook is to receive, {notebook name: {parameter: value}}.

    `pairs` of name and text go to every notebook that has a parameter of this name, and come before the values that
    `fast` brings. ValueError for a name that no notebook has, or for a text of another type.
    """
    known = {path.stem: find_parameters(path) for path in notebooks}
    names = sorted({name for parameters in known.values() for name in parameters} - {"OUTPUT_DIR"})
    quick = read_fast_parameters() if fast else {}
    chosen = {stem: dict(quick.get(stem) or {}) for stem in known}
    for name, text in pairs:
        if name not in names:
            raise ValueError(f"These notebooks have no parameter {name}: choose from {', '.join(names) or 'none'}.")
        for stem, parameters in known.items():
            if name in parameters:
                chosen[stem][name] = parse_value(name, text, parameters[name])
    return chosen


# ---------------------------------------------------------------- cells


def has_tag(cell, tag):
    """Say whether a cell carries this tag."""
    return tag in cell.metadata.get("tags", [])


def _is_run(cell):
    """Say whether the cell is code of the notebook itself; papermill adds a cell with the parameters it was given."""
    return cell.cell_type == "code" and cell.source.strip() != "" and not has_tag(cell, "injected-parameters")


def count_cells(notebook):
    """Return how many cells of a notebook, given by its path, will run."""
    return sum(_is_run(cell) for cell in nbformat.read(notebook, as_version=4).cells)


def key_results(executed):
    """Return the printed lines and shown values of the cells tagged `key-result`."""
    cells = [cell for cell in executed.cells if has_tag(cell, "key-result")]
    outputs = [output for cell in cells for output in cell.outputs]
    texts = [output.text if "text" in output else output.data.get("text/plain", "") for output in outputs]
    return [line for text in texts for line in text.strip().splitlines()]


def code_sha256(notebook):
    """Return the SHA-256 of a notebook's code; the repository that `make colab` writes into it does not count."""
    code = json.dumps([cell.source for cell in notebook.cells if cell.cell_type == "code"])
    code = re.sub(r'(COURSE_REPOSITORY = )\\"[^"]*"', r"\1", code)
    return hashlib.sha256(code.encode()).hexdigest()


# ---------------------------------------------------------------- running


def execute(notebook, output, parameters, output_dir, timeout, on_cell_start=None):
    """Execute `notebook` into the file `output` and return it; NotebookFailed when it does not reach its end.

    A notebook that has a parameter OUTPUT_DIR gets `output_dir`, relative to the folder in which its kernel starts. A
    cell may take `timeout` seconds. `on_cell_start` is called with the number of each cell, from 1, as it starts.
    """
    for name in ("papermill", "asyncio"):  # they would repeat what NotebookFailed says
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if "OUTPUT_DIR" in find_parameters(notebook):
        parameters = {**parameters, "OUTPUT_DIR": paths.shown(output_dir, notebook.parent).as_posix()}
    first_lines = []  # of the cells that were started; the last is running

    def note_start(cell, cell_index):
        if _is_run(cell):
            first_lines.append(cell.source.strip().splitlines()[0])
            if on_cell_start:
                on_cell_start(len(first_lines))

    again = True
    try:
        return papermill.execute_notebook(
            str(paths.shown(notebook)),  # relative: papermill writes both paths into the output
            str(paths.shown(output)),
            parameters,
            kernel_name="python3",
            language="python",
            cwd=notebook.parent,
            progress_bar=False,
            execution_timeout=timeout,
            coalesce_streams=True,
            on_cell_start=note_start,
            kernel_manager_class=_CourseKernel,
        )
    except papermill.PapermillExecutionError as error:
        again, reason = False, f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        reason = f"it took longer than {timeout} seconds"
    except DeadKernelError:
        reason = "its Python process died (killed, crashed or out of memory)"
    except RuntimeError as error:  # the kernel did not start
        reason = str(error)
    first_line = first_lines[-1] if first_lines else ""
    raise NotebookFailed(f"{notebook.stem} stopped in cell {len(first_lines)}, {first_line!r}: {reason}", again)


def write_page(executed):
    """Write the HTML page of an executed notebook, given by its path, beside it."""
    from nbconvert import HTMLExporter  # here because it takes a second

    logging.getLogger("traitlets").setLevel(logging.ERROR)
    page, _ = HTMLExporter().from_filename(str(executed))
    write_whole(executed.with_suffix(".html"), page)


# ---------------------------------------------------------------- outputs in the notebooks themselves


def refresh(notebook, timeout, on_cell_start=None):
    """Execute a notebook on its own, as it is, and store the outputs in it; NotebookFailed leaves it unchanged."""
    paths.OUTPUTS.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="refresh-", dir=paths.OUTPUTS))
    try:
        executed = execute(notebook, folder / notebook.name, {}, folder, timeout, on_cell_start)
    finally:
        shutil.rmtree(folder)
    original = nbformat.read(notebook, as_version=4)
    _take_outputs(original, executed, folder.name)
    write_whole(notebook, nbformat.writes(original) + "\n")


def _take_outputs(original, executed, folder_name):
    """Put the outputs of an executed notebook into the original, and the hash of the code that made them."""
    cells = [cell for cell in executed.cells if not has_tag(cell, "injected-parameters")]
    count = 0
    for cell, executed_cell in zip(original.cells, cells, strict=True):
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [_clean_output(output, count, folder_name) for output in executed_cell.outputs]
    for left_over in ("papermill", "widgets"):
        original.metadata.pop(left_over, None)
    original.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    original.metadata["language_info"] = {"name": "python"}
    original.metadata["course"] = {"code_sha256": code_sha256(original)}


def _clean_output(output, count, folder_name):
    """Return one output as a reader's own run gives it: outputs/ for the temporary folder, no live widget."""
    if "execution_count" in output:
        output.execution_count = count
    if "data" in output:
        output.data.pop("application/vnd.jupyter.widget-view+json", None)
    texts = output if "text" in output else output.get("data", {})
    for kind in texts:
        if kind.startswith("text") and folder_name in texts[kind]:  # else the search takes minutes in a page's pictures
            texts[kind] = re.sub(rf"[^\s'\"]*{folder_name}", "outputs", texts[kind])
    return output
