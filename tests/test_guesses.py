"""A guess is kept beside its answer, whatever it is the lesson goes on, and nothing that was kept is lost."""

import json
import os
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mnist_course import guesses, paths

QUESTION = "share of photos read"
NOT_A_NUMBER = "A guess is a number or a range (low, high), not "
NOT_A_WORD = "A guess is a word or a digit, or a list of them, not "


@pytest.fixture(autouse=True)
def outputs(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path / "outputs")
    return tmp_path / "outputs"


def revealed(capsys, *arguments):
    """What `reveal` prints, as one line."""
    guesses.reveal(QUESTION, *arguments)
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("truth", "guess", "printed", "kept"),
    [
        (0.36, 0.8, "0.36; you guessed 0.8: 0.44 too high", [0.8, 0.8]),
        (np.float32(0.5), 0.5, "0.5; you guessed 0.5: right", [0.5, 0.5]),
        (71, 100, "71; you guessed 100: 29 too high", [100, 100]),
        (np.int64(12_345), Fraction(21, 2), "12,345; you guessed 10.5: 12,334 too low", [10.5, 10.5]),
        (12_345.678, 0, "12,346; you guessed 0: 12,346 too low", [0, 0]),
        (0.36, (0.3, 0.5), "0.36; you guessed 0.3 to 0.5: it lies within", [0.3, 0.5]),
        (0.36, [0.5, 0.36], "0.36; you guessed 0.36 to 0.5: it lies within", [0.36, 0.5]),
        (0.36, np.array([0.4, 0.5]), "0.36; you guessed 0.4 to 0.5: 0.04 too high", [0.4, 0.5]),
        (71, (0, 10), "71; you guessed 0 to 10: 61 too low", [0, 10]),
        (-0.3, (-0.5, 0), "-0.3; you guessed -0.5 to 0: it lies within", [-0.5, 0]),
        (0.36, np.array(0.25), "0.36; you guessed 0.25: 0.11 too low", [0.25, 0.25]),
        ("7", 7, "7; you guessed 7: right", ["7"]),
        ("7", np.int64(4), "7; you guessed 4: not this time", ["4"]),
        ("7", "7", "7; you guessed 7: right", ["7"]),
        ("7", [4, 7], "7; you guessed 4 or 7: right", ["4", "7"]),
        ("7", (1, "4"), "7; you guessed 1 or 4: not this time", ["1", "4"]),
        ("7", {7}, "7; you guessed 7: right", ["7"]),
        ("7", np.array(7), "7; you guessed 7: right", ["7"]),
        ("7", range(6, 8), "7; you guessed 6 or 7: right", ["6", "7"]),
        ("7", np.array([4, 7]), "7; you guessed 4 or 7: right", ["4", "7"]),
        ("too sure", " Too sure ", "too sure; you guessed Too sure: right", ["Too sure"]),
    ],
)
def test_the_answer_the_guess_and_the_distance_are_one_line_and_kept(truth, guess, printed, kept, capsys, outputs):
    assert revealed(capsys, truth, guess, "a hunch") == f"{QUESTION}: {printed}"
    (entry,) = guesses.read_record(outputs)
    right = "right" in printed or "it lies within" in printed
    assert entry == {
        "question": QUESTION,
        "truth": pytest.approx(truth) if not isinstance(truth, str) else truth,
        "guess": kept,
        "reason": "a hunch",
        "kind": "word" if isinstance(truth, str) else "range" if kept[0] < kept[1] else "number",
        "right": right,
    }


@pytest.mark.parametrize(
    ("truth", "guess", "sentence"),
    [
        *(
            (0.36, guess, f"{NOT_A_NUMBER}{guess!r}")
            for guess in ("0.8", True, (0.1, True), (0.1, 0.2, 0.3), (), {}, 1j)
        ),
        *((0.36, guess, f"{NOT_A_NUMBER}{guess!r}") for guess in ((0.1, None), (0.1, "0.2"), [[0.1, 0.2]], ...)),
        *((0.36, guess, "A guess is a finite number, not ") for guess in (np.nan, (0, np.inf), 10**400)),
        *(("7", guess, f"{NOT_A_WORD}{guess!r}") for guess in (True, 7.0, [], [4, None], {}, "", [" "], ...)),
    ],
)
def test_a_guess_of_another_kind_is_named_and_not_kept(truth, guess, sentence, capsys, outputs):
    line = revealed(capsys, truth, guess)
    assert line.startswith(f"{QUESTION}: {truth}. {sentence}") and line.endswith(", so it was not kept.")
    assert not outputs.exists()


def test_without_a_guess_only_the_answer_is_printed_and_nothing_is_kept(capsys, outputs):
    assert revealed(capsys, 0.9, None, "a reason alone") == f"{QUESTION}: 0.9"
    assert not outputs.exists() and guesses.read_record(outputs) == []


def test_a_second_guess_takes_the_place_of_the_first_and_no_guess_leaves_it(capsys, outputs):
    revealed(capsys, 0.9, 0.5)
    guesses.reveal("another question", 3, 4)
    revealed(capsys, 0.8, 0.7)
    revealed(capsys, 0.8, None)
    record = guesses.read_record(outputs)
    assert [(entry["question"], entry["truth"], entry["guess"]) for entry in record] == [
        ("another question", 3, [4, 4]),
        (QUESTION, 0.8, [0.7, 0.7]),
    ]
    assert all(set(entry) == set(guesses.KEPT) for entry in json.loads((outputs / "guesses.json").read_text()))


ENTRY = {"question": "x", "truth": 1, "guess": [1, 2], "reason": ""}


@pytest.mark.parametrize(
    "damaged",
    [
        *("", "[{", "null", "7", '"text"', '{"question": "x"}', "[7]", "[[]]"),
        *(json.dumps([{name: ENTRY[name] for name in ENTRY if name != missing}]) for missing in ENTRY),
        *(json.dumps([ENTRY | {"guess": guess}]) for guess in ([], [1], 3, ["a", "b"], None)),
        *(json.dumps([ENTRY | {"truth": truth}]) for truth in ("7", None, [])),
        b"\xff\xfe\x00",
    ],
)
def test_a_damaged_file_is_never_overwritten_and_the_lesson_goes_on(damaged, capsys, outputs):
    outputs.mkdir()
    file = outputs / "guesses.json"
    file.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    line = revealed(capsys, 0.36, 0.8)
    assert line.startswith(f"{QUESTION}: 0.36; you guessed 0.8: 0.44 too high. ")
    assert line.endswith("guesses.json cannot be read as guesses; move it away to begin anew.")
    assert file.read_bytes() == (damaged if isinstance(damaged, bytes) else damaged.encode())
    with pytest.raises(ValueError, match="guesses.json cannot be read as guesses; move it away"):
        guesses.read_record(outputs)


def test_where_nothing_can_be_written_one_sentence_says_so_and_the_lesson_goes_on(capsys, outputs, monkeypatch):
    revealed(capsys, 0.36, 0.8)
    before = (outputs / "guesses.json").read_bytes()

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    line = revealed(capsys, 0.36, 0.5)
    assert line.startswith(f"{QUESTION}: 0.36; you guessed 0.5: 0.14 too high. ")
    assert line.endswith("cannot be written (Permission denied); a file that was there is still whole.")
    assert (outputs / "guesses.json").read_bytes() == before


def test_a_read_only_folder_does_not_stop_the_lesson(capsys, outputs):
    outputs.mkdir()
    outputs.chmod(0o500)
    try:
        line = revealed(capsys, 0.36, 0.5)
    finally:
        outputs.chmod(0o700)
    refused = not os.access("/", os.W_OK)  # an administrator may write everywhere
    assert line.endswith("a file that was there is still whole." if refused else "0.14 too high")


def test_a_file_in_the_place_of_the_folder_does_not_stop_the_lesson(capsys, outputs):
    outputs.write_text("no folder")
    assert "cannot be written" in revealed(capsys, 0.36, 0.5)
    assert outputs.read_text() == "no folder"


def entry(truth, guess, right):
    kind = "word" if isinstance(truth, str) else "range"
    return {"question": f"question {truth}", "truth": truth, "guess": guess, "kind": kind, "right": right}


def test_the_record_is_drawn_as_ratios_with_symbols_and_words_are_left_out():
    record = [
        entry(0.5, [0.25, 1], True),
        entry(10, [20, 20], False),
        entry("7", ["7"], True),
        entry(-0.5, [0.1, 0.2], False),
        entry(0, [0, 0], True),
        entry(4, [0, 5], True),
        entry(0.8, [99, 99], False),
    ]
    ax = guesses.draw_record(record).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [f"question {truth}" for truth in (0.5, 10, 4, 0.8)]
    drawn = {
        (line.get_ydata()[0], line.get_marker(), *line.get_xdata()) for line in ax.lines if line.get_marker() != "None"
    }
    assert drawn == {
        *((0, "o", 0.5), (0, "o", 2.0), (1, "x", 2.0)),
        *((2, "<", 0.01), (2, "o", 1.25), (3, ">", 100.0)),
    }
    low, high = ax.get_xlim()
    assert low < 0.01 and high > 100
    plt.close(ax.figure)


@pytest.mark.parametrize("record", [[], [entry("7", ["4"], False)], [entry(0, [0, 1], True)]])
def test_without_a_number_there_is_nothing_to_draw(record):
    with pytest.raises(ValueError, match="No guess of a number is kept yet"):
        guesses.draw_record(record)
