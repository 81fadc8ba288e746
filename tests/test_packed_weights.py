"""Weights as text; that web/network.js unpacks the same numbers is checked in tests/browser/."""

import numpy as np
import pytest

from mnist_course import packed_weights, paths


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, shape).astype(np.float32) for shape in packed_weights.SHAPES]


def test_float32_comes_back_as_it_was(weights):
    unpacked = packed_weights.unpack(packed_weights.pack(weights, "float32"))
    assert all(np.array_equal(one, other) for one, other in zip(weights, unpacked, strict=True))


def test_float16_comes_back_rounded_once(weights):
    unpacked = packed_weights.unpack(packed_weights.pack(weights, "float16"))
    for one, other in zip(weights, unpacked, strict=True):
        assert other.dtype == np.float32 and np.array_equal(other, one.astype(np.float16))


def test_int8_is_off_by_half_a_step_of_its_channel_at_most(weights):
    weights = [*weights[:-1], np.zeros_like(weights[-1])]  # whose scale nothing tells
    unpacked = packed_weights.unpack(packed_weights.pack(weights, "int8"))
    for one, other in zip(weights, unpacked, strict=True):
        step = np.abs(one).reshape(-1, one.shape[-1]).max(axis=0) / 127
        assert (np.abs(one - other) <= 0.501 * step).all()
        assert other.dtype == np.float32 and other.shape == one.shape
    assert not np.array_equal(weights[0], unpacked[0])


def test_the_text_grows_with_the_bits_of_a_number(weights):
    count = sum(weight.size for weight in weights)
    for kind, size in (("float32", 4), ("float16", 2), ("int8", 1)):
        text = packed_weights.pack(weights, kind)["text"]
        assert len(text) == -(-count * size // 4) * 5
        assert not set(text) & set("\"'\\/")  # nothing that JSON or HTML would have to write otherwise


def test_another_kind_is_refused(weights):
    with pytest.raises(ValueError, match="Expected one of float32, float16, int8 .* received 'int4'"):
        packed_weights.pack(weights, "int4")


def test_a_weights_file_is_read_in_keras_order():
    import mnist_helpers as mh

    model = mh.build_cnn()
    model.load_weights(paths.ROBUST_WEIGHTS)
    read = packed_weights.read_weights(paths.ROBUST_WEIGHTS)
    assert all(np.array_equal(one, other) for one, other in zip(read, model.get_weights(), strict=True))


def test_another_file_is_refused_in_a_sentence(tmp_path):
    import keras

    (tmp_path / "broken.weights.h5").write_bytes(b"no HDF5")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "small.weights.h5")
    for name, words in (
        ("missing.weights.h5", "is missing or not a whole weights file"),
        ("broken.weights.h5", "is missing or not a whole weights file"),
        ("small.weights.h5", "holds the weights of another network than the course's"),
    ):
        with pytest.raises(ValueError, match=words):
            packed_weights.read_weights(tmp_path / name)
