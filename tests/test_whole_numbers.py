"""The benchmark of whole numbers counts what it says, with readers invented for the purpose."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from synthetic import make_digits

import mnist_course
import mnist_helpers as mh
from benchmarks import whole_numbers
from mnist_course import paper_photos, reader


def page(*lines, probability=1.0):
    """What pages.read_page returns, for lines of text."""
    digits = [[SimpleNamespace(digit=int(digit), probability=probability) for digit in line] for line in lines]
    return SimpleNamespace(lines=digits)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("", "", 0), ("407", "407", 0), ("407", "47", 1), ("47", "407", 1), ("407", "417", 1), ("12", "", 2),
     ("1234", "2341", 2), ("11", "77", 2)],
)  # fmt: skip
def test_edits_of_a_line(one, other, edits):
    assert whole_numbers.edit_distance(one, other) == edits


@pytest.mark.parametrize(
    ("read", "right", "lines"),
    [
        (["123", "4567", "89"], 1, 3),
        (["123", "89"], 5 / 9, 2),  # a line missed costs its four digits, not all that follow
        (["123", "1", "4567", "89"], 8 / 9, 3),  # and one seen where there is none costs its own
        (["123", "456", "89"], 8 / 9, 2),
        (["12", "456", "89"], 7 / 9, 1),
        (["1234567", "89"], 3 / 9, 1),  # two lines read as one: three digits too many in it, and a line of three missed
        ([], 0, 0),
        (["123", "4567", "89", "1" * 18], -1, 3),  # what is invented can cost more than there is
    ],
)
def test_lines_are_laid_against_lines_before_digits_are_counted(read, right, lines):
    score = whole_numbers.score([read], [["123", "4567", "89"]])
    assert score["digits"] == 9
    assert score["digits right"] == pytest.approx(right, abs=1e-4)
    assert score["lines right"] == pytest.approx(lines / 3, abs=1e-4)
    assert score["pages right"] == (right == 1)


def test_a_refused_page_has_nothing_read():
    def refuse(image):
        raise ValueError("found no ink")

    assert whole_numbers.read_text(refuse, None) == []
    assert whole_numbers.read_text(lambda image: page("40", "7"), None) == ["40", "7"]


@pytest.fixture
def small_photos(monkeypatch):
    monkeypatch.setattr(paper_photos, "LONGER_SIDE", (250, 300))


def test_a_pages_number_fixes_its_photo_and_its_text(small_photos):
    images, labels = make_digits(30)
    (photo, text), (again, same), (other, _) = (
        whole_numbers.simulate_page(number, images, labels) for number in (5, 5, 6)
    )
    assert text == same and photo.tobytes() == again.tobytes() != other.tobytes()
    assert 2 <= len(text) <= 8 and all(1 <= len(line) <= 12 and line.isdigit() for line in text)


@pytest.fixture
def measured(monkeypatch, tmp_path, small_photos):
    """Runs the command on five small pages with an invented reader; returns the results of a part."""
    monkeypatch.setattr(whole_numbers, "PAGES", 5)
    monkeypatch.setattr(whole_numbers, "RESULTS", tmp_path / "whole_numbers.json")
    monkeypatch.setattr(mh, "load_mnist", lambda: (None, make_digits(30)))
    monkeypatch.setattr(reader, "Reader", lambda path: "network")
    monkeypatch.setattr(reader, "LineReader", lambda: "line network")

    def run(part, read_page, *arguments, code=0):
        monkeypatch.setattr(mnist_course, "pages", SimpleNamespace(read_page=read_page), raising=False)
        assert whole_numbers.main([*map(str, arguments)]) == code
        return code or json.loads(whole_numbers.RESULTS.read_text(encoding="utf-8"))[part]

    return run


def test_pages_are_counted_by_the_share_that_touches(measured):
    shown = []

    def read_page(image, network, line_network):
        assert (network, line_network) == ("network", "line network")
        shown.append(image.size)
        text = whole_numbers.simulate_page(len(shown) - 1, *make_digits(30))[1]
        return page(*text if len(shown) < 4 else text[1:])

    results = measured("pages", read_page)
    groups = [f"touching {share}%" for share in (0, 10, 20, 30, 40)]
    assert [results[group]["pages right"] for group in groups] == [1, 1, 1, 0, 0]
    assert results["all"]["pages right"] == 0.6 and results["all"]["pages"] == 5
    assert 0 < results["all"]["digits right"] < 1 and results["all"]["seconds a page"] >= 0


def test_turned_pages_lie_on_their_side(measured):
    sizes = []
    measured("turned pages", lambda image, *networks: sizes.append(image.size) or page("1"), "--turned")
    upright = [whole_numbers.simulate_page(number, *make_digits(30))[0].size for number in range(5)]
    assert sizes == [size[::-1] for size in upright]


def test_the_same_pages_can_be_read_without_the_network_that_reads_lines(measured):
    given = []
    results = measured("pages, cut", lambda image, *networks: given.append(networks) or page("1"), "--cut")
    assert set(given) == {("network", None)} and results["command"].endswith(" --cut")


def test_labelled_pictures_are_known_by_their_names(measured, tmp_path, capsys):
    for name in ("7_1.png", "10_2.png", "407_a.png", "12_4.png"):
        Image.fromarray(np.full((8, len(name), 3), 255, np.uint8)).save(tmp_path / name)
    (tmp_path / "README.md").write_text("no picture")
    texts = iter([page("10"), page("13"), page("4", "07"), page("7")])  # in the order of their names
    results = measured("labelled pictures", lambda image, *networks: next(texts), tmp_path)["all"]
    assert results["pages"] == 4 and results["digits"] == 8 and results["pages right"] == 0.5
    assert results["digits right"] == pytest.approx(1 - 3 / 8)  # 3 for 2; a line too many costs its digit, one missed
    printed = capsys.readouterr().out
    assert "12_4.png is read as 13" in printed and "407_a.png is read as 4 / 07" in printed and "7_1" not in printed


@pytest.mark.parametrize(("files", "words"), [((), "has no pictures"), (("x_7.png",), "x_7.png: expected a name")])
def test_a_folder_without_labelled_pictures_is_refused(files, words, measured, tmp_path, capsys):
    for name in files:
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    measured(None, lambda image, *networks: page(), tmp_path, code=2)
    assert words in capsys.readouterr().err


def test_only_digits_claimed_with_half_the_confidence_count(measured):
    measured("turned pages", lambda image, *networks: page("1"), "--turned")
    answers = iter([page("123", "4", probability=0.5), page("123", probability=0.49), *[page()] * 3])
    results = measured("pages without digits", lambda image, *networks: next(answers), "--without-digits")
    assert results["all"] == {"pages": 5, "digits claimed": 4, "a page": 0.8, "pages with none": 0.8}
    assert results["pen letters"]["pages"] == 2 and results["pen letters"]["digits claimed"] == 4
    assert "turned pages" in json.loads(whole_numbers.RESULTS.read_text(encoding="utf-8"))  # kept


def test_pages_without_digits_show_ink_of_every_sort():
    size, rng = (300, 400), np.random.default_rng(0)
    for draw in whole_numbers.NO_DIGITS.values():
        ink = draw(size, rng)
        assert ink.shape == size and 0.002 < ink.mean() < 0.3 and ink.min() >= 0 and ink.max() <= 1
    letters = set("".join(whole_numbers.LETTERS) + "".join(whole_numbers.WORDS))
    assert not letters & whole_numbers.LIKE_DIGITS and "".join(letters).isalpha()
