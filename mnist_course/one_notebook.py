"""Run a learner's notebook inside the folder that collect.py made for it; print what came of it, a JSON line at a time.

    python -m mnist_course.one_notebook notebooks/01_data_exploration.ipynb SECONDS

A line is printed after every cell, so that what was known is known whatever the next cell does.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import zmq
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from mnist_course import guesses, notebook_runs, paths

MOST_OUTPUT = 20_000_000  # characters of a notebook's output, its figures included
_LARGEST_FILE = 200_000_000  # bytes
_MOST_MEMORY = 8_000_000_000  # bytes of addresses for each process; with TensorFlow a lesson takes about three
_VERDICT = re.compile(r"^Exercise (\d+\.\d+): (correct|not yet|not attempted)", flags=re.M)


def _say(**facts):
    print(json.dumps(facts), flush=True)


class _Client(NotebookClient):
    """Runs cells, says after each what is known, and ends with everything it started when it is too much."""

    characters = 0
    failed = ()
    had_guesses = False

    def process_message(self, message, *arguments):
        self.characters += len(str(message["content"]))
        if self.characters > MOST_OUTPUT:
            self.stop(f"printed more than {MOST_OUTPUT // 1_000_000} million characters")
        return super().process_message(message, *arguments)

    def stop(self, reason):
        _say(end=reason)
        if self.km and self.km.has_kernel:
            os.killpg(self.km.provisioner.pid, signal.SIGKILL)
        os._exit(0)

    def note(self, cell, cell_index, execute_reply):
        texts = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"]
        _say(exercises=dict(_VERDICT.findall("\n".join(texts))))
        if execute_reply["content"]["status"] == "error":
            self.failed += (execute_reply["content"].get("ename", "error"),)
        self.read_guesses()

    def read_guesses(self):
        """Say which guesses are kept by now; those that were said before stay known when the file is lost."""
        try:
            record = [_short_texts(entry) for entry in guesses.read_record(paths.OUTPUTS)]
        except (ValueError, TypeError, AttributeError, RecursionError):
            _say(guesses_lost="its guesses.json is damaged")
            return
        if record:
            _say(guesses=record, guesses_lost="")
            self.had_guesses = True
        elif self.had_guesses:
            _say(guesses_lost="its guesses.json was deleted")


def _short_texts(entry):
    """Return a guess as texts that no learner can make long: question, guess, truth, reason and outcome."""
    likely = entry["guess"] if isinstance(entry["guess"], list) else [entry["guess"]]
    joint = " or " if isinstance(entry["truth"], str) else " to "
    texts = {name: " ".join(str(entry.get(name, "")).split())[:500] for name in ("question", "truth", "reason")}
    if isinstance(entry["truth"], float):
        texts["truth"] = f"{entry['truth']:.6g}"  # nobody reads sixteen digits
    texts["guess"] = joint.join(dict.fromkeys(str(value)[:100] for value in likely[:10]))
    return texts | {"outcome": "right" if entry["right"] else "not right"}


def _set_limits():
    """Limit memory and the size of a file for this process and all that it starts, where the system can."""
    if os.name == "posix":
        import resource

        for name, most in (("RLIMIT_AS", _MOST_MEMORY), ("RLIMIT_FSIZE", _LARGEST_FILE), ("RLIMIT_CORE", 0)):
            try:
                resource.setrlimit(getattr(resource, name), (most, most))
            except (OSError, ValueError):  # a lower limit is set, or macOS, which knows none for addresses
                pass


def _execute(path, seconds):
    """Execute the notebook with the quick parameters of its lesson; return how that ended."""
    notebook = load_notebook_node(str(path))
    quick = notebook_runs.read_fast_parameters().get(path.stem) or {}
    notebook = parameterize_notebook(notebook, quick, kernel_name="python3", language="python")
    kernel = AsyncKernelManager()
    if os.name == "posix":
        kernel.transport, kernel.ip = "ipc", str(paths.ROOT.parent / "k")  # needs no network, not even this machine's
    kernel.context.setsockopt(zmq.MAXMSGSIZE, 2 * MOST_OUTPUT)  # what is larger is dropped before it fills the memory
    client = _Client(notebook, km=kernel, timeout=None, allow_errors=True, shutdown_kernel="immediate")
    client.resources = {"metadata": {"path": str(path.parent)}}
    client.raise_on_iopub_timeout = True
    client.on_cell_executed = client.note
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, lambda *_: client.stop(f"stopped at the time limit of {seconds} seconds"))
        signal.alarm(seconds)
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        client.execute(env=os.environ | notebook_runs.KERNEL_ENVIRONMENT, **silent)
    except DeadKernelError:
        return "its Python process died (killed, crashed or out of memory)"
    except TimeoutError:
        return "printed more at once than can be received"
    if not paths.FAST_PARAMETERS.exists():
        return "ran to its end, and deleted files of its copy of the course"
    if not client.failed:
        return "ran to its end"
    many = "1 cell" if len(client.failed) == 1 else f"{len(client.failed)} cells"
    return f"ran to its end; {many} failed, the first with {client.failed[0]}"


def main(path, seconds):
    _set_limits()
    try:
        end = _execute(Path(path).resolve(), int(seconds))
    except Exception as error:
        known = isinstance(error, (nbformat.reader.NotJSONError, nbformat.ValidationError))
        end = "is not a notebook that can be read" if known else f"could not be run ({type(error).__name__})"
    _say(end=end)
    sys.stdout.flush()
    os._exit(0)  # whatever is still running


if __name__ == "__main__":
    main(*sys.argv[1:])
