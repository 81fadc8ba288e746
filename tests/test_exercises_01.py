"""The exercises of notebook 01: right answers of several forms are accepted, and each mistake is named."""

import numpy as np
from exercise_tables import table_tests


def compare_with_first(images):
    return (images == images[0]).all(axis=0)


def compare_one_by_one(images):
    return [[len(set(images[:, row, column].tolist())) == 1 for column in range(28)] for row in range(28)]


def always_dark(images):
    return images.max(axis=0) == 0


def count_constant_pixels(images):
    return int((images.min(axis=0) == images.max(axis=0)).sum())


def copy_the_visible_part(images, pixels):
    shifted = np.zeros_like(images)
    shifted[:, :, pixels:] = images[:, :, : 28 - pixels]
    return shifted


def roll_and_clear(images, pixels):
    shifted = np.roll(images, pixels, axis=2)
    shifted[:, :, :pixels] = 0
    return shifted


def shift_one_by_one(images, pixels):
    return np.array([[[0] * pixels + list(row[: 28 - pixels]) for row in image] for image in images], dtype="uint8")


def shift_left(images, pixels):
    return copy_the_visible_part(images[:, :, ::-1], pixels)[:, :, ::-1]


def shift_down(images, pixels):
    return copy_the_visible_part(images.transpose(0, 2, 1), pixels).transpose(0, 2, 1)


def untouched(*arguments): ...


RIGHT = {
    "1.1": [(5,), (np.int64(5),), (5.0,)],
    "1.2": [(0.7910,), (np.float32(0.791),), (np.float64(4746 / 6000),)],
    "1.3": [(lambda images: images.min(axis=0) == images.max(axis=0),), (compare_with_first,), (compare_one_by_one,)],
    "1.4": [(copy_the_visible_part,), (roll_and_clear,), (shift_one_by_one,)],
}
WRONG = {
    "1.1": [
        ((None,), "not attempted yet"),
        ((176,), "a number from 0 to 9; received 176"),
        ((-1,), "a number from 0 to 9; received -1"),
        ((1,), "1 is the digit that is read best"),
        ((8,), "72% of the images of digit 8 are read right; another digit has less"),
        ((9,), "another digit has less"),
    ],
    "1.2": [
        ((None,), "not attempted yet"),
        ((79.1,), "divide the percentage by 100"),
        ((0.80617,), "with all 54,000 images"),
        ((0.7695,), "the first 1,000 of train_images"),
        ((0.209,), "share of mistakes"),
        ((0.78,), "it is not 0.7800"),
        ((0.7917,), "it is not 0.7917"),
    ],
    "1.3": [
        ((untouched,), "not attempted yet"),
        ((count_constant_pixels,), "Expected an array of shape (28, 28)"),
        ((lambda images: images.max(axis=0) - images.min(axis=0),), "the values are uint8"),
        ((lambda images: images.min(axis=0) != images.max(axis=0),), "turn it round"),
        ((always_dark,), "255 in every image is constant too"),
        ((lambda images: images.std(axis=0) < 1,), "by a single grey value, is not constant"),
        ((lambda images: images.min(axis=0) == 255,), "28 of the 784 positions are wrong"),
    ],
    "1.4": [
        ((untouched,), "not attempted yet"),
        ((lambda images, pixels: copy_the_visible_part(images, pixels) / 1.0,), "the values became float64"),
        ((lambda images, pixels: np.roll(images, pixels, axis=2),), "comes back on the left"),
        ((shift_left,), "shifts to the left"),
        ((shift_down,), "shifts down"),
        ((lambda images, pixels: copy_the_visible_part(images, 2),), "Shifted by 5, other images"),
        ((lambda images, pixels: copy_the_visible_part(images, pixels + 1),), "Shifted by 2, other images"),
        ((lambda images, pixels: copy_the_visible_part(images, pixels)[:, :, :-pixels],), "of shape (6, 28, 26)"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(1, RIGHT, WRONG)
