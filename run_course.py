"""Run the course: execute the numbered notebooks in order and report what each of them found.

Every run has its own folder, outputs/course/<time>/: the executed notebooks, the weights they trained, summary.json.
"""

import argparse
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import papermill
import yaml
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent
NOTEBOOKS = ROOT / "notebooks"
OUTPUTS = ROOT / "outputs"
FAST_PARAMETERS = ROOT / "tests" / "fast_parameters.yml"
TYPES = {"int": int, "float": float, "bool": bool, "str": str}
KERNEL_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # figures appear, whatever the caller draws with
    "PYTHONPATH": str(ROOT),  # this copy of the course, even if another one is installed
}


class NotebookFailed(Exception):
    """A notebook stopped early; the message names the notebook, the cell and the reason."""


class CourseKernel(AsyncKernelManager):
    """The interpreter that runs this file, whatever kernels are registered; it writes to the notebook only."""

    @property
    def kernel_spec(self):
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")

    def start_kernel(self, **options):
        options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return super().start_kernel(env=os.environ | KERNEL_ENVIRONMENT, **options)


def find_notebooks(chosen=None, solutions=False):
    """Return the numbered notebooks in order, or only those whose names start with one of `chosen`."""
    notebooks = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")) + sorted(NOTEBOOKS.glob("solutions/*.ipynb")) * solutions
    for start in chosen or []:
        if not any(path.stem.startswith(start) for path in notebooks):
            names = ", ".join(path.stem for path in notebooks) or "none"
            raise ValueError(f"No notebook's name starts with {start!r}: choose from {names}.")
    return [path for path in notebooks if not chosen or path.stem.startswith(tuple(chosen))]


def find_parameters(notebook):
    """Return the parameters of a notebook as papermill sees them: {name: annotation}."""
    parameters = papermill.inspect_notebook(os.path.relpath(notebook))
    return {name: parameter["inferred_type_name"] for name, parameter in parameters.items()}


def parse_value(name, text, annotation):
    """Return the value that papermill's own -p makes of `text`; ValueError when its type is not the annotated one."""
    value = {"True": True, "False": False, "None": None}.get(text, text)
    for number in (int, float):
        if isinstance(value, str):
            try:
                value = number(value)
            except ValueError:
                pass
    if annotation == "float" and type(value) is int or annotation == "str":
        value = TYPES[annotation](text)
    if type(value) is not TYPES.get(annotation, type(value)):
        raise ValueError(f"{name} takes a value of type {annotation}, got {text!r}.")
    return value


def choose_parameters(notebooks, pairs, fast):
    """Return what each notebook is to receive, {notebook name: {parameter: value}}; ValueError for an unknown name."""
    known = {path.stem: find_parameters(path) for path in notebooks}
    names = sorted({name for parameters in known.values() for name in parameters} - {"OUTPUT_DIR"})
    quick = yaml.safe_load(FAST_PARAMETERS.read_text(encoding="utf-8")) if fast else {}
    chosen = {stem: dict(quick.get(stem) or {}) for stem in known}
    for name, text in pairs:
        if name not in names:
            raise ValueError(f"These notebooks have no parameter {name}: choose from {', '.join(names) or 'none'}.")
        for stem, parameters in known.items():
            if name in parameters:
                chosen[stem][name] = parse_value(name, text, parameters[name])
    return chosen


def minutes(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def has_tag(cell, tag):
    return tag in cell.metadata.get("tags", [])


def is_run(cell):
    """Whether the cell is code of the notebook itself; papermill adds a cell with the parameters it was given."""
    return cell.cell_type == "code" and cell.source.strip() != "" and not has_tag(cell, "injected-parameters")


class Progress:
    """A line on the terminal with notebook, cell and elapsed time; it remembers the running cell for error messages."""

    def __init__(self, notebook):
        self.name = notebook.stem
        self.cells = sum(is_run(cell) for cell in nbformat.read(notebook, as_version=4).cells)
        self.cell, self.first_line = 0, ""
        self.started = time.monotonic()
        self.finished = threading.Event()
        self.line = threading.Thread(target=self.rewrite_line if sys.stdout.isatty() else self.write_start)

    def __enter__(self):
        self.line.start()
        return self

    def __exit__(self, *error):
        self.finished.set()
        self.line.join()

    def write_start(self):
        print(f"{self.name}: {self.cells} cells", flush=True)

    def rewrite_line(self):
        while not self.finished.wait(0.5):
            print(f"\r{self.name}: cell {self.cell} of {self.cells}, {minutes(self.seconds())} ", end="", flush=True)
        print("\r\033[K", end="", flush=True)

    def seconds(self):
        return time.monotonic() - self.started

    def start_cell(self, cell, cell_index):
        if is_run(cell):
            self.cell += 1
            self.first_line = cell.source.strip().splitlines()[0]


def execute(notebook, output, parameters, output_dir, timeout, progress):
    """Execute `notebook` into the file `output` and return it; NotebookFailed when it does not reach its end.

    A notebook that has a parameter OUTPUT_DIR gets `output_dir`, relative to the folder in which its kernel starts.
    """
    for name in ("papermill", "asyncio"):  # they would repeat what NotebookFailed says
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if "OUTPUT_DIR" in find_parameters(notebook):
        parameters = {**parameters, "OUTPUT_DIR": Path(os.path.relpath(output_dir, notebook.parent)).as_posix()}
    try:
        return papermill.execute_notebook(
            os.path.relpath(notebook),  # relative: papermill writes both paths into the output
            os.path.relpath(output),
            parameters,
            kernel_name="python3",
            language="python",
            cwd=notebook.parent,
            progress_bar=False,
            execution_timeout=timeout,
            coalesce_streams=True,
            on_cell_start=progress.start_cell,
            kernel_manager_class=CourseKernel,
        )
    except papermill.PapermillExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        reason = f"it took longer than {timeout} seconds"
    except DeadKernelError:
        reason = "its Python process died (killed, crashed or out of memory)"
    except RuntimeError as error:  # the kernel did not start
        reason = str(error)
    raise NotebookFailed(f"{notebook.stem} stopped in cell {progress.cell}, {progress.first_line!r}: {reason}")


def key_results(executed):
    """Return the printed lines and shown values of the cells tagged `key-result`."""
    cells = [cell for cell in executed.cells if has_tag(cell, "key-result")]
    outputs = [output for cell in cells for output in cell.outputs]
    texts = [output.text if "text" in output else output.data.get("text/plain", "") for output in outputs]
    return [line for text in texts for line in text.strip().splitlines()]


def write_whole(path, text):
    """Write so that the file is at every moment the old one or the new one."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_page(executed):
    """Write the HTML page of an executed notebook beside it."""
    from nbconvert import HTMLExporter  # here because it takes a second

    logging.getLogger("traitlets").setLevel(logging.ERROR)
    page, _ = HTMLExporter().from_filename(str(executed))
    write_whole(executed.with_suffix(".html"), page)


def run(folder, entries, timeout, html):
    """Execute what is not done yet, stop at the first failure, keep summary.json up to date; return the exit code."""
    exit_code = 0
    write_whole(folder / "summary.json", json.dumps({"notebooks": entries}, indent=2))
    for entry in (entry for entry in entries if entry["status"] != "done"):
        name = f"{entry['notebook']}.ipynb"
        with Progress(NOTEBOOKS / name) as progress:
            try:
                executed = execute(NOTEBOOKS / name, folder / name, entry["parameters"], folder, timeout, progress)
                entry.update(status="done", key_results=key_results(executed), error=None)
            except NotebookFailed as error:
                entry.update(status="failed", error=str(error))
                exit_code = 1
            except KeyboardInterrupt:
                entry.update(status="interrupted", error=None)
                exit_code = 130
        entry["seconds"] = round(progress.seconds(), 1)
        print(f"{entry['notebook']}: {entry['status']} after {minutes(entry['seconds'])}", flush=True)
        write_whole(folder / "summary.json", json.dumps({"notebooks": entries}, indent=2))
        if html and (folder / name).exists():
            write_page(folder / name)
        if exit_code:
            break
    print(f"{summary_table(entries)}\n\nEverything is in {os.path.relpath(folder)}", flush=True)
    if exit_code:
        error = entry["error"] or f"{entry['notebook']} was interrupted."
        print(f"{error}\nTo go on: python run_course.py --resume {os.path.relpath(folder)}", file=sys.stderr)
    return exit_code


def summary_table(entries):
    """Return notebook, time, status and key results as aligned lines of text."""
    width = max(len(entry["notebook"]) for entry in entries)
    lines = ["", f"{'notebook':{width}}   time  {'status':11}  key results"]
    for entry in entries:
        first, *others = entry["key_results"] or [""]
        elapsed = "" if entry["seconds"] is None else minutes(entry["seconds"])
        lines.append(f"{entry['notebook']:{width}}  {elapsed:>5}  {entry['status']:11}  {first}".rstrip())
        lines += [" " * (width + 22) + line for line in others]
    return "\n".join(lines)


def code_sha256(notebook):
    """Return the SHA-256 of a notebook's code; the repository that `make colab` writes into it does not count."""
    code = json.dumps([cell.source for cell in notebook.cells if cell.cell_type == "code"])
    code = re.sub(r'(COURSE_REPOSITORY = )\\"[^"]*"', r"\1", code)
    return hashlib.sha256(code.encode()).hexdigest()


def refresh(notebook, timeout):
    """Execute a notebook on its own, as it is, and store the outputs in it; NotebookFailed leaves it unchanged."""
    OUTPUTS.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="refresh-", dir=OUTPUTS))
    try:
        with Progress(notebook) as progress:
            executed = execute(notebook, folder / notebook.name, {}, folder, timeout, progress)
    finally:
        shutil.rmtree(folder)
    original = nbformat.read(notebook, as_version=4)
    cells = [cell for cell in executed.cells if not has_tag(cell, "injected-parameters")]
    count = 0
    for cell, executed_cell in zip(original.cells, cells, strict=True):
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [clean_output(output, count, folder.name) for output in executed_cell.outputs]
    for left_over in ("papermill", "widgets"):
        original.metadata.pop(left_over, None)
    original.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    original.metadata["language_info"] = {"name": "python"}
    original.metadata["course"] = {"code_sha256": code_sha256(original)}
    write_whole(notebook, nbformat.writes(original) + "\n")
    print(f"{notebook.stem}: refreshed in {minutes(progress.seconds())}", flush=True)


def clean_output(output, count, folder_name):
    """Return one output as a reader's own run gives it: outputs/ for the temporary folder, no live widget."""
    if "execution_count" in output:
        output.execution_count = count
    if "data" in output:
        output.data.pop("application/vnd.jupyter.widget-view+json", None)
    texts = output if "text" in output else output.get("data", {})
    for kind in texts:
        if kind.startswith("text"):
            texts[kind] = re.sub(rf"[^\s'\"]*{folder_name}", "outputs", texts[kind])
    return output


def start_run(notebooks, parameters):
    """Make the folder of a new run; return it and an entry for each notebook, as summary.json will hold them."""
    folder = OUTPUTS / "course" / time.strftime("%Y-%m-%d_%H-%M-%S")
    while folder.exists():
        folder = folder.with_name(folder.name + "+")
    folder.mkdir(parents=True)
    blank = {"status": "waiting", "seconds": None, "key_results": [], "error": None}
    return folder, [{"notebook": path.stem, "parameters": parameters[path.stem], **blank} for path in notebooks]


def load_run(folder):
    """Return the entries of an earlier run; ValueError when `folder` does not hold one of these notebooks."""
    try:
        entries = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["notebooks"]
        find_notebooks([entry["notebook"] for entry in entries])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is not the folder of an earlier run: give one of outputs/course/.") from error
    return entries


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", nargs="+", metavar="NN", help="only these, by the start of their names: 03 04")
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), dest="parameters",
        help="set a parameter in the notebooks that have it; may be repeated",
    )  # fmt: skip
    parser.add_argument("--fast", action="store_true", help="a quick trial run: small data, poor results")
    parser.add_argument("--html", action="store_true", help="write an HTML page beside each executed notebook")
    parser.add_argument("--timeout", type=int, default=3600, metavar="SECONDS", help="limit for a cell (default 3600)")
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with an earlier run, skip what it finished")
    parser.add_argument("--refresh", action="store_true", help="for maintainers: store fresh outputs in notebooks/")
    arguments = parser.parse_args(argv)
    try:
        if arguments.timeout < 1:
            raise ValueError(f"--timeout takes at least 1 second, got {arguments.timeout}.")
        if arguments.resume and (arguments.notebooks or arguments.parameters or arguments.fast or arguments.refresh):
            raise ValueError("--resume goes on as the run began: leave out --notebooks, -p, --fast and --refresh.")
        if arguments.refresh and (arguments.parameters or arguments.fast):
            raise ValueError("--refresh uses the notebooks' own parameters: leave out -p and --fast.")
        if arguments.resume:
            folder, entries = arguments.resume, load_run(arguments.resume)
        else:
            notebooks = find_notebooks(arguments.notebooks, solutions=arguments.refresh)
            parameters = choose_parameters(notebooks, arguments.parameters, arguments.fast)
    except ValueError as error:
        print(f"run_course.py: {error}", file=sys.stderr)
        return 2
    try:
        if arguments.refresh:
            for notebook in notebooks:
                refresh(notebook, arguments.timeout)
            return 0
        if not arguments.resume:
            folder, entries = start_run(notebooks, parameters)
        return run(folder, entries, arguments.timeout, arguments.html)
    except NotebookFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
