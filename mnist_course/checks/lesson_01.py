"""Checks of the exercises in notebook 01."""

from functools import cache

import numpy as np

import mnist_helpers as mh
from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "`pictures.shape` is (5, 28, 20): five pictures. What does the 20 count?",
        (
            (
                "The numbers in a picture",
                "A picture has 28 x 20 numbers; the last axis counts those in one of its rows.",
            ),
            (
                "The pixels in a row",
                "Read the shape from left to right: 5 pictures, each with 28 rows, each row with 20 pixels.",
            ),
            ("The rows in a picture", "Rows come first, then what is in a row: 28 rows of 20 pixels."),
            (
                "The greys that a pixel can have",
                "A shape counts places, not values; for those ask `min`, `max` and `dtype`.",
            ),
        ),
        right="b",
    ),
    Question(
        "`pictures.shape` is (5, 28, 20). What is the shape of `pictures.mean(axis=0)`?",
        (
            ("(5,)", "That would be one mean for each picture, over both other axes: `axis=(1, 2)`."),
            (
                "(), a single number",
                "Without `axis`, all numbers go into one mean; with it, only that axis disappears.",
            ),
            ("(5, 28)", "That is the mean along the last axis, `axis=2`: one number for each row."),
            ("(28, 20)", "Axis 0 disappears: at each place, the mean of the five pictures."),
        ),
        right="d",
    ),
    Question(
        "`labels` is `np.array([3, 7, 3, 1])`. What is `(labels == 3).mean()`?",
        (
            ("0.5", "The comparison gives True, False, True, False. They count as 1 and 0, so the mean is a share."),
            (
                "3.0",
                "That is `labels[labels == 3].mean()`, the mean of the chosen labels; here the truth values are "
                "averaged.",
            ),
            ("2", "That is `(labels == 3).sum()`, how many are 3; the mean divides by all four."),
            ("True", "The comparison gives four truth values, one for each label; their mean is a number."),
        ),
        right="a",
    ),
)


@cache
def parts():
    return mh.split_train_validation(*mh.load_mnist()[0])


def nearest_mean_is_right(images, labels):
    """Whether each validation image is read right with the means of these images: truth values (6000,)."""
    validation_images, validation_labels = parts()[1]
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)]).reshape(10, 784)
    pixels = validation_images.reshape(-1, 784)
    distances = np.square(means).sum(axis=1) - 2 * (pixels @ means.T)  # without the part that all ten share
    return distances.argmin(axis=1) == validation_labels


@cache
def shares_read_right():
    right = nearest_mean_is_right(*parts()[0])
    return [float(right[parts()[1][1] == digit].mean()) for digit in range(10)]


@exercise(
    "1.1",
    hints=[
        "Take one digit after the other: of the validation images that show it, which share was read as it?",
        "validation_labels == digit picks the images of one digit; predicted holds what was read.",
        "(predicted[validation_labels == digit] == digit).mean() is the share of one digit; find the smallest of ten.",
    ],
    takeaway="One accuracy hides ten: the same reader is right on 19 ones in 20, but on two fives in three.",
)
def check_worst_digit(answer):
    digit, shares = number(answer, whole=True), shares_read_right()
    if not 0 <= digit <= 9:
        raise NotYet(f"The answer is a digit, so a number from 0 to 9; received {digit}.")
    if digit == np.argmax(shares):
        raise NotYet(f"{digit} is the digit that is read best; look for the other end.")
    if digit != np.argmin(shares):
        raise NotYet(f"{shares[digit]:.0%} of the images of digit {digit} are read right; another digit has less.")


@cache
def accuracy_of_few_means():
    (images, labels), _ = parts()
    return float(nearest_mean_is_right(images[:1000], labels[:1000]).mean())


@cache
def accuracy_of_few_means_before_the_split():
    (images, labels), _ = mh.load_mnist()
    return float(nearest_mean_is_right(images[:1000], labels[:1000]).mean())


@cache
def accuracy_of_all_means():
    return float(nearest_mean_is_right(*parts()[0]).mean())


@exercise(
    "1.2",
    hints=[
        "Make ten means as in the lesson, but from train_images[:1000] and train_labels[:1000].",
        "read_by_nearest_mean(validation_images, few_means) reads with them; compare with validation_labels.",
        "The mean of (predicted == validation_labels) is the accuracy.",
    ],
    takeaway="About a fiftieth of the images costs one and a half points: an average needs few examples.",
)
def check_few_means(answer):
    accuracy = number(answer)
    expected = accuracy_of_few_means()
    if 1 < accuracy <= 100:
        raise NotYet("An accuracy is a share between 0 and 1; divide the percentage by 100.")
    if abs(accuracy - accuracy_of_all_means()) < 0.0005:
        raise NotYet("That is the accuracy with all 54,000 images; make the means from the first 1,000 only.")
    if abs(accuracy - accuracy_of_few_means_before_the_split()) < 0.0005:
        raise NotYet("Those are the first 1,000 of all images; take the first 1,000 of train_images.")
    if abs(accuracy - (1 - expected)) < 0.0005:
        raise NotYet("That is the share of mistakes; the question asks for the share read right.")
    if abs(accuracy - expected) > 0.0005:
        raise NotYet(f"Measured on all 6,000 validation images it is not {accuracy:.4f}; which images did you use?")


def pictures_with_constant_pixels():
    images = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype(np.uint8)
    images[:, 0, :] = 0  # constant and dark
    images[:, 5, 7] = 255  # constant and bright
    images[:, 9, 9] = 0
    images[3, 9, 9] = 1  # lit once, faintly
    return images


@exercise(
    "1.3",
    hints=[
        "A pixel position is constant if its smallest and its largest value over all images are the same.",
        "images.min(axis=0) has shape (28, 28): the smallest value at each position.",
        "Compare images.min(axis=0) with images.max(axis=0), using ==.",
    ],
    takeaway="An input that never changes carries no information, whatever its value. Here all 67 of them are 0.",
)
def check_constant_pixels(function):
    images = pictures_with_constant_pixels()
    expected = images.min(axis=0) == images.max(axis=0)
    mask = array(call(function, images), (28, 28))
    if mask.dtype != bool:
        raise NotYet(f"The shape is right, but the values are {mask.dtype}; return True or False for each position.")
    if (mask == ~expected).all():
        raise NotYet("This is True exactly where pixels do change; turn it round.")
    if not mask[5, 7]:
        raise NotYet("A position that is 255 in every image is constant too, and your function misses it.")
    if mask[9, 9]:
        raise NotYet("A position where one image in forty differs, by a single grey value, is not constant.")
    if (mask != expected).any():
        raise NotYet(f"On other images, {(mask != expected).sum()} of the 784 positions are wrong.")


@exercise(
    "1.4",
    hints=[
        "Start from np.zeros_like(images) and copy the part of the images that stays in view.",
        "The columns from `pixels` on receive what stood in the columns up to 28 - pixels.",
        "shifted[:, :, pixels:] = images[:, :, : 28 - pixels]",
    ],
    takeaway="Two pixels to the right, and the nearest mean loses nearly 20 points: it compares places, not strokes.",
)
def check_shift_right(function):
    images = np.random.default_rng(1).integers(1, 256, (6, 28, 28)).astype(np.uint8)
    for pixels in (2, 5):
        shifted = array(call(function, images, pixels), images.shape)
        if shifted.dtype != np.uint8:
            raise NotYet(f"The shape is right, but the values became {shifted.dtype}; images are uint8.")
        if (shifted == np.roll(images, pixels, axis=2)).all():
            raise NotYet("Ink that leaves on the right comes back on the left; the columns that become free must be 0.")
        if (shifted == np.pad(images, [(0, 0), (0, 0), (0, pixels)])[:, :, pixels:]).all():
            raise NotYet("This shifts to the left.")
        if (shifted == np.pad(images, [(0, 0), (pixels, 0), (0, 0)])[:, :28]).all():
            raise NotYet("This shifts down; columns are the last axis.")
        if (shifted != np.pad(images, [(0, 0), (0, 0), (pixels, 0)])[:, :, :28]).any():
            raise NotYet(f"Shifted by {pixels}, other images do not come out as expected.")
