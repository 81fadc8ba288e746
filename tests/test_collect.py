"""Notebooks of invented learners, harmless and hostile: all are run, and the table and the page say what came of it."""

import csv
import html
import os
import re
import socket
import tempfile

import nbformat
import pytest
from invented_course import write_notebook

from mnist_course import collect, one_notebook, paths

EXERCISES = """import sys, types
from mnist_course import exercises, guesses
sys.modules["mnist_course.checks.lesson_01"] = types.ModuleType("nothing")  # the real one starts TensorFlow
@exercises.exercise("1.1", hints=["Count."], takeaway="Four it is.")
def check(answer):
    if answer != 4:
        raise exercises.NotYet("It is another number.")
@exercises.exercise("1.2", hints=["Count."], takeaway="Five.")
def check_too(answer):
    pass"""
CHECK = 'solved = exercises.check("1.1", {})'
GUESS = 'guesses.reveal("share of zeros", 0.8, {}, reason={!r})'
BIG = f"for _ in range({one_notebook.MOST_OUTPUT // 20_000}):\n    print('Exercise 1.2: correct. ' * 2000)"
EVIL = """import os, shutil, pathlib
for place in ({!r}, pathlib.Path("..").resolve(), pathlib.Path.home()):
    shutil.rmtree(place, ignore_errors=True)
os.system("rm -rf " + {!r})"""


def write_handed_in(folder, canary):
    write_notebook(folder / "ada" / "01_data_exploration.ipynb", EXERCISES, CHECK.format(4), GUESS.format(0.8, "=1+1"))
    write_notebook(
        folder / "01_bob.ipynb",
        EXERCISES,
        "undefined",
        CHECK.format(5),
        'exercises.check("1.2", None)',
        GUESS.format((0.2, 0.5), "<b>ink</b>"),
    )
    (folder / "01_cleo.ipynb").write_text("")
    (folder / "01_dan.ipynb").write_text('{"cells": [')
    write_notebook(folder / "01_eve.ipynb", EXERCISES, CHECK.format(4), GUESS.format(0.7, "@"), "while True:\n    pass")
    leave = "import sys\nsys.exit(1)"
    write_notebook(folder / "01_finn.ipynb", EXERCISES, CHECK.format(5), leave, CHECK.format(4), BIG)
    evil = EVIL.format(str(canary), str(canary))
    write_notebook(folder / "01_gus.ipynb", EXERCISES, GUESS.format(0.1, ""), evil, CHECK.format(4))
    write_notebook(folder / "01_hal.ipynb", EXERCISES, CHECK.format(4), "import os\nos._exit(3)", CHECK.format(5))
    write_notebook(folder / "notes.ipynb", "1")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """What one run over all of them left: its exit code, rows, page, printed lines and the canary's folder."""
    base = tmp_path_factory.mktemp("class")
    canary = base / "canary"
    canary.mkdir()
    (canary / "alive.txt").write_text("alive")
    isolated = collect.can_isolate(base)
    write_handed_in(base / "handed_in", canary if isolated else base / "nothing")
    before = set(os.listdir(tempfile.gettempdir()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "OUTPUTS", base / "outputs")
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(words)))
        lines = []
        code = collect.main([str(base / "handed_in"), "--minutes", "0.2"])
    left = {name for name in set(os.listdir(tempfile.gettempdir())) - before if name.startswith("collect-")}
    (folder,) = (base / "outputs" / "collected").iterdir()
    table = (folder / "collected.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(table.splitlines()))
    page = (folder / "collected.html").read_text(encoding="utf-8")
    return {"code": code, "rows": rows, "page": page, "lines": lines, "canary": canary, "left": left, "files": folder}


def rows_of(collected, learner, kind):
    return [row for row in collected["rows"] if row["learner"] == learner and row["kind"] == kind]


def outcomes_of(collected, learner):
    return {row["name"]: row["outcome"] for row in rows_of(collected, learner, "exercise")}


NOT_RUN = dict.fromkeys(("1.1", "1.2", "1.3", "1.4"), "not run")


@pytest.mark.parametrize(
    ("learner", "exercises", "end"),
    [
        ("ada", {"1.1": "correct"}, "ran to its end"),
        (
            "bob",
            {"1.1": "not yet", "1.2": "not attempted"},
            "ran to its end; 1 cell failed, the first with NameError",
        ),
        ("cleo", {}, "is not a notebook that can be read"),
        ("dan", {}, "is not a notebook that can be read"),
        ("eve", {"1.1": "correct"}, "stopped at the time limit of 12 seconds"),
        ("finn", {"1.1": "correct"}, "printed more than 20 million characters"),
        ("gus", None, "ran to its end, and deleted files of its copy of the course; its guesses.json was deleted"),
        ("hal", {"1.1": "correct"}, "its Python process died (killed, crashed or out of memory)"),
    ],
)
def test_every_learner_has_rows_whatever_the_others_did(collected, learner, exercises, end):
    (row,) = rows_of(collected, learner, "notebook")
    assert (row["name"], row["outcome"]) == ("01_data_exploration", end)
    if exercises is not None:  # without its files the check of gus may or may not find what it needs
        assert outcomes_of(collected, learner) == NOT_RUN | exercises
    assert sum(line.startswith(f"{learner}, 01_") for line in collected["lines"]) == 1


def test_what_is_no_lesson_is_named_and_not_run(collected):
    (row,) = rows_of(collected, "notes", "notebook")
    assert "does not start with a lesson's number" in row["outcome"] and not rows_of(collected, "notes", "exercise")
    assert collected["code"] == 0


def test_guesses_and_reasons_are_there_even_of_who_was_stopped_later(collected):
    found = {
        name: [(row["guess"], row["truth"], row["outcome"], row["reason"]) for row in rows_of(collected, name, "guess")]
        for name in ("ada", "bob", "eve", "gus", "cleo")
    }
    assert found == {
        "ada": [("0.8", "0.8", "right", "'=1+1")],
        "bob": [("0.2 to 0.5", "0.8", "not right", "<b>ink</b>")],
        "eve": [("0.7", "0.8", "not right", "'@")],
        "gus": [("0.1", "0.8", "not right", "")],
        "cleo": [],
    }
    assert {row["name"] for row in collected["rows"] if row["kind"] == "guess"} == {"share of zeros"}


def test_the_page_shows_reasons_side_by_side_and_runs_nothing_of_theirs(collected):
    page = collected["page"]
    assert page.count("<h3>share of zeros</h3>") == 1 and "<b>ink" not in page
    part = page.split("<h3>share of zeros</h3>")[1]
    for text in ("=1+1", "<b>ink</b>", "0.2 to 0.5"):
        assert html.escape(text) in part
    assert '<td class="correct" title="correct">✓</td>' in page and '<td class="not-yet" title="not yet">✗</td>' in page


def test_nothing_outside_is_harmed_and_nothing_is_left_behind(collected):
    assert (collected["canary"] / "alive.txt").read_text() == "alive"
    assert not collected["left"]
    assert {path.name for path in collected["files"].iterdir()} == {"collected.csv", "collected.html"}


# ---------------------------------------------------------------- the network, and what cannot be shut in


NETWORK = """import socket
for kind, place in ((socket.AF_INET, ("127.0.0.1", PORT)), (socket.AF_UNIX, FILE)):
    try:
        socket.socket(kind).connect(place)
    except OSError as error:
        print("Exercise 1.3: correct.", error)
    else:
        print("Exercise 1.3: not yet")
        break"""


def test_no_notebook_reaches_a_server_of_this_machine(tmp_path):
    if not collect.can_isolate(tmp_path):
        pytest.skip("this system cannot cut the network of a process")
    lesson = paths.NOTEBOOKS / "01_data_exploration.ipynb"
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{folder}/listens")
            listener.listen()
            source = NETWORK.replace("PORT", str(server.getsockname()[1])).replace("FILE", repr(f"{folder}/listens"))
            path = write_notebook(tmp_path / "01_ivy.ipynb", source)
            assert collect.run_notebook(path, lesson, 60, True)["exercises"] == {"1.3": "correct"}
            assert collect.run_notebook(path, lesson, 60, False)["exercises"] == {"1.3": "not yet"}


def test_the_report_says_when_nothing_was_shut_in(tmp_path, monkeypatch, capsys):
    write_notebook(tmp_path / "in" / "notes.ipynb", "1")
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setattr(collect, "ISOLATED", ("no-such-command",))
    assert collect.main([str(tmp_path / "in")]) == 0
    (page,) = tmp_path.glob("outputs/collected/*/collected.html")
    assert "network was NOT cut" in page.read_text(encoding="utf-8") and "NOT cut" in capsys.readouterr().out


# ---------------------------------------------------------------- folders and cells of the table


def test_learners_are_named_by_folder_or_file(tmp_path):
    for name in (
        *("maria/01_data_exploration.ipynb", "maria/deeper/02_x.ipynb", "01_tom.ipynb", "01_data_exploration.ipynb"),
        *("03_model_building_zoe.ipynb", "maria/.ipynb_checkpoints/01_data_exploration.ipynb", "99_none.ipynb"),
    ):
        write_notebook(tmp_path / name, "1")
    found = {(learner, lesson and lesson.stem[:2]) for learner, _, lesson in collect.find_handed_in(tmp_path)}
    expected = {("maria", "01"), ("maria", "02"), ("tom", "01"), ("01_data_exploration", "01"), ("zoe", "03")}
    assert found == expected | {("none", None)}


@pytest.mark.parametrize("folder", ["", "missing", "empty"])
def test_a_missing_or_empty_folder_is_one_sentence(folder, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert collect.main([str(tmp_path / folder) if folder else ""]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.splitlines()) == 1 and "learners' notebooks" in captured.err


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-2+3", "@SUM(A1)"])
def test_formulas_become_text(text):
    assert collect.harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["-3", "+0.5", "-1e5", "a=b", "", "0.2 to 0.5"])
def test_numbers_and_words_stay_as_they_are(text):
    assert collect.harmless(text) == text


def test_lies_among_the_lines_do_not_stop_the_reading():
    said = b'{"exercises": {"1.1": "correct"}}\nnonsense\n[1]\n{"guesses": 3}\n{"exercises": [1]}\n\xff\n{"end": 5}\n'
    known = collect.read_what_was_said(said)
    assert known["exercises"] == {"1.1": "correct"} and known["guesses"] == [] and known["end"] == "5"


def test_exercises_of_a_lesson_are_those_of_its_headings():
    assert collect.exercise_names(paths.NOTEBOOKS / "01_data_exploration.ipynb") == ["1.1", "1.2", "1.3", "1.4"]
    for path in paths.NOTEBOOKS.glob("[0-9]*.ipynb"):
        text = nbformat.read(path, as_version=4)
        checked = {name for cell in text.cells for name in re.findall(r'check\("(\d+\.\d)"', cell.source)}
        assert set(collect.exercise_names(path)) == checked
