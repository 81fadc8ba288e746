"""The page's network in Node, where there is one; Chromium compares it with Keras in tests/browser/."""

import shutil
import sys

import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import javascript, packed_weights

IMAGES, _ = make_digits(20)


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not on this machine")
@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
def test_it_reads_as_keras_with_the_same_weights(kind):
    model = mh.build_cnn()
    packed = packed_weights.pack(model.get_weights(), kind)
    probabilities, milliseconds = javascript.read_in_node(packed, IMAGES)
    model.set_weights(packed_weights.unpack(packed))
    assert np.abs(probabilities - mh.predict(model, IMAGES)).max() < 1e-5
    assert milliseconds > 0


def test_without_node_there_is_no_answer(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert javascript.read_in_node({}, IMAGES) is None


def test_a_node_that_cannot_run_it_gives_no_answer(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: sys.executable)
    assert javascript.read_in_node({}, IMAGES) is None
