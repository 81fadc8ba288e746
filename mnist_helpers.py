"""What the first lessons teach: load, split, scale, build, predict, evaluate, plot.

Words used everywhere: `images` are raw uint8 (n, 28, 28); `x` is float32 (n, 28, 28, 1) in [0, 1];
`labels` are integers (n,); `y` is one-hot float32 (n, 10).
"""

import hashlib
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

from mnist_course import paths
from mnist_course.quiet import import_keras

keras = import_keras()

# test images whose label fewer than three of five people upheld; notebook 05 names the source
DOUBTFUL_LABELS = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)
DATA_SHA256 = "ee068f36682cba7f38bafdedc77b0f873ebbcf877036f7ebde566966146ac146"
BLUE, VERMILLION = "#0072B2", "#D55E00"  # from Okabe and Ito's colour-blind-safe palette


# ---------------------------------------------------------------- data


def load_mnist(path=paths.DATA_PATH):
    """Return MNIST as `(images, labels), (test_images, test_labels)`. Used in every notebook, first in 01.

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
                if ((array := arrays[name]).shape, array.dtype) != (shape, np.uint8):
                    return f"{name} is {array.dtype} {array.shape}, expected uint8 {shape}"
    except KeyError as error:
        return f"an array is missing: {error.args[0]}"
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile):
        return "not a whole .npz archive"
    return "its SHA-256 is not the published one"


def split_train_validation(images, labels, *, validation_size=6000):
    """Split the 60,000 images into `(train_images, train_labels), (validation_images, validation_labels)`.

    `images` is any array of length n, `labels` integers (n,). The split is stratified (every digit keeps its share)
    and always the same, so that no image ever changes sides. Taught in notebook 01. Raises ValueError if it cannot be.
    """
    from sklearn.model_selection import train_test_split

    parts = train_test_split(images, labels, test_size=validation_size, stratify=labels, random_state=0)
    return (parts[0], parts[2]), (parts[1], parts[3])


def scale_pixels(images):
    """Return raw images, uint8 (n, 28, 28), as `x`, float32 (n, 28, 28, 1) in [0, 1]. Taught in notebook 01.

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
    """Return labels, integers (n,) in [0, 9], as `y`, float32 (n, 10) with a single 1 a row. Taught in notebook 03.

    Raises ValueError for labels of another type, shape or range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not np.isin(labels, range(10)).all():
        raise ValueError(
            f"Expected labels, integers from 0 to 9 of shape (n,), but received {labels.dtype} of shape {labels.shape} "
            f"starting with {labels.ravel()[:3].tolist()}."
        )
    return np.eye(10, dtype="float32")[labels]


# ---------------------------------------------------------------- network and evaluation


def build_cnn(*, learning_rate=0.001, dropout=0.5):
    """Return the course's network, compiled: 28 x 28 x 1 in, 10 probabilities out, 225,034 parameters.

    Built layer by layer in notebook 03. Call `keras.utils.set_random_seed` first for repeatable initial weights.
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


def predict(model, images):
    """Return the network's probabilities, float32 (n, 10), for raw uint8 images (n, 28, 28). See notebook 03."""
    return model.predict(scale_pixels(images), batch_size=1000, verbose=0)


def evaluate(labels, probabilities):
    """Return what probabilities (n, 10) are worth beside the true labels, integers (n,). Taught in notebook 05.

    It is a dict: "loss" (mean categorical cross-entropy), "accuracy" in [0, 1], "interval" (its 95 % Wilson
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


def calibration_error(labels, probabilities):
    """Return the mean distance between confidence and accuracy in 15 groups of equal width, weighted by their sizes.

    Taught in notebook 05. Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017).
    """
    labels, probabilities = _check_predictions(labels, probabilities)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    groups = np.ceil(confidence * 15).astype(int)
    distances = [(groups == group).sum() * abs((confidence - right)[groups == group].mean()) for group in set(groups)]
    return float(sum(distances) / len(labels))


def most_confused(matrix, count=5):
    """Return the `count` most frequent mistakes as (true digit, predicted digit, how often). Used in notebook 05."""
    mistakes = np.array(matrix)
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    pairs = zip(*np.unravel_index(order, mistakes.shape), strict=True)
    return [(int(true), int(digit), int(mistakes[true, digit])) for true, digit in pairs if mistakes[true, digit]]


def rank_misclassified(labels, probabilities):
    """Return the indices (m,) of the misclassified images, those the network was most confident about first.

    Used in notebooks 05 and 07.
    """
    labels, probabilities = _check_predictions(labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


# ---------------------------------------------------------------- plots: each draws and returns its figure


def plot_images(images, titles=None, *, columns=10):
    """Draw images, any real type (n, height, width), as a grid with optional titles; return the figure.

    Used in every notebook. Each image is drawn from its own darkest to its own brightest value, in grey. Raises
    ValueError for an empty grid.
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


def plot_class_counts(parts):
    """Draw how many images of each digit every part has; return the figure. Used in notebook 01.

    `parts` maps a name to labels, integers (n,).
    """
    figure, ax = plt.subplots(figsize=(8, 3.5), layout="tight")
    width = 0.8 / len(parts)
    colours = [BLUE, "#E69F00", "#009E73"]
    for place, (name, labels) in enumerate(parts.items()):
        counts = np.bincount(labels, minlength=10)
        offset = (place - (len(parts) - 1) / 2) * width
        ax.bar(np.arange(10) + offset, counts, width, label=name, color=colours[place % 3])
    ax.set(xlabel="digit", ylabel="number of images", xticks=range(10))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=len(parts), frameon=False)
    return figure


def plot_learning_curves(history):
    """Draw loss and accuracy, training and validation, over the epochs, mark the best one; return the figure.

    `history` is what `training.train` returns. Used in notebook 04.
    """
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="tight")
    epochs = np.arange(1, len(history["loss"]) + 1)
    best = int(np.argmin(history["val_loss"]))
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        ax.plot(epochs, history[name], "o-", color=BLUE, markersize=4, label="training")
        ax.plot(epochs, history[f"val_{name}"], "s-", color=VERMILLION, markersize=4, label="validation")
        ax.axvline(best + 1, color="black", linestyle=":", label=f"best epoch: {best + 1}")
        ax.set(xlabel="epoch", ylabel=name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()
    return figure


def plot_confusion_matrix(matrix):
    """Draw a confusion matrix, integers (10, 10), with its counts; return the figure. Taught in notebook 05.

    The colour shows mistakes only; the diagonal has none.
    """
    figure, ax = plt.subplots(figsize=(6.5, 5.5), layout="tight")
    mistakes = np.array(matrix, dtype=float)
    np.fill_diagonal(mistakes, np.nan)
    most = max(np.nanmax(mistakes), 1)
    picture = ax.imshow(mistakes, cmap="cividis", vmin=0, vmax=most)
    for true, digit in np.ndindex(10, 10):
        if matrix[true][digit]:
            dark = true != digit and matrix[true][digit] < most / 2
            ax.text(digit, true, matrix[true][digit], ha="center", va="center", fontsize=8, color="w" if dark else "k")
    ax.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
    figure.colorbar(picture, ax=ax, label="mistakes")
    return figure


def plot_misclassified(images, labels, probabilities, *, count=30):
    """Draw the `count` most confident mistakes with true digit, prediction and confidence; return the figure.

    Used in notebook 05. Raises ValueError when nothing is misclassified.
    """
    ranked = rank_misclassified(labels, probabilities)[:count]
    if len(ranked) == 0:
        raise ValueError("No image is misclassified, so there is nothing to draw.")
    digits, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    titles = [f"true {labels[i]}, read {digits[i]}\n{confidence[i]:.1%} sure" for i in ranked]
    return plot_images(images[ranked], titles, columns=6)
