"""Give the learner copies of the lessons to work in, without outputs: those would give away what a lesson asks for.

    python -m mnist_course.copies

The copies go to my_notebooks/. A file that is there is never touched, so the command may be repeated.
"""

import argparse
import sys

import nbformat

from mnist_course import paths
from mnist_course.command_line import command
from mnist_course.files import write_whole


def without_outputs(text):
    """Return a notebook, given as the text of its file, with the outputs and numbers of its code cells left out."""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return nbformat.writes(notebook) + "\n"


def _copy_lessons():
    """Copy every lesson that has no copy yet; return (path of the copy, whether it was made now) for each lesson."""
    copies = []
    for lesson in sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        copy = paths.MY_NOTEBOOKS / lesson.name
        is_new = not copy.exists()
        if is_new:
            write_whole(copy, without_outputs(lesson.read_text(encoding="utf-8")))
        copies.append((copy, is_new))
    return copies


@command
def main(argv=None):
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(argv)
    for copy, is_new in _copy_lessons():
        print(f"{paths.shown(copy).as_posix()}: {'copied' if is_new else 'kept yours'}")


if __name__ == "__main__":
    sys.exit(main())
