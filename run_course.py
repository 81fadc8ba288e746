"""Run the course: execute the numbered notebooks in order and report what each of them found.

Every run has its own folder, outputs/course/<time>/: the executed notebooks, the weights they trained, summary.json.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path

from mnist_course import notebook_runs, paths
from mnist_course.command_line import command
from mnist_course.files import write_whole


def minutes(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """A line on the terminal with notebook, cell and elapsed time."""

    def __init__(self, notebook):
        self.name = notebook.stem
        self.cells = notebook_runs.count_cells(notebook)
        self.cell = 0
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

    def start_cell(self, number):
        self.cell = number


def start_run(notebooks, parameters):
    """Make the folder of a new run; return it and an entry for each notebook, as summary.json will hold them."""
    folder = paths.OUTPUTS / "course" / time.strftime("%Y-%m-%d_%H-%M-%S")
    while folder.exists():
        folder = folder.with_name(folder.name + "+")
    folder.mkdir(parents=True)
    blank = {"status": "waiting", "seconds": None, "key_results": [], "error": None}
    return folder, [{"notebook": path.stem, "parameters": parameters[path.stem], **blank} for path in notebooks]


def load_run(folder):
    """Return the entries of an earlier run; ValueError when `folder` does not hold one of these notebooks."""
    try:
        entries = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["notebooks"]
        notebook_runs.find_notebooks([entry["notebook"] for entry in entries])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is not the folder of an earlier run: give one of outputs/course/.") from error
    return entries


def write_summary(folder, entries):
    write_whole(folder / "summary.json", json.dumps({"notebooks": entries}, indent=2))


def run(folder, entries, timeout, html):
    """Execute what is not done yet, stop at the first failure, keep summary.json up to date; return the exit code."""
    exit_code = 0
    write_summary(folder, entries)
    for entry in (entry for entry in entries if entry["status"] != "done"):
        exit_code = run_notebook(folder, entry, timeout)
        print(f"{entry['notebook']}: {entry['status']} after {minutes(entry['seconds'])}", flush=True)
        write_summary(folder, entries)
        executed = folder / f"{entry['notebook']}.ipynb"
        if html and executed.exists():
            notebook_runs.write_page(executed)
        if exit_code:
            break
    print(f"{summary_table(entries)}\n\nEverything is in {paths.shown(folder)}", flush=True)
    if exit_code:
        error = entry["error"] or f"{entry['notebook']} was interrupted."
        print(f"{error}\nTo go on: python run_course.py --resume {paths.shown(folder)}", file=sys.stderr)
    return exit_code


def run_notebook(folder, entry, timeout):
    """Execute the notebook of an entry, note in the entry what came of it, and return the exit code."""
    notebook = paths.NOTEBOOKS / f"{entry['notebook']}.ipynb"
    exit_code = 0
    with Progress(notebook) as progress:
        try:
            executed = notebook_runs.execute(
                notebook, folder / notebook.name, entry["parameters"], folder, timeout, progress.start_cell
            )
            entry.update(status="done", key_results=notebook_runs.key_results(executed), error=None)
        except notebook_runs.NotebookFailed as error:
            entry.update(status="failed", error=str(error))
            exit_code = 1
        except KeyboardInterrupt:
            entry.update(status="interrupted", error=None)
            exit_code = 130
    entry["seconds"] = round(progress.seconds(), 1)
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


def refresh(notebooks, timeout):
    """Store fresh outputs in these notebooks, stop at the first that fails; return the exit code."""
    for notebook in notebooks:
        try:
            with Progress(notebook) as progress:
                notebook_runs.refresh(notebook, timeout, progress.start_cell)
        except notebook_runs.NotebookFailed as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        print(f"{notebook.stem}: refreshed in {minutes(progress.seconds())}", flush=True)
    return 0


def parse(argv):
    """Return the arguments; ValueError for those that do not go together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", nargs="+", metavar="NN", help="only these, by the start of their names: 04 05")
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
    if arguments.timeout < 1:
        raise ValueError(f"--timeout takes at least 1 second, got {arguments.timeout}.")
    if arguments.resume and (arguments.notebooks or arguments.parameters or arguments.fast or arguments.refresh):
        raise ValueError("--resume goes on as the run began: leave out --notebooks, -p, --fast and --refresh.")
    if arguments.refresh and (arguments.parameters or arguments.fast):
        raise ValueError("--refresh uses the notebooks' own parameters: leave out -p and --fast.")
    return arguments


@command
def main(argv=None):
    arguments = parse(argv)
    if arguments.resume:
        return run(arguments.resume, load_run(arguments.resume), arguments.timeout, arguments.html)
    notebooks = notebook_runs.find_notebooks(arguments.notebooks, solutions=arguments.refresh)
    if arguments.refresh:
        return refresh(notebooks, arguments.timeout)
    parameters = notebook_runs.choose_parameters(notebooks, arguments.parameters, arguments.fast)
    folder, entries = start_run(notebooks, parameters)
    return run(folder, entries, arguments.timeout, arguments.html)


if __name__ == "__main__":
    sys.exit(main())
