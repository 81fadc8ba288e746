"""The recipes of `train_model.py --recipe`: each is a network, what is done to the pictures, and a schedule.

`standard` is the course's own: MNIST as it is. `robust` adds what other hands, pens and cameras do. `fast` is the
shortest way to 99 % on two cores, `tiny` the best of at most 10,000 parameters, `record` the best of at most 330,000.
Every choice in them was made on validation images; benchmarks/seeds.json has what they reach, with its spread.
"""

import keras
import numpy as np

import mnist_helpers as mh
from mnist_course import pen_strokes

MNIST, DRAWN, NOT_DIGITS = 76, 44, 8  # pictures of each sort in a batch of `robust`
BATCH_SIZE = MNIST + DRAWN + NOT_DIGITS  # 128, in every recipe


# ---------------------------------------------------------------- the recipes
#
# Each takes the training images, uint8 (n, 28, 28), and labels, integers (n,), and returns the compiled network and the
# arguments that `mh.train` needs beside the validation images and the output folder.


def standard(images, labels, *, seed, epochs, learning_rate):
    """The course's specification, as in notebooks 02 and 03; `seed` only matters to recipes that change pictures."""
    training = mh.scale_pixels(images), mh.one_hot(labels)
    return mh.build_cnn(learning_rate=learning_rate), {"training": training, "epochs": epochs, "patience": 5}


def robust(images, labels, *, seed, epochs, learning_rate):
    """The same network, shown other hands and pens and pictures of no digit; half a cosine from `learning_rate` to 0.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017).
    """
    pictures = RobustPictures(images, labels, seed=seed)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(pictures))
    return mh.build_cnn(learning_rate=rate), {"training": (pictures, None), "epochs": epochs, "patience": epochs}


def fast(images, labels, *, seed, epochs, learning_rate):
    """A small network with batch normalisation, MNIST as it is, one cycle of the learning rate."""
    training = mh.scale_pixels(images), mh.one_hot(labels)
    return one_cycle(build_fast(), training, len(images), epochs, learning_rate)


def tiny(images, labels, *, seed, epochs, learning_rate):
    """Narrow layers; digits that are turned, slanted, scaled, shifted and bent; one cycle."""
    pictures = WarpedPictures(images, labels, seed=seed)
    return one_cycle(build_tiny(), (pictures, None), len(images), epochs, learning_rate)


def record(images, labels, *, seed, epochs, learning_rate):
    """Wider layers, with the digits and the cycle of `tiny`; `predict_shifted` reads each image at five places."""
    pictures = WarpedPictures(images, labels, seed=seed)
    return one_cycle(build_record(), (pictures, None), len(images), epochs, learning_rate)


RECIPES = {recipe.__name__: recipe for recipe in (standard, robust, fast, tiny, record)}


def one_cycle(model, training, images, epochs, learning_rate):
    """Compile `model` for one cycle: up to `learning_rate` in a tenth of the steps, then down to 0 along a cosine.

    Source: Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2018).
    """
    steps = epochs * -(-images // BATCH_SIZE)
    warm_up = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        learning_rate / 20, max(1, steps - warm_up), warmup_target=learning_rate, warmup_steps=warm_up
    )
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model, {"training": training, "epochs": epochs, "patience": epochs}


# ---------------------------------------------------------------- the networks


def build_fast():
    """Return the network of `fast`, not compiled: 29,658 parameters, strides in place of pooling."""
    return network(
        *convolution(16, 5, strides=2),  # (n, 12, 12, 16)
        *convolution(32, strides=2),  # (n, 5, 5, 32)
        *convolution(64),  # (n, 3, 3, 64)
    )


def build_tiny():
    """Return the network of `tiny`, not compiled: 8,946 parameters in narrow layers of 3 x 3."""
    return network(
        *convolution(8),  # (n, 26, 26, 8)
        *convolution(12),  # (n, 24, 24, 12)
        keras.layers.MaxPooling2D(2),  # (n, 12, 12, 12)
        *convolution(16),  # (n, 10, 10, 16)
        *convolution(16),  # (n, 8, 8, 16)
        keras.layers.MaxPooling2D(2),  # (n, 4, 4, 16)
        *convolution(20),  # (n, 2, 2, 20)
    )


def build_record():
    """Return the network of `record`, not compiled: 307,946 parameters, most of them in the last two convolutions."""
    return network(
        *convolution(32),  # (n, 26, 26, 32)
        keras.layers.MaxPooling2D(2),  # (n, 13, 13, 32)
        *convolution(48),  # (n, 11, 11, 48)
        *convolution(64),  # (n, 9, 9, 64)
        keras.layers.MaxPooling2D(3, 2),  # (n, 4, 4, 64)
        *convolution(128, padding="same"),  # (n, 4, 4, 128)
        *convolution(160),  # (n, 2, 2, 160)
        dropout=0.4,
    )


def convolution(filters, size=3, **options):
    """Return the layers of one step: convolution, batch normalisation, ReLU.

    Source: Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift (2015).
    """
    layers = keras.layers
    return (
        layers.Conv2D(filters, size, use_bias=False, **options),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    )


def network(*layers, dropout=0.0):
    end = [keras.layers.Flatten(), keras.layers.Dropout(dropout), keras.layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers, *end])


BUILDERS = {"standard": mh.build_cnn, "fast": build_fast, "tiny": build_tiny, "record": build_record}


def load_network(path):
    """Return the network whose weights are in the file at `path`, whichever recipe trained it.

    Raises ValueError when the file is missing, damaged, or of a network that no recipe builds.
    """
    shapes = mh.weight_shapes(path)
    for build in BUILDERS.values():
        model = build()
        if sorted(weight.shape for weight in model.get_weights()) == shapes:
            mh.load_weights(model, path)
            return model
    raise ValueError(f"{path} holds the weights of another network, which no recipe of the course builds.")


SHIFTS = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]  # first row and column that are seen, of images with a border of 1


def predict_shifted(model, images):
    """Return the mean of the network's probabilities, float32 (n, 10), for the images as they are and moved by a pixel.

    `images` are raw uint8 (n, 28, 28); they are moved down, up, right and left, and what becomes free is black.
    """
    framed = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    moved = (framed[:, row : row + 28, column : column + 28] for row, column in SHIFTS)
    return np.mean([mh.predict(model, each) for each in moved], axis=0)


# ---------------------------------------------------------------- what is done to the pictures


class WarpedPictures(keras.utils.PyDataset):
    """Batches of warped training digits for `model.fit`: every image once an epoch, warped anew each time.

    `images` are uint8 (n, 28, 28), `labels` integers (n,). A batch is `x`, float32 (BATCH_SIZE, 28, 28, 1) in [0, 1],
    and `y`, one-hot float32 (BATCH_SIZE, 10); the last one is smaller. The same `seed` gives the same batches.
    """

    def __init__(self, images, labels, *, seed):
        super().__init__(workers=2, max_queue_size=20)
        self.images, self.y, self.seed, self.epoch = images, mh.one_hot(labels), seed, 0

    def __len__(self):
        return -(-len(self.images) // BATCH_SIZE)

    def __getitem__(self, batch):
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.images))
        chosen = order[batch * BATCH_SIZE : (batch + 1) * BATCH_SIZE]
        rng = np.random.default_rng([self.seed, self.epoch, batch])
        x = warp(self.images[chosen].astype("float32") / 255, rng)
        return x[..., np.newaxis].astype("float32"), self.y[chosen]

    def on_epoch_end(self):
        self.epoch += 1


class RobustPictures(keras.utils.PyDataset):
    """Batches of pictures for `model.fit`, new ones in every epoch, the same ones again for the same `seed`.

    `images` are MNIST's training images, uint8 (n, 28, 28), `labels` integers (n,). A batch is `x`, float32
    (BATCH_SIZE, 28, 28, 1) in [0, 1], and `y`, float32 (BATCH_SIZE, 10): one-hot, or 0.1 everywhere for a picture of
    no digit. Source: Hendrycks, Mazeika and Dietterich, Deep Anomaly Detection with Outlier Exposure (2019).
    """

    def __init__(self, images, labels, *, seed):
        super().__init__(workers=2, max_queue_size=20)
        self.seed, self.epoch = seed, 0
        rng = np.random.default_rng(seed)
        targets = np.eye(10, dtype="float32")[labels]
        drawn, not_digits = pen_strokes.draw_digits(labels, rng), pen_strokes.draw_scribbles(len(images) // 4, rng)
        unsure = np.full((len(not_digits), 10), 0.1, "float32")
        self.sorts = [(images, targets, MNIST), (drawn, targets, DRAWN), (not_digits, unsure, NOT_DIGITS)]

    def __len__(self):
        return len(self.sorts[0][0]) // BATCH_SIZE

    def __getitem__(self, batch):
        rng = np.random.default_rng([self.seed, self.epoch, batch])
        chosen = [(images, y, rng.integers(len(images), size=count)) for images, y, count in self.sorts]
        images = np.concatenate([images[places] for images, _, places in chosen])
        y = np.concatenate([y[places] for _, y, places in chosen])
        untouched = rng.random((BATCH_SIZE, 1, 1)) < 0.3
        return np.where(untouched, images / np.float32(255), augment(images, rng))[..., np.newaxis], y

    def on_epoch_end(self):
        self.epoch += 1


def augment(images, rng):
    """Bend, redraw and damage `images`, uint8 (n, 28, 28), as other hands, pens and cameras would.

    `rng` is a NumPy Generator. Returns float32 (n, 28, 28) in [0, 1].
    """
    x = images.astype("float32") / 255
    for change in (warp, change_pen, damage):
        x = change(x, rng)
    return x.clip(0, 1).astype("float32")


def warp(x, rng):
    """Turn, slant, scale, shift and bend each picture of `x` (n, 28, 28)."""
    n, places = len(x), np.arange(28)
    angle, slant = np.deg2rad(rng.normal(0, 7, n).clip(-15, 15)), rng.normal(0, 0.12, n)
    scale = np.exp(rng.uniform(-0.12, 0.15, (2, n)))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle) + slant, np.cos(angle)]]) * scale
    grid = np.stack(np.meshgrid(places - 13.5, places - 13.5, indexing="ij"))  # (2, 28, 28): rows and columns
    sources = np.einsum("ijn,jrc->nirc", matrix, grid) + 13.5 + rng.uniform(-1.5, 1.5, (n, 2, 1, 1))
    smooth = np.maximum(0, 1 - np.abs(places[:, None] / 27 * 4 - np.arange(5)))  # (28, 5): 5 pushes across, smoothed
    pushes = rng.uniform(0, 0.9, (n, 1, 1, 1)) * rng.normal(size=(n, 2, 5, 5))
    return look_up(x, *(sources + smooth @ pushes @ smooth.T).astype("float32").transpose(1, 0, 2, 3))


def look_up(x, row, column):
    """The grey values of `x` (n, 28, 28) at places between its pixels; `row` and `column` are (n, 28, 28) too."""
    x = np.pad(x, [(0, 0), (1, 2), (1, 2)]).ravel()  # pictures of 31 x 31
    row, column = row.clip(-1, 28) + 1, column.clip(-1, 28) + 1
    top, left = np.floor(row), np.floor(column)
    down, right = row - top, column - left
    at = (np.arange(len(row))[:, None, None] * 31**2 + top * 31 + left).astype(np.int32)
    upper = x[at] * (1 - right) + x[at + 1] * right
    lower = x[at + 31] * (1 - right) + x[at + 32] * right
    return upper * (1 - down) + lower * down


def change_pen(x, rng):
    """Write with a broader or a finer pen or out of focus, in ink of another strength."""
    each = (len(x), 1, 1)
    around = np.pad(x, [(0, 0), (1, 1), (1, 1)])
    cross = [around[:, r : 28 + r, c : 28 + c] for r, c in [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)]]
    broad, fine, blurred = np.max(cross, axis=0), np.min(cross, axis=0), np.mean(cross, axis=0)
    other = rng.choice(4, each, p=[0.3, 0.3, 0.2, 0.2])
    share = rng.uniform(0, 1, each)
    x = x + share * np.select([other == 1, other == 2, other == 3], [broad - x, 0.7 * (fine - x), blurred - x])
    x = (x - rng.uniform(0, 0.25, each)).clip(0) ** np.exp(rng.normal(0, 0.3, each))
    return x * rng.uniform(0.9, 1.5, each) / x.max(axis=(1, 2), keepdims=True).clip(0.2)


def damage(x, rng):
    """Rub out a spot in some pictures and lay the ink unevenly in others."""
    each, places = (len(x), 1, 1), np.arange(28)
    distance = np.hypot(places[:, None] - rng.uniform(4, 24, each), places - rng.uniform(4, 24, each))
    rubbed = (rng.random(each) < 0.15) * (1 - (distance - rng.uniform(0.3, 1.5, each)).clip(0, 1))
    uneven = (rng.random(each) < 0.2) * rng.uniform(0, 0.5, each) * rng.random(x.shape)
    return x * (1 - rubbed) * (1 - uneven)
