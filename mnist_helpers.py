"""The Keras side of the MNIST course: load, split, scale, build, train, evaluate, plot.

Words used everywhere: `images` are raw uint8 (n, 28, 28); `x` is float32 (n, 28, 28, 1) in [0, 1];
`labels` are integers (n,); `y` is one-hot float32 (n, 10).
"""

import csv
import hashlib
import logging
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from mnist_course.quiet import quiet_stderr

with quiet_stderr():  # TensorFlow's C++ side talks while it is imported; since 2.19 no environment variable stops it
    import keras

ROOT = Path(__file__).resolve().parent
DATA_PATH = ROOT / "data" / "mnist.npz"
DATA_SHA256 = "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146"
OUTPUTS = ROOT / "outputs"
WEIGHTS_NAME = "mnist_cnn.weights.h5"
LITERT_NAME = "mnist_cnn.tflite"
LOG_NAME = "training_log.csv"
SHIPPED_WEIGHTS = ROOT / "models" / WEIGHTS_NAME
BLUE, VERMILLION = "#0072B2", "#D55E00"  # from Okabe and Ito's colour-blind-safe palette


# ---------------------------------------------------------------- data


def load_mnist(path=DATA_PATH):
    """Return MNIST as `(images, labels), (test_images, test_labels)`.

    Images are uint8 (60000, 28, 28) and (10000, 28, 28) in [0, 255], labels uint8 in [0, 9]. The file is checked
    against its SHA-256 before it is read. When it is absent, Keras downloads its own copy of the same arrays.
    Raises ValueError when the file is there but is not the one the course ships.
    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits (1998); see data/README.md.
    """
    path = Path(path)
    if not path.exists():
        return keras.datasets.mnist.load_data()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror}); check that it is a readable file.") from error
    if hashlib.sha256(content).hexdigest() != DATA_SHA256:
        raise ValueError(
            f"{path.name} is damaged ({_what_is_wrong(path)}): get it back with `git checkout data/mnist.npz`, "
            "or delete it and Keras downloads a fresh copy."
        )
    with np.load(path, allow_pickle=False) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _what_is_wrong(path):
    """Say in a few words how the file at `path` differs from the shipped mnist.npz."""
    expected = {"x_train": (60000, 28, 28), "y_train": (60000,), "x_test": (10000, 28, 28), "y_test": (10000,)}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name, shape in expected.items():
                array = arrays[name]
                if array.shape != shape or array.dtype != np.uint8:
                    return f"{name} is {array.dtype} {array.shape}, expected uint8 {shape}"
    except KeyError as error:
        return f"an array is missing: {error.args[0]}"
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile):
        return "not a whole .npz archive"
    return "its SHA-256 is not the published one"


def split_train_validation(images, labels, *, validation_size=6000):
    """Split the 60,000 images into `(train_images, train_labels), (validation_images, validation_labels)`.

    `images` is any array of length n, `labels` integers (n,). The split is stratified (every digit keeps its share)
    and always the same, so that no image ever changes sides between two runs. Raises ValueError when it cannot be made.
    """
    from sklearn.model_selection import train_test_split

    parts = train_test_split(images, labels, test_size=validation_size, stratify=labels, random_state=0)
    train_images, validation_images, train_labels, validation_labels = parts
    return (train_images, train_labels), (validation_images, validation_labels)


def scale_pixels(images):
    """Turn raw images, uint8 (n, 28, 28), into `x`, float32 (n, 28, 28, 1) in [0, 1]. Taught in notebook 01.

    Raises ValueError for anything else, so that nothing is ever scaled twice.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(
            f"Expected raw images, uint8 of shape (n, 28, 28), but received {images.dtype} of shape {images.shape}; "
            "pass the images as load_mnist returns them, not scaled already."
        )
    return images[..., np.newaxis].astype("float32") / 255


def one_hot(labels):
    """Turn labels, integers (n,) in [0, 9], into `y`, float32 (n, 10) with a single 1 a row. Taught in notebook 02.

    Raises ValueError for labels of another type, shape or range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not np.isin(labels, range(10)).all():
        raise ValueError(
            f"Expected labels, integers from 0 to 9 of shape (n,), but received {labels.dtype} of shape {labels.shape} "
            f"starting with {labels.ravel()[:3].tolist()}."
        )
    return np.eye(10, dtype="float32")[labels]


# ---------------------------------------------------------------- network and training


def build_cnn(*, learning_rate=0.001, dropout=0.5):
    """Return the course's network, compiled: 28 x 28 x 1 in, 10 probabilities out, 225,034 parameters.

    Built layer by layer in notebook 02. Call `keras.utils.set_random_seed` first for repeatable initial weights.
    """
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),  # (n, 26, 26, 32)
            layers.MaxPooling2D(2),  # (n, 13, 13, 32)
            layers.Conv2D(64, 3, activation="relu"),  # (n, 11, 11, 64)
            layers.MaxPooling2D(2),  # (n, 5, 5, 64)
            layers.Flatten(),  # (n, 1600)
            layers.Dense(128, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


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


def load_trained_cnn(output_dir=OUTPUTS):
    """Return the trained network: the learner's own from `output_dir` if there is one, else the shipped one.

    Prints which it took. The learner's may be of any recipe. Raises ValueError when the weights file is damaged.
    """
    from mnist_course.recipes import load_network

    path = find_weights(output_dir)
    model = load_network(path)
    print(f"Loaded {'the shipped weights' if path == SHIPPED_WEIGHTS else 'your own weights'}: {path.name}")
    return model


def find_weights(output_dir=OUTPUTS):
    """Return the path of the learner's own weights in `output_dir` if there are any, else of the shipped ones."""
    own = Path(output_dir) / WEIGHTS_NAME
    return own if own.is_file() else SHIPPED_WEIGHTS


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
    model, training, validation, output_dir, *, epochs=20, batch_size=128, patience=5, resume=False, verbose="auto"
):
    """Train `model` on `training = (x, y)`, judge it on `validation = (x, y)`, return the history.

    Taught in notebook 03. At most `epochs` epochs; it stops when the validation loss has not improved for `patience`
    of them. `output_dir` receives the best weights and a CSV log after every epoch, and until the end a backup from
    which `resume=True` goes on. Weights of an earlier training are kept there as previous_…; afterwards `model` holds
    the best weights.

    Returns a dict of equally long lists, an entry an epoch: "loss", "accuracy", "val_loss", "val_accuracy".
    Raises ValueError when there is nothing to resume or the loss is not a number, OSError when the disk is full.
    """
    output_dir = Path(output_dir)
    weights, log = output_dir / WEIGHTS_NAME, output_dir / LOG_NAME
    best_weights, backup = BestWeights(weights), ResumableBackup(output_dir / "backup")
    finished, past_losses = 0, []
    if resume:
        finished = backup.load(model)
        past_losses = _truncate_log(log, finished)["val_loss"]
        best_weights.best = min(past_losses)
    else:
        shutil.rmtree(backup.folder, ignore_errors=True)
        output_dir.mkdir(parents=True, exist_ok=True)
        if weights.exists():
            shutil.copy2(weights, output_dir / f"previous_{WEIGHTS_NAME}")
    waited = len(past_losses) - 1 - int(np.argmin(past_losses)) if past_losses else 0
    if finished < epochs and waited < max(patience, 1):
        callbacks = [
            best_weights,
            keras.callbacks.CSVLogger(log, append=resume),
            backup,
            EarlyStopping(patience, past_losses),
        ]
        x, y = training
        if isinstance(x, keras.utils.PyDataset):
            x.epoch = finished  # the recipes' pictures: go on with new ones
        model.fit(
            x, y, validation_data=validation, initial_epoch=finished, epochs=epochs, batch_size=batch_size,
            callbacks=callbacks, verbose=verbose,
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


# ---------------------------------------------------------------- evaluation


def predict(model, images):
    """Return the network's probabilities, float32 (n, 10), for raw uint8 images (n, 28, 28)."""
    return model.predict(scale_pixels(images), batch_size=1000, verbose=0)


def evaluate(labels, probabilities):
    """Compare probabilities (n, 10) with the true labels, integers (n,). Taught in notebook 04.

    Returns a dict: "loss" (mean categorical cross-entropy), "accuracy" in [0, 1], "interval" (its 95 % Wilson
    interval), "precision", "recall", "f1" (10 values each), "confusion_matrix", integers (10, 10): a row a true digit.
    Raises ValueError when the shapes do not match.
    Source: Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    from scipy.stats import binomtest
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels, probabilities = _check_predictions(labels, probabilities)
    digits = probabilities.argmax(axis=1)
    of_truth = probabilities[np.arange(len(labels)), labels].astype("float64")
    interval = binomtest(int((digits == labels).sum()), len(labels)).proportion_ci(0.95, method="wilson")
    precision, recall, f1, _ = precision_recall_fscore_support(labels, digits, labels=range(10), zero_division=0)
    return {
        "loss": float(-np.log(np.clip(of_truth, 1e-7, 1)).mean()),
        "accuracy": float((digits == labels).mean()),
        "interval": (float(interval.low), float(interval.high)),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "confusion_matrix": confusion_matrix(labels, digits, labels=range(10)),
    }


def _check_predictions(labels, probabilities):
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if labels.ndim != 1 or len(labels) == 0 or probabilities.shape != (len(labels), 10):
        raise ValueError(
            f"Expected labels (n,) and probabilities (n, 10) of the same images, but received labels {labels.shape} "
            f"and probabilities {probabilities.shape}."
        )
    return labels, probabilities


def most_confused(matrix, count=5):
    """Return the `count` most frequent mistakes in a confusion matrix as (true digit, predicted digit, how often)."""
    mistakes = np.array(matrix)
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    pairs = zip(*np.unravel_index(order, mistakes.shape), strict=True)
    return [(int(true), int(digit), int(mistakes[true, digit])) for true, digit in pairs if mistakes[true, digit]]


def rank_misclassified(labels, probabilities):
    """Return the indices (m,) of the misclassified images, those the network was most confident about first."""
    labels, probabilities = _check_predictions(labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


# ---------------------------------------------------------------- plots: each draws and returns, none shows or saves


def plot_images(images, titles=None, *, columns=10):
    """Draw images, any real type (n, height, width), as a grid with optional titles; return the figure.

    Each image is drawn from its own darkest to its own brightest value, in grey. Raises ValueError for an empty grid.
    """
    images = np.asarray(images)
    if images.ndim != 3 or len(images) == 0:
        raise ValueError(f"Expected images of shape (n, height, width) with n at least 1, but received {images.shape}.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = np.clip(8 / columns, 1, 2.2)  # inches an image
    lines = 0 if titles is None else 1 + max(str(title).count("\n") for title in titles)
    shape = (columns * size, rows * (size + 0.17 * lines))
    figure, grid = plt.subplots(rows, columns, figsize=shape, squeeze=False, layout="tight")
    figure.set_facecolor("white")
    for place, axes in enumerate(grid.flat):
        axes.set_axis_off()
        if place < len(images):
            axes.imshow(images[place], cmap="gray")
            if titles is not None:
                axes.set_title(titles[place], fontsize=8)
    return figure


def plot_class_counts(parts, *, ax=None):
    """Draw how many images of each digit every part has; `parts` maps a name to labels (n,). Return the axes."""
    ax = ax or plt.subplots(figsize=(8, 3.5), layout="tight")[1]
    width = 0.8 / len(parts)
    colours = [BLUE, "#E69F00", "#009E73"]
    for place, (name, labels) in enumerate(parts.items()):
        counts = np.bincount(labels, minlength=10)
        offset = (place - (len(parts) - 1) / 2) * width
        ax.bar(np.arange(10) + offset, counts, width, label=name, color=colours[place % 3])
    ax.set(xlabel="digit", ylabel="number of images", xticks=range(10))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=len(parts), frameon=False)
    return ax


def plot_learning_curves(history, *, axes=None):
    """Draw loss and accuracy, training and validation, over the epochs and mark the best one; return the two axes."""
    if axes is None:
        axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="tight")[1]
    epochs = np.arange(1, len(history["loss"]) + 1)
    best = int(np.argmin(history["val_loss"]))
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        ax.plot(epochs, history[name], "o-", color=BLUE, markersize=4, label="training")
        ax.plot(epochs, history[f"val_{name}"], "s-", color=VERMILLION, markersize=4, label="validation")
        ax.axvline(best + 1, color="black", linestyle=":", label=f"best epoch: {best + 1}")
        ax.set(xlabel="epoch", ylabel=name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()
    return axes


def plot_confusion_matrix(matrix, *, ax=None):
    """Draw a confusion matrix, integers (10, 10), with its counts; the colour shows mistakes only. Return the axes."""
    ax = ax or plt.subplots(figsize=(6.5, 5.5), layout="tight")[1]
    mistakes = np.array(matrix, dtype=float)
    np.fill_diagonal(mistakes, np.nan)
    most = max(np.nanmax(mistakes), 1)
    picture = ax.imshow(mistakes, cmap="cividis", vmin=0, vmax=most)
    for true, digit in np.ndindex(10, 10):
        if matrix[true][digit]:
            dark = true != digit and matrix[true][digit] < most / 2
            ax.text(digit, true, matrix[true][digit], ha="center", va="center", fontsize=8, color="w" if dark else "k")
    ax.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
    ax.figure.colorbar(picture, ax=ax, label="mistakes")
    return ax


def plot_misclassified(images, labels, probabilities, *, count=30):
    """Draw the `count` most confident mistakes with true digit, prediction and confidence; return the figure.

    Raises ValueError when nothing is misclassified.
    """
    ranked = rank_misclassified(labels, probabilities)[:count]
    if len(ranked) == 0:
        raise ValueError("No image is misclassified, so there is nothing to draw.")
    digits, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    titles = [f"true {labels[i]}, read {digits[i]}\n{confidence[i]:.1%} sure" for i in ranked]
    return plot_images(images[ranked], titles, columns=6)
