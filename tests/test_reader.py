"""Reading pictures with LiteRT: the same answers as Keras, quickly, and one sentence for what cannot be read."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from synthetic import make_digits

import mnist_helpers as mh
import test_model
from mnist_course import pictures, reader

SAMPLE = mh.ROOT / "data" / "samples" / "crossed_seven.jpg"
ROBUST = mh.ROOT / "models" / "mnist_robust.weights.h5"


@pytest.fixture(scope="module")
def shipped():
    return reader.Reader(reader.SHIPPED)


@pytest.fixture(scope="module")
def robust():
    model = mh.build_cnn()
    mh.load_weights(model, ROBUST)
    return model


@pytest.fixture(autouse=True)
def no_network_of_ones_own(monkeypatch):
    monkeypatch.setattr(reader.find_reader, "__defaults__", (mh.ROOT / "no such folder",))


def test_keras_and_litert_give_the_same_answers(shipped, robust):
    images = mh.load_mnist()[1][0][:1000]
    np.testing.assert_allclose(shipped.read(images), mh.predict(robust, images), atol=1e-5)


def test_exported_network_gives_the_same_answers(tmp_path):
    images, model = make_digits(50)[0], mh.build_cnn()
    mh.export_litert(model, tmp_path / "new" / "mine.tflite")
    exported = reader.Reader(tmp_path / "new" / "mine.tflite").read(images)
    np.testing.assert_allclose(exported, mh.predict(model, images), atol=1e-5)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.tflite"]


def test_preparing_mnist_images_changes_hardly_any_reading(shipped):
    _, (images, _) = mh.split_train_validation(*mh.load_mnist()[0])
    prepared = np.stack([pictures.to_mnist(Image.fromarray(image)) for image in images[:2000]])
    same = shipped.read(prepared).argmax(axis=1) == shipped.read(images[:2000]).argmax(axis=1)
    assert same.mean() >= 0.999


def test_own_network_comes_before_the_shipped(tmp_path):
    assert reader.find_reader(tmp_path) == reader.SHIPPED
    own = tmp_path / mh.LITERT_NAME
    own.write_bytes(reader.SHIPPED.read_bytes())
    assert reader.find_reader(tmp_path) == own


def test_damaged_and_missing_networks_are_refused(tmp_path):
    path = tmp_path / "mine.tflite"
    for content in (None, b"", b"text", reader.SHIPPED.read_bytes()[:5000]):
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


def test_explain_draws_the_steps(tmp_path, capsys):
    assert test_model.main([str(SAMPLE), "--explain", str(tmp_path / "steps.png")]) == 0
    assert Image.open(tmp_path / "steps.png").size[0] > 800
    with pytest.raises(SystemExit) as stop:
        test_model.main([str(SAMPLE), str(SAMPLE), "--explain", str(tmp_path / "steps.png")])
    assert stop.value.code == 2


def test_reading_needs_neither_keras_nor_tensorflow_nor_matplotlib():
    code = (
        "import sys, test_model\n"
        f"code = test_model.main([{str(SAMPLE)!r}])\n"
        "print([name for name in ('keras', 'tensorflow', 'matplotlib', 'scipy') if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=mh.ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[] 0" and done.stderr == ""
