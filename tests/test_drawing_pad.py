"""The kernel's side of the drawing pad; tests/browser/ draws on the real one."""

import base64
import io

import nbformat
import numpy as np
import papermill
import pytest
from PIL import Image, ImageDraw

from mnist_course.drawing_pad import INVITATION, DrawingPad

SEVEN = np.eye(10)[7] * 0.9 + 0.01


def draw(pad, *, number=1):
    """Do what the page does when the pen is lifted: send one stroke as a PNG data URL."""
    paper = Image.new("RGBA", (280, 280), "white")
    ImageDraw.Draw(paper).line([(140, 40), (140, 240)], fill="black", width=18)
    file = io.BytesIO()
    paper.save(file, "png")
    png = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    pad.set_state({"_drawing": {"number": number, "png": png}})


def test_an_untouched_pad_has_no_picture_and_invites_to_draw():
    pad = DrawingPad(lambda picture: SEVEN)
    assert pad.picture is None
    assert pad._answer == {"number": 0, "sentence": INVITATION, "probabilities": []}


def test_a_stroke_reaches_the_reader_as_black_ink_on_white_paper():
    received = []
    pad = DrawingPad(lambda picture: received.append(picture) or SEVEN)
    draw(pad)
    assert (received[0].mode, received[0].size) == ("L", (280, 280))
    greys = np.asarray(pad.picture)
    assert (greys[140, 140], greys[0, 0]) == (0, 255)
    assert np.array_equal(greys, np.asarray(received[0]))


@pytest.mark.parametrize(
    ("digit", "probability", "sentence"),
    [
        (7, 0.91, "This is a 7 (91.0 %)."),
        (8, 1.0, "This is an 8 (100.0 %)."),
        (8, 0.4, "Not sure, perhaps an 8 (40.0 %)."),
    ],
)
def test_the_answer_names_the_digit_and_says_when_it_is_not_sure(digit, probability, sentence):
    probabilities = np.full(10, (1 - probability) / 9, dtype="float32")
    probabilities[digit] = probability
    pad = DrawingPad(lambda picture: probabilities)
    draw(pad, number=5)
    assert pad._answer["number"] == 5
    assert pad._answer["sentence"] == sentence
    assert pad._answer["probabilities"] == pytest.approx(probabilities.tolist())


def test_a_refusal_is_shown_and_the_next_drawing_is_read_again():
    answers = iter([ValueError("There are 3 digits in this picture: draw one."), SEVEN])

    def read(picture):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    pad = DrawingPad(read)
    draw(pad, number=1)
    assert pad._answer["sentence"] == "There are 3 digits in this picture: draw one."
    assert pad._answer["probabilities"] == []
    draw(pad, number=2)
    assert pad._answer["sentence"] == "This is a 7 (91.0 %)."


@pytest.mark.parametrize("wrong", [SEVEN[None], SEVEN[:9], SEVEN * 2, SEVEN * np.nan])
def test_a_reader_that_returns_no_probabilities_is_told_what_to_return(wrong):
    pad = DrawingPad(lambda picture: wrong)
    draw(pad)
    assert "return ten probabilities, shape (10,), each in [0, 1]" in pad._answer["sentence"]
    assert pad._answer["probabilities"] == []


def test_a_mistake_in_the_reader_is_shown_in_the_pad():
    pad = DrawingPad(lambda picture: 1 / 0)
    draw(pad)
    assert pad._answer["sentence"] == "ZeroDivisionError: division by zero"


def test_clear_takes_the_picture_away():
    pad = DrawingPad(lambda picture: SEVEN)
    draw(pad, number=1)
    pad.set_state({"_drawing": {"number": 2, "png": ""}})
    assert pad.picture is None
    assert pad._answer == {"number": 2, "sentence": INVITATION, "probabilities": []}


def test_a_notebook_without_a_browser_runs_and_shows_a_sentence_instead(tmp_path):
    code = "from mnist_course import drawing_pad\npad = drawing_pad.DrawingPad(lambda picture: [0.1] * 10)\npad"
    cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("pad.picture is None")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "pad.ipynb")
    papermill.execute_notebook(tmp_path / "pad.ipynb", tmp_path / "run.ipynb", kernel_name="python3")
    run = nbformat.read(tmp_path / "run.ipynb", as_version=4)
    nbformat.validate(run)
    texts = [cell.outputs[0].data["text/plain"] for cell in run.cells]
    assert texts == ["A drawing pad: run this cell in JupyterLab or Colab, then draw a digit.", "True"]


def test_the_page_loads_nothing_from_the_network():
    assert "createPad" in DrawingPad._esm and ".digit-pad" in DrawingPad._css
    assert "http" not in DrawingPad._esm + DrawingPad._css
