"""The prediction sheets: the lessons' own questions, each with room for a guess and a reason."""

import nbformat
import pytest

from mnist_course import notebook_runs, paths, sheets


def notebook(*cells):
    made = [nbformat.v4.new_markdown_cell("# 1. Made up")]
    for source in cells:
        kind = nbformat.v4.new_code_cell if source.startswith("guess") else nbformat.v4.new_markdown_cell
        made.append(kind(source))
    return nbformat.v4.new_notebook(cells=made)


GUESS = 'guess = None  # a share from 0 to 1, or a range that you think holds it: (low, high)\nreason = ""  # why'


@pytest.mark.parametrize(
    "asked, text",
    [
        ("How many are *empty*?", "How many are empty?"),
        ("It was 8. Well. Now this. Then that. How many? Why? Wait.", "Now this. Then that. How many? Why?"),
        ("## A heading\n\nSee [notebook 2](02.ipynb).\nHow many `x`?", "See notebook 2. How many x?"),
        ("How many? Put your guess into the next cell, then run it.", "How many?"),
        ("How many? Put it into the next cell. And why?", "How many? And why?"),
    ],
)
def test_a_question_is_what_the_lesson_asks_in_plain_words(asked, text):
    assert sheets.find_questions(notebook("Something else.", asked, GUESS)) == [(text, "a share from 0 to 1")]


def test_a_guess_that_nothing_asks_for_is_refused():
    with pytest.raises(ValueError, match="No Markdown cell stands before the guess"):
        sheets.find_questions(notebook("How many?", GUESS, GUESS))
    with pytest.raises(ValueError, match="has no question mark"):
        sheets.find_questions(notebook("So many.", GUESS))


def test_words_are_escaped_and_every_question_has_its_lines():
    page = sheets.make_sheet("1. <Made> up", [("Is 1 < 2?", 'a "word"'), ("And 3?", "a digit")])
    assert "<h1>1. &lt;Made&gt; up</h1>" in page and "Is 1 &lt; 2?" in page and "(a &quot;word&quot;)" in page
    assert page.count("I expect") == page.count("because") == page.count("It was") == 2


def test_every_lesson_gets_a_sheet_with_at_least_four_questions(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path)
    assert sheets.main([]) == 0
    written = sorted(path.stem for path in (tmp_path / "sheets").iterdir())
    assert written == [path.stem for path in notebook_runs.find_notebooks()]
    counts = [int(line.split()[-2]) for line in capsys.readouterr().out.splitlines()]
    assert min(counts) >= 4
