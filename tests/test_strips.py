"""A line of a page is cut out level and as tall as MNIST's digits; what its frames say is spelled."""

import numpy as np
import pytest
from PIL import Image
from test_divisions import sheet

from mnist_course import divisions, strips


def only_line(ink, *, cut=True):
    pieces = divisions.find_pieces(ink)
    height = divisions.digit_height(pieces)
    (line,) = divisions.find_lines(pieces, height)
    return divisions.divide(line, pieces, ink, height, None if cut else np.ones(len(pieces.boxes), bool))


def frames_of(text):
    """Frames (n, 12) of which each is 90 % sure: "-" of nothing, "?" of something that is no digit."""
    frames = np.full((len(text), strips.ANSWERS), 0.1 / 11, np.float32)
    for frame, answer in zip(frames, text, strict=True):
        frame[{"-": strips.NOTHING, "?": strips.OTHER}.get(answer) if answer in "-?" else int(answer) + 1] = 0.9
    return frames


@pytest.mark.parametrize(
    "text, digits, places",
    [
        ("---", [], []),
        ("-7-", [7], [1]),
        ("117", [1, 7], [0, 2]),  # the same answer side by side is one digit
        ("1-17", [1, 1, 7], [0, 2, 3]),  # and not where there is nothing between
        ("0-?-9-", [0, None, 9], [0, 2, 4]),
    ],
)
def test_frames_are_spelled(text, digits, places):
    letters = strips.spell(frames_of(text))
    assert [letter.digit for letter in letters] == digits
    assert [letter.frame for letter in letters] == places


def test_a_digit_has_its_place_where_it_is_surest():
    frames = frames_of("-333-")
    frames[2, 4] = 0.99
    (letter,) = strips.spell(frames)
    assert letter.frame == 2 and letter.probabilities[4] == pytest.approx(0.99)


@pytest.mark.parametrize("side", [30, 60, 120])
def test_a_strip_shows_digits_as_tall_as_in_mnist_whatever_their_size(side):
    ink = sheet(["360832"], side=side, step=side, size=(3 * side, 7 * side))
    strip = strips.cut_out(only_line(ink), ink)
    assert strip.dtype == np.uint8 and strip.shape[0] == strips.HEIGHT and strip.max() > 200
    rows = np.flatnonzero((strip > 128).any(axis=1))
    assert 19 <= np.ptp(rows) + 1 <= 23 and abs((rows[0] + rows[-1] + 1 - strips.HEIGHT) / 2) < 2
    assert not strip[:, :3].any() and not strip[:, -3:].any()


@pytest.mark.parametrize("angle", [-9, 9])
def test_a_strip_is_level_where_the_line_slopes(angle):
    level = np.pad(sheet(["360832"], size=(160, 400)), 60)
    sloping = np.asarray(Image.fromarray(level).rotate(angle, Image.Resampling.BICUBIC)).clip(0, 1)
    line = only_line(sloping)

    def rise(line):
        strip = strips.cut_out(line, sloping).astype(float)
        rows, columns = np.mgrid[: strip.shape[0], : strip.shape[1]]
        return np.polyfit(columns.ravel(), rows.ravel(), 1, w=np.sqrt(strip.ravel()))[0]

    assert abs(rise(line)) < 0.03 < 0.1 < abs(rise(line._replace(slope=0, middle=line.middle + 200 * line.slope)))


def test_a_frame_lies_in_the_strip_where_its_column_lies_on_the_page():
    ink = sheet(["10  01"], side=60, step=35, size=(160, 400))
    line = only_line(ink)
    strip = strips.cut_out(line, ink)
    inked = np.flatnonzero((strip > 128).any(axis=0))
    gap = inked[np.argmax(np.diff(inked))], inked[np.argmax(np.diff(inked)) + 1]
    on_page = np.flatnonzero((ink > 0.5).any(axis=0))
    expected = on_page[np.argmax(np.diff(on_page))], on_page[np.argmax(np.diff(on_page)) + 1]
    assert strips.find_places(np.array(gap) / strips.FRAME, line) == pytest.approx(np.array(expected), abs=4)


def test_letters_find_the_candidates_in_their_order():
    ink = sheet(["3608"], step=36, size=(160, 300))  # they touch
    line = only_line(ink)
    places = np.array([20 + 36 * place + 30.0 for place in range(4)])
    found = strips.find_candidates(places, line)
    assert all(abs((box.box[2] + box.box[3]) / 2 - place) < 8 for box, place in zip(found, places, strict=True))
    assert all(one.last <= other.first for one, other in zip(found, found[1:], strict=False))
    assert strips.find_candidates(places[:0], line) == []
    whole = only_line(sheet(["1 6"], size=(160, 300)), cut=False)
    ends = [found and found.last for found in strips.find_candidates(np.array([52, 140, 156]), whole)]
    assert ends in ([1, None, 2], [1, 2, None])


def test_a_tall_digit_beside_low_ones_fits_into_the_strip():
    ink = np.zeros((200, 300), np.float32)
    for column in (40, 90):
        ink[90:150, column : column + 10] = 1
    ink[50:150, 140:150] = 1
    strip = strips.cut_out(only_line(ink), ink)
    rows = np.flatnonzero((strip > 128).any(axis=1))
    assert 26 <= np.ptp(rows) + 1 <= 29


def test_thin_strokes_are_redrawn_so_that_they_are_seen():
    ink = np.zeros((220, 300), np.float32)
    ink[10:200, 60:63] = ink[10:200, 200:203] = ink[195:198, 60:200] = 1
    strip = strips.cut_out(only_line(ink), ink)
    assert (strip[10:20] > 150).any(axis=1).all() and (strip > 128).sum(axis=1)[10:20].max() <= 6


def test_ink_that_is_not_of_the_line_is_not_in_the_strip():
    ink = sheet(["3608"], size=(220, 400))
    line = only_line(ink)
    (top, left), (high, wide) = line.corner, line.atoms.shape
    more = ink.copy()
    more[top : top + high, left : left + wide][line.atoms == 0] = 1
    np.testing.assert_array_equal(strips.cut_out(line, more), strips.cut_out(line, ink))
