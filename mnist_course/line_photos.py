"""Strips cut out of simulated photos, with the digits in them, for training the network that reads whole lines.

`line_pictures` imitates what a photo, and the way from it to a line of ink, do to writing. These lines have gone that
way: written on a sheet (`paper_photos`) or as a number on a scrap of paper, and found again by `ink` and `divisions`.
"""

import io

import numpy as np
from PIL import Image, ImageFilter

from mnist_course import (
    divisions,
    line_pictures,
    pages,
    paper_photos,
    paths,
    pen_strokes,
    pictures,
    reader,
    reading,
    strips,
)
from mnist_course.files import write_whole

_SCRAPS = 3  # for each page
_UNEVEN = 0.1, 0.3, 0.5  # how much the sizes of the digits on a scrap differ, as in `line_pictures.write`


def prepare(images, labels, path, *, pages, seed):
    """Return strips, a list of uint8 (32, w) with w up to `line_pictures.WIDTH`, and their answers, int32 (n, MOST).

    They are cut out of so many simulated `pages`, and scraps, of MNIST's training images, uint8 (n, 28, 28) with
    `labels` (n,), and drawn ones. Each page takes about a second of one core, all cores work; the strips are kept in
    the .npz file at `path`, and read from it where it is there. Raises OSError when it cannot be written, or a process
    was ended.
    """
    if not path.exists():
        found = []
        for part in reading.share(_Photographer, (images, labels, seed), range(pages), reading.cores()):
            if isinstance(part, reading.Lost):
                raise OSError(f"A process that simulated photos ended (exit code {part.exit_code}).")
            found += part
        answers = np.zeros((len(found), line_pictures.MOST), np.int32)
        for row, (_, digits) in zip(answers, found, strict=True):
            row[: len(digits)] = digits + 1
        kept, widths = [strip for strip, _ in found], [strip.shape[1] for strip, _ in found]
        file = io.BytesIO()
        side_by_side = np.concatenate([np.zeros((strips.HEIGHT, 0), np.uint8), *kept], axis=1)
        np.savez_compressed(file, strips=side_by_side, widths=widths, answers=answers)
        write_whole(path, file.getvalue())
    with np.load(path) as kept:
        return np.split(kept["strips"], kept["widths"].cumsum().astype(int), axis=1)[:-1], kept["answers"]


class _Photographer:
    """Call it with a number for the strips of that page and of its scraps, and the digits on each, a list of pairs."""

    def __init__(self, images, labels, seed):
        self.images, self.labels, self.seed = images, labels, seed
        self.network = reader.Reader(paths.ROBUST_READER)

    def __call__(self, number):
        rng = np.random.default_rng([self.seed, number])
        lines = [self._choose(rng.integers(1, 10), rng) for _ in range(rng.integers(4, 11))]
        how = {"touching": rng.choice([0, rng.uniform(0, 0.5)]), "slope": 8}
        page = paper_photos.photograph_page([digits for digits, _ in lines], rng, **how)
        found = self._find(page, [answers for _, answers in lines])
        for _ in range(_SCRAPS):
            digits, answers = self._choose(rng.choice([1, 2, 3, 4], p=[0.2, 0.5, 0.2, 0.1]), rng)
            found += self._find(_photograph_scrap(digits, rng), [answers])
        return found

    def _choose(self, count, rng):
        """Return so many digits, uint8 (count, 28, 28), some of them drawn, and their labels."""
        chosen = rng.integers(len(self.images), size=count)
        digits, drawn = self.images[chosen], rng.random(count) < line_pictures.DRAWN
        if drawn.any():
            digits[drawn] = pen_strokes.draw_digits(self.labels[chosen[drawn]], rng)
        return digits, self.labels[chosen]

    def _find(self, picture, written):
        """Return the strip and the digits of each line of a picture; none when other lines than `written` are seen."""
        try:
            ink, _, _ = pages.find_ink(pictures.shrink(picture))
            ink, lines = pages.divide_ink(divisions.without_edges(ink), self.network)
        except ValueError:
            return []
        found = [strips.cut_out(line, ink) for line in lines]
        if len(found) != len(written):
            return []
        return [pair for pair in zip(found, written, strict=True) if pair[0].shape[1] <= line_pictures.WIDTH]


def _photograph_scrap(digits, rng):
    """Return a small picture, a PIL image, that a number of up to four digits fills to its edges, or a bit beyond."""
    ink, _ = line_pictures.write(digits / np.float32(255), rng, _UNEVEN)
    rows, columns = (np.flatnonzero((ink > 0.3).any(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] - 1 : rows[-1] + 2, columns[0] - 1 : columns[-1] + 2]
    large, tall = rng.uniform(2, 5), rng.uniform(1, 1.6)
    size = round(ink.shape[1] * large), round(ink.shape[0] * large * tall)
    ink = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC))
    ink = (0.5 + 4 * (ink - rng.uniform(0.25, 0.55))).clip(0, 1) * rng.uniform(0.35, 1)
    if rng.random() < 0.5:  # a pencil
        ink *= 1 - rng.uniform(0, 0.6) * rng.random(ink.shape, np.float32)
    for _ in range(4):  # sides
        room = rng.choice([-0.05 * rng.random() * len(ink), rng.uniform(0, 4), rng.uniform(0, 20)], p=[0.3, 0.55, 0.15])
        ink = np.pad(ink, [(round(room), 0), (0, 0)]) if room > 0 else ink[round(-room) :]
        ink = np.rot90(ink)
    photo = 255 * (1 - ink) + rng.normal(0, rng.uniform(0, 6), ink.shape)
    picture = Image.fromarray(photo.clip(0, 255).astype(np.uint8))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2))).convert("RGB")
