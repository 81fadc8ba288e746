"""Training, resuming and saving, on small printed digits and invented losses."""

from pathlib import Path

import keras
import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import paths, training

# ---------------------------------------------------------------- weight files


def test_saved_weights_give_the_same_answers(tmp_path):
    images, _ = make_digits(20)
    model, path = mh.build_cnn(), tmp_path / "new" / paths.WEIGHTS_NAME
    training.save_weights(model, path)
    other = mh.build_cnn()
    assert not np.allclose(mh.predict(other, images), mh.predict(model, images))
    training.load_weights(other, path)
    np.testing.assert_array_equal(mh.predict(other, images), mh.predict(model, images))
    assert [file.name for file in path.parent.iterdir()] == [paths.WEIGHTS_NAME]


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / paths.WEIGHTS_NAME
    path.write_bytes(b"the good file")

    def full_disk(self, filepath):
        filepath.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save_weights", full_disk)
    with pytest.raises(OSError, match="No space left"):
        training.save_weights(mh.build_cnn(), path)
    assert path.read_bytes() == b"the good file" and len(list(tmp_path.iterdir())) == 1


def test_an_export_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / paths.LITERT_NAME
    path.write_bytes(b"the good file")

    def full_disk(self, filepath, **options):
        Path(filepath).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "export", full_disk)
    with pytest.raises(OSError, match="No space left"):
        training.export_litert(mh.build_cnn(), path)
    assert path.read_bytes() == b"the good file" and len(list(tmp_path.iterdir())) == 1


def narrow_network():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])


def longer_network():
    """The course's layers with one more at the end: Keras would load its weights without a word."""
    return keras.Sequential([keras.Input((28, 28, 1)), *mh.build_cnn().layers, keras.layers.Dense(10)])


@pytest.mark.parametrize("build", [narrow_network, longer_network])
def test_weights_of_another_network_are_refused(tmp_path, build):
    build().save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="weights of another network"):
        training.load_weights(mh.build_cnn(), tmp_path / "other.weights.h5")


def test_missing_and_damaged_weights_are_refused(tmp_path):
    path = tmp_path / paths.WEIGHTS_NAME
    with pytest.raises(ValueError, match="There is no weights file"):
        training.load_weights(mh.build_cnn(), path)
    whole = paths.SHIPPED_WEIGHTS.read_bytes()
    for content in (b"", b"not hdf5", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a whole weights file"):
            training.load_weights(mh.build_cnn(), path)


def play(callback, losses, model):
    """Tell a callback invented validation losses, an epoch each; return how many epochs it let pass."""
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch + 1
    return len(losses)


def test_early_stopping_counts_from_the_last_minimum():
    model = mh.build_cnn()
    assert play(training.EarlyStopping(3), [5, 4, 4.5, 3, 3.5, 3.6, 3.7, 1], model) == 7
    assert play(training.EarlyStopping(3), [5, 4, 3, 2], model) == 4


def test_early_stopping_remembers_the_epochs_before_a_resumed_training():
    assert play(training.EarlyStopping(3, past_losses=[5, 3, 3.5]), [3.6, 3.7, 1], mh.build_cnn()) == 2


def test_best_weights_saves_new_minima_only(tmp_path):
    model, path, saved = mh.build_cnn(), tmp_path / paths.WEIGHTS_NAME, []
    callback = training.BestWeights(path)
    callback.set_model(model)
    for epoch, loss in enumerate([3, 2, float("nan"), 2.5, 2, 1]):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if path.exists():
            path.unlink()
            saved.append(epoch)
    assert saved == [0, 1, 5]


def test_backup_keeps_the_last_epoch_with_its_optimizer(tmp_path):
    model = mh.build_cnn()
    backup = training.ResumableBackup(tmp_path / "backup")
    backup.set_model(model)
    images, labels = make_digits(20)
    model.train_on_batch(mh.scale_pixels(images), mh.one_hot(labels))
    for epoch in range(3):
        backup.on_epoch_end(epoch, {})
    assert [path.name for path in backup.folder.iterdir()] == ["epoch_003.weights.h5"]
    restored = mh.build_cnn()
    assert backup.load(restored) == 3
    assert int(restored.optimizer.iterations) == 1
    for one, other in zip(model.optimizer.variables, restored.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.now = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def digits():
    images, labels = make_digits(120)
    return mh.scale_pixels(images), mh.one_hot(labels)


def interrupted_training(digits, folder, epoch):
    options = {"epochs": 4, "batch_size": 60, "callbacks": [Interrupt(epoch)], "verbose": 0}
    with pytest.raises(KeyboardInterrupt):
        training.train(mh.build_cnn(), digits, digits, folder, **options)


def test_train_resumes_after_the_last_finished_epoch(tmp_path, digits):
    interrupted_training(digits, tmp_path, epoch=3)
    before = training.read_history(tmp_path / paths.LOG_NAME)
    assert len(before["loss"]) == 2
    (tmp_path / paths.LOG_NAME).open("a").write("2,0.1")  # the row that a power cut left unfinished

    model = mh.build_cnn()
    history = training.train(model, digits, digits, tmp_path, epochs=4, batch_size=60, resume=True, verbose=0)
    assert {name: values[:2] for name, values in history.items()} == before
    assert {len(values) for values in history.values()} == {4}
    assert not (tmp_path / "backup").exists()
    best = model.evaluate(*digits, verbose=0, batch_size=120)[0]
    assert best == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_resume_goes_on_with_the_pictures_of_the_next_epoch(tmp_path, digits):
    seen = []

    class Pictures(keras.utils.PyDataset):
        epoch = 0

        def __len__(self):
            return 2

        def __getitem__(self, batch):
            seen.append(self.epoch)
            return digits[0][:60], digits[1][:60]

        def on_epoch_end(self):
            self.epoch += 1

    interrupted_training(digits, tmp_path, epoch=3)
    training.train(mh.build_cnn(), (Pictures(), None), digits, tmp_path, epochs=4, resume=True, verbose=0)
    assert set(seen) >= {2, 3} and min(seen) == 2


def test_resume_never_replaces_better_weights_by_worse(tmp_path, digits):
    interrupted_training(digits, tmp_path, epoch=3)
    rows = (tmp_path / paths.LOG_NAME).read_text().splitlines()
    lower = ",".join([*rows[2].split(",")[:-1], "0.000001"])  # as if epoch 2 had been very good
    (tmp_path / paths.LOG_NAME).write_text("\n".join([*rows[:2], lower]) + "\n")
    good = (tmp_path / paths.WEIGHTS_NAME).read_bytes()
    training.train(mh.build_cnn(), digits, digits, tmp_path, epochs=4, batch_size=60, resume=True, verbose=0)
    assert (tmp_path / paths.WEIGHTS_NAME).read_bytes() == good


@pytest.mark.parametrize("patience, epochs", [(1, 2), (2, 3)])
def test_resume_counts_the_patience_that_was_spent_before(tmp_path, digits, patience, epochs):
    interrupted_training(digits, tmp_path, epoch=3)
    header, *rows = (tmp_path / paths.LOG_NAME).read_text().splitlines()
    losses = ("0.000001", "0.5")  # as if epoch 1 had been very good: one epoch without improvement has passed
    rows = [",".join([*row.split(",")[:-1], loss]) for row, loss in zip(rows, losses, strict=True)]
    (tmp_path / paths.LOG_NAME).write_text("\n".join([header, *rows]) + "\n")
    options = {"epochs": 4, "batch_size": 60, "patience": patience, "resume": True, "verbose": 0}
    history = training.train(mh.build_cnn(), digits, digits, tmp_path, **options)
    assert len(history["val_loss"]) == epochs


def test_new_training_keeps_the_weights_of_the_one_before(tmp_path, digits):
    earlier = tmp_path / paths.WEIGHTS_NAME
    earlier.write_bytes(b"weights of last week")
    training.train(mh.build_cnn(), digits, digits, tmp_path, epochs=1, verbose=0)
    assert (tmp_path / f"previous_{paths.WEIGHTS_NAME}").read_bytes() == b"weights of last week"


def test_nothing_to_resume_and_a_diverged_loss_are_said(tmp_path, digits):
    with pytest.raises(ValueError, match="no interrupted training"):
        training.train(mh.build_cnn(), digits, digits, tmp_path, resume=True)
    x, y = digits
    with pytest.raises(ValueError, match="try a smaller learning rate"):
        training.train(mh.build_cnn(), (x, y * np.nan), (x, y * np.nan), tmp_path, epochs=1, verbose=0)
    assert not (tmp_path / paths.WEIGHTS_NAME).exists()
