"""The questions from memory: how many, how long, where the right ones stand, and what `ask` makes of any letters."""

import re
from collections import Counter

import nbformat
import pytest

from mnist_course import notebook_runs, quiz

PATHS = notebook_runs.find_notebooks()
LESSONS = [int(path.stem[:2]) for path in PATHS]
ALL = [(lesson, question) for lesson in LESSONS for question in quiz.questions(lesson)]
LIMITS = {"text": 45, "option": 16, "why": 30}  # words; each must have fewer

INVENTED = (
    quiz.Question("How many legs?", (("six", "A beetle has six."), ("four", "A dog has four.")), "b"),
    quiz.Question("Which end?", (("the front", "It barks."), ("the back", "It wags."), ("none", "It has two.")), "c"),
    quiz.Question("When?", (("now", "It is hungry."), ("later", "It cannot wait.")), "a"),
)


def faults(questions):
    """What is wrong with a lesson's questions, in words; nothing for good ones."""
    if len(questions) != 3:
        yield f"{len(questions)} questions"
    for question in questions:
        letters = "abcd"[: len(question.options)]
        if len(question.options) not in (3, 4):
            yield f"{len(question.options)} options: {question.text}"
        if len(question.right) != 1 or question.right not in letters:
            yield f"{question.right!r} is not among {letters}: {question.text}"
        options = [option for option, _ in question.options]
        if len({option.casefold() for option in options}) < len(options):
            yield f"an option twice: {question.text}"
        texts = [("text", question.text)]
        texts += [pair for option, why in question.options for pair in (("option", option), ("why", why))]
        for kind, text in texts:
            if not text.strip():
                yield f"an empty {kind}: {question.text}"
                continue
            if len(text.split()) >= LIMITS[kind]:
                yield f"a long {kind}: {text}"
            if not text.isascii() or "*" in text or text != " ".join(text.split()):
                yield f"not plain text: {text}"
            if kind == "why" and not text.endswith("."):
                yield f"no sentence: {text}"
            if kind == "text" and not re.search(r"\?$", text):
                yield f"no question: {text}"
            if kind == "option" and re.search("(all|none|both) of the (above|others)", text, flags=re.I):
                yield f"leans on the other options: {text}"


# ---------------------------------------------------------------- the questions


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_three_good_questions(lesson):
    assert list(faults(quiz.questions(lesson))) == []


def question(**changes):
    options = (("one", "No."), ("two", "Yes."), ("three", "No."))
    return quiz.Question("How many?", options, "b")._replace(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": " ".join(["why"] * 45) + "?"}, "a long text"),
        ({"text": "Say how many."}, "no question"),
        ({"text": "*How* many?"}, "not plain text"),
        ({"right": "d"}, "is not among abc"),
        ({"right": ""}, "is not among abc"),
        ({"right": "B"}, "is not among abc"),
        ({"options": (("one", "No."), ("two", "Yes."))}, "2 options"),
        ({"options": (("one", "No."), ("two", "Yes."), ("One", "No."))}, "an option twice"),
        ({"options": ((" ", "No."), ("two", "Yes."), ("three", "No."))}, "an empty option"),
        ({"options": (("one", "No"), ("two", "Yes."), ("three", "No."))}, "no sentence"),
        ({"options": (("one", "No."), ("two", "Yes."), ("none of the above", "No."))}, "leans on the other options"),
        ({"options": (("one", "No."), ("two", "Yes."), (" ".join("a" * 16), "No."))}, "a long option"),
        ({"options": (("one", "No."), ("two", " ".join("a" * 29) + " b."), ("three", "No."))}, "a long why"),
    ],
)
def test_a_fault_is_noticed(changes, words):
    assert not list(faults([question()] * 3))
    (fault,) = faults([question(), question(**changes), question()])
    assert words in fault


def test_too_few_questions_are_noticed():
    assert list(faults([question()] * 2)) == ["2 questions"]


def test_no_question_is_asked_twice():
    texts = Counter(question.text for _, question in ALL)
    assert max(texts.values()) == 1


def test_the_right_letters_give_nothing_away():
    right = Counter(question.right for _, question in ALL)
    for letter in "abcd":
        possible = sum(len(question.options) > "abcd".index(letter) for _, question in ALL)
        assert possible / 6 < right[letter] < possible / 2, (letter, right)
    patterns = {"".join(question.right for question in quiz.questions(lesson)) for lesson in LESSONS}
    assert len(patterns) > len(LESSONS) / 2
    assert all(len(set(pattern)) > 1 for pattern in patterns), patterns


def test_the_right_option_is_not_known_by_its_length():
    longest = 0
    for _, question in ALL:
        lengths = {chr(ord("a") + place): len(option) for place, (option, _) in enumerate(question.options)}
        right = lengths.pop(question.right)
        assert right <= 1.6 * max(lengths.values()), question.text
        longest += right > max(lengths.values())
    assert longest < len(ALL) / 2


def test_every_notebook_asks_its_own_questions_once():
    for path, lesson in zip(PATHS, LESSONS, strict=True):
        cells = nbformat.read(path, as_version=4).cells
        asked = [cell.source for cell in cells if cell.cell_type == "code" and "quiz.ask(" in cell.source]
        assert asked == [f'right = quiz.ask({lesson}, "{"?" * len(quiz.questions(lesson))}")'], path.name


def test_the_screen_is_wide_enough(capsys):
    for lesson in LESSONS:
        for letter in "abc?":
            quiz.ask(lesson, 3 * letter)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 88


# ---------------------------------------------------------------- asking


@pytest.fixture
def invented(monkeypatch):
    monkeypatch.setattr(quiz, "questions", lambda lesson: INVENTED)


EVERYTHING = ["1. How many legs?", "   a) six", "   b) four", "2. Which end?", "   a) the front", "   b) the back"]
EVERYTHING += ["   c) none", "3. When?", "   a) now", "   b) later"]


@pytest.mark.parametrize("answers", ["???", "", "? ? ?", "?,?,?"])
def test_ask_shows_every_option_and_no_answer(answers, invented, capsys):
    assert quiz.ask(1, answers) == 0
    assert capsys.readouterr().out.splitlines() == EVERYTHING


@pytest.mark.parametrize("answers", ["bca", "BCA", " b c a ", "b, c, a", "B;c;a.", "b\nc\na"])
def test_ask_says_why_the_right_answers_are_right(answers, invented, capsys):
    assert quiz.ask(1, answers) == 3
    assert capsys.readouterr().out.splitlines() == [
        *("1. How many legs?", "   b) four", "   b: right. A dog has four."),
        *("2. Which end?", "   c) none", "   c: right. It has two."),
        *("3. When?", "   a) now", "   a: right. It is hungry."),
    ]


@pytest.mark.parametrize(
    ("answers", "right", "said"),
    [
        ("aca", 2, "   a: not this one. A beetle has six."),
        ("baa", 2, "   a: not this one. It barks."),
        ("bba", 2, "   b: not this one. It wags."),
        ("bcb", 2, "   b: not this one. It cannot wait."),
        ("abb", 0, "   a: not this one. A beetle has six."),
        ("b??", 1, "   b: right. A dog has four."),
        ("??a", 1, "   a: right. It is hungry."),
        ("cca", 2, "   There is no option 'c': choose from a, b."),
        ("bda", 2, "   There is no option 'd': choose from a, b, c."),
        ("1ca", 2, "   There is no option '1': choose from a, b."),
        (
            "b?\N{LATIN SMALL LETTER SHARP S}",
            1,
            "   There is no option '\N{LATIN SMALL LETTER SHARP S}': choose from a, b.",
        ),
    ],
)
def test_ask_counts_what_is_right_and_says_what_is_off(answers, right, said, invented, capsys):
    assert quiz.ask(1, answers) == right
    lines = capsys.readouterr().out.splitlines()
    assert lines.count(said) == 1
    for number, question in enumerate(INVENTED):
        shown = [f"   {'abc'[place]}) {option}" in lines for place, (option, _) in enumerate(question.options)]
        assert all(shown) == (answers[number] != question.right)  # until it is right, there is something to choose from
        assert sum(": right. " in line for line in lines) == right


@pytest.mark.parametrize("answers", ["a", "ab", "abca", "a, b", None, 12, "right"])
def test_ask_wants_a_letter_for_every_question(answers, invented, capsys):
    assert quiz.ask(1, answers) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f'Expected 3 letters, one a question, such as "cab"; received {answers!r}.'


def test_ask_gives_away_no_answer_in_what_it_prints_about_others(invented, capsys):
    quiz.ask(1, "a??")
    printed = capsys.readouterr().out
    assert "A dog has four." not in printed and "right" not in printed
