"""Train with resume and safe saving: `train`, its callbacks, weight files, and the export for LiteRT.

Notebook 04 shows what Keras's own callbacks do, and what `train` adds to them.
"""

import contextlib
import csv
import errno
import io
import json
import os
import random
import shutil
import tempfile
import zipfile
from pathlib import Path

import filelock
import numpy as np

from mnist_course import litert, paths
from mnist_course.files import write_whole
from mnist_course.quiet import import_keras

keras = import_keras()

_HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy")

# ---------------------------------------------------------------- weight files


def save_weights(model, path):
    """Save the network's weights (not its optimizer) to `path`, a .weights.h5 file, whole or not at all.

    Raises OSError when the file cannot be written; a file that was there stays as it was.
    """
    with _room_to_write(model) as folder:
        _without_optimizer(model).save_weights(folder / "new.weights.h5")
        write_whole(path, (folder / "new.weights.h5").read_bytes())


def export_litert(model, path, recipe=None):
    """Export the network to `path`, a .tflite file that `mnist_course.reader` reads without Keras, whole or not at all.

    The name of the `recipe` that trained it is noted beside it. Raises OSError when the file cannot be written, and
    ValueError when TensorFlow is not installed; a file that was there stays as it was.
    """
    with _room_to_write(model) as folder:
        content = litert.convert(_without_optimizer(model), folder).read_bytes()
        paths.recipe_note(path).unlink(missing_ok=True)  # first: it never stands beside another network
        write_whole(path, content)
        if recipe:
            write_whole(paths.recipe_note(path), json.dumps({"recipe": recipe}) + "\n")


@contextlib.contextmanager
def _room_to_write(model):
    """Give a temporary folder with room for the network: HDF5 ends the process when the disk fills while it writes."""
    with tempfile.TemporaryDirectory(prefix="mnist-course-") as folder:
        if shutil.disk_usage(folder).free < 16 * model.count_params() + 2**20:
            raise OSError(errno.ENOSPC, "the disk of temporary files is full", folder)
        yield Path(folder)


def _without_optimizer(model):
    return keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers])


def load_weights(model, path):
    """Load weights that `save_weights` or Keras wrote at `path` into `model`.

    Raises ValueError when the file is missing, damaged, or holds the weights of another network.
    """
    if weight_shapes(path) == sorted(tuple(weight.shape) for weight in model.weights):
        try:
            _without_optimizer(model).load_weights(path)
            return
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{path} is not a whole weights file; train again, or name another file.") from error
        except ValueError:
            pass  # the right shapes under other layers
    raise ValueError(
        f"{path} holds the weights of another network, not of this one with {model.count_params():,} parameters."
    )


def weight_shapes(path):
    """Return the sorted shapes of the weights in the file at `path`; ValueError when it is missing or damaged."""
    import h5py

    path, shapes = Path(path), []
    if not path.is_file():
        raise ValueError(f"There is no weights file {path}; train a network first with `python train_model.py`.")

    def collect(name, item):
        if name.startswith("layers/") and "seed_generator" not in name and isinstance(item, h5py.Dataset):
            shapes.append(item.shape)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(collect)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is not a whole weights file; train again, or name another file.") from error
    return sorted(shapes)


# ---------------------------------------------------------------- callbacks and training


class SafeSaving(keras.callbacks.Callback):
    """After every epoch: the best weights, the log, and a backup of the whole state, each written whole.

    A backup holds what a training needs to go on as if nothing had happened: weights, optimizer, the random state of
    dropout and of Python, with which `fit` orders batches, the best weights so far, the history, and `settings`, a
    dict of what the caller wants to know then. The one before is kept until the next is safe, so that a power cut costs
    one epoch at most.
    """

    def __init__(self, output_dir, settings):
        super().__init__()
        self.folder, self.settings = Path(output_dir), settings
        self.history, self.best_weights = {name: [] for name in _HISTORY}, None  # None: nothing of ours is saved yet
        self.torch_state = None

    def on_train_begin(self, logs=None):
        if self.torch_state is not None:  # not earlier: `fit` itself draws numbers before
            import torch

            torch.set_rng_state(torch.from_numpy(self.torch_state))

    def on_epoch_end(self, epoch, logs=None):
        best = min(self.history["val_loss"], default=np.inf)
        for name, values in self.history.items():
            values.append(float(logs[name]))
        if logs["val_loss"] < best:
            if self.best_weights is None:
                self._set_aside()
            self.best_weights = self.model.get_weights()
            save_weights(self.model, self.folder / paths.WEIGHTS_NAME)
        self._write_log()
        self._write_backup()

    def resume(self, model):
        """Restore `model` from the latest whole backup and return how many epochs it had finished.

        The best weights and the log are written anew, as they were then. Raises ValueError when there is no backup.
        """
        about, arrays = _read_backup(self.folder)
        if "random" not in about:
            raise ValueError(f"An earlier version of the course made the backup in {self.folder}; start again.")
        model.optimizer.build(model.trainable_variables)
        for name, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
            values = [arrays[f"{name}/{place}"] for place in range(_count(arrays, name))]
            if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
                raise ValueError(f"The backup in {self.folder} is of another network; start again without resuming.")
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        version, numbers, spare = about["random"]
        random.setstate((version, tuple(numbers), spare))
        self.torch_state = arrays.get("torch/0")
        self.history = about["history"]
        if _count(arrays, "best"):
            now, self.best_weights = model.get_weights(), [arrays[f"best/{i}"] for i in range(_count(arrays, "best"))]
            model.set_weights(self.best_weights)
            (self.folder / paths.LITERT_NAME).unlink(missing_ok=True)  # what Ctrl-C exported of this training
            save_weights(model, self.folder / paths.WEIGHTS_NAME)
            model.set_weights(now)
        self._write_log()
        return len(self.history["loss"])

    def _set_aside(self):
        """Keep an earlier training's network as previous_…: no reader of it stays beside new weights."""
        weights, reader = self.folder / paths.WEIGHTS_NAME, self.folder / paths.LITERT_NAME
        if weights.exists():
            write_whole(self.folder / f"previous_{paths.WEIGHTS_NAME}", weights.read_bytes())
        if reader.exists():
            os.replace(reader, self.folder / f"previous_{paths.LITERT_NAME}")

    def _write_log(self):
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["epoch", *self.history])
        table.writerows([epoch, *row] for epoch, row in enumerate(zip(*self.history.values(), strict=True)))
        write_whole(self.folder / paths.LOG_NAME, text.getvalue())

    def _write_backup(self):
        parts = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
        parts["best"] = self.best_weights or []
        if keras.backend.backend() == "torch":  # it draws dropout from random numbers of its own
            import torch

            parts["torch"] = [torch.get_rng_state()]
        arrays = {f"{name}/{i}": np.asarray(value) for name, part in parts.items() for i, value in enumerate(part)}
        about = json.dumps({"settings": self.settings, "history": self.history, "random": random.getstate()})
        content = io.BytesIO()
        np.savez(content, about=np.array(about), **arrays)
        epoch = len(self.history["loss"])
        write_whole(self.folder / paths.BACKUP_NAME / f"epoch_{epoch}.npz", content.getvalue())
        for older in find_backups(self.folder)[2:]:
            older.unlink()


def find_backups(folder):
    """Return the backups of the training in `folder`, the latest first."""
    backups = (Path(folder) / paths.BACKUP_NAME).glob("epoch_*.npz")
    return sorted(backups, key=lambda path: int(path.stem.removeprefix("epoch_")), reverse=True)


def _read_backup(folder):
    """Return what is said about the latest whole backup, and its arrays by name; ValueError when there is none."""
    backups = find_backups(folder)
    for path in backups:
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            return json.loads(str(arrays.pop("about"))), arrays
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue  # cut short
    if backups:
        raise ValueError(f"The backup in {Path(folder) / paths.BACKUP_NAME} is damaged; start again without resuming.")
    raise ValueError(f"There is no interrupted training in {folder}; start one without resuming.")


def _count(arrays, name):
    return sum(key.startswith(f"{name}/") for key in arrays)


def read_settings(output_dir):
    """Return the settings with which the interrupted training in `output_dir` began, and its finished epochs.

    Raises ValueError when there is none.
    """
    about, _ = _read_backup(output_dir)
    return about["settings"], len(about["history"]["loss"])


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's early stopping on the validation loss, which also remembers the losses before a resumed training."""

    def __init__(self, patience, past_losses=()):
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self.past_losses = past_losses

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for epoch, loss in enumerate(self.past_losses):
            self.on_epoch_end(epoch, {"val_loss": loss})


class ShuffledBatches(keras.utils.PyDataset):
    """Batches of `x` and `y` for `model.fit`, in a new order in every epoch; the same `seed` gives the same orders.

    Taught in notebook 04. `x` and `y` are arrays of equal length; every row comes once an epoch, the last batch is
    smaller. On TensorFlow, `fit` repeats the order of the first epoch when it gets arrays after
    `keras.utils.set_random_seed` (seen with Keras 3.15.1; TensorFlow's issue 35682 (2020) explains it).
    """

    def __init__(self, x, y, *, seed, batch_size=128, **options):
        super().__init__(**options)
        self.x, self.y, self.seed, self.batch_size = x, y, seed, batch_size
        self.begin(epoch=0)

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, batch):
        chosen = self.order[batch * self.batch_size : (batch + 1) * self.batch_size]
        return self.x[chosen], self.y[chosen]

    def on_epoch_end(self):
        self.begin(self.epoch + 1)

    def begin(self, epoch):
        """Put the rows into the order of so many epochs since the start."""
        self.epoch, self.order = epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.x))


def train(
    model, training, validation, output_dir, *,
    epochs=20, patience=5, resume=False, settings=None, callbacks=(), verbose="auto",
):  # fmt: skip
    """Train `model` on the batches of `training`, judge it on `validation = (x, y)`, return the history.

    Taught in notebook 04. `training` is `ShuffledBatches` or another PyDataset with a method `begin(epoch)`. At most
    `epochs` epochs; it stops when the validation loss has not improved for `patience` of them. `output_dir` receives
    the best weights and a CSV log after every epoch, and until the end a backup, with `settings`, from which
    `resume=True` goes on. Networks of an earlier training are kept there as previous_…; afterwards `model` holds the
    best weights. Further `callbacks` of Keras are called last.

    Returns a dict of equally long lists, an entry an epoch: "loss", "accuracy", "val_loss", "val_accuracy".
    Raises ValueError when `training` is no PyDataset, there is nothing to resume, the loss is not a number, or another
    training is writing to `output_dir`; OSError when the disk is full.
    """
    if not isinstance(training, keras.utils.PyDataset):
        raise ValueError("Expected batches to train on, such as ShuffledBatches(x, y, seed=0).")
    output_dir = Path(output_dir)
    with only_training_in(output_dir):
        saving, finished, past_losses = SafeSaving(output_dir, settings), 0, []
        if resume:
            finished = saving.resume(model)
            past_losses = list(saving.history["val_loss"])
        else:
            shutil.rmtree(output_dir / paths.BACKUP_NAME, ignore_errors=True)
        waited = len(past_losses) - 1 - int(np.argmin(past_losses)) if past_losses else 0
        if finished < epochs and waited < max(patience, 1):
            training.begin(finished)
            model.fit(
                training, validation_data=validation, initial_epoch=finished, epochs=epochs,
                callbacks=[saving, EarlyStopping(patience, past_losses), *callbacks], verbose=verbose,
                # On JAX and PyTorch `fit` would put the batches into an order that a resumed training cannot repeat:
                shuffle=keras.backend.backend() == "tensorflow",
            )  # fmt: skip
        if saving.best_weights is None:
            raise ValueError(
                "The validation loss was never a number, so nothing was saved; try a smaller learning rate."
            )
        model.set_weights(saving.best_weights)
        shutil.rmtree(output_dir / paths.BACKUP_NAME, ignore_errors=True)
        return saving.history


@contextlib.contextmanager
def only_training_in(folder):
    """Refuse a second training in the same folder; the lock ends with the process, however that ends.

    Whoever holds it may enter again: `train` does so inside a command that also saves what belongs to the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".training.lock", is_singleton=True)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        message = f"Another training is writing to {folder}; wait for its end, or choose another folder."
        raise ValueError(message) from None
    try:
        yield
    finally:
        lock.release()


def read_history(path):
    """Return the CSV log at `path` as the dict of lists that `train` returns; a row that was cut short is left out."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if all(row.get(name) for name in _HISTORY)]
    return {name: [float(row[name]) for row in rows] for name in _HISTORY}
