"""The export for LiteRT where Keras runs on another backend; tests/backends/ tries it on real ones."""

import importlib.util

import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import litert, networks, reader, training


@pytest.fixture
def on_another_backend(monkeypatch):
    monkeypatch.setattr(litert.keras.backend, "backend", lambda: "jax")


@pytest.fixture
def without_tensorflow(on_another_backend, monkeypatch):
    find = importlib.util.find_spec
    missing = lambda name, *rest: None if name == "tensorflow" else find(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", missing)


@pytest.mark.parametrize("build", [mh.build_cnn, networks.build_fast])
def test_a_process_of_its_own_exports_the_same_network(build, tmp_path, on_another_backend, monkeypatch, capfd):
    monkeypatch.setattr(litert.keras.Model, "export", None)  # this process cannot
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # what it would inherit
    images, model = make_digits(50)[0], build()
    training.export_litert(model, tmp_path / "mine.tflite")
    exported = reader.Reader(tmp_path / "mine.tflite").read(images)
    np.testing.assert_allclose(exported, mh.predict(model, images), atol=1e-5)
    assert capfd.readouterr() == ("", "")


def test_without_tensorflow_one_sentence_says_so_and_the_old_file_stays(tmp_path, without_tensorflow):
    path = tmp_path / "mine.tflite"
    path.write_bytes(b"the good file")
    with pytest.raises(ValueError, match="Only TensorFlow writes files for LiteRT, and it is not installed: `pip inst"):
        training.export_litert(mh.build_cnn(), path)
    assert path.read_bytes() == b"the good file" and len(list(tmp_path.iterdir())) == 1


def test_a_conversion_that_fails_says_why(tmp_path, on_another_backend, monkeypatch):
    monkeypatch.setattr(litert.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="The conversion for LiteRT failed"):
        litert.convert(mh.build_cnn(), tmp_path)
