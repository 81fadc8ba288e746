"""Pictures of written lines with the digits in them, for training a network that reads a whole line (`line_training`).

A picture is a strip as `strips.cut_out` makes them of a page's lines. It is put together from single pictures, as if
one after the other had been written: apart, touching, broader, slanted, uneven, damaged as photos damage them.
"""

import keras
import numpy as np
from PIL import Image, ImageFilter

from mnist_course import augmentation, pen_strokes, strips, written_lines

WIDTH, MOST = 160, 16  # columns of a strip, digits in it at most
_BATCH_SIZE, _ROWS, _BASELINE = 64, 48, 36  # strips at once; rows that a line is written on, the row of its feet
_TALLEST = 28  # rows of a digit
DRAWN, _UNTOUCHED = 0.3, 0.3  # share of the digits that a virtual pen drew; that are not bent
UNEVEN = 0, 0.08, 0.2, 0.35  # how much the sizes of a line's digits differ: the standard deviation of their logarithm
OTHER_LINES, MARKS = 0.07, 0.08  # share of the lines of something else than digits; of those with one such mark
_FROM_PHOTOS = 0.3  # share of the lines that were cut out of photos, where there are such


class LinePictures(keras.utils.PyDataset):
    """Batches of strips for `model.fit`, new ones in every epoch, the same ones again for the same `seed`.

    `images` are MNIST's training images, uint8 (n, 28, 28), `labels` integers (n,); an epoch has so many `batches`. A
    batch is `x`, float32 (64, 32, WIDTH, 1) in [0, 1], and `y`, int32 (64, MOST): from left to right 1 to 10 for the
    digits 0 to 9 and `strips.OTHER` for what is none, then zeros. With `from_photos`, what `line_photos.prepare`
    returns, some of the lines are such.
    """

    def __init__(self, images, labels, *, seed, batches=200, from_photos=((), ())):
        super().__init__(workers=2, max_queue_size=20)
        rng = np.random.default_rng(seed)
        self.seed, self.batches = seed, batches
        self.images, self.drawn, self.labels = images, pen_strokes.draw_digits(labels, rng), labels
        self.others = pen_strokes.draw_scribbles(6000, rng)
        self.from_photos = from_photos
        self.begin(epoch=0)

    def __len__(self):
        return self.batches

    def __getitem__(self, batch):
        rng = np.random.default_rng([self.seed, self.epoch, batch])
        x, y = np.zeros((_BATCH_SIZE, strips.HEIGHT, WIDTH, 1), np.float32), np.zeros((_BATCH_SIZE, MOST), np.int32)
        counts = rng.integers(1, MOST + 1, _BATCH_SIZE)
        if len(self.from_photos[0]):
            counts[rng.random(_BATCH_SIZE) < _FROM_PHOTOS] = 0
        digits, answers = self._choose(counts.sum(), rng)
        for number, end in enumerate(counts.cumsum()):
            if not counts[number]:
                chosen = rng.integers(len(self.from_photos[0]))
                x[number, :, :, 0], y[number] = _move(self.from_photos[0][chosen], rng), self.from_photos[1][chosen]
                continue
            part = slice(end - counts[number], end)
            line, answer = self._with_others(list(digits[part]), answers[part].tolist(), rng)
            strip, written = write(line, rng, UNEVEN)
            x[number, :, :, 0] = photograph(strip, rng)
            y[number, :written] = answer[:written]
        return x, y

    def on_epoch_end(self):
        self.begin(self.epoch + 1)

    def begin(self, epoch):
        """Go on with the pictures of so many epochs since the start."""
        self.epoch = epoch

    def _choose(self, count, rng):
        """Return so many digits, float32 (count, 28, 28), most of them bent as by other hands, and their answers."""
        chosen, drawn = rng.integers(len(self.images), size=count), rng.random((count, 1, 1)) < DRAWN
        digits = np.where(drawn, self.drawn[chosen], self.images[chosen])
        bent = rng.random(count) >= _UNTOUCHED
        x = digits / np.float32(255)
        x[bent] = augmentation.augment(digits[bent], rng)
        return x, self.labels[chosen] + 1

    def _with_others(self, line, answers, rng):
        """Make of some lines something else than digits, and put a dash, a letter or a scribble into others."""
        kind = rng.random()
        if kind < OTHER_LINES:
            line = list(self.others[rng.integers(len(self.others), size=len(line))] / np.float32(255))
            answers = [strips.OTHER] * len(line)
        elif kind < OTHER_LINES + MARKS:
            place = rng.integers(len(line))
            if rng.random() < 0.5:  # a dash or a dot, which no answer belongs to
                mark = np.zeros((28, 28), np.float32)
                top, high, wide = rng.integers(8, 22), rng.integers(1, 4), rng.integers(1, 11)
                mark[top : top + high, 9 : 9 + wide] = 1
                line[place] = np.concatenate([line[place], np.zeros((28, 5)), mark[:, 8:20]], axis=1)
            else:
                line[place], answers[place] = self.others[rng.integers(len(self.others))] / 255, strips.OTHER
        return line, answers


def write(line, rng, uneven):
    """Write pictures of digits, float (28, w) each, side by side; return the strip (48, w) and how many found room.

    How much their sizes differ is one of `uneven`, the standard deviation of their logarithm.
    """
    gap, touching = np.exp(rng.uniform(np.log(0.06), np.log(0.5))), rng.choice([0, rng.uniform(0, 0.7)])
    ragged, uneven = rng.choice([0.6, 1.5]), rng.choice(uneven)  # of the feet and of the sizes of the digits
    strip, left, end, written = np.zeros((_ROWS, 2 * WIDTH), np.float32), 4, 4, 0
    for written, picture in enumerate(line):
        digit = _crop(picture, np.exp(np.clip(uneven * rng.normal(), -0.7, 0.25)))
        raised = max(0, (14 - len(digit)) / 2) * (rng.random() < 0.5)  # small ones stand on the line or above it
        bottom = round(_BASELINE + np.clip(rng.normal(0, ragged), -4, 4) - raised)
        top, wide = bottom - len(digit), digit.shape[1]
        if written and rng.random() < touching:
            meeting = written_lines.meet(strip[top - 1 : bottom + 1], digit)
            left = max(left + 1, round((meeting if meeting > 0 else end) - rng.uniform(0, 2.4)))
        elif written:
            far = rng.uniform(0.5, 2) if rng.random() < 0.05 else np.clip(gap * rng.uniform(0.6, 1.5), 0.05, 0.8)
            left = round(end + max(1, strips.TALL * far))
        if left + wide > WIDTH:
            break
        window = strip[top:bottom, left : left + wide]
        np.maximum(window, digit, out=window)
        end = max(end, left + wide)
    else:
        written += 1
    return strip[:, : end + 4], written


def _crop(picture, scale):
    """Cut a picture (28, w) to its ink, and scale that."""
    rows, columns = (np.flatnonzero((picture > 0.2).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((8, 8), np.float32)
    digit = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    size = [max(1, round(min(scale, _TALLEST / len(digit)) * side)) for side in digit.shape[::-1]]
    return digit if scale == 1 else np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BILINEAR))


def _move(strip, rng):
    """Return a strip, uint8 (32, w), as float32 (32, WIDTH) in [0, 1]: somewhere in it, and a little bent."""
    stretch, scale = min(np.exp(rng.uniform(-0.15, 0.15)), WIDTH / strip.shape[1]), np.exp(rng.normal(0, 0.05))
    how = stretch, scale, rng.normal(0, 0.06), 0, rng.random(), strips.HEIGHT / 2 + rng.normal(0, 0.7)
    return np.asarray(_bend(strip / np.float32(255), *how)).clip(0, 1)


def _bend(strip, stretch, scale, slant, rise, place, row):
    """Return a strip, float32 (h, w), as a PIL image of WIDTH columns and 32 rows, with its `row` in the middle.

    It is stretched, scaled in height, slanted and sloped; `place`, from 0 to 1, is where in the width it lies.
    """
    # from a pixel of the result back to one of the line
    across, down = (1 / stretch, slant / stretch), (rise / scale, 1 / scale)
    matrix = (*across, -(WIDTH - stretch * strip.shape[1]) * place / stretch - across[1] * strips.HEIGHT / 2)
    matrix += (*down, row - down[0] * WIDTH / 2 - down[1] * strips.HEIGHT / 2)
    size = WIDTH, strips.HEIGHT
    return Image.fromarray(strip).transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def photograph(strip, rng):
    """Return a strip, float32 (32, WIDTH), of a line of writing, float (48, w): bent, moved, blurred, damaged."""
    stretch, scale = min(np.exp(rng.uniform(-0.4, 0.4)), WIDTH / strip.shape[1]), np.exp(rng.uniform(-0.2, 0.2))
    slant, rise = rng.normal(0, 0.12), np.tan(np.deg2rad(rng.normal(0, 1.5)))
    place = rng.random()
    picture = _bend(strip, stretch, scale, slant, rise, place, _BASELINE - strips.TALL / 2 + rng.normal(0, 1.2))
    if rng.random() < 0.4:
        grey = Image.fromarray((np.asarray(picture).clip(0, 1) * 255).astype(np.uint8))
        picture = grey.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    x = np.array(picture, np.float32) / (255 if picture.mode == "L" else 1) * rng.uniform(0.7, 1.4)
    if rng.random() < 0.25:  # a ruling was taken out, and strokes with it
        top = rng.integers(4, strips.HEIGHT - 4)
        x[top : top + rng.integers(1, 3)] *= rng.uniform(0, 0.7)
    if rng.random() < 0.1:  # or some of it was left
        row, column = rng.integers(2, strips.HEIGHT - 2), rng.integers(WIDTH)
        part = x[row, column : column + rng.integers(5, 40)]
        np.maximum(part, rng.uniform(0.2, 0.8), out=part)
    if rng.random() < 0.04:  # the picture ended there
        cut = rng.integers(6, 10)
        x[slice(cut) if rng.random() < 0.5 else slice(-cut, None)] = 0
    for _ in range(rng.integers(1, 4) if rng.random() < 0.2 else 0):  # specks
        row, column = rng.integers(strips.HEIGHT - 2), rng.integers(WIDTH - 2)
        x[row : row + rng.integers(1, 3), column : column + rng.integers(1, 3)] = rng.uniform(0.3, 1)
    if rng.random() < 0.3:  # only the darkest ink
        x = 1.2 * (x - rng.uniform(0, 0.25))
    if rng.random() < 0.3:  # unevenly laid
        x *= 1 - rng.uniform(0, 0.4) * rng.random(x.shape)
    return x.clip(0, 1)
