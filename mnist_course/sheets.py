"""Prediction sheets: a page a lesson with the questions that it asks before it answers them, to print and fill in.

    python -m mnist_course.sheets

Writes an HTML page for each lesson to outputs/sheets/; print them from a browser.
"""

import html
import re
import sys

import nbformat

from mnist_course import notebook_runs, paths
from mnist_course.command_line import command
from mnist_course.files import write_whole

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}: predictions</title>
<style>
@page {{ size: A4 portrait; margin: 14mm 16mm; }}
body {{ font: {size}pt/1.35 sans-serif; color: black; background: white; max-width: 178mm; margin: 0 auto; }}
h1 {{ font-size: 15pt; margin: 0 0 2mm; }}
ol {{ padding-left: 6mm; margin: 4mm 0 0; }}
li {{ break-inside: avoid; margin-bottom: {gap}mm; }}
p {{ margin: 0; }}
dl {{ display: flex; gap: 2mm; margin: {line}mm 0 0; }}
dt {{ white-space: nowrap; }}
dd {{ border-bottom: 0.4pt solid black; flex: 1; margin: 0; }}
</style></head><body>
<h1>{title}</h1>
<p>Write down what you expect and why, before the lesson shows it. A range that you are fairly sure of counts too.</p>
<dl><dt>Name</dt><dd></dd><dt>Date</dt><dd></dd></dl>
<ol>
{questions}
</ol>
</body></html>
"""
_QUESTION = """<li><p>{text}</p>
<dl><dt>I expect</dt><dd></dd><dt>({unit})</dt></dl>
<dl><dt>because</dt><dd></dd><dt>It was</dt><dd style="flex: 0 0 30mm"></dd></dl></li>"""


def find_questions(notebook):
    """Return the questions of a lesson that take a guess, as pairs (the words that ask, what a guess looks like).

    `notebook` is what nbformat reads. Raises ValueError for a guess that the Markdown cell before it does not ask for.
    """
    questions = []
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        form = re.match(r"guess = None  # (.+)", cell.source)
        if cell.cell_type == "code" and form:
            if before.cell_type != "markdown":
                raise ValueError(f"No Markdown cell stands before the guess {form[0]!r}: ask there.")
            text = _plain(before.source)
            if not text:
                raise ValueError(f"The cell before the guess {form[0]!r} has no question mark: ask there.")
            questions.append((text, form[1].split(", or a ")[0].split(", or (")[0]))
    return questions


def make_sheet(title, questions):
    """Return the HTML page of a lesson: its title, and the questions as `find_questions` returns them."""
    crowd = sum(len(questions) > limit for limit in (4, 6))
    listed = [_QUESTION.format(text=html.escape(text), unit=html.escape(form)) for text, form in questions]
    room = {"size": (11, 10, 9.3)[crowd], "gap": (7, 4, 2.2)[crowd], "line": (6, 4.5, 3.2)[crowd]}  # all on one page
    return _PAGE.format(title=html.escape(title), questions="\n".join(listed), **room)


def _plain(markdown):
    """Return what a Markdown cell asks: its questions and the two sentences before, without marks, links and headings.

    What comes before often reads the output above, and would give an earlier answer away.
    """
    text = re.sub(r"^#+ .*$", "", markdown, flags=re.M)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\*\*?([^*]+)\*\*?|`([^`]+)`", lambda mark: mark[1] or mark[2], text)
    sentences = re.split(r"(?<=[.?!])\s+", " ".join(text.split()))
    sentences = [sentence for sentence in sentences if not re.search(r"\bcell\b|^Guess", sentence)]
    asked = [place for place, sentence in enumerate(sentences) if sentence.endswith("?")]
    return " ".join(sentences[max(asked[0] - 2, 0) : asked[-1] + 1]) if asked else ""


@command
def main(argv=None):
    for path in notebook_runs.find_notebooks():
        notebook = nbformat.read(path, as_version=4)
        questions = find_questions(notebook)
        sheet = paths.OUTPUTS / "sheets" / f"{path.stem}.html"
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        write_whole(sheet, make_sheet(title, questions))
        print(f"{paths.shown(sheet)}: {len(questions)} questions")


if __name__ == "__main__":
    sys.exit(main())
