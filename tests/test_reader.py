"""Reading pictures with LiteRT: the same answers as Keras, quickly, and one sentence for what cannot be read."""

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from drawn_pictures import DIGITS, WHITE, page_with
from other_processes import prepare_to_describe, prepare_to_double
from PIL import Image, ImageOps
from synthetic import make_digits

import mnist_helpers as mh
import test_model
from mnist_course import pages, paths, pictures, reader, reading, strips, training

SAMPLE = paths.SAMPLE_PICTURE


@pytest.fixture(scope="module")
def shipped():
    return reader.Reader(paths.ROBUST_READER)


@pytest.fixture(scope="module")
def robust():
    model = mh.build_cnn()
    training.load_weights(model, paths.ROBUST_WEIGHTS)
    return model


@pytest.fixture(autouse=True)
def no_network_of_ones_own(monkeypatch):
    monkeypatch.setattr(paths.find_reader, "__defaults__", (paths.ROOT / "no such folder",))


def test_keras_and_litert_give_the_same_answers(shipped, robust):
    images = mh.load_mnist()[1][0][:1000]
    np.testing.assert_allclose(shipped.read(images), mh.predict(robust, images), atol=1e-5)


def test_exported_network_gives_the_same_answers(tmp_path):
    images, model = make_digits(50)[0], mh.build_cnn()
    path = tmp_path / "new" / "mine.tflite"
    training.export_litert(model, path, "tiny")
    assert paths.read_recipe(path) == "tiny"
    training.export_litert(model, path)
    assert paths.read_recipe(path) is None  # not that of a network that was there before
    exported = reader.Reader(path).read(images)
    np.testing.assert_allclose(exported, mh.predict(model, images), atol=1e-5)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.tflite"]


def test_preparing_mnist_images_changes_hardly_any_reading(shipped):
    _, (images, _) = mh.split_train_validation(*mh.load_mnist()[0])
    prepared = np.stack([pictures.to_mnist(Image.fromarray(image)) for image in images[:2000]])
    same = shipped.read(prepared).argmax(axis=1) == shipped.read(images[:2000]).argmax(axis=1)
    assert same.mean() >= 0.999


def test_own_network_comes_before_the_shipped(tmp_path):
    assert paths.find_reader(tmp_path) == paths.ROBUST_READER
    own = tmp_path / paths.LITERT_NAME
    own.write_bytes(paths.ROBUST_READER.read_bytes())
    assert paths.find_reader(tmp_path) == own


def test_damaged_and_missing_networks_are_refused(tmp_path):
    path = tmp_path / "mine.tflite"
    for content in (None, b"", b"text", paths.ROBUST_READER.read_bytes()[:5000]):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match="mine.tflite is not a network that can be read"):
            reader.Reader(path).read(make_digits(1)[0])


def test_what_is_read_does_not_depend_on_how_many_are_read_at_once(shipped, monkeypatch):
    images = np.concatenate([np.stack(list(DIGITS.values()))] * 3)[:23]
    together = shipped.read(images)
    monkeypatch.setattr(reader, "MOST_AT_ONCE", 5)
    np.testing.assert_allclose(shipped.read(images), together, atol=1e-6)


@pytest.mark.parametrize(
    "images", [np.zeros((1, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((0, 28, 28), np.uint8)]
)
def test_reader_refuses_what_is_not_raw(shipped, images):
    with pytest.raises(ValueError, match="Expected raw images"):
        shipped.read(images)


@pytest.mark.parametrize(
    "shape, kind", [((32, 40), float), ((28, 40), np.uint8), ((32, 0), np.uint8), ((1, 32, 40), np.uint8)]
)
def test_line_reader_refuses_what_is_no_strip(shape, kind):
    with pytest.raises(ValueError, match=r"Expected a strip, uint8 of shape \(32, w\), but received"):
        reader.LineReader().read(np.zeros(shape, kind))


def test_line_reader_gives_probabilities_of_each_frame_however_wide_the_strip_is():
    lines, strip = reader.LineReader(), np.zeros((32, 150), np.uint8)
    strip[6:26, 20:23] = strip[6:26, 60:63] = 255
    frames = lines.read(strip)
    assert frames.shape == (75, 12) and frames.dtype == np.float32
    np.testing.assert_allclose(frames.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(lines.read(strip[:, :111]), frames[:56], atol=0.05)
    assert [letter.digit for letter in strips.spell(frames)] == [1, 1]


def test_line_reader_is_loaded_when_needed_and_travels_to_other_processes(tmp_path):
    elsewhere = pickle.loads(pickle.dumps(reader.LineReader(tmp_path / "none.tflite")))
    assert elsewhere.path == tmp_path / "none.tflite"
    for content in (None, b"", paths.LINE_READER.read_bytes()[:5000]):
        if content is not None:
            elsewhere.path.write_bytes(content)
        with pytest.raises(ValueError, match="none.tflite is not a network that can be read"):
            elsewhere.read(np.zeros((32, 40), np.uint8))
    with pytest.raises(ValueError, match="of another shape"):
        reader.LineReader(paths.ROBUST_READER).read(np.zeros((32, 40), np.uint8))
    used = reader.LineReader()
    frames = used.read(np.zeros((32, 40), np.uint8))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(used)).read(np.zeros((32, 40), np.uint8)), frames)


# ---------------------------------------------------------------- test_model.py


def test_one_picture(capsys):
    assert test_model.main([str(SAMPLE)]) == 0
    network, answer, *preview = capsys.readouterr().out.splitlines()
    assert network.startswith("Network: the shipped reader, ")
    assert answer.startswith(f"{SAMPLE}: 7 (") and ", then " in answer
    assert len(preview) == 14 and max(map(len, preview)) <= 32 and any("@" in row for row in preview)


def test_folder_as_json_goes_on_after_a_picture_that_cannot_be_read(tmp_path, capsys):
    images, labels = make_digits(10)
    for place, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{place}.png")
    (tmp_path / "5.png").write_bytes(b"no picture")
    (tmp_path / "labels.tsv").write_text("not a picture, and not meant to be one")
    assert test_model.main([str(tmp_path), "--json"]) == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["path"] for row in rows] == [str(tmp_path / f"{place}.png") for place in range(10)]
    assert rows[5].keys() == {"path", "error"} and "5.png" in rows[5]["error"]
    read = [(row["digit"], label) for place, (row, label) in enumerate(zip(rows, labels, strict=True)) if place != 5]
    assert sum(digit == label for digit, label in read) >= 8
    for row in rows[:5]:
        assert row["probability"] == max(row["probabilities"]) == row["probabilities"][row["digit"]]


def test_errors_name_the_picture_and_exit_with_2(tmp_path, capsys):
    Image.new("L", (200, 200), "white").save(tmp_path / "empty.png")
    assert test_model.main([str(tmp_path / "empty.png"), str(tmp_path / "missing.png")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and "empty.png" in errors[0] and "no ink" in errors[0] and "missing.png" in errors[1]
    (tmp_path / "folder").mkdir()
    assert test_model.main([str(tmp_path / "folder")]) == 2
    assert "no picture" in capsys.readouterr().err


def test_every_picture_of_a_folder_is_read_whatever_its_format(tmp_path, capsys):
    names = ["a.PNG", "b.pgm", "c.ppm", "d.tga", "e.ico", "f.jpeg", "g.tif", "h.avif"]
    for name in names:
        page_with(DIGITS[7], side=240, size=(256, 256), corner=(8, 8)).save(tmp_path / name)
    Image.new("RGB", (64, 64)).save(tmp_path / "no_picture_here.eps")
    assert test_model.main([str(tmp_path), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["path"] for row in rows] == [str(tmp_path / name) for name in names]
    assert {row["digit"] for row in rows} == {7}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no broken pipe")
@pytest.mark.parametrize("options", [[], ["--processes", "2"]])
def test_a_reader_that_has_seen_enough_of_a_folder_hears_no_complaint(options, tmp_path):
    for place in range(100):
        Image.fromarray(DIGITS[7]).save(tmp_path / f"{place}.png")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "test_model.py", tmp_path, *options]
    process = subprocess.Popen(command, cwd=paths.ROOT, text=True, **pipes)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait() == 141


# ---------------------------------------------------------------- test_model.py: pages


def digit(number, probability, box=(1, 2, 3, 4), quadrilateral=None, cut=None):
    probabilities = np.full(10, (1 - probability) / 10, np.float32)
    probabilities[number], probabilities[8] = probability, 2 * (1 - probability) / 10
    return pages.Digit(number, probability, probabilities, box, quadrilateral, DIGITS[number], cut)


SQUARE = ((1, 2), (3, 2), (3, 4), (1, 4))
PAGE = pages.Page([[digit(4, 0.99), digit(0, 0.43), digit(2, 0.9)], [digit(7, 0.5)]], 0)
ONE_LINE = pages.Page([[digit(1, 0.9), digit(2, 0.8)]], 0)
CUT = ((2.0, 1.0), (2.5, 4.0))
TURNED = pages.Page([[digit(1, 0.9, quadrilateral=SQUARE), digit(2, 0.8, quadrilateral=SQUARE, cut=CUT)]], 90)
ONE = pages.Page([[digit(3, 0.3)]], 0)
ONE_TURNED = pages.Page([[digit(3, 0.9)]], 180)


@pytest.fixture
def read_as(monkeypatch, tmp_path, capsys):
    """A function that runs the command on a large white picture that is read as a given page, or refused."""

    def read(page, *options):
        def read_page(image, network, line_network):
            assert image.info["scale"] > 1.5 and isinstance(network, reader.Reader)
            assert isinstance(line_network, reader.LineReader)
            if page is None:
                raise ValueError("found nothing to read.")
            return page

        monkeypatch.setattr(pages, "read_page", read_page)
        Image.new("RGB", (4000, 3000), "white").save(tmp_path / "page.jpg")
        code = test_model.main([str(tmp_path / "page.jpg"), *map(str, options)])
        printed = capsys.readouterr()
        return code, printed.out.replace(f"{tmp_path}{os.sep}", ""), printed.err

    return read


@pytest.mark.parametrize(
    "page, expected",
    [
        (
            PAGE,
            "page.jpg: 2 lines, 4 digits\n    40?2   lowest confidence 43%\n    7      lowest confidence 50%\n"
            "A ? follows a digit that the network is less than 50% sure of.\n",
        ),
        (ONE_LINE, "page.jpg: 1 line, 2 digits\n    12   lowest confidence 80%\n"),
        (TURNED, "page.jpg: 1 line, 2 digits, read turned by 90 degrees\n    12   lowest confidence 80%\n"),
    ],
)
def test_a_page_is_printed_line_by_line_and_doubtful_digits_are_marked(page, expected, read_as):
    code, out, err = read_as(page)
    assert (code, err, out.split("\n", 1)[1]) == (0, "", expected)


@pytest.mark.parametrize("page, more", [(ONE, ""), (ONE_TURNED, ", read turned by 180 degrees")])
def test_one_digit_is_printed_with_the_second_choice_and_a_preview(page, more, read_as):
    code, out, _ = read_as(page)
    _, answer, *preview = out.splitlines()
    shares = page.lines[0][0].probabilities
    assert answer == f"page.jpg: 3 ({shares[3]:.1%}), then 8 ({shares[8]:.1%}){more}"
    assert code == 0 and len(preview) == 14 and "?" not in out


def test_json_has_the_lines_and_every_digit_with_its_box_in_the_picture_as_it_was(read_as, tmp_path):
    row = json.loads(read_as(PAGE, "--json")[1])
    assert list(row) == ["path", "text", "lines", "digits"]
    assert row["text"] == "402\n7" and row["lines"] == ["402", "7"]
    assert [(place["line"], place["digit"], place["probability"]) for place in row["digits"]] == [
        *((0, 4, 0.99), (0, 0, 0.43), (0, 2, 0.9)),
        (1, 7, 0.5),
    ]
    scale = 4000 / pictures.load_picture(tmp_path / "page.jpg").width
    assert row["digits"][0]["box"] == pytest.approx([scale, 2 * scale, 3 * scale, 4 * scale], abs=0.05)
    assert scale > 1.5 and "quadrilateral" not in row["digits"][0]

    row = json.loads(read_as(TURNED, "--json")[1])
    assert row["turned"] == 90
    assert row["digits"][1]["quadrilateral"][2] == pytest.approx([3 * scale, 4 * scale], abs=0.05)

    row = json.loads(read_as(ONE, "--json")[1])
    assert (row["digit"], row["probability"], row["text"], len(row["probabilities"])) == (3, 0.3, "3", 10)
    row = json.loads(read_as(None, "--json")[1])
    assert row.keys() == {"path", "error"} and "found nothing to read." in row["error"]


def test_one_insists_on_one_digit(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pages, "read_page", lambda *given: PAGE)
    Image.fromarray(np.hstack([np.asarray(page_with(DIGITS[4]))] * 2)).save(tmp_path / "two.png")
    assert test_model.main([str(tmp_path / "two.png"), str(SAMPLE), "--one", "--json"]) == 2
    two, one = map(json.loads, capsys.readouterr().out.splitlines())
    assert two["error"] == f"{tmp_path / 'two.png'}: found 2 digits: crop the picture to one."
    assert list(one) == ["path", "digit", "probability", "probabilities"] and one["digit"] == 7
    assert test_model.main([str(SAMPLE), "--one"]) == 0
    assert f"{SAMPLE}: 7 (" in capsys.readouterr().out


def test_explain_draws_a_page_with_its_boxes_its_cuts_and_what_was_read(read_as, tmp_path, monkeypatch):
    figures, draw = [], test_model.draw_page
    monkeypatch.setattr(test_model, "draw_page", lambda *given: figures.append(draw(*given)) or figures[-1])
    for page in (PAGE, TURNED):
        code, out, err = read_as(page, "--explain", tmp_path / "drawn.png")
        assert (code, err) == (0, "") and "lowest confidence" in out
        assert Image.open(tmp_path / "drawn.png").size[0] > 450
    first, second = (figure.axes[0] for figure in figures)
    assert [text.get_text() for text in first.texts] == ["4", "0", "2", "7"]
    assert [patch.get_linestyle() for patch in first.patches] == ["-", "--", "-", "-"]
    assert len({patch.get_edgecolor() for patch in first.patches}) == 2
    assert second.patches[0].get_xy()[:4].tolist() == [list(point) for point in SQUARE]
    assert [line.get_xydata().tolist() for line in second.lines] == [[list(point) for point in CUT]]
    assert not first.lines and "cuts" in second.get_title() and "cuts" not in first.get_title()


def test_explain_draws_the_page_where_one_digit_was_not_read_by_the_steps(read_as, tmp_path, monkeypatch):
    drawn = []
    for name in ("draw_page", "draw_steps"):
        draw = getattr(test_model, name)
        monkeypatch.setattr(test_model, name, lambda *given, name=name, draw=draw: drawn.append(name) or draw(*given))
    read_as(ONE, "--explain", tmp_path / "drawn.png")
    read_as(None, "--explain", tmp_path / "drawn.png")
    assert drawn == ["draw_page", "draw_steps"]


# ---------------------------------------------------------------- test_model.py --network


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that puts a network of one's own, trained by a recipe, where the command finds it."""
    monkeypatch.setattr(paths.find_reader, "__defaults__", (tmp_path / "outputs",))

    def put(recipe):
        (tmp_path / "outputs").mkdir()
        network = tmp_path / "outputs" / paths.LITERT_NAME
        network.write_bytes(paths.ROBUST_READER.read_bytes())
        if recipe:
            paths.recipe_note(network).write_text(json.dumps({"recipe": recipe}) if recipe != "damaged" else "[]")
        return network

    return put


OTHERS = "--network shipped reads more of other people's handwriting."


@pytest.mark.parametrize(
    "recipe, options, whose, advice",
    [
        ("standard", [], "your own", f"It was trained by the recipe standard: {OTHERS}"),
        ("tiny", ["--network", "own"], "your own", f"It was trained by the recipe tiny: {OTHERS}"),
        ("robust", [], "your own", None),
        (None, [], "your own", f"If it was not trained by the recipe robust, {OTHERS}"),
        ("damaged", [], "your own", f"If it was not trained by the recipe robust, {OTHERS}"),
        ("standard", ["--network", "shipped"], "the shipped reader", None),
    ],
)
def test_whose_network_reads_is_said_and_that_the_shipped_one_may_read_more(
    recipe, options, whose, advice, own, capsys
):  # fmt: skip
    own(recipe)
    assert test_model.main([str(SAMPLE), *options]) == 0
    network, second, *_ = capsys.readouterr().out.splitlines()
    assert network.startswith(f"Network: {whose}, ")
    assert (second == advice) if advice else second.startswith(f"{SAMPLE}: 7")
    assert test_model.main([str(SAMPLE), *options, "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_ones_own_network_reads_pages_alone_and_the_shipped_one_with_that_for_lines(own, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(pages, "read_page", lambda image, *networks: given.append(networks) or PAGE)
    network = own("standard")
    for options in ([], ["--network", "shipped"]):
        assert test_model.main([str(SAMPLE), *options]) == 0
    (alone, nothing), (shipped, lines) = given
    assert (alone.path, nothing, shipped.path, lines.path) == (network, None, paths.ROBUST_READER, paths.LINE_READER)


def test_a_network_can_be_a_file_and_ones_own_has_to_be_there(own, tmp_path, capsys):
    assert test_model.main([str(SAMPLE), "--network", "own"]) == 2
    assert "no network of your own" in capsys.readouterr().err
    network = own("standard")
    other = network.rename(tmp_path / "other.tflite")
    assert test_model.main([str(SAMPLE), "--network", str(other)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"Network: {other}"
    assert test_model.main([str(SAMPLE), "--network", str(tmp_path / "none.tflite")]) == 2
    assert "none.tflite is not a network that can be read" in capsys.readouterr().err


# ---------------------------------------------------------------- a folder, with every core


@pytest.mark.parametrize("before", [0, 3, 400])  # more than a process is given at once, too
def test_shared_work_comes_in_order_and_goes_on_after_a_process_that_ended(before, tmp_path):
    items = [*range(0, 4 * before, 4), 3, *range(0, 80, 4)]
    results = list(reading.share(prepare_to_double, (tmp_path,), items, 2))
    assert results[before] == reading.Lost(9) and "ended (exit code 9)" in str(results[before])
    expected = [2 * item for item in items]
    assert results[:before] == expected[:before] and results[before + 1 :] == expected[before + 1 :]
    assert 3 <= len(list(tmp_path.iterdir())) <= 4  # two, one for what ended, and one that saw which item it was


def test_shared_work_has_one_thread_a_process_and_leaves_nothing_changed(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before = dict(os.environ), signal.getsignal(signal.SIGINT)
    assert list(reading.share(prepare_to_describe, (), range(2), 1)) == [(["1", "1"], True)] * 2
    assert (dict(os.environ), signal.getsignal(signal.SIGINT)) == before


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "icons").mkdir()
    for place in range(30):
        Image.fromarray(np.roll(DIGITS[place % 10], 2, axis=1)).save(tmp_path / "icons" / f"{place:02}.png")
    (tmp_path / "icons" / "07.png").write_bytes(b"no picture")
    return tmp_path / "icons"


def test_processes_read_what_one_reads(folder, capsys):
    outputs = []
    for options in (["--processes", "1"], ["--processes", "2"], ["--json", "--processes", "2"]):
        assert test_model.main([str(folder), *options]) == 2
        outputs.append(capsys.readouterr())
    assert outputs[0] == outputs[1] and outputs[0].err.count("\n") == 1 and "07.png" in outputs[0].err
    rows = [json.loads(line) for line in outputs[2].out.splitlines()]
    assert [Path(row["path"]).name for row in rows] == [f"{place:02}.png" for place in range(30)]
    assert rows[7].keys() == {"path", "error"} and outputs[2].err == ""


@pytest.mark.parametrize("seconds, count, shared", [(0.3, 10, 9), (0.3, 4, 0), (0.01, 30, 0)])
def test_work_is_shared_once_it_is_seen_to_last(seconds, count, shared, monkeypatch, shipped):
    def share(prepare, arguments, items, processes):
        assert processes == 3
        yield from [reading.Answer("shared")] * len(items)

    def read(path, network):
        clock[0] += seconds
        return reading.Answer("read")

    clock = [0.0]
    monkeypatch.setattr(reading.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(reading, "read_file", read)
    monkeypatch.setattr(reading, "share", share)
    monkeypatch.setattr(reading, "cores", lambda: 3)
    answers = [answer.text for answer in reading.read_files(range(count), shipped)]
    assert answers == ["read"] * (count - shared) + ["shared"] * shared


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes")
def test_ctrl_c_ends_every_process_without_a_traceback(folder):
    code = (
        "import signal, sys, test_model\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs start without it
        f"sys.exit(test_model.main([{str(folder)!r}] * 40 + ['--processes', '2']))"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, "cwd": paths.ROOT}
    process = subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)
    for _ in range(3):
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "\nStopped by Ctrl-C.\n")
    with contextlib.suppress(ProcessLookupError):
        for _ in range(50):  # what Python starts beside the processes ends a moment later
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        pytest.fail("a process is left")


def test_progress_is_shown_on_a_terminal_only(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert test_model.main([str(folder), "--json", "--processes", "1"]) == 2
    assert "\r12 of 30 pictures" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        test_model.main([str(folder), "--processes", "0"])
    assert stop.value.code == 2 and "expected a whole number of at least 1" in capsys.readouterr().err


# ---------------------------------------------------------------- test_model.py --explain


def mnist_test_image(number):
    return Image.fromarray(mh.load_mnist()[1][0][number])


TABLE = (70, 50, 40)
READ = {  # the pictures are made when a test wants them
    "on plain paper": lambda: page_with(DIGITS[4], lines="ruled"),
    "on a sheet on a dark table": lambda: ImageOps.expand(page_with(DIGITS[4], grain=3), 100, fill=TABLE),
    "small": lambda: page_with(DIGITS[4], size=(900, 1200), side=110, corner=(640, 200)),
    "MNIST's test image 8": lambda: mnist_test_image(8),
    "MNIST's test image 856": lambda: mnist_test_image(856),
}
REFUSED = {
    "two digits": lambda: Image.fromarray(np.hstack([np.asarray(page_with(DIGITS[4]))] * 2)),
    "empty": lambda: Image.new("L", (200, 200), "white"),
    "an empty sheet on a dark table": lambda: ImageOps.expand(Image.new("RGB", (500, 400), WHITE), 100, fill=TABLE),
}


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """A function that reads a picture and returns the exit code, what was printed, and what was drawn and read."""
    seen = {}
    draw, describe = test_model.draw_steps, reading.describe
    monkeypatch.setattr(test_model, "draw_steps", lambda steps: seen.setdefault("figure", draw(steps)))

    def note(path, page, *more, **how):
        seen["read"] = reading.only_digit(page).image
        return describe(path, page, *more, **how)

    monkeypatch.setattr(reading, "describe", note)

    def run(picture, *options):
        seen.clear()
        picture.save(tmp_path / "picture.png")
        code = test_model.main([str(tmp_path / "picture.png"), *options])
        return code, capsys.readouterr(), dict(seen)

    return run


@pytest.mark.parametrize("kind", READ)
def test_explain_draws_the_steps_that_led_to_what_is_read(kind, run, tmp_path):
    picture, drawn = READ[kind](), tmp_path / "steps.png"
    code, printed, seen = run(picture, "--explain", str(drawn))
    assert (code, printed.err) == (0, "") and Image.open(drawn).size[0] > 450
    steps = dict(pictures.steps(pictures.load_picture(tmp_path / "picture.png")))
    panels = {axes.get_title(): axes.images[0].get_array() for axes in seen["figure"].axes}
    assert list(panels) == list(steps)
    np.testing.assert_array_equal(panels["28 x 28"], seen["read"])
    assert run(picture)[:2] == (code, printed)


@pytest.mark.parametrize("kind", REFUSED)
def test_explain_draws_the_steps_up_to_a_refusal(kind, run, tmp_path):
    picture, drawn, options = REFUSED[kind](), tmp_path / "steps.png", ["--one"] * (kind == "two digits")
    code, printed, seen = run(picture, "--explain", str(drawn), *options)
    assert code == 2 and printed.err.count("\n") == 1 and drawn.stat().st_size > 0
    panels = [axes.get_title() for axes in seen["figure"].axes]
    assert panels[0] == "picture" and panels[-1].endswith("removed") and "28 x 28" not in panels
    assert run(picture, *options)[:2] == (code, printed)


def test_explain_takes_one_picture(tmp_path, capsys):
    for paths_given in ([SAMPLE, SAMPLE], [tmp_path]):
        with pytest.raises(SystemExit) as stop:
            test_model.main([*map(str, paths_given), "--explain", str(tmp_path / "steps.png")])
        assert stop.value.code == 2 and "--explain takes one picture" in capsys.readouterr().err


# ---------------------------------------------------------------- without Keras


def test_reading_needs_neither_keras_nor_tensorflow_nor_matplotlib():
    code = (
        "import sys, test_model\n"
        f"code = test_model.main([{str(SAMPLE)!r}])\n"
        "print([name for name in ('keras', 'tensorflow', 'matplotlib', 'scipy') if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[] 0" and done.stderr == ""
