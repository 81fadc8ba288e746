"""Training, resuming and saving, on small printed digits and invented losses."""

import json
import os
import shutil
from types import SimpleNamespace

import filelock
import keras
import numpy as np
import pytest
from synthetic import make_digits

import mnist_helpers as mh
from mnist_course import litert, networks, paths, training
from mnist_course.recipes import RECIPES, prepare

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

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match=r"cannot be written \(No space left on device\)"):
        training.save_weights(mh.build_cnn(), path)
    assert path.read_bytes() == b"the good file" and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_of_temporary_files_is_said_before_hdf5_meets_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=100_000))
    for write in (training.save_weights, training.export_litert):
        with pytest.raises(OSError, match="the disk of temporary files is full"):
            write(mh.build_cnn(), tmp_path / paths.WEIGHTS_NAME)


def test_an_export_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / paths.LITERT_NAME
    path.write_bytes(b"the good file")

    def full_disk(model, folder):
        (folder / "new.tflite").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(litert, "convert", full_disk)
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


def train(digits, folder, model=None, **options):
    """Train on `digits` in batches of 60, and judge on them."""
    batches = training.ShuffledBatches(*digits, seed=0, batch_size=60)
    return training.train(model or mh.build_cnn(), batches, digits, folder, **{"epochs": 4, "verbose": 0, **options})


@pytest.fixture(scope="module")
def interrupted(digits, tmp_path_factory):
    """The folder of a training that Ctrl-C met in its third epoch."""
    folder = tmp_path_factory.mktemp("interrupted")
    keras.utils.set_random_seed(5)
    with pytest.raises(KeyboardInterrupt):
        train(digits, folder, callbacks=[Interrupt(3)], settings={"seed": 5})
    return folder


@pytest.fixture
def folder(interrupted, tmp_path):
    """A copy of it that a test may spoil."""
    return shutil.copytree(interrupted, tmp_path / "training")


def change_losses(folder, losses):
    """Write other validation losses into the backups of an interrupted training."""
    for path in training.find_backups(folder):
        with np.load(path) as file:
            arrays = dict(file)
        about = json.loads(str(arrays["about"]))
        about["history"]["val_loss"] = losses[: len(about["history"]["val_loss"])]
        np.savez(path, **arrays | {"about": np.array(json.dumps(about))})


def test_an_interrupted_training_leaves_weights_log_and_two_backups(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        ".training.lock", paths.BACKUP_NAME, paths.WEIGHTS_NAME, paths.LOG_NAME,
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / paths.BACKUP_NAME).iterdir()) == ["epoch_1.npz", "epoch_2.npz"]
    assert training.read_settings(folder) == ({"seed": 5}, 2)


def test_train_resumes_after_the_last_finished_epoch(folder, digits):
    before = training.read_history(folder / paths.LOG_NAME)
    model = mh.build_cnn()
    history = train(digits, folder, model, resume=True)
    assert {name: values[:2] for name, values in history.items()} == before
    assert {len(values) for values in history.values()} == {4}
    assert training.read_history(folder / paths.LOG_NAME) == history
    assert not (folder / paths.BACKUP_NAME).exists()
    assert model.evaluate(*digits, verbose=0, batch_size=120)[0] == pytest.approx(min(history["val_loss"]), rel=1e-4)
    loaded = mh.build_cnn()
    training.load_weights(loaded, folder / paths.WEIGHTS_NAME)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


class Listening(keras.Sequential):
    """A network that notes the rows it is shown; a row is one number."""

    def train_step(self, *arguments):
        self.seen.extend(np.ravel(arguments[-1][0]).astype(int).tolist())
        return super().train_step(*arguments)


def rows_seen(folder, interrupt=None):
    """Train for three epochs on the rows 0 to 63, with Ctrl-C in epoch `interrupt`, and return what the network saw."""
    rows = np.arange(64, dtype="float32")[:, None]
    keras.utils.set_random_seed(0)
    model = Listening([keras.Input((1,)), keras.layers.Dense(1)])
    model.seen = []
    model.compile("sgd", "mse", metrics=["accuracy"], run_eagerly=True)
    batches = training.ShuffledBatches(rows, rows, seed=0, batch_size=16)
    options = {"model": model, "training": batches, "validation": (rows, rows), "output_dir": folder}
    options |= {"epochs": 3, "verbose": 0}
    if interrupt is None:
        training.train(**options)
        return model.seen
    with pytest.raises(KeyboardInterrupt):
        training.train(**options, callbacks=[Interrupt(interrupt)])
    before = model.seen[: 64 * (interrupt - 1)]
    model.seen = []
    keras.utils.set_random_seed(9)  # another process would know nothing of the first
    training.train(**options, resume=True)
    return before + model.seen


def test_every_epoch_shows_all_rows_in_a_new_order_and_a_resumed_one_in_the_same(tmp_path):
    seen = rows_seen(tmp_path / "unbroken")
    epochs = [tuple(seen[start : start + 64]) for start in (0, 64, 128)]
    assert len(seen) == 192 and len(set(epochs)) == 3
    assert all(sorted(epoch) == list(range(64)) for epoch in epochs)
    together = [{frozenset(epoch[start : start + 16]) for start in range(0, 64, 16)} for epoch in epochs]
    assert together[0] != together[1] != together[2]  # other batches, not the same ones in another order
    for interrupt in (2, 3):
        assert rows_seen(tmp_path / "broken", interrupt) == seen


@pytest.mark.parametrize("name", ["standard", "fast", "tiny"])
def test_a_resumed_training_equals_an_unbroken_one(tmp_path, name):
    images, labels = make_digits(300)
    digits, row = (mh.scale_pixels(images), mh.one_hot(labels)), RECIPES[name]._replace(epochs=4)
    models, histories = [], []
    for broken in (False, True):
        model, options = prepare(row, images, labels, seed=3, batch_size=60)
        options |= {"validation": digits, "output_dir": tmp_path / str(broken), "verbose": 0}
        if broken:
            with pytest.raises(KeyboardInterrupt):
                training.train(model, **options, callbacks=[Interrupt(3)])
            model, _ = prepare(row, images, labels, seed=8, batch_size=60)  # other random states, as in a new process
        histories.append(training.train(model, **options, resume=broken))
        models.append(model)
    for key, values in histories[0].items():
        np.testing.assert_allclose(histories[1][key], values, rtol=1e-5)
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_optimizer_and_dropout_go_on_where_they_were(folder):
    model, other = mh.build_cnn(), mh.build_cnn()
    for restored in (model, other):
        assert training.SafeSaving(folder, None).resume(restored) == 2
    assert int(model.optimizer.iterations) == 4
    for variables in (model.variables, model.optimizer.variables):
        assert any("seed" in variable.path or "velocity" in variable.path for variable in variables)
    for one, another in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(one, another)


def test_a_file_cut_anywhere_costs_one_epoch_at_most(folder):
    """As a power cut leaves it: the latest backup, the log or the weights end early."""
    rng = np.random.default_rng(0)
    model, whole = mh.build_cnn(), {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    training.SafeSaving(folder, None).resume(model)
    best = training.weight_shapes(folder / paths.WEIGHTS_NAME)
    for path in (folder / paths.BACKUP_NAME / "epoch_2.npz", folder / paths.LOG_NAME, folder / paths.WEIGHTS_NAME):
        for length in [0, *rng.integers(1, len(whole[path]), 10 if path.suffix != ".npz" else 30)]:
            for each, content in whole.items():
                each.write_bytes(content)
            path.write_bytes(whole[path][:length])
            finished = training.SafeSaving(folder, None).resume(model)
            assert finished == (1 if path.suffix == ".npz" else 2), (path.name, length)
            assert len(training.read_history(folder / paths.LOG_NAME)["loss"]) == finished
            assert training.weight_shapes(folder / paths.WEIGHTS_NAME) == best


def test_backups_that_are_all_cut_are_said(folder):
    for path in training.find_backups(folder):
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="is damaged; start again without resuming"):
        training.SafeSaving(folder, None).resume(mh.build_cnn())


def test_a_backup_of_an_earlier_version_is_said(folder):
    for path in training.find_backups(folder):
        with np.load(path) as file:
            arrays = dict(file)
        about = json.loads(str(arrays["about"]))
        del about["random"]
        np.savez(path, **arrays | {"about": np.array(json.dumps(about))})
    with pytest.raises(ValueError, match="An earlier version of the course made the backup"):
        training.SafeSaving(folder, None).resume(mh.build_cnn())


def test_backups_are_ordered_by_number(tmp_path):
    (tmp_path / paths.BACKUP_NAME).mkdir()
    for epoch in (999, 1000, 1001):
        (tmp_path / paths.BACKUP_NAME / f"epoch_{epoch}.npz").touch()
    assert [path.stem for path in training.find_backups(tmp_path)] == ["epoch_1001", "epoch_1000", "epoch_999"]


def test_a_backup_of_another_network_is_refused(folder, digits):
    model = networks.build_tiny()
    model.compile("adam", "categorical_crossentropy")
    with pytest.raises(ValueError, match="is of another network"):
        train(digits, folder, model, resume=True)


def test_a_row_of_the_log_that_was_cut_short_is_left_out(tmp_path):
    log = tmp_path / paths.LOG_NAME
    log.write_text("epoch,loss,accuracy,val_loss,val_accuracy\n0,1,0.5,2,0.4\n1,0.9,0.6,1")
    assert training.read_history(log) == {"loss": [1], "accuracy": [0.5], "val_loss": [2], "val_accuracy": [0.4]}


def test_resume_never_replaces_better_weights_by_worse(folder, digits):
    change_losses(folder, [1e-9, 0.5])  # as if epoch 1 had been very good
    with np.load(folder / paths.BACKUP_NAME / "epoch_2.npz") as file:
        best = file["best/0"]
    model = mh.build_cnn()
    train(digits, folder, model, resume=True)
    np.testing.assert_array_equal(model.get_weights()[0], best)


@pytest.mark.parametrize("patience, epochs", [(1, 2), (2, 3)])
def test_resume_counts_the_patience_that_was_spent_before(folder, digits, patience, epochs):
    change_losses(folder, [1e-9, 0.5])  # one epoch without improvement has passed
    assert len(train(digits, folder, patience=patience, resume=True)["val_loss"]) == epochs


def test_new_training_keeps_the_networks_of_the_one_before(tmp_path, digits):
    earlier = {name: f"{name} of last week".encode() for name in (paths.WEIGHTS_NAME, paths.LITERT_NAME)}
    for name, content in earlier.items():
        (tmp_path / name).write_bytes(content)
    train(digits, tmp_path, epochs=1)
    for name, content in earlier.items():
        assert (tmp_path / f"previous_{name}").read_bytes() == content
    assert not (tmp_path / paths.LITERT_NAME).exists()  # it would read with last week's network


def test_a_resumed_training_keeps_the_network_of_the_one_before_and_drops_its_own_older_reader(folder, digits):
    (folder / f"previous_{paths.LITERT_NAME}").write_bytes(b"reader of last week")
    (folder / paths.LITERT_NAME).write_bytes(b"reader that Ctrl-C exported")
    train(digits, folder, resume=True)
    assert (folder / f"previous_{paths.LITERT_NAME}").read_bytes() == b"reader of last week"
    assert not (folder / paths.LITERT_NAME).exists()
    assert not (folder / f"previous_{paths.WEIGHTS_NAME}").exists()


def test_a_disk_that_is_full_in_the_third_epoch_costs_nothing(tmp_path, digits, monkeypatch):
    def fill(number, logs):
        if number == 2:
            monkeypatch.setattr(os, "fsync", full_disk)

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device"):
        train(digits, tmp_path, callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=fill)])
    monkeypatch.undo()
    training.load_weights(mh.build_cnn(), tmp_path / paths.WEIGHTS_NAME)
    assert training.read_settings(tmp_path)[1] == len(training.read_history(tmp_path / paths.LOG_NAME)["loss"]) == 2
    assert len(train(digits, tmp_path, resume=True)["loss"]) == 4


def test_nothing_to_resume_and_a_diverged_loss_are_said(tmp_path, digits):
    with pytest.raises(ValueError, match="no interrupted training"):
        train(digits, tmp_path, resume=True)
    x, y = digits
    with pytest.raises(ValueError, match="try a smaller learning rate"):
        train((x, y * np.nan), tmp_path, epochs=1)
    with pytest.raises(ValueError, match="Expected batches to train on"):
        training.train(mh.build_cnn(), digits, digits, tmp_path)
    assert not (tmp_path / paths.WEIGHTS_NAME).exists()


def test_a_second_training_in_the_same_folder_is_refused_and_a_left_over_lock_is_not(tmp_path, digits):
    (tmp_path / ".training.lock").touch()  # as a crash leaves it
    with filelock.FileLock(tmp_path / ".training.lock"):  # as another process holds it
        with pytest.raises(ValueError, match="Another training is writing to"):
            train(digits, tmp_path, epochs=1)
    assert len(train(digits, tmp_path, epochs=1)["loss"]) == 1
