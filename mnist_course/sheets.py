"""Make a sheet to print for each lesson: its own questions, with lines for guess, reason and result.

    python -m mnist_course.sheets

The pages go to outputs/sheets/, one A4 page a lesson. A question is the Markdown before a cell that begins with
`guess = None  # unit`.
"""

import math
import re
import sys
from typing import NamedTuple

import jinja2
import nbformat

from mnist_course import notebook_runs, paths
from mnist_course.command_line import command
from mnist_course.files import write_whole

_GUESS = re.compile(r"guess\w* = None(?:[ \t]*#[ \t]*(?P<unit>[^\n]*))?(?:\n|\Z)")
_MARKUP = re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^<>]+>|[*_]{2,}|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`|^[#>]+ *|^- ", re.M)
_NEXT_CELL = re.compile(r"\b(?:in|into) the next cell\b")
_ONLY_NEXT_CELL = re.compile(
    r"(?:Put|Write) (?:your guess|it)\b[^:;]*\bcell\b[^:;]*$|Your \w+ goes into the next cell\.?$"
    r"|(?:Tell |Give |Fill in |Fill )?the next cell\b",
    flags=re.I,
)
FORMS = (  # from roomy to close: font size in points, lines for the reason, millimetres of a line to write on
    *((12, 4, 10), (12, 3, 10), (12, 2, 10), (11, 2, 9), (11, 1, 9)),
    *((10, 1, 9), (9, 1, 8), (9, 1, 7), (8, 1, 7), (7, 1, 6)),
)
_WIDTH, _HEIGHT, _HEAD = 186, 273, 26  # millimetres of an A4 page inside its margins, and of the head


class Question(NamedTuple):
    """A question of a lesson, as it is printed."""

    text: str
    unit: str  # what to write down, such as "a share from 0 to 1"; empty if the notebook does not say


def read_questions(path):
    """Return the title of a notebook and its questions, (str, list of pairs: text and unit)."""
    cells = nbformat.read(path, as_version=4).cells
    first = next((cell.source for cell in cells if cell.cell_type == "markdown"), "")
    title = first.strip().split("\n")[0].lstrip("# ")
    questions, asked = [], ""
    for cell in cells:
        if cell.cell_type == "markdown":
            asked = cell.source
        elif cell.cell_type == "code" and (found := _GUESS.match(cell.source.strip())):
            unit = re.sub(r"\bor a range\b.*", "or a range", found["unit"] or "")
            questions.append(Question(as_plain_text(asked) or "And then?", unit.strip()))
            asked = ""  # a second guess to the same question
    return title or path.stem, questions


def as_plain_text(markdown):
    """Return Markdown as one paragraph without headings, links and markup, for a page without cells.

    "Put your guess into the next cell." is left out; elsewhere the next cell becomes the line.
    """
    lines = [line for line in markdown.split("\n") if not line.startswith("#")]
    text = re.sub(r"(?<!!)\[([^\[\]]*)\]\([^()]*\)", r"\1", "\n".join(lines))
    sentences = re.split(r"(?<=[.!?]) ", " ".join(_MARKUP.sub("", text).split()))
    return " ".join(_NEXT_CELL.sub("on the line", words) for words in sentences if not _ONLY_NEXT_CELL.match(words))


def choose_form(questions):
    """Return (font size, lines for the reason, millimetres a line): the roomiest form that fits on one page."""
    for form in FORMS:
        size, lines, line = form
        letters_a_row = _WIDTH / (0.19 * size)  # of a wide font; most are narrower
        rows = sum(math.ceil((len(question.text + question.unit) + 6) / letters_a_row) for question in questions)
        if _HEAD + rows * 0.46 * size + len(questions) * ((1 + lines) * line + 3) <= _HEIGHT:
            return form
    return FORMS[-1]


def make_sheet(title, questions):
    """Return the HTML page of a lesson."""
    size, lines, line = choose_form(questions)
    page = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(_PAGE)
    return page.render(title=title, questions=questions, size=size, lines=lines, line=line)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{{ title }}</title>
<style>
@page { size: A4 portrait; margin: 12mm }
* { box-sizing: border-box }
body { font: {{ size }}pt/1.3 sans-serif; color: black; background: white; margin: 0 auto; width: 186mm }
h1 { font-size: 16pt; margin: 0 0 2mm }
header p, .row { display: flex; gap: 3mm; align-items: flex-end; margin: 0; height: {{ line }}mm }
header p { height: 9mm; margin-bottom: 3mm }
.line { flex: 1; border-bottom: 0.3mm solid black }
section { break-inside: avoid; margin-bottom: 3mm }
section > p { margin: 0 }
@media screen { body { margin: 12mm auto } }
</style>
<header>
<h1>{{ title }}</h1>
<p>Name <span class="line" style="flex: 2"></span> Date <span class="line"></span></p>
</header>
{% for question in questions %}
<section>
<p><b>{{ loop.index }}.</b> {{ question.text }}{% if question.unit %} <i>({{ question.unit }})</i>{% endif %}</p>
<div class="row">Guess <span class="line"></span>
Result <span class="line"></span></div>
{% for number in range(lines) %}
<div class="row">{% if loop.first %}Reason {% endif %}<span class="line"></span></div>
{% endfor %}
</section>
{% endfor %}
"""


@command
def main(argv=None):
    if argv or sys.argv[1:] and argv is None:
        raise ValueError("This command takes no arguments: it makes the sheets of all lessons.")
    for path in notebook_runs.find_notebooks():
        title, questions = read_questions(path)
        if not questions:
            print(f"{path.stem}: asks for no guess, so it has no sheet")
            continue
        sheet = paths.OUTPUTS / "sheets" / f"{path.stem}.html"
        write_whole(sheet, make_sheet(title, questions))
        print(f"{paths.shown(sheet).as_posix()}: {len(questions)} question{'s' * (len(questions) > 1)}")


if __name__ == "__main__":
    sys.exit(main())
