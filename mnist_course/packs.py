"""Pack the course into a zip: for students without solutions and outputs, for teachers with everything.

    python -m mnist_course.packs student
    python -m mnist_course.packs teacher

The zips go to outputs/. The same files always make the same zip, wherever and whenever it is made.
"""

import argparse
import fnmatch
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from mnist_course import copies, paths
from mnist_course.command_line import command
from mnist_course.files import write_whole

_SOLUTIONS = f"{paths.SOLUTIONS.relative_to(paths.ROOT).as_posix()}/"
_FOR_TEACHERS = (_SOLUTIONS, "TEACHING.md", "tests/", "benchmarks/", ".ci/", ".github/")
FOR_EVERYBODY = (
    "benchmarks/seeds.json",  # notebooks 04, 06 and 08 read these
    "benchmarks/ladder.json",
    "benchmarks/first_networks.json",  # and notebook 02 this one
    "benchmarks/dropout.json",
    "benchmarks/own_digits.json",
)
STUDENT_NOTE = (
    "> This is the student's copy. Solutions, tests, measurements and the outputs of the notebooks are left out, so "
    "there is nothing for `make test` to do here; everything else works."
)
_LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\((?!https?:|#)([^()#\s]+)(#[^()\s]*)?\)")
_NEW_YEAR = (2026, 1, 1, 0, 0, 0)  # the date of every file in a pack


def find_files(root=paths.ROOT):
    """Return the files of the course as sorted paths relative to `root`, with slashes: what git does not ignore.

    Without git, as in an unpacked pack, the patterns in .gitignore decide.
    """
    if (root / ".git").exists():
        ask = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        try:
            names = subprocess.run(ask, cwd=root, check=True, capture_output=True).stdout.decode().split("\0")
            return sorted({name for name in names if name and (root / name).is_file()})
        except (OSError, subprocess.CalledProcessError):  # no git, or a folder that git does not trust
            pass
    lines = (root / ".gitignore").read_text(encoding="utf-8").split() if (root / ".gitignore").exists() else []
    patterns = [line.rstrip("/") for line in lines] + [".git"]
    names = []
    for folder, folders, files in os.walk(root):
        ignored = [name for name in folders + files if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
        folders[:] = set(folders) - set(ignored)
        names += [(Path(folder) / name).relative_to(root).as_posix() for name in set(files) - set(ignored)]
    return sorted(names)


def choose_files(kind, names):
    """Return those of `names` that go into the pack of this kind; ValueError when a teacher's would lack solutions."""
    if kind == "student":
        return [name for name in names if name in FOR_EVERYBODY or not name.startswith(_FOR_TEACHERS)]
    if not any(name.startswith(_SOLUTIONS) for name in names):
        raise ValueError("This copy of the course has no notebooks/solutions, so no teacher's pack can be made of it.")
    return names


def without_dead_links(text, name, names):
    """Return the Markdown file `name` with only the words left of every link to a file that is not among `names`."""
    folders = {parent.as_posix() for other in names for parent in Path(other).parents}

    def keep_or_unlink(link):
        target = os.path.normpath(os.path.join(os.path.dirname(name), link[2])).replace(os.sep, "/")
        return link[0] if target in names or target in folders else link[1]

    return _LINK.sub(keep_or_unlink, text)


def content(kind, name, names, root=paths.ROOT):
    """Return the bytes of a file as they go into the pack."""
    data = (root / name).read_bytes()
    if kind == "student" and name.endswith(".md"):
        text = without_dead_links(data.decode("utf-8"), name, set(names))
        if name == "README.md" and STUDENT_NOTE not in text:
            title, _, rest = text.partition("\n")
            text = f"{title}\n\n{STUDENT_NOTE}\n{rest}"
        data = text.encode("utf-8")
    if kind == "student" and name.endswith(".ipynb"):
        data = copies.without_outputs(data.decode("utf-8")).encode("utf-8")
    return data


def make_pack(kind, root=paths.ROOT):
    """Write outputs/mnist-course-<kind>.zip and return its path; an interrupted run leaves an older zip as it was."""
    names = choose_files(kind, find_files(root))
    path = root / paths.OUTPUTS.name / f"mnist-course-{kind}.zip"
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as pack:
        for name in names:
            entry = zipfile.ZipInfo(f"mnist-course/{name}", _NEW_YEAR)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the next line holds its permissions
            entry.external_attr = (0o755 if os.access(root / name, os.X_OK) and os.name != "nt" else 0o644) << 16
            pack.writestr(entry, content(kind, name, names, root))
    write_whole(path, whole.getvalue())
    return path


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("student", "teacher"))
    path = make_pack(parser.parse_args(argv).kind)
    with zipfile.ZipFile(path) as pack:
        names = pack.namelist()
    megabytes = path.stat().st_size / 2**20
    print(f"{path.relative_to(paths.ROOT).as_posix()}: {len(names)} files, {megabytes:.1f} MB")
    print(f"Notebooks of solutions inside: {sum(_SOLUTIONS in name for name in names) or 'none'}")


if __name__ == "__main__":
    sys.exit(main())
