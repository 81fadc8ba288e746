"""The exercises of notebook 06: right answers of several forms are accepted, and each mistake is named."""

import numpy as np
from exercise_tables import table_tests

from mnist_course import exercises, pen_strokes
from mnist_course.checks import lesson_06

SLASHED = "30 11 04 18 39 58 65 51 30 / 70 09"  # a zero that neither network was taught
FLAGGED = "06 51! 59"  # a one, much like those that only the robust network was taught


def untouched(*arguments): ...


def average(image):
    rows, columns = (np.average(np.arange(image.shape[axis]), weights=image.sum(axis=1 - axis)) for axis in (0, 1))
    return rows, columns


def average_on_a_grid(image):
    weights = image.astype(float)
    rows, columns = np.indices(image.shape)
    return np.array([(rows * weights).sum(), (columns * weights).sum()]) / weights.sum()


def average_one_by_one(image):
    total = down = right = 0
    for row, line in enumerate(image.tolist()):
        for column, grey in enumerate(line):
            total, down, right = total + grey, down + row * grey, right + column * grey
    return [down / total, right / total]


def average_in_uint8(image):
    total, down, right = image.dtype.type(0), 0, 0
    for row, column in np.ndindex(*image.shape):
        grey = image[row, column]
        with np.errstate(over="ignore"):
            total, down, right = total + grey, down + float(row * grey), right + float(column * grey)
    return down / float(total), right / float(total)


def average_without_weights(image):
    return np.argwhere(image > 0).mean(axis=0)


def middle_of_box(image):
    places = np.argwhere(image > 0)
    return (places.min(axis=0) + places.max(axis=0)) / 2


def distance_from_paper(grey):
    return np.abs(grey.astype(float) - np.median(grey)).astype(np.uint8)


def stretched_distance(grey):
    distance = np.abs(grey.astype("int16") - int(np.median(grey[:5])))
    return np.round(255 * (distance / distance.max())).astype("uint8")


def turn_if_paper_is_bright(grey):
    if np.median(grey) > (int(grey.min()) + int(grey.max())) / 2:
        grey = 255 - grey
    return grey - grey.min()


def turn_if_mean_is_bright(grey):
    return 255 - grey if grey.mean() > 127 else grey


def distance_from_mean(grey):
    return np.abs(grey.astype(float) - grey.mean()).astype(np.uint8)


def subtract_in_uint8(grey):
    return grey - np.uint8(np.median(grey))


RIGHT = {
    "6.1": [(3,), (np.int64(3),), (3.0,)],
    "6.2": [(average,), (average_on_a_grid,), (average_one_by_one,)],
    "6.3": [(distance_from_paper,), (stretched_distance,), (turn_if_paper_is_bright,)],
    "6.4": [
        (0, SLASHED, (0.55, 0.63)),
        (np.int64(4), "20! 06! 86 / 62 49", [1, 1.0]),
        (7, " 01! 00 60! 27 29/14 64 ", np.array([0.95, 0.99], "float32")),
    ],
}
WRONG = {
    "6.1": [
        ((None,), "not attempted yet"),
        ((0,), "from 1 to 27, received 0"),
        ((28,), "from 1 to 27, received 28"),
        ((2,), "Shifted by 2, 96.4% are still read right"),
        ((4,), "shifted by 3, only 88.0% are read right"),
        ((2.5,), "Expected a whole number"),
    ],
    "6.2": [
        ((untouched,), "not attempted yet"),
        ((lambda image: average(image)[::-1],), "Row and column are swapped"),
        ((average_without_weights,), "weight by grey value"),
        ((middle_of_box,), "the middle of the box"),
        ((lambda image: (np.array(image.shape) - 1) / 2,), "the middle of the picture"),
        ((lambda image: np.round(average(image)),), "keep the fraction"),
        ((lambda image: np.array(average(image)) + 0.5,), "the first row is row 0"),
        ((lambda image: np.array(average(image)) + 1,), "the first row is row 0"),
        ((average_in_uint8,), "start again at 0 after 255"),
        ((lambda image: average_on_a_grid(image)[0],), "Expected an array of shape (2,)"),
        ((lambda image: average_on_a_grid(image) * image.sum(),), "For a picture of shape (28, 28) it returns ("),
        ((lambda image: 255 - average_on_a_grid(image),), "not its centre of mass"),
    ],
    "6.3": [
        ((untouched,), "not attempted yet"),
        ((lambda grey: distance_from_paper(grey) / 255,), "the values are float64"),
        ((subtract_in_uint8,), "3 - 5 is 254"),
        ((lambda grey: grey,), "dark ink on a white page: ink comes out darker"),
        ((lambda grey: 255 - grey,), "paper comes out as 20, not near 0"),
        ((lambda grey: 255 - np.maximum(grey, 235),), "paper comes out as"),
        ((turn_if_mean_is_bright,), "not near 0"),
        ((distance_from_mean,), "paper comes out as"),
        ((lambda grey: (grey.max() - grey) * (grey.mean() > 60),), "chalk on a blackboard"),
        ((lambda grey: distance_from_paper(grey) // 2,), "too dark"),
    ],
    "6.4": [
        ((4, None, None), "not attempted yet"),
        ((4, "10 05! 65 / 50 59", None), "not attempted yet"),
        ((4, ["20", "06!"], (0.9, 0.9)), "A style is a text"),
        ((4, "20 6 86", (0.9, 0.9)), "'6' is no point"),
        ((4, "20, 06, 86", (0.9, 0.9)), "'20,' is no point"),
        ((4, "20 06! 86 / 62", (0.9, 0.9)), "at least two different points"),
        ((4, "20 06! 86 /", (0.9, 0.9)), "at least two different points"),
        ((4, "55 55!", (0.9, 0.9)), "at least two different points"),
        ((4, "10 05!  65 / 50 59", (0.9, 0.9)), "This style comes with the course"),
        ((10, SLASHED, (0.9, 0.9)), "from 0 to 9, received 10"),
        ((0, SLASHED, (17, 63)), "A share lies between 0 and 1"),
        ((0, SLASHED, (-0.17, 0.63)), "A share lies between 0 and 1"),
        ((0, SLASHED, 0.17), "Expected an array of shape (2,)"),
        ((1, FLAGGED, (0.95, 0.3)), "The two shares are swapped"),
        ((4, "20! 06! 86 / 62 49", (0, 0)), "look like shares of mistakes"),
        ((0, SLASHED, (0.1, 0.1)), "the standard network reads 50% as a 0 and the robust one 54%"),
        ((0, SLASHED, (0.17, 0.2)), "far from your shares"),
    ],
}

test_right_answers_are_accepted, test_mistakes_are_named, test_tables_are_complete = table_tests(6, RIGHT, WRONG)


def test_the_learners_own_styles_are_told_from_those_of_the_course(capsys):
    before = dict(pen_strokes.STYLES)
    assert len(before) == lesson_06.SHIPPED_STYLES
    try:
        pen_strokes.STYLES["0 mine"] = SLASHED
        assert exercises.check("6.4", 0, SLASHED, (0.55, 0.63)) is True
    finally:
        del pen_strokes.STYLES["0 mine"]
    assert pen_strokes.STYLES == before
    assert capsys.readouterr().out.startswith("Exercise 6.4: correct. ")
