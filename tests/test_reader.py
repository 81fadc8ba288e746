"""Reading pictures with LiteRT: the same answers as Keras, quickly, and one sentence for what cannot be read."""

import json
import subprocess
import sys

import numpy as np
import pytest
from drawn_pictures import DIGITS, WHITE, page_with
from PIL import Image, ImageOps
from synthetic import make_digits

import mnist_helpers as mh
import test_model
from mnist_course import paths, pictures, reader, training

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
    training.export_litert(model, tmp_path / "new" / "mine.tflite")
    exported = reader.Reader(tmp_path / "new" / "mine.tflite").read(images)
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


@pytest.mark.parametrize(
    "images", [np.zeros((1, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((0, 28, 28), np.uint8)]
)
def test_reader_refuses_what_is_not_raw(shipped, images):
    with pytest.raises(ValueError, match="Expected raw images"):
        shipped.read(images)


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
def test_a_reader_that_has_seen_enough_of_a_folder_hears_no_complaint(tmp_path):
    for place in range(100):
        Image.fromarray(DIGITS[7]).save(tmp_path / f"{place}.png")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "test_model.py", tmp_path], cwd=paths.ROOT, text=True, **pipes)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait() == 141


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
    "empty": lambda: Image.new("L", (200, 200), "white"),
    "two digits": lambda: Image.fromarray(np.hstack([np.asarray(page_with(DIGITS[4]))] * 2)),
    "an empty sheet on a dark table": lambda: ImageOps.expand(Image.new("RGB", (500, 400), WHITE), 100, fill=TABLE),
}


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """A function that reads a picture and returns the exit code, what was printed, and what was drawn and read."""
    seen = {}
    draw, read = test_model.draw_steps, reader.Reader.read
    monkeypatch.setattr(test_model, "draw_steps", lambda steps: seen.setdefault("figure", draw(steps)))
    monkeypatch.setattr(reader.Reader, "read", lambda self, images: read(self, seen.setdefault("read", images)))

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
    np.testing.assert_array_equal(panels["28 x 28"], seen["read"][0])
    assert run(picture)[:2] == (code, printed)


@pytest.mark.parametrize("kind", REFUSED)
def test_explain_draws_the_steps_up_to_a_refusal(kind, run, tmp_path):
    picture, drawn = REFUSED[kind](), tmp_path / "steps.png"
    code, printed, seen = run(picture, "--explain", str(drawn))
    assert code == 2 and printed.err.count("\n") == 1 and drawn.stat().st_size > 0
    panels = [axes.get_title() for axes in seen["figure"].axes]
    assert panels[0] == "picture" and panels[-1].endswith("removed") and "28 x 28" not in panels
    assert run(picture)[:2] == (code, printed)


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
