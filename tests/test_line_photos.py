"""Strips cut out of simulated photos show the digits of their answers; what was prepared once is kept."""

import numpy as np
import pytest
from PIL import Image

import mnist_helpers as mh
from mnist_course import line_photos, line_pictures, reader, strips


@pytest.fixture(scope="module")
def digits():
    return mh.split_train_validation(*mh.load_mnist()[0])[1]


@pytest.fixture
def prepare(digits, tmp_path, monkeypatch):
    """`line_photos.prepare`, in this process, with a file of its own unless the `name` is the same."""

    def share(prepare, arguments, items, processes):
        return map(prepare(*arguments), items)

    monkeypatch.setattr(line_photos.reading, "share", share)
    return lambda name="strips", pages=2, seed=0: line_photos.prepare(
        *digits, tmp_path / f"{name}.npz", pages=pages, seed=seed
    )


def test_a_process_that_was_ended_is_told(prepare, monkeypatch):
    monkeypatch.setattr(line_photos.reading, "share", lambda *_: iter([[], line_photos.reading.Lost(-9)]))
    with pytest.raises(OSError, match="exit code -9"):
        prepare("ended")


def text(answers):
    return [int(answer) for answer in answers if answer]


def test_strips_show_the_digits_of_their_answers(prepare):
    found, answers = prepare(pages=4)
    assert len(found) == len(answers) > 20
    assert answers.dtype == np.int32 and answers.shape[1] == line_pictures.MOST
    network, right = reader.LineReader(), []
    for strip, wanted in zip(found, answers, strict=True):
        assert strip.dtype == np.uint8 and len(strip) == strips.HEIGHT and strip.shape[1] <= line_pictures.WIDTH
        letters = strips.spell(network.read(strip))
        right.append([None if a == strips.OTHER else a - 1 for a in text(wanted)] == [one.digit for one in letters])
    assert np.mean(right) > 0.6


def test_the_same_seed_gives_the_same_strips_and_a_file_that_is_there_is_read(prepare, monkeypatch):
    found, answers = prepare()
    again, other = prepare("again"), prepare("other", seed=1)
    np.testing.assert_array_equal(again[1], answers)
    assert all(np.array_equal(*pair) for pair in zip(found, again[0], strict=True))
    assert not np.array_equal(other[1], answers)
    monkeypatch.setattr(line_photos.paper_photos, "photograph_page", None)  # to be called no more
    kept, same = prepare()
    np.testing.assert_array_equal(same, answers)
    assert all(np.array_equal(*pair) for pair in zip(found, kept, strict=True))


@pytest.fixture
def asked(monkeypatch):
    """The lines and the options of the pages that were to be photographed, which stay blank."""
    calls = []

    def photograph_page(lines, rng, **how):
        calls.append((lines, how))
        return Image.new("RGB", (900, 700), "white")

    monkeypatch.setattr(line_photos.paper_photos, "photograph_page", photograph_page)
    return calls


def test_beside_each_page_numbers_fill_scraps_of_paper(prepare, asked):
    found, answers = prepare(pages=12)
    counts = (answers > 0).sum(axis=1)
    assert 24 <= len(found) <= 36
    assert counts.min() == 1 and counts.max() == 4 and (counts == 2).mean() > 0.3


def test_pages_differ_in_what_touches_and_some_digits_are_drawn(prepare, asked, digits):
    prepare(pages=12)
    touching = np.array([how["touching"] for _, how in asked])
    assert 0.2 < (touching == 0).mean() < 0.8 and touching.max() > 0.25
    known = {image.tobytes() for image in digits[0]}
    drawn = [image.tobytes() not in known for lines, _ in asked for line in lines for image in line]
    assert 0.2 < np.mean(drawn) < 0.4


def test_a_photo_on_which_other_lines_are_seen_than_were_written_is_left_out(prepare, monkeypatch):
    divide = line_photos.pages.divide_ink

    def one_more(ink, network):
        ink, lines = divide(ink, network)
        return ink, lines + lines[:1]

    monkeypatch.setattr(line_photos.pages, "divide_ink", one_more)
    found, answers = prepare(pages=1)
    assert found == [] and answers.shape == (0, line_pictures.MOST)
