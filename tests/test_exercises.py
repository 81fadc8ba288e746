"""What holds for every exercise: no answer breaks a check, hints lead on, lesson and solution ask the same question."""

import functools
import inspect
import re
import threading
import time

import nbformat
import numpy as np
import pytest

from mnist_course import exercises, notebook_runs, paths

LESSONS = notebook_runs.find_notebooks()
NAMES = [name for path in LESSONS for name in exercises.names(int(path.stem[:2]))]


class Hostile:
    """Fails at whatever is done with it."""

    def __getattr__(self, name):
        raise RuntimeError("hostile")

    def __eq__(self, other):
        raise RuntimeError("hostile")

    __hash__ = None


def fails(*arguments):
    raise ZeroDivisionError("oops")


def leaves(*arguments):
    raise SystemExit(3)


def never_returns(*arguments):
    while True:
        pass


HOSTILE = {
    "None": None,
    "a string": "five",
    "NaN": float("nan"),
    "a wrong shape": np.zeros((2, 3, 1)),
    "an empty array": np.array([]),
    "a dictionary": {"answer": 5},
    "an object": Hostile(),
    "a function that fails": fails,
    "a function that leaves": leaves,
    "a function that never returns": never_returns,
    "a function that returns None": lambda *arguments: None,
    "a function that returns NaN": lambda *arguments: np.nan,
    "a function that returns a string": lambda *arguments: "five",
    "a function that takes nothing": lambda: 5,
}


def number_of_answers(name):
    return len(inspect.signature(exercises.registered[name][0]).parameters)


def asks_for_a_function(name):
    """Say whether the stub in the lesson is a function to be filled in, one that returns None until then."""
    (path,) = notebook_runs.find_notebooks([f"{int(name.split('.')[0]):02d}_"])
    _, stub, _ = cells_of_exercises(path)[name]
    return re.search(r"^def ", stub.source, flags=re.M) is not None


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_no_answer_breaks_a_check(name, kind, monkeypatch, capsys):
    answer = HOSTILE[kind]
    if answer is never_returns:
        monkeypatch.setattr(exercises, "TIME_LIMIT", 0.05)
    untouched = answer is None or kind == "a function that returns None" and asks_for_a_function(name)
    assert exercises.check(name, *[answer] * number_of_answers(name)) is False
    out = capsys.readouterr().out
    assert out.startswith(f"Exercise {name}: not attempted yet. " if untouched else f"Exercise {name}: not yet. ")
    assert len(out) < 400 and max(map(len, out.splitlines())) <= 88


def test_a_function_that_never_returns_is_stopped(monkeypatch, capsys):
    monkeypatch.setattr(exercises, "TIME_LIMIT", 0.2)
    before = threading.active_count()
    begin = time.monotonic()
    with pytest.raises(exercises.NotYet, match="never end"):
        exercises.call(never_returns)
    assert time.monotonic() - begin < 3 and threading.active_count() == before


def test_a_function_gets_copies(capsys):
    images = np.ones((2, 3))

    def spoils(images):
        images[:] = 0
        return 1

    assert exercises.call(spoils, images) == 1 and images.all()


@pytest.mark.parametrize("answer, value", [(5, 5), (np.uint8(5), 5), (np.array([5]), 5), (5.0, 5)])
def test_numbers_may_come_in_any_form(answer, value):
    assert exercises.number(answer, whole=True) == value


class Tensor:
    """One number as PyTorch has it while it keeps track of a gradient: an array only after `detach`."""

    def detach(self):
        return np.float32(5)

    def __array__(self, *arguments):
        raise RuntimeError("call detach first")


def test_numbers_and_arrays_may_be_tensors():
    assert exercises.number(Tensor()) == 5 and exercises.array(Tensor(), ()) == 5


@pytest.mark.parametrize(
    "answer, words", [("5", "text '5'"), (True, "True"), (np.inf, "finite"), (2.5, "whole number")]
)
def test_what_is_no_number_is_named(answer, words):
    with pytest.raises(exercises.NotYet, match=words):
        exercises.number(answer, whole=True)


@pytest.mark.parametrize("name", NAMES)
def test_hints_come_one_by_one_and_lead_to_the_solution(name, capsys, monkeypatch):
    monkeypatch.setattr(exercises, "hints_shown", {})
    count = len(exercises.registered[name][1])
    assert count >= 3
    for place in range(count):
        exercises.hint(name)
        assert capsys.readouterr().out.startswith(f"Hint {place + 1} of {count}: ")
    exercises.hint(name)
    out = capsys.readouterr().out
    assert out.startswith(f"Hint {count} of {count}: ") and f'exercises.solution("{name}")' in out
    exercises.solution(name)
    solution = capsys.readouterr().out
    compile(solution, name, "exec")
    assert "without solutions" not in solution


@pytest.mark.parametrize("wrong_name", ["1.99", "99.1", "first", None, 1.2])
def test_an_exercise_that_does_not_exist_is_one_sentence(wrong_name, capsys):
    assert exercises.check(wrong_name, 5) is False
    exercises.hint(wrong_name)
    exercises.solution(wrong_name)
    assert capsys.readouterr().out.count("There is no exercise") == 3


def test_a_copy_without_solutions_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "SOLUTIONS", tmp_path)
    exercises.solution("1.1")
    assert "without solutions" in capsys.readouterr().out


# ---------------------------------------------------------------- lessons and solutions


@functools.cache
def cells_of_exercises(path):
    """Return {exercise: (question, answer cell, check cell)} of a lesson or of its solutions."""
    cells = nbformat.read(path, as_version=4).cells
    found = {}
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and cell.source.startswith("### Exercise "):
            found[cell.source.split()[2].rstrip(":")] = cells[place], cells[place + 1], cells[place + 2]
    return found


def solutions_of(path):
    return path.parent / "solutions" / f"{path.stem}_solutions.ipynb"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_and_solutions_ask_and_check_the_same(path):
    lesson, solutions = cells_of_exercises(path), cells_of_exercises(solutions_of(path))
    assert list(lesson) == list(solutions) == exercises.names(int(path.stem[:2]))
    assert len(lesson) >= 3
    for name in lesson:
        question, stub, check = lesson[name]
        assert question.source == solutions[name][0].source
        assert check.source == solutions[name][2].source
        assert check.source.startswith(f'solved = exercises.check("{name}", ')
        assert stub.source != solutions[name][1].source
        assert solutions[name][1].metadata.tags == [f"solution-{name}"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_stored_outcome_is_not_attempted_in_lessons_and_correct_in_solutions(path):
    for notebook, outcome in ((path, "not attempted yet"), (solutions_of(path), "correct")):
        for name, (_, _, check) in cells_of_exercises(notebook).items():
            assert notebook_runs.has_tag(check, "nbval-check-output")
            (output,) = check.outputs
            assert output.text.startswith(f"Exercise {name}: {outcome}.")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_beside_each_solution_stands_the_common_wrong_turn(path):
    cells = nbformat.read(solutions_of(path), as_version=4).cells
    wrong_turns = [cell.source for cell in cells if cell.source.startswith("**The common wrong turn.**")]
    assert len(wrong_turns) == len(exercises.names(int(path.stem[:2])))
