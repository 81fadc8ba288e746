"""Numbers are read from pages, upright or not; what is no digit is said, not guessed; one digit stays one digit."""

import numpy as np
import pytest
from drawn_pictures import DIGITS, WHITE, draw, ink_mask, page_with, place
from PIL import Image, ImageDraw, ImageFont
from test_divisions import sheet

import mnist_helpers as mh
from benchmarks import whole_numbers
from mnist_course import divisions, pages, paper_photos, paths, reader, strips

NUMBERS = ["36472", "94", "8374"]
QUARTERS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


@pytest.fixture(scope="module")
def network():
    return reader.Reader(paths.ROBUST_READER)


@pytest.fixture(scope="module", params=["cut", "spelled"])
def networks(request, network):
    """What reads a page: the network of single digits alone, or with the one that reads lines."""
    return (network,) if request.param == "cut" else (network, reader.LineReader())


def page(rows=NUMBERS, *, step=50, size=(600, 800), **how):
    return draw(sheet(rows, size=size, step=step, left=120), **how)


PAPERS = {
    "plain": {},
    "ruled": {"lines": "ruled"},
    "squared": {"lines": "squared"},
    "in shadow": {"light": 0.4, "shadow": 0.3, "grain": 5},
    "a blackboard": {"paper": (30, 60, 40), "ink": (240, 240, 240)},
}


@pytest.mark.parametrize("how", PAPERS.values(), ids=PAPERS)
def test_a_page_is_read_line_by_line_on_any_paper(how, networks):
    assert pages.read_page(page(**how), *networks).texts() == NUMBERS


def test_a_table_beside_the_sheet_is_no_digit(networks):
    photo = Image.new("RGB", (900, 800), (90, 60, 40))
    photo.paste(page(), (100, 60))
    assert pages.read_page(photo, *networks).texts() == NUMBERS


def test_the_table_around_a_sheet_is_not_taken_for_one_digit(networks):
    photo = Image.new("RGB", (640, 760), (150, 148, 144))
    photo.paste(draw(sheet(["97", "28"], side=80, size=(700, 540), left=150), ink=(110, 110, 115)), (20, 24))
    assert pages.read_page(photo, *networks).texts() == ["97", "28"]


def test_touching_digits_are_read_apart(networks):
    assert pages.read_page(page(["3608", "5283"], step=37, size=(400, 500)), *networks).texts() == ["3608", "5283"]


def test_a_stroke_that_two_digits_share_belongs_to_both(network):
    ink = sheet(["93"], step=24, size=(100, 160))
    pieces = divisions.find_pieces(ink)
    line = divisions.divide(np.array([0]), pieces, ink, divisions.digit_height(pieces))
    probabilities, images = pages.read_candidates(line, ink, network)
    alone, _ = pages.read_candidates(line._replace(stroke=0), ink, network)
    assert np.array_equal(network.read(images), probabilities)
    costs = np.array([candidate.price() for candidate in line.candidates]) - np.log(probabilities.max(axis=1))
    chosen, _ = divisions.best_path(len(line.skip), line.skip, line.candidates, costs)
    assert probabilities[chosen].argmax(axis=1).tolist() == [9, 3]
    assert (probabilities.max(axis=1) >= alone.max(axis=1)).all() and alone[chosen[0]].argmax() != 9


def test_a_digit_on_a_sloping_line_is_seen_as_if_the_line_were_level(network):
    level = sheet(["36083"], size=(160, 400))
    photo = Image.fromarray(np.pad(level, 60))
    sloping = np.asarray(photo.rotate(-9, Image.Resampling.BICUBIC)).clip(0, 1)

    def seen(ink, **change):
        pieces = divisions.find_pieces(ink)
        (found,) = divisions.find_lines(pieces, divisions.digit_height(pieces))
        line = divisions.divide(found, pieces, ink, divisions.digit_height(pieces), np.ones(len(pieces.boxes), bool))
        return pages.read_candidates(line._replace(**change), ink, network)[1].astype(float)

    missed = np.abs(seen(level) - seen(sloping)).mean(), np.abs(seen(level) - seen(sloping, slope=0)).mean()
    assert missed[0] < 0.6 * missed[1]


def test_a_line_is_kept_where_digits_touch_so_that_little_of_it_is_read_surely(networks):
    rng, (digits, _) = np.random.default_rng([7, 194]), mh.split_train_validation(*mh.load_mnist()[0])[1]
    chosen = [rng.integers(len(digits), size=rng.integers(1, 13)) for _ in range(rng.integers(2, 9))]
    photo = paper_photos.photograph_page([digits[line] for line in chosen], rng, touching=0.4, slope=8)
    assert len(pages.read_page(photo, *networks).lines) == len(chosen)


def cuts(digits):
    """Each digit's cut as a mean point and a height, or None."""
    return [digit.cut and (*np.mean(digit.cut, axis=0), np.ptp(digit.cut, axis=0)[1]) for digit in digits]


def test_where_touching_digits_were_cut_is_told_also_on_a_page_that_lies(networks):
    touching = page(["3608", "5283"], step=37, size=(400, 500))
    upright = sum(pages.read_page(touching, *networks).lines, [])
    found = cuts(upright)
    assert found[0] is None and found[4] is None and sum(cut is not None for cut in found) >= 2
    for before, digit, cut in zip(upright, upright[1:], found[1:], strict=False):
        if cut:
            x, y, height = cut
            assert (before.box[0] + before.box[2]) / 2 < x < (digit.box[0] + digit.box[2]) / 2
            assert digit.box[1] < y < digit.box[3] and height > 30  # from top to bottom of what was cut
    lying = pages.read_page(touching.transpose(QUARTERS[90]), *networks)
    assert lying.turned == 90
    for one, other in zip(upright, sum(lying.lines, []), strict=True):
        assert (one.cut is None) == (other.cut is None)
        if one.cut:
            expected = np.mean(one.cut, axis=0)[1], touching.width - np.mean(one.cut, axis=0)[0]
            assert np.abs(np.mean(other.cut, axis=0) - expected).max() < 8
    assert cuts(sum(pages.read_page(page(), *networks).lines, [])) == [None] * 11


@pytest.mark.parametrize("turned", QUARTERS)
def test_a_page_that_does_not_stand_upright_is_turned_and_its_places_are_told(turned, networks):
    upright = pages.read_page(page(), *networks)
    lying = page().transpose(QUARTERS[turned])  # anticlockwise: reading turns it back clockwise
    found = pages.read_page(lying, *networks)
    assert (found.texts(), found.turned) == (NUMBERS, turned)
    width, height = lying.size
    for one, other in zip(sum(upright.lines, []), sum(found.lines, []), strict=True):
        left, top = one.box[:2]
        corner = {90: (top, height - left), 180: (width - left, height - top), 270: (width - top, left)}[turned]
        assert one.quadrilateral is None and np.abs(np.subtract(corner, other.quadrilateral[0])).max() < 8
        x, y = np.transpose(other.quadrilateral)
        assert other.box == pytest.approx((x.min(), y.min(), x.max(), y.max()))


def test_a_page_that_clearly_stands_upright_is_not_tried_on_its_sides(network):
    class Counting:
        calls = 0

        def read(self, images):
            self.calls += 1
            return network.read(images)

    upright, lying = Counting(), Counting()
    pages.read_page(page(), upright)
    pages.read_page(page().transpose(QUARTERS[90]), lying)
    assert lying.calls == upright.calls + 3


@pytest.mark.parametrize("turned", [0, *QUARTERS])
def test_how_a_page_lies_is_seen_where_most_of_it_are_digits_that_touch(turned, network):
    rows = ["360  852", "928  360", "7  5  2  4", "4  2  7"]
    photo = draw(sheet(rows, step=26, size=(500, 700), left=120))
    lying = photo.transpose(QUARTERS[turned]) if turned else photo
    assert pages.read_page(lying, network).turned == turned


def test_boxes_lie_on_the_digits(networks):
    digits = sum(pages.read_page(page(), *networks).lines, [])
    left, top, right, bottom = digits[1].box  # the 6 of 36472
    ink = np.argwhere(place(ink_mask(DIGITS[6], 60), (600, 800), (20, 170)) > 0.5)
    assert np.abs(np.subtract((left, top), ink.min(axis=0)[::-1])).max() < 4
    assert np.abs(np.subtract((right, bottom), ink.max(axis=0)[::-1])).max() < 4
    assert digits[1].image.shape == (28, 28) and digits[1].probabilities.argmax() == digits[1].digit == 6


@pytest.mark.parametrize("digit", range(10))
def test_one_digit_is_one_digit(digit, networks):
    found = pages.read_page(page_with(DIGITS[digit]), *networks)
    assert found.texts() == [str(digit)]


def test_two_digits_that_were_refused_are_read(networks):
    assert pages.read_page(page(["36"], step=90, size=(120, 320)), *networks).texts() == ["36"]


def test_a_digit_in_two_parts_is_one(networks):
    mask = ink_mask(DIGITS[5], 300)
    rows = np.flatnonzero(mask.any(axis=1))
    middle = (rows[0] + rows[-1]) // 2 - 20
    mask[middle : middle + 9] = 0
    assert pages.read_page(draw(place(mask, (420, 560), (60, 120))), *networks).texts() == ["5"]


def test_what_is_no_digit_is_said(networks):
    text = Image.new("RGB", (900, 600), WHITE)
    font = ImageFont.load_default(40)
    for row, words in enumerate(("the quick brown fox", "jumps over the lazy", "dog and runs away")):
        ImageDraw.Draw(text).text((60, 80 + 130 * row), words, fill=(30, 30, 40), font=font)
    with pytest.raises(ValueError, match="found no digits: what is written here is something else"):
        pages.read_page(text, *networks)


def test_a_page_of_print_is_no_page_of_digits(networks):
    rng = np.random.default_rng([8, 117])
    photo = paper_photos.photograph_ink(whole_numbers.draw_printed_text(paper_photos.sheet_size(rng), rng), rng)
    with pytest.raises(ValueError, match="found no digits"):
        pages.read_page(photo, *networks)


@pytest.mark.parametrize("colour", [0, 255])
def test_an_empty_page_holds_nothing(colour, networks):
    with pytest.raises(ValueError, match="found no ink"):
        pages.read_page(Image.new("L", (700, 500), colour), *networks)


def test_a_number_cut_out_closely_is_divided_and_not_spelled(network):
    asked, lines = [], reader.LineReader()

    class Counting:
        def read(self, strip):
            asked.append(strip)
            return lines.read(strip)

    for size, count in (((150, 250), 0), ((160, 400), 1)):
        photo = page(["36"], step=39, size=size) if count else draw(sheet(["36"], step=39, size=size, left=80))
        assert pages.read_page(photo, network, Counting()).texts() == ["36"] and len(asked) == count


def test_a_line_of_something_else_is_spelled_as_no_digit(network):
    """Ink that the line network takes for no digit is not claimed; what it says of the rest still is."""

    class Says:
        def __init__(self, answers):
            self.answers = answers

        def read(self, strip):
            frames = np.full((strip.shape[1] // 2, strips.ANSWERS), 1e-3, np.float32)
            frames[:, strips.NOTHING] = 0.9
            for share, answer in self.answers:
                frames[round(share * (len(frames) - 1))] = np.eye(strips.ANSWERS)[answer]
            return frames

    photo = page(["36083"], step=39, size=(160, 500))  # some touch
    places = [0.08, 0.29, 0.5, 0.71, 0.92]
    found = pages.read_page(photo, network, Says([*zip(places, [4, 7, strips.OTHER, 9, 4], strict=True)]))
    assert found.texts() == ["3683"]
    middles = [(digit.box[0] + digit.box[2]) / 2 for digit in found.lines[0]]
    assert np.abs(np.diff(middles) - [39, 78, 39]).max() < 10
    with pytest.raises(ValueError, match="found no digits"):
        pages.read_page(photo, network, Says([(place, strips.OTHER) for place in places]))
    with pytest.raises(ValueError, match="found no digits"):
        pages.read_page(photo, network, Says([]))


def test_digits_without_a_cut_between_them_are_told_all_the_same(network):
    """Two digits are spelled in the one piece that is a 6, which is not cut."""
    ink = sheet(["6"], size=(100, 100))
    pieces = divisions.find_pieces(ink)
    (found,) = divisions.find_lines(pieces, divisions.digit_height(pieces))
    line = divisions.divide(found, pieces, ink, divisions.digit_height(pieces), np.ones(1, bool))
    frames = np.zeros((strips.cut_out(line, ink).shape[1] // strips.FRAME, strips.ANSWERS), np.float32)
    frames[:, strips.NOTHING] = 1
    for share, answer in ((0.2, 2), (0.7, 8)):
        frames[round(share * len(frames))] = np.eye(strips.ANSWERS)[answer]
    (left, *_, left_box, _, _), (right, *_, right_box, _, _) = pages.spelled_digits(line, frames, ink, network)[0]
    assert (left, right) == (1, 7) and sum(left_box[2:]) < sum(right_box[2:])
    top, bottom, begin, end = pieces.boxes[0]
    for box in (left_box, right_box):
        assert box[0] < box[1] and box[2] < box[3]
        assert top <= box[0] and box[1] <= bottom and begin <= box[2] and box[3] <= end


def test_the_network_of_single_digits_has_a_word_where_no_stroke_was_cut():
    class Says8:
        def read(self, images):
            return np.full((len(images), 10), 1e-3, np.float32) + 0.99 * np.eye(10, dtype=np.float32)[8]

    for text, expected in (("6", [8]), ("36", [3, 3])):  # the 3 and the 6 touch
        ink = sheet([text], step=25, size=(100, 140))
        pieces = divisions.find_pieces(ink)
        height = divisions.digit_height(pieces)
        line = divisions.divide(divisions.find_lines(pieces, height)[0], pieces, ink, height)
        frames = np.zeros((strips.cut_out(line, ink).shape[1] // strips.FRAME, strips.ANSWERS), np.float32)
        frames[:, strips.NOTHING] = 1
        places = [round((number + 0.5) / len(text) * len(frames)) for number in range(len(text))]
        frames[places] = 0.55 * np.eye(strips.ANSWERS)[4] + 0.45 * np.eye(strips.ANSWERS)[9]
        digits, _ = pages.spelled_digits(line, frames, ink, Says8())
        assert len(pieces.boxes) == 1 and [digit for digit, *_ in digits] == expected
