"""Write where the course lives on GitHub into its notebooks and README, so that Colab can open and fetch it.

    python -m mnist_course.colab owner/name

May be repeated, with the same name or another one.
"""

import re
import sys
from pathlib import Path

import nbformat

from mnist_course import notebook_runs, paths
from mnist_course.command_line import command
from mnist_course.files import write_whole

_BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"
_NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9])*/(?!\.+$)[A-Za-z0-9._-]+")


def _badge(repository, notebook):
    """Return the Markdown of the button that opens `notebook`, a path under the root, in Colab."""
    return _BADGE.format(address=f"https://colab.research.google.com/github/{repository}/blob/main/{notebook}")


def _name_in_notebook(text, repository, notebook):
    """Return the notebook's JSON with the repository in its setup cell and a badge at the end of its first cell."""
    contents = nbformat.reads(text, as_version=4)
    for cell in contents.cells:
        if cell.cell_type == "code":
            setting = f'COURSE_REPOSITORY = "{repository}"'
            cell.source = re.sub(r'^COURSE_REPOSITORY = ".*?"', setting, cell.source, flags=re.M)
    first = contents.cells[0]
    lines = [line for line in first.source.splitlines() if not line.startswith("[![Open in Colab]")]
    first.source = "\n".join(lines).rstrip() + "\n\n" + _badge(repository, notebook)
    return nbformat.writes(contents) + "\n"


def _name_in_readme(text, repository, notebooks):
    """Return the README with a badge for every notebook between its two marks; ValueError when it has no marks."""
    if not re.search(r"<!-- colab -->\n.*<!-- /colab -->", text, flags=re.S):
        raise ValueError("README.md has no lines <!-- colab --> and <!-- /colab -->: put them where the badges go.")
    badges = "\n".join(f"- {Path(notebook).stem} {_badge(repository, notebook)}" for notebook in notebooks)
    return re.sub(r"(<!-- colab -->\n).*?(<!-- /colab -->)", rf"\g<1>{badges}\n\g<2>", text, flags=re.S)


@command
def main(argv=None):
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1 or not _NAME.fullmatch(arguments[0]):
        raise ValueError(f"Name the course's GitHub repository as owner/name, got {' '.join(arguments)!r}.")
    repository = arguments[0]
    names = {path: path.relative_to(paths.ROOT).as_posix() for path in notebook_runs.find_notebooks(solutions=True)}
    texts = {path: _name_in_notebook(path.read_text("utf-8"), repository, name) for path, name in names.items()}
    readme = paths.ROOT / "README.md"
    texts[readme] = _name_in_readme(readme.read_text("utf-8"), repository, names.values())
    changed = [path for path, text in texts.items() if text != path.read_text("utf-8")]
    for path in changed:
        write_whole(path, texts[path])
    print(f"{repository}: {len(changed)} of {len(texts)} files changed")


if __name__ == "__main__":
    sys.exit(main())
