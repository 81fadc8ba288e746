"""How sure is the reader of pictures without a digit? Letters in fonts that no network saw, scribbles and empty pages.

    python -m benchmarks.not_digits

A picture counts as recognised when it is refused or read with less than 50 % confidence. All 52 letters are counted, in
three groups: those whose shapes the recipe `robust` was shown as pictures of no digit (in another hand), those that are
also a way to write a digit (I, l, O, o, S, s, Z, z, B, b, g, q, G, y), and the others. The results go to
benchmarks/not_digits.json.
"""

import json
import string
import sys
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.measured_on import measured_on
from mnist_course import paths, pen_strokes, pictures, reader
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
LIKE_DIGITS = set("IlOoSsZzBbgqGy")
TRAINED_ON = set(pen_strokes.NOT_DIGITS) & set(string.ascii_letters)
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def draw_letter(letter, font):
    page = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(page).text((100, 100), letter, font=font, anchor="mm")
    return page


def draw_scribble(rng):
    """A pen that wanders over the page: twelve straight moves."""
    page = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(page).line([tuple(point) for point in rng.uniform(20, 180, (13, 2))], width=8, joint="curve")
    return page


def draw_empty(rng):
    """A sheet of paper with grain, unevenly lit."""
    light = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), 200)
    page = 230 * light + rng.normal(0, 4, (200, 200))
    return Image.fromarray(page.clip(0, 255).astype(np.uint8))


def share_recognised(network, drawings):
    unsure = 0
    for drawing in drawings:
        try:
            unsure += network.read(pictures.to_mnist(drawing)[None]).max() < 0.5
        except ValueError:
            unsure += 1
    return {"pictures": len(drawings), "refused or below 50 %": round(int(unsure) / len(drawings), 4)}


@command
def main(argv=None):
    rng = np.random.default_rng(0)
    fonts = [ImageFont.truetype(path, 140) for path in sorted(FONTS.glob("DejaVu*.ttf")) if "Display" not in path.name]
    letters = {letter: [draw_letter(letter, font) for font in fonts] for letter in string.ascii_letters}
    groups = {
        "letters": sum(letters.values(), []),
        "letters, shapes trained on": [each for letter in letters if letter in TRAINED_ON for each in letters[letter]],
        "letters, like digits": [each for letter in letters if letter in LIKE_DIGITS for each in letters[letter]],
        "letters, others": [
            each for letter in letters if letter not in TRAINED_ON | LIKE_DIGITS for each in letters[letter]
        ],
        "scribbles": [draw_scribble(rng) for _ in range(500)],
        "empty pages": [draw_empty(rng) for _ in range(200)],
    }
    network = reader.Reader(paths.ROBUST_READER)
    results = {name: share_recognised(network, drawings) for name, drawings in groups.items()}
    told = {"command": "python -m benchmarks.not_digits", **measured_on()}
    RESULTS.write_text(json.dumps(told | {"drawings": results}, indent=1) + "\n")
    for name, row in results.items():
        print(f"{name:28}{row['pictures']:6} pictures, {row['refused or below 50 %']:7.1%} refused or below 50 %")


if __name__ == "__main__":
    sys.exit(main())
