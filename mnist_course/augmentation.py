"""What is done to training pictures: warped digits, and digits of other hands, pens and cameras (notebooks 06 and 08).

`WarpedPictures` and `RobustPictures` hand batches to `model.fit`; the functions below them change pictures.
"""

import keras
import numpy as np

import mnist_helpers as mh
from mnist_course import neighbours, pen_strokes, training

MNIST, DRAWN, CUT_OUT, NOT_DIGITS, MISCUT = 62, 28, 14, 8, 16  # pictures of each sort in a batch of `RobustPictures`
BATCH_SIZE = MNIST + DRAWN + CUT_OUT + NOT_DIGITS + MISCUT  # 128, in every recipe


class WarpedPictures(training.ShuffledBatches):
    """Batches of warped training digits for `model.fit`: every image once an epoch, warped anew each time.

    `images` are uint8 (n, 28, 28), `labels` integers (n,). A batch is `x`, float32 (BATCH_SIZE, 28, 28, 1) in [0, 1],
    and `y`, one-hot float32 (BATCH_SIZE, 10); the last one is smaller. The same `seed` gives the same batches.
    """

    def __init__(self, images, labels, *, seed):
        options = {"batch_size": BATCH_SIZE, "workers": 2, "max_queue_size": 20}
        super().__init__(images, mh.one_hot(labels), seed=seed, **options)

    def __getitem__(self, batch):
        images, y = super().__getitem__(batch)
        rng = np.random.default_rng([self.seed, self.epoch, batch])
        x = warp(images.astype("float32") / 255, rng)
        return x[..., np.newaxis].astype("float32"), y


class RobustPictures(keras.utils.PyDataset):
    """Batches of pictures for `model.fit`, new ones in every epoch, the same ones again for the same `seed`.

    `images` are MNIST's training images, uint8 (n, 28, 28), `labels` integers (n,). A batch is `x`, float32
    (BATCH_SIZE, 28, 28, 1) in [0, 1], and `y`, float32 (BATCH_SIZE, 10): one-hot for digits, MNIST's, drawn ones and
    both cut out of a line, or 0.1 everywhere for letters, scribbles and pieces of a line that was cut elsewhere.
    Source: Hendrycks, Mazeika and Dietterich, Deep Anomaly Detection with Outlier Exposure (2019).
    """

    def __init__(self, images, labels, *, seed):
        super().__init__(workers=2, max_queue_size=20)
        self.seed = seed
        self.begin(epoch=0)
        rng = np.random.default_rng(seed)
        targets = np.eye(10, dtype="float32")[labels]
        drawn, not_digits = pen_strokes.draw_digits(labels, rng), pen_strokes.draw_scribbles(len(images) // 4, rng)
        some = rng.permutation(2 * len(images))[: 3 * len(images) // 4]  # MNIST's and drawn ones
        digits, meant = np.concatenate([images, drawn])[some], np.concatenate([targets, targets])[some]
        cut_out, miscut = neighbours.cut_out_digits(digits, rng), neighbours.miscut_digits(digits, rng)
        self.sorts = [(images, targets, MNIST), (drawn, targets, DRAWN), (cut_out, meant, CUT_OUT)]
        for pictures, count in ((not_digits, NOT_DIGITS), (miscut, MISCUT)):
            self.sorts.append((pictures, np.full((len(pictures), 10), 0.1, "float32"), count))

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
        self.begin(self.epoch + 1)

    def begin(self, epoch):
        """Go on with the pictures of so many epochs since the start."""
        self.epoch = epoch


def augment(images, rng):
    """Bend, redraw and damage `images`, uint8 (n, 28, 28), as other hands, pens and cameras would.

    `rng` is a NumPy Generator. Returns float32 (n, 28, 28) in [0, 1].
    """
    x = images.astype("float32") / 255
    for change in (warp, _change_pen, damage):
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


def _change_pen(x, rng):
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
