"""Train with resume and safe saving: `train`, its callbacks, weight files, and the export for LiteRT.

Notebook 03 shows what Keras's own callbacks do, and what `train` adds to them.
"""

import csv
import logging
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from mnist_course import paths
from mnist_course.quiet import quiet_stderr

with quiet_stderr():  # TensorFlow's C++ side talks while it is imported; since 2.19 no environment variable stops it
    import keras


# ---------------------------------------------------------------- weight files


def save_weights(model, path):
    """Save the network's weights (not its optimizer) to `path`, a .weights.h5 file, whole or not at all.

    Raises OSError when the file cannot be written; a file that was there stays as it was.
    """
    _save_atomically(_without_optimizer(model), path)


def _without_optimizer(model):
    return keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers])


def _save_atomically(model, path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        temporary = Path(folder) / "new.weights.h5"
        model.save_weights(temporary)
        os.replace(temporary, path)


def export_litert(model, path):
    """Export the network to `path`, a .tflite file that `mnist_course.reader` reads without Keras, whole or not at all.

    Needs Keras on TensorFlow. Raises OSError when the file cannot be written.
    """
    path, logger = Path(path), logging.getLogger("tensorflow")
    path.parent.mkdir(parents=True, exist_ok=True)
    level = logger.level
    logger.setLevel(logging.ERROR)  # or it reports each temporary file
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder, quiet_stderr():
            temporary = Path(folder) / path.name
            model.export(str(temporary), format="litert", verbose=False)
            os.replace(temporary, path)
    finally:
        logger.setLevel(level)


def load_weights(model, path):
    """Load weights that `save_weights` or Keras wrote at `path` into `model`.

    Raises ValueError when the file is missing, damaged, or holds the weights of another network.
    """
    if weight_shapes(path) == sorted(weight.shape for weight in model.get_weights()):
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


class BestWeights(keras.callbacks.Callback):
    """Save the weights to `path` each time the validation loss reaches a new minimum."""

    def __init__(self, path):
        super().__init__()
        self.path, self.best = Path(path), np.inf

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self.best:
            self.best = logs["val_loss"]
            save_weights(self.model, self.path)


class ResumableBackup(keras.callbacks.Callback):
    """Keep the whole state after the last finished epoch (weights, optimizer, epoch number) in `folder`."""

    def __init__(self, folder):
        super().__init__()
        self.folder = Path(folder)

    def on_epoch_end(self, epoch, logs=None):
        _save_atomically(self.model, self.folder / f"epoch_{epoch + 1:03d}.weights.h5")
        for older in sorted(self.folder.glob("epoch_*.weights.h5"))[:-1]:
            older.unlink()

    def load(self, model):
        """Restore `model` and return how many epochs were finished. Raises ValueError when there is no backup."""
        latest = max(self.folder.glob("epoch_*.weights.h5"), default=None)
        if latest is None:
            raise ValueError(f"There is no interrupted training in {self.folder.parent}; start one without resuming.")
        model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(latest)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"The backup {latest} is damaged; start again without resuming.") from error
        return int(latest.name[6:9])


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's early stopping on the validation loss, which also remembers the losses before a resumed training."""

    def __init__(self, patience, past_losses=()):
        super().__init__(monitor="val_loss", mode="min", patience=patience)
        self.past_losses = past_losses

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        for epoch, loss in enumerate(self.past_losses):
            self.on_epoch_end(epoch, {"val_loss": loss})


def train(
    model, training, validation, output_dir, *,
    epochs=20, batch_size=128, patience=5, resume=False, callbacks=(), verbose="auto",
):  # fmt: skip
    """Train `model` on `training = (x, y)`, judge it on `validation = (x, y)`, return the history.

    Taught in notebook 03. At most `epochs` epochs; it stops when the validation loss has not improved for `patience`
    of them. `output_dir` receives the best weights and a CSV log after every epoch, and until the end a backup from
    which `resume=True` goes on. Weights of an earlier training are kept there as previous_…; afterwards `model` holds
    the best weights. Further `callbacks` of Keras are called after those of `train`.

    Returns a dict of equally long lists, an entry an epoch: "loss", "accuracy", "val_loss", "val_accuracy".
    Raises ValueError when there is nothing to resume or the loss is not a number, OSError when the disk is full.
    """
    output_dir = Path(output_dir)
    weights, log = output_dir / paths.WEIGHTS_NAME, output_dir / paths.LOG_NAME
    best_weights, backup = BestWeights(weights), ResumableBackup(output_dir / paths.BACKUP_NAME)
    finished, past_losses = 0, []
    if resume:
        finished = backup.load(model)
        past_losses = _truncate_log(log, finished)["val_loss"]
        best_weights.best = min(past_losses)
    else:
        shutil.rmtree(backup.folder, ignore_errors=True)
        output_dir.mkdir(parents=True, exist_ok=True)
        if weights.exists():
            shutil.copy2(weights, output_dir / f"previous_{paths.WEIGHTS_NAME}")
    waited = len(past_losses) - 1 - int(np.argmin(past_losses)) if past_losses else 0
    if finished < epochs and waited < max(patience, 1):
        csv_log = keras.callbacks.CSVLogger(log, append=resume)
        ours = [best_weights, csv_log, backup, EarlyStopping(patience, past_losses)]
        x, y = training
        if isinstance(x, keras.utils.PyDataset):
            x.epoch = finished  # pictures of augmentation.py: go on with new ones
        model.fit(
            x, y, validation_data=validation, initial_epoch=finished, epochs=epochs, batch_size=batch_size,
            callbacks=[*ours, *callbacks], verbose=verbose,
        )  # fmt: skip
    if not np.isfinite(best_weights.best):
        raise ValueError("The validation loss was never a number, so nothing was saved; try a smaller learning rate.")
    load_weights(model, weights)
    shutil.rmtree(backup.folder, ignore_errors=True)
    return read_history(log)


def read_history(path):
    """Read the CSV log at `path` into the dict of lists that `train` returns."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}


def _truncate_log(path, epochs):
    """Cut the log back to `epochs` epochs, drop what an interrupted one left, and return its history."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    if len(lines) <= epochs:
        raise ValueError(f"The log {path} does not reach to the last finished epoch; start again without resuming.")
    path.write_text("".join(lines[: epochs + 1]))
    return read_history(path)
