"""Training lines: the same for the same seed, with the answers that belong to them; the network learns to read them."""

import keras
import numpy as np
import pytest
from synthetic import make_digits

from mnist_course import line_pictures, line_training, paths, reader, strips, training


@pytest.fixture(scope="module")
def digits():
    return make_digits(300)


@pytest.fixture(scope="module")
def lines(digits):
    return line_pictures.LinePictures(*digits, seed=1, batches=3)


def test_a_batch_has_strips_and_their_answers(lines):
    x, y = lines[0]
    assert len(lines) == 3
    assert x.dtype == np.float32 and x.shape[1:] == (strips.HEIGHT, line_pictures.WIDTH, 1)
    assert 0 <= x.min() <= x.max() <= 1
    assert y.dtype == np.int32 and y.shape == (len(x), line_pictures.MOST) and y.max() == strips.OTHER
    counts = (y > 0).sum(axis=1)
    assert counts.min() >= 1 and counts.max() >= 6
    assert ((y > 0) == (np.arange(line_pictures.MOST) < counts[:, None])).all()  # zeros only follow
    ink = x.sum(axis=(1, 2, 3))
    assert np.corrcoef(ink, counts)[0, 1] > 0.5
    others = (y == strips.OTHER).any(axis=1).mean()
    assert 0.03 < others < 0.25


def test_the_same_seed_and_epoch_give_the_same_lines(lines, digits):
    again = line_pictures.LinePictures(*digits, seed=1, batches=3)
    other = line_pictures.LinePictures(*digits, seed=2, batches=3)
    np.testing.assert_array_equal(again[1][0], lines[1][0])
    assert not np.array_equal(other[1][1], lines[1][1]) and not np.array_equal(lines[0][1], lines[1][1])
    again.on_epoch_end()
    assert not np.array_equal(again[1][1], lines[1][1])
    again.begin(0)
    np.testing.assert_array_equal(again[1][1], lines[1][1])


def columns_of(strip):
    """Begin and end of each stretch of columns with ink."""
    inked = np.r_[False, (strip > 0.3).any(axis=0), False].astype(int)
    return np.flatnonzero(np.diff(inked) == 1), np.flatnonzero(np.diff(inked) == -1)


def test_digits_stand_apart_or_touch_in_the_order_of_their_answers(monkeypatch, digits):
    """A mark of its own for each digit, so that the strip itself says which digits it shows."""
    images = np.zeros((10, 28, 28), np.uint8)
    for digit in range(10):
        images[digit, 4:24, 10 : 12 + digit] = 255  # a bar, the broader the larger the digit
    monkeypatch.setattr(line_pictures, "photograph", lambda strip, rng: np.pad(strip, [(0, 0), (0, 160)])[8:40, :160])
    monkeypatch.setattr(line_pictures.augmentation, "augment", lambda digits, rng: digits / np.float32(255))
    monkeypatch.setattr(line_pictures, "DRAWN", 0)
    monkeypatch.setattr(line_pictures, "OTHER_LINES", 0)
    monkeypatch.setattr(line_pictures, "MARKS", 0)
    monkeypatch.setattr(line_pictures, "UNEVEN", (0,))
    lines = line_pictures.LinePictures(images, np.arange(10), seed=0, batches=1)
    x, y = lines[0]
    apart = 0
    for strip, answers in zip(x[..., 0], y, strict=True):
        begin, end = columns_of(strip)
        wanted = answers[answers > 0] - 1
        assert len(begin) <= len(wanted)
        if len(begin) == len(wanted):
            apart += 1
            np.testing.assert_array_equal(end - begin - 2, wanted)
    assert 0.3 < apart / len(x) < 0.95  # in the others some touch


def test_accuracy_counts_whole_lines():
    y = np.zeros((4, line_pictures.MOST), np.int32)
    y[:, :3] = [4, 4, 9]
    said = ["-44--4-9", "-4-4--9-", "4-4-99--", "--------"]
    logits = np.zeros((4, 8, strips.ANSWERS), np.float32)
    for row, text in zip(logits, said, strict=True):
        for frame, answer in zip(row, text, strict=True):
            frame[0 if answer == "-" else int(answer)] = 9
    assert keras.ops.convert_to_numpy(line_training.accuracy(y, logits)).tolist() == [1, 1, 1, 0]


def test_the_network_learns_and_litert_reads_the_same(tmp_path):
    keras.utils.set_random_seed(0)
    model = line_training.build_line_network()
    assert model.count_params() == 310_660
    model.compile(keras.optimizers.Adam(0.003), keras.losses.CTC())
    strip = np.zeros((1, 32, 48, 1), np.float32)
    strip[0, 6:26, 10:13] = strip[0, 6:26, 30:33] = 1
    answer = np.array([[2, 2]], np.int32)
    first = model.train_on_batch(strip, answer)
    for _ in range(15):
        last = model.train_on_batch(strip, answer)
    assert last < 0.2 * first
    path = tmp_path / "lines.tflite"
    training.export_litert(model, path)
    lines = reader.LineReader(path)
    for wide in (48, 47, 333):
        raw = np.random.default_rng(wide).integers(0, 256, (32, wide), dtype=np.uint8)
        padded = np.pad(raw, [(0, 0), (0, -wide % 32)])[None, ..., None].astype(np.float32) / 255
        wanted = keras.ops.convert_to_numpy(keras.ops.softmax(model(padded, training=False)))[0, : -(-wide // 2)]
        np.testing.assert_allclose(lines.read(raw), wanted, atol=1e-5)


def test_the_command_trains_saves_and_goes_on(tmp_path, monkeypatch, capsys, digits):
    monkeypatch.setattr(line_training.mh, "load_mnist", lambda: (digits, digits))
    monkeypatch.setattr(line_training.mh, "split_train_validation", lambda images, labels: ((images, labels),) * 2)
    monkeypatch.setattr(line_training, "VALIDATION_BATCHES", 1)
    given = ["--epochs", "2", "--batches", "2", "--output-dir", str(tmp_path)]
    fit, epochs = keras.Model.fit, []

    def stopped_after_one(self, *arguments, **options):
        epochs.append(options["initial_epoch"])
        if len(epochs) == 1:
            fit(self, *arguments, **options | {"epochs": 1})
            raise KeyboardInterrupt
        return fit(self, *arguments, **options)

    monkeypatch.setattr(keras.Model, "fit", stopped_after_one)
    assert line_training.main(given) == 130
    assert line_training.main([*given[:3], "3", *given[4:], "--resume"]) == 2
    assert "as the training began" in capsys.readouterr().err
    assert line_training.main([*given, "--resume"]) == 0 and epochs == [0, 1]
    assert "Trained 2 epochs" in capsys.readouterr().out
    frames = reader.LineReader(tmp_path / paths.LINE_READER.name).read(np.zeros((32, 60), np.uint8))
    assert frames.shape == (30, strips.ANSWERS) and frames.sum(axis=1) == pytest.approx(np.ones(30))
