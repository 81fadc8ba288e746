"""The sheets to print: which questions are on them, how they are worded, and that they fit on one page."""

import nbformat
import pytest
from invented_course import write_notebook

from mnist_course import paths, sheets

ASK = """## Zeros

See [notebook 2](02.ipynb), *softly*: `x * y` has **many** <b>zeros</b>. What share of x_1 is 0? Put your guess into the
next cell, run it, then the one after it."""


def lesson(path, *cells):
    """Write a notebook of texts, which become Markdown unless they begin as code of a guess."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 1. Zeros & <ones>\n\nA promise.")])
    for source in cells:
        new = nbformat.v4.new_code_cell if source.startswith(("guess", "x =")) else nbformat.v4.new_markdown_cell
        notebook.cells.append(new(source))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def test_questions_are_the_lessons_own_without_links_and_markup(tmp_path):
    path = lesson(
        tmp_path / "01_x.ipynb",
        *("No question.", "x = 1", ASK, 'guess = None  # a share, or a range (low, high)\nreason = ""'),
        *("How many? Name it in the next cell.", "guess = None", "guess = None  # again", "guess = 3  # an answer"),
    )
    title, questions = sheets.read_questions(path)
    assert title == "1. Zeros & <ones>"
    assert questions == [
        ("See notebook 2, softly: x * y has many zeros. What share of x_1 is 0?", "a share, or a range"),
        ("How many? Name it on the line.", ""),
        ("And then?", "again"),
    ]


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        ("How many? Put your guess into the next cell.", "How many?"),
        ("How many? The next cell takes your guess.", "How many?"),
        ("How many? Put it into the next cell before you compute it.", "How many?"),
        ("How many? Write your guess down before you run the next cell.", "How many?"),
        ("Count, and put your guess into the next cell: a number.", "Count, and put your guess on the line: a number."),
        (
            "The number goes into the next cell, why into the reason.",
            "The number goes on the line, why into the reason.",
        ),
        ("![figure](a.png) 2 * 3 * 4 = a_b_c", "2 * 3 * 4 = a_b_c"),
    ],
)
def test_a_page_has_no_cells(asked, printed):
    assert sheets.as_plain_text(asked) == printed


@pytest.mark.parametrize("number", [1, 3, 5, 8, 10])
def test_many_questions_are_set_smaller_and_keep_a_line_to_write_on(number):
    questions = [sheets.Question("Which digit do you expect to vary most? " * 5, "a digit")] * number
    size, lines, line = sheets.choose_form(questions)
    assert size >= 7 and lines >= 1 and line >= 6
    assert number > 1 or (size, lines, line) == sheets.FORMS[0]
    page = sheets.make_sheet("Title", questions)
    assert page.count("<section>") == number and page.count('<div class="row">') == number * (1 + lines)
    assert f"font: {size}pt" in page and "size: A4 portrait" in page


def test_more_questions_never_get_more_room():
    forms = [sheets.FORMS.index(sheets.choose_form([sheets.Question("Why? " * 40, "")] * n)) for n in range(1, 12)]
    assert forms == sorted(forms) and forms[0] < forms[-1]


def test_the_command_writes_a_page_a_lesson_and_skips_what_asks_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path / "outputs")
    lesson(tmp_path / "notebooks" / "01_x.ipynb", "Which, 4 < 9 & why?", "guess = None  # a digit & why")
    write_notebook(tmp_path / "notebooks" / "02_y.ipynb", "1")
    assert sheets.main([]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("outputs/sheets/01_x.html: 1 question")
    assert second == "02_y: asks for no guess, so it has no sheet"
    (sheet,) = (tmp_path / "outputs" / "sheets").iterdir()
    page = sheet.read_text(encoding="utf-8")
    assert "<h1>1. Zeros &amp; &lt;ones&gt;</h1>" in page and "Name <" in page and "Date <" in page
    assert "Which, 4 &lt; 9 &amp; why?" in page and "<i>(a digit &amp; why)</i>" in page
