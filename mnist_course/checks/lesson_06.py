"""Checks of the exercises in notebook 06."""

import re
from functools import cache

import numpy as np

import mnist_helpers as mh
from mnist_course import paths, pen_strokes, training
from mnist_course.exercises import NotYet, array, call, exercise, number
from mnist_course.quiz import Question

QUIZ = (
    Question(
        "A test accuracy comes with its 95 % interval. What does that interval allow for?",
        (
            (
                "Another training would give another network",
                "It belongs to this one network. Another seed gives another one, which may land outside.",
            ),
            (
                "Other test images would give other mistakes",
                "It is the range of true accuracies that fit well with what was counted on these images.",
            ),
            (
                "Up to 5 % of the images may be misread",
                "95 % says how far you may trust the range, not how many images are read right.",
            ),
            (
                "Some of the labels may be wrong",
                "It takes the labels as they are; doubtful ones you find by looking at the images.",
            ),
        ),
        right="b",
    ),
    Question(
        "A reader answers 9 to every test image. What are its recall and its precision for the 9?",
        (
            ("Both about 10 %", "Precision is. But it misses no 9 at all, so its recall is 100 %."),
            ("Both 100 %", "Recall is. But of everything it calls a 9, only about a tenth is one."),
            (
                "Recall about 10 %, precision 100 %",
                "The other way round: recall asks how many of the true 9s were found, and all were.",
            ),
            (
                "Recall 100 %, precision about 10 %",
                "It finds all 9s, as it says nothing else; of its answers only about a tenth is right.",
            ),
        ),
        right="d",
    ),
    Question(
        "In the first epochs, `val_accuracy` is above `accuracy` on the training images. Why?",
        (
            (
                "The network learns from both parts",
                "No weight changes because of a validation image; they only help to choose the epoch.",
            ),
            (
                "The validation images are easier",
                "Nothing says so. Ask first whether both numbers are measured alike: they are not.",
            ),
            (
                "The two are not measured alike",
                "On training images: with half of the dense units off, and averaged over an epoch in which the "
                "network still learns.",
            ),
            (
                "There is a mistake in the code",
                "It looks like one, but the training number comes from half of the dense units, the validation "
                "number from all.",
            ),
        ),
        right="c",
    ),
)

SHIPPED_STYLES = 104  # so many of pen_strokes.STYLES come with the course; a learner's own are added behind them
ROBUST_WEIGHTS = paths.ROBUST_WEIGHTS


@cache
def network(weights):
    model = mh.build_cnn()
    training.load_weights(model, weights)
    return model


def read(weights, images):
    """The digits, integers (n,); called directly, because Keras's `predict` warns when it meets many batch sizes."""
    return mh.keras.ops.convert_to_numpy(network(weights)(mh.scale_pixels(images))).argmax(axis=1)


@cache
def share_read_when_shifted(pixels):
    images, labels = mh.load_mnist()[1]
    shifted = np.roll(images[:1000], pixels, axis=2)
    return float((read(paths.SHIPPED_WEIGHTS, shifted) == labels[:1000]).mean())


@exercise(
    "6.1",
    hints=[
        "Start with a shift of 1 pixel: is the share that `standard` reads right still above 0.9?",
        "shifted = np.roll(test_images[:1000], 1, axis=2); compare mh.predict(standard, shifted).argmax(axis=1) with "
        "test_labels[:1000].",
        "Print that share for pixels in range(1, 8); the first one below 0.9 is the answer.",
    ],
    takeaway="Convolutions find a stroke anywhere, but the dense layers behind them have learned where it has to be.",
)
def check_breaking_shift(answer):
    pixels = number(answer, whole=True)
    if not 1 <= pixels <= 27:
        raise NotYet(f"The shift is a whole number of pixels from 1 to 27, received {pixels}.")
    share = share_read_when_shifted(pixels)
    if share >= 0.9:
        raise NotYet(f"Shifted by {pixels}, {share:.1%} are still read right: no more than one in ten is misread.")
    smaller = share_read_when_shifted(pixels - 1)
    if smaller < 0.9:
        raise NotYet(f"A smaller shift is enough: shifted by {pixels - 1}, only {smaller:.1%} are read right.")


def grey_spots():
    """Two pictures, of different sizes, with ink of several greys in two places."""
    square, wide = np.zeros((28, 28), np.uint8), np.zeros((12, 30), np.uint8)
    square[4:9, 6:8] = 240
    square[13:21, 10:18] = 60
    wide[2:4, 3:9] = 90
    wide[5:10, 20:23] = 255
    return square, wide


@exercise(
    "6.2",
    hints=[
        "It is a weighted mean of the row numbers and of the column numbers; the grey values are the weights.",
        "image.sum(axis=1) is the ink in each row. np.average(values, weights=...) is a weighted mean.",
        "row = np.average(np.arange(image.shape[0]), weights=image.sum(axis=1)); the column likewise, with "
        "shape[1] and axis=0.",
    ],
    takeaway="MNIST's makers put this point in the middle of every image, so a network expects it there.",
)
def check_centre_of_mass(function):
    for image in grey_spots():
        rows, columns = np.nonzero(image)
        weights = image[rows, columns].astype(float)
        expected = np.array([np.average(rows, weights=weights), np.average(columns, weights=weights)])
        box = np.array([rows.min() + rows.max(), columns.min() + columns.max()]) / 2
        found = array(call(function, image), (2,)).astype(float)
        if np.allclose(found, expected, atol=0.01):
            continue
        if np.allclose(found, expected[::-1], atol=0.01):
            raise NotYet("Row and column are swapped: first how far down, then how far to the right.")
        if np.allclose(found, [rows.mean(), columns.mean()], atol=0.01):
            raise NotYet("Every pixel with ink counts the same here. Bright ones hold more ink: weight by grey value.")
        if np.allclose(found, np.round(expected), atol=0.01):
            raise NotYet("Rounded to whole pixels; keep the fraction.")
        if np.allclose(found, box, atol=0.51):
            raise NotYet("This is the middle of the box around the ink; dense ink has to pull the centre towards it.")
        if np.allclose(found, [(side - 1) / 2 for side in image.shape], atol=0.51):
            raise NotYet("This is the middle of the picture, wherever the ink is.")
        if np.allclose(found, expected + 0.5, atol=0.01) or np.allclose(found, expected + 1, atol=0.01):
            raise NotYet("Shifted by half a pixel or by one: the first row is row 0, the first column is column 0.")
        if np.allclose(call(function, image.astype(float)), expected, atol=0.01):
            raise NotYet("Sums of uint8 values start again at 0 after 255; compute with image.astype(float).")
        raise NotYet(
            f"For a picture of shape {image.shape} it returns ({found[0]:.2f}, {found[1]:.2f}), and that is not its "
            "centre of mass."
        )


PAGES = {"dark ink on a white page": (235, 20), "dark ink on a dim page": (110, 25),
         "chalk on a blackboard": (30, 220), "white ink on a grey page": (140, 250)}  # fmt: skip


def draw_page(paper, ink):
    """A grey picture, uint8 (40, 60), of a stroke in ink on rough paper; and where the stroke is."""
    stroke = np.zeros((40, 60), bool)
    stroke[8:32, 26:32] = stroke[26:32, 14:44] = True
    grain = np.random.default_rng(0).integers(-3, 4, stroke.shape)
    return (np.where(stroke, ink, paper) + grain).astype(np.uint8), stroke


@exercise(
    "6.3",
    hints=[
        "You need one number first: the paper's grey. Most of the picture is paper, so what is the most usual value?",
        "np.median(grey) is the paper's grey. Ink is what differs from it, in either direction.",
        "Compute np.abs(grey.astype(float) - np.median(grey)) and return it .astype(np.uint8).",
    ],
    takeaway="Ask what the paper looks like, not how bright the picture is; and subtract floats, not uint8 values.",
)
def check_ink_on_paper(function):
    for name, (paper, ink) in PAGES.items():
        grey, stroke = draw_page(paper, ink)
        image = array(call(function, grey), grey.shape)
        if image.dtype != np.uint8:
            raise NotYet(f"The shape is right, but the values are {image.dtype}; return uint8, from 0 to 255.")
        if np.ptp(image[~stroke]) > 100:
            raise NotYet(
                f"It fails for {name}: grains of paper come out white. uint8 knows no negative values, 3 - 5 is 254: "
                "subtract floats, and take np.abs before you return to uint8."
            )
        if image[stroke].mean() < image[~stroke].mean():
            raise NotYet(f"It fails for {name}: ink comes out darker than paper.")
        if image[~stroke].mean() > 12:
            raise NotYet(f"It fails for {name}: paper comes out as {image[~stroke].mean():.0f}, not near 0.")
        if image[stroke].mean() < 0.7 * abs(ink - paper):
            raise NotYet(f"It fails for {name}: ink comes out as {image[stroke].mean():.0f}, too dark.")


def read_style(style):
    """NotYet unless `style` is in the notation of pen_strokes.STYLES and new; else a style that can be drawn."""
    if not isinstance(style, str):
        raise NotYet("A style is a text in quotation marks, such as the one in the comment beside my_style.")
    for stroke in style.split("/"):
        points = stroke.split()
        wrong = [point for point in points if not re.fullmatch(r"[0-9]{2}!?", point)]
        if wrong:
            raise NotYet(f"{wrong[0]!r} is no point: write two digits, x and y, each from 0 to 9, and perhaps a !.")
        if len({point[:2] for point in points}) < 2:
            raise NotYet("Every stroke needs at least two different points, before and after each /.")
    shipped = [text.split() for text in list(pen_strokes.STYLES.values())[:SHIPPED_STYLES]]
    if style.split() in shipped:
        raise NotYet("This style comes with the course, and the robust network was trained on it. Change it to yours.")
    return style


@cache
def count_readings(style):
    """How often the standard and the robust network read each digit in 200 drawings of a style, integers (2, 10)."""
    name = "being checked"
    pen_strokes.STYLES[name] = style
    try:
        drawn = pen_strokes.draw_style(name, 200, np.random.default_rng(0))
    finally:
        del pen_strokes.STYLES[name]
    return np.stack(
        [np.bincount(read(weights, drawn), minlength=10) for weights in (paths.SHIPPED_WEIGHTS, ROBUST_WEIGHTS)]
    )


@exercise(
    "6.4",
    hints=[
        "Draw your digit on squared paper, 10 x 10 squares, and note x and y of every turn; print pen_strokes.STYLES "
        "for examples.",
        'pen_strokes.STYLES["4 mine"] = my_style, then pen_strokes.draw_style("4 mine", 100, rng) draws a hundred, and '
        "mh.plot_images shows them.",
        "For model in (standard, robust): (mh.predict(model, drawn).argmax(axis=1) == my_digit).mean() is a share.",
    ],
    takeaway="A network reads a new style as far as it resembles what it was taught; how far, only a trial shows.",
)
def check_own_style(digit, style, shares):
    digit, style = number(digit, whole=True), read_style(style)
    if not 0 <= digit <= 9:
        raise NotYet(f"my_digit is a number from 0 to 9, received {digit}.")
    shares = array(shares, (2,)).astype(float)
    if (shares > 1).any() or (shares < 0).any():
        raise NotYet("A share lies between 0 and 1; divide by the number of drawings.")
    measured = count_readings(style)[:, digit] / 200
    if (abs(shares - measured) < 0.2).all():
        return
    if (abs(shares[::-1] - measured) < 0.2).all():
        raise NotYet("The two shares are swapped: the standard network comes first.")
    if (abs(1 - shares - measured) < 0.2).all():
        raise NotYet("These look like shares of mistakes; give the shares that were read right.")
    raise NotYet(
        f"Your style is fine. In 200 drawings of it, the standard network reads {measured[0]:.0%} as a {digit} and the "
        f"robust one {measured[1]:.0%}; that is far from your shares. Which drawings did you measure?"
    )
