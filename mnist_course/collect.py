"""Run the notebooks that learners handed in, each on its own, and put what came of them into one table and one page.

    python -m mnist_course.collect FOLDER

FOLDER holds a folder a learner with notebooks inside, or notebooks such as 01_maria.ipynb; their names start with the
lesson's number. Each runs in a temporary copy of the course, in a process of its own that is ended when its time is up.
TEACHING.md says what this keeps a notebook from and what not.
"""

import argparse
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from mnist_course import notebook_runs, packs, paths
from mnist_course.collected_page import make_page
from mnist_course.command_line import command
from mnist_course.files import write_whole

_COLUMNS = ("learner", "notebook", "kind", "name", "outcome", "guess", "truth", "reason")
_COPIED = ("mnist_helpers.py", "mnist_course/", "data/", "models/", "benchmarks/", "notebooks/fast_parameters.yml")
_LARGEST_NOTEBOOK = 100_000_000  # bytes
_ISOLATE = """mount --make-rprivate / && mount --bind "$1" "$1" || exit 9
cut -d' ' -f5 /proc/self/mountinfo | while read -r place; do
    [ "$place" = "$1" ] || mount -o remount,bind,ro "$place"
done
mount -t tmpfs -o size=100m shared /dev/shm
mount -t tmpfs hidden /run
find /tmp -maxdepth 4 -type s 2>/dev/null | while read -r place; do mount --bind /dev/null "$place"; done
cd "$1/course/notebooks" && shift && exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""  # programs that listen on files are hidden; setpriv takes away the right to mount, so nothing can be undone
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child")
ISOLATED = (*_UNSHARE, "--mount-proc", "sh", "-c", _ISOLATE, "sh")


# ---------------------------------------------------------------- what was handed in


def find_handed_in(folder):
    """Return (learner, path, lesson) for every notebook in `folder`, in order; lesson is a path, or None if unknown.

    Raises ValueError when there is no such folder or no notebook in it.
    """
    if not str(folder) or not Path(folder).is_dir():
        raise ValueError(f"{str(folder)!r} is not a folder: give the one that holds the learners' notebooks.")
    folder = Path(folder)
    lessons = {path.stem[:2]: path for path in notebook_runs.find_notebooks()}
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):  # .ipynb_checkpoints
            continue
        lesson = lessons.get(path.stem[:2])
        name = path.stem.removeprefix(lesson.stem if lesson else "")
        learner = inside.parts[0] if len(inside.parts) > 1 else re.sub(r"^\d\d(?=_)|^_", "", name).strip("_ ")
        found.append((learner or path.stem, path, lesson))
    if not found:
        raise ValueError(f"{folder} has no notebook in it: give the folder that holds the learners' notebooks.")
    return found


def exercise_names(lesson):
    """Return the names of a lesson's exercises, from its headings: ["1.1", "1.2", ...]."""
    cells = nbformat.read(lesson, as_version=4).cells
    return re.findall(r"^### Exercise (\d+\.\d+)", "\n".join(cell.source for cell in cells), flags=re.M)


# ---------------------------------------------------------------- running one


def can_isolate(folder):
    """Say whether this system can run a notebook without network and with all the rest of the disk read-only."""
    sandbox = _make_sandbox()
    try:
        kept = (folder, paths.ROOT, Path.home(), tempfile.gettempdir())
        tests = " ".join('! test -w "$1" && shift &&' for _ in kept)
        trial = (*ISOLATED, str(sandbox), "sh", "-c", f'{tests} test -w "$1"', "sh", *map(str, kept), str(sandbox))
        return subprocess.run(trial, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):  # not Linux
        return False
    finally:
        _remove(sandbox)


def run_notebook(path, lesson, seconds, isolated):
    """Run a notebook that was handed in, in a copy of the course, and return what is known of it afterwards.

    The dictionary has exercises {name: outcome}, guesses (a list of dictionaries of texts) and end, a few words.
    """
    if not path.is_file() or path.stat().st_size > _LARGEST_NOTEBOOK:
        return {"end": "is not a notebook that can be read"}
    sandbox = _make_sandbox()
    try:
        for name in packs.choose_files("student", packs.find_files()):
            if name.startswith(_COPIED):
                (sandbox / "course" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(paths.ROOT / name, sandbox / "course" / name)
        notebook = sandbox / "course" / "notebooks" / lesson.name
        shutil.copyfile(path, notebook)
        before = (*ISOLATED, str(sandbox)) if isolated else ()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", "mnist_course.one_notebook", str(notebook), str(seconds)],
                **{"cwd": notebook.parent, "env": _environment(sandbox), "start_new_session": True},
                **{"stdin": subprocess.DEVNULL, "stdout": said, "stderr": subprocess.DEVNULL},
            )
            try:
                process.wait(seconds + 20)  # it has its own clock, unless the notebook stopped that
            except subprocess.TimeoutExpired:
                pass
            finally:
                _kill(process)
            said.seek(0)
            return read_what_was_said(said.read(5_000_000))
    finally:
        _remove(sandbox)


def _make_sandbox():
    sandbox = Path(tempfile.mkdtemp(prefix="collect-")).resolve()
    for name in ("course/notebooks", "home", "temporary"):
        (sandbox / name).mkdir(parents=True)
    return sandbox


def _environment(sandbox):
    """Return the environment of a run: nothing of the teacher's that it does not need, and no way to a network."""
    needed = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in needed if name in os.environ}
    dead = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}
    home, temporary = str(sandbox / "home"), str(sandbox / "temporary")
    folders = {"HOME": home, "USERPROFILE": home, "TMPDIR": temporary, "TMP": temporary, "TEMP": temporary}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "MALLOC_ARENA_MAX": "2"}  # few arenas: addresses are limited
    return kept | dead | folders | quiet | {"PYTHONPATH": str(sandbox / "course")}


def _kill(process):
    """End a run; where it is isolated, everything that it started ends with it."""
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    process.kill()
    process.wait()


def _remove(sandbox):
    for folder in [sandbox, *(path for path in sandbox.rglob("*") if path.is_dir() and not path.is_symlink())]:
        try:
            folder.chmod(0o700)
        except OSError:
            pass
    shutil.rmtree(sandbox, ignore_errors=True)


def read_what_was_said(data):
    """Return what a run's lines say, whatever a notebook may have put among them."""
    known = {"exercises": {}, "guesses": [], "guesses_lost": "", "end": "was ended from inside or by the system"}
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            facts = json.loads(line)
            known["exercises"].update({_text(name): _text(value) for name, value in facts.pop("exercises", {}).items()})
            if "guesses" in facts:
                known["guesses"] = [{name: _text(entry[name]) for name in entry} for entry in facts.pop("guesses")]
            known |= {name: _text(facts[name]) for name in ("end", "guesses_lost") if name in facts}
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
    return known


def _text(value):
    return " ".join(str(value).split())[:500]


# ---------------------------------------------------------------- the table


def _make_rows(learner, path, lesson, known):
    """Return the rows of one notebook, dictionaries: one for itself, one an exercise, one a guess."""
    end = "; ".join(text for text in (known["end"], known.get("guesses_lost")) if text)
    same = {"learner": learner, "notebook": path.stem}
    rows = [same | {"kind": "notebook", "name": lesson.stem if lesson else "", "outcome": end}]
    if lesson:
        exercises = known.get("exercises", {})
        for name in exercise_names(lesson):
            rows.append(same | {"kind": "exercise", "name": name, "outcome": exercises.get(name, "not run")})
    for entry in known.get("guesses", []):
        kept = {name: entry.get(name, "") for name in ("outcome", "guess", "truth", "reason")}
        rows.append(same | {"kind": "guess", "name": entry.get("question", "")} | kept)
    return [dict.fromkeys(_COLUMNS, "") | row for row in rows]


def harmless(text):
    """Return `text` so that no spreadsheet takes it for a formula; numbers stay numbers."""
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
    return text


def _make_table(rows):
    """Return the rows as the text of a CSV file that spreadsheets open as it is meant."""
    whole = io.StringIO()
    table = csv.writer(whole)
    table.writerow(_COLUMNS)
    table.writerows([harmless(row[name]) for name in _COLUMNS] for row in rows)
    return "\ufeff" + whole.getvalue()  # the mark by which spreadsheets know UTF-8


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="a folder a learner with notebooks inside, or notebooks such as 01_maria.ipynb")
    parser.add_argument("--minutes", type=float, default=10, help="how long one notebook may take (default: 10)")
    arguments = parser.parse_args(argv)
    if not 0 < arguments.minutes <= 1440:
        raise ValueError(f"A notebook may take from above 0 to 1440 minutes, not {arguments.minutes}.")
    handed_in = find_handed_in(arguments.folder)
    isolated = can_isolate(Path(arguments.folder).resolve())
    remark = (
        "Each notebook ran without network, and could write only into its own copy of the course."
        if isolated
        else "This system does not let the notebooks be shut in: the network was NOT cut and the disk NOT protected."
    )
    print(remark)
    output = paths.OUTPUTS / "collected" / time.strftime("%Y-%m-%d_%H-%M-%S")
    rows = []
    for learner, path, lesson in handed_in:
        start = time.monotonic()
        known = {"end": "its name does not start with a lesson's number, so it was not run"}
        if lesson:
            known = run_notebook(path, lesson, max(1, round(60 * arguments.minutes)), isolated)
        new = _make_rows(learner, path, lesson, known)
        rows += new
        write_whole(output / "collected.csv", _make_table(rows))  # after each, so that Ctrl-C loses one notebook only
        write_whole(output / "collected.html", make_page(rows, remark))
        outcomes = [row["outcome"] for row in new if row["kind"] == "exercise"]
        solved = f"{outcomes.count('correct')} of {len(outcomes)} exercises correct, " if lesson else ""
        print(f"{learner}, {path.stem}: {solved}{new[0]['outcome']} ({time.monotonic() - start:.0f} s)", flush=True)
    shown = paths.shown(output).as_posix()
    print(f"Everything is in {shown}: collected.csv for a spreadsheet, collected.html to read.")


if __name__ == "__main__":
    sys.exit(main())
