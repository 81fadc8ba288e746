"""The data set: complete, unchanged, and refused in one sentence when it is not."""

import hashlib
import struct

import keras
import numpy as np
import pytest

import mnist_helpers as mh
from mnist_course import paths

IDX_MD5 = {  # published for the uncompressed original files
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.fixture(scope="module")
def mnist():
    return mh.load_mnist()


def test_arrays_written_back_to_idx_have_the_published_sums(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    for name, array in {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}.items():
        magic = 2051 if array.ndim == 3 else 2049
        header = struct.pack(f">{1 + array.ndim}I", magic, *array.shape)
        assert hashlib.md5(header + array.tobytes()).hexdigest() == IDX_MD5[name], name


def test_readme_names_the_same_sums():
    text = (paths.ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert all(md5 in text for md5 in IDX_MD5.values()) and mh.DATA_SHA256 in text


def test_split_is_stratified_disjoint_and_repeatable(mnist):
    images, labels = mnist[0]
    numbers = np.arange(60_000)
    (train, train_labels), (validation, validation_labels) = mh.split_train_validation(numbers, labels)
    assert len(train) == 54_000 and len(validation) == 6_000
    assert len(np.union1d(train, validation)) == 60_000
    np.testing.assert_array_equal(labels[validation], validation_labels)
    assert abs(np.bincount(validation_labels) - np.bincount(labels) / 10).max() <= 1
    np.testing.assert_array_equal(mh.split_train_validation(numbers, labels)[1][0], validation)


def broken_copy(path, how):
    content = bytearray(paths.DATA_PATH.read_bytes())
    if how == "a flipped byte":
        content[5_000_000] ^= 1
    elif how == "truncated":
        content = content[: len(content) // 2]
    elif how == "empty":
        content = b""
    elif how == "text":
        content = b"<html>404 not found</html>"
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["a flipped byte", "truncated", "empty", "text"])
def test_damaged_file_gives_one_sentence_and_no_download(tmp_path, monkeypatch, how):
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: pytest.fail("fell back silently"))
    path = tmp_path / "mnist.npz"
    broken_copy(path, how)
    with pytest.raises(
        ValueError, match=r"^mnist.npz is damaged \(.+\): get it back with `git checkout data/mnist.npz`"
    ):
        mh.load_mnist(path)


@pytest.mark.parametrize(
    "arrays, reason",
    [
        (
            {"x_train": np.zeros((3, 28, 28), np.uint8)},
            r"x_train is uint8 \(3, 28, 28\), expected uint8 \(60000, 28, 28\)",
        ),
        ({"x_train": np.zeros((60000, 28, 28), np.int8)}, "x_train is int8"),
        ({"other": np.zeros(3)}, "an array is missing: .*x_train"),
        ({"x_train": np.array([{"code": 1}], dtype=object)}, "not a whole .npz archive"),
    ],
)
def test_wrong_arrays_are_named(tmp_path, arrays, reason):
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, **arrays)
    with pytest.raises(ValueError, match=reason):
        mh.load_mnist(path)


def test_a_folder_in_its_place_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        mh.load_mnist(tmp_path)


def test_absent_file_falls_back_to_keras(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: "what Keras downloads")
    assert mh.load_mnist(tmp_path / "absent.npz") == "what Keras downloads"
