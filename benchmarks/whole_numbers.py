"""How well does the reader read pages of several lines of digits, and does it claim digits where there are none?

    python -m benchmarks.whole_numbers                    200 simulated pages of MNIST test digits
    python -m benchmarks.whole_numbers --turned           the same pages, on their side or upside down
    python -m benchmarks.whole_numbers --cut              the same pages, without the network that reads lines
    python -m benchmarks.whole_numbers --without-digits   200 pages of letters, printed text and drawings
    python -m benchmarks.whole_numbers FOLDER             pictures of one number each, NUMBER_ID.png

The share of digits that is right is 1 - edits / digits, where the lines read are laid against the lines written so that
the fewest digits have to be edited; a line that was missed, or seen where there is none, costs its digits. A page that
is refused has no lines. The pages are seeded. Each run replaces its own part of benchmarks/whole_numbers.json.
"""

import argparse
import json
import operator
import re
import string
import sys
import time
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from benchmarks.not_digits import FONTS, LIKE_DIGITS
from mnist_course import paper_photos, paths, pen_strokes, pictures, reader, written_lines
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
PAGES = 200  # of each sort
TOUCHING = (0, 0.1, 0.2, 0.3, 0.4)  # probability that a digit touches the next; page by page in turn
TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
LETTERS = [letter for letter in string.ascii_letters if letter not in LIKE_DIGITS]
WORDS = (
    "the and are have their when that what where after under never water river winter nature paper picture dream farm "
    "hand market fruit cream name time tree warm rich chart admit permit wept dance hammer kitchen teacher chapter"
).split()  # none has a letter that is also a way to write a digit


def edit_distance(one, other, size=lambda _: 1, change=operator.ne):
    """The least cost of turning one sequence into another: `size` of what is added or left out, `change` for a pair."""
    row = [0, *accumulate(map(size, other))]
    for a in one:
        before, row = row, [row[0] + size(a)]
        for place, b in enumerate(other):
            row.append(min(before[place + 1] + size(a), row[place] + size(b), before[place] + change(a, b)))
    return row[-1]


def score(read, written):
    """Compare pages, lists of lines of digits such as "407"; return the shares of digits, lines and pages right."""
    pairs = list(zip(read, written, strict=True))
    digits, lines = sum(len("".join(page)) for page in written), sum(map(len, written))
    edits = sum(edit_distance(*pair, size=len, change=edit_distance) for pair in pairs)
    same = sum(len(a) + len(b) - edit_distance(a, b, change=lambda a, b: 2 * (a != b)) for a, b in pairs) // 2
    whole = sum(a == b for a, b in pairs)
    shares = {"digits right": 1 - edits / digits, "lines right": same / lines, "pages right": whole / len(pairs)}
    return {"pages": len(pairs), "digits": digits} | {name: round(share, 4) for name, share in shares.items()}


def read_digits(read_page, image):
    """The lines that a reader finds, lists of (digit, probability); none when it refuses the picture."""
    try:
        return [[(digit.digit, digit.probability) for digit in line] for line in read_page(image).lines]
    except ValueError:
        return []


def read_text(read_page, image):
    return ["".join(str(digit) for digit, _ in line) for line in read_digits(read_page, image)]


def simulate_page(number, images, labels):
    """Page `number` of MNIST digits: the photo and its lines of text."""
    rng = np.random.default_rng([0, number])
    chosen = [rng.integers(len(images), size=rng.integers(1, 13)) for _ in range(rng.integers(2, 9))]
    touching = TOUCHING[number % len(TOUCHING)]
    photo = paper_photos.photograph_page([images[line] for line in chosen], rng, touching=touching, slope=8)
    return photo, ["".join(map(str, labels[line])) for line in chosen]


def measure_pages(read_page, turned):
    """Read the simulated pages; return {touching share: scores}, and those of all pages."""
    _, (images, labels) = mh.load_mnist()
    read, written, seconds = [], [], []
    for number in range(PAGES):
        photo, text = simulate_page(number, images, labels)
        if turned:
            photo = photo.transpose(TURNS[number // len(TOUCHING) % len(TURNS)])
        start = time.perf_counter()
        read.append(read_text(read_page, photo))
        seconds.append(time.perf_counter() - start)
        written.append(text)
    groups = {f"touching {share:.0%}": slice(place, None, len(TOUCHING)) for place, share in enumerate(TOUCHING)}
    return {
        name: score(read[part], written[part]) | {"seconds a page": round(float(np.mean(seconds[part])), 2)}
        for name, part in (groups | {"all": slice(None)}).items()
    }


def label_of(path):
    """The number with which a picture's name begins."""
    if not (found := re.match("[0-9]+(?=[_.])", path.name)):
        raise ValueError(f"{path.name}: expected a name that begins with the number in the picture, such as 42_7.png.")
    return found[0]


def measure_folder(read_page, folder):
    """Read a folder of pictures of one number each; return the scores and what was misread."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in pictures.suffixes())
    if not files:
        raise ValueError(f"{folder} has no pictures: expected files such as 42_7.png, which shows the number 42.")
    written = [[label_of(path)] for path in files]
    read = [read_text(read_page, pictures.load_picture(path)) for path in files]
    wrong = {path.name: " / ".join(a) for path, a, b in zip(files, read, written, strict=True) if a != b}
    scores = score(read, written)
    del scores["lines right"]  # a picture has one line
    return scores, wrong


def draw_pen_letters(size, rng):
    """Letters and signs drawn by a virtual pen, written as digits are."""
    counts = rng.integers(2, 12, rng.integers(2, 8))
    lines = [pen_strokes.draw_scribbles(2 * count, rng)[:count] for count in counts]  # its first half are letters
    return written_lines.write_lines(lines, size, rng, touching=0.1, slope=8)


def draw_text(size, rng, words, tall):
    """Lines of words in one of the fonts, `tall` pixels high, from the upper left corner down to a random line."""
    page = Image.new("L", size[::-1])
    fonts = sorted(path for path in FONTS.glob("DejaVu*.ttf") if "Display" not in path.name)
    font = ImageFont.truetype(fonts[rng.integers(len(fonts))], tall)
    pen, left, top = ImageDraw.Draw(page), 0.1 * size[1], 0.1 * size[0]
    while top < rng.uniform(0.3, 0.88) * size[0] - 1.5 * tall:
        line = words(rng)
        while font.getlength(longer := f"{line} {words(rng)}") < 0.8 * size[1]:
            line = longer
        pen.text((left, top), line, fill=255, font=font)
        top += rng.uniform(1.4, 1.6) * tall
    return np.asarray(page, np.float32) / 255


def draw_font_letters(size, rng):
    """Large letters, mixed at random."""
    return draw_text(size, rng, lambda rng: "".join(rng.choice(LETTERS, rng.integers(1, 4))), int(max(size) / 18))


def draw_printed_text(size, rng):
    return draw_text(size, rng, lambda rng: rng.choice(WORDS), int(max(size) * rng.uniform(0.015, 0.03)))


def draw_drawing(size, rng):
    """Lines, boxes, circles larger than writing, arrows and scribbles, three to eight of them."""
    page = Image.new("L", size[::-1])
    pen, far = ImageDraw.Draw(page), max(size)
    thick = int(far * rng.uniform(0.002, 0.006)) + 1
    for kind in rng.choice(["line", "box", "circle", "arrow", "scribble"], rng.integers(3, 9)):
        wide, high = rng.uniform(0.24, 0.4, 2) * far
        x, y = rng.uniform(0.1, 0.9, 2) * size[::-1]
        x, y = min(x, 0.9 * size[1] - wide), min(y, 0.9 * size[0] - high)
        if kind == "box":
            pen.rectangle((x, y, x + wide, y + high), outline=255, width=thick)
        elif kind == "circle":
            pen.ellipse((x, y, x + wide, y + high), outline=255, width=thick)
        elif kind == "scribble":
            points = rng.random((12, 2)) * (wide, high) + (x, y)
            pen.line([tuple(point) for point in points], fill=255, width=thick, joint="curve")
        else:
            start, end = np.array((x, y)), np.array((x + wide, y + rng.uniform(0, high)))
            pen.line([*start, *end], fill=255, width=thick)
            along = (end - start) / 6
            for across in (along[::-1] * (-0.6, 0.6), along[::-1] * (0.6, -0.6)) if kind == "arrow" else ():
                pen.line([*end, *(end - along + across)], fill=255, width=thick)
    return np.asarray(page, np.float32) / 255


NO_DIGITS = {
    "pen letters": draw_pen_letters,
    "font letters": draw_font_letters,
    "printed text": draw_printed_text,
    "drawings": draw_drawing,
}


def page_without_digits(number):
    """Page `number` of no digits: the name of its sort and the photo."""
    rng = np.random.default_rng([1, number])
    kind = list(NO_DIGITS)[number % len(NO_DIGITS)]
    return kind, paper_photos.photograph_ink(NO_DIGITS[kind](paper_photos.sheet_size(rng), rng), rng)


def measure_without_digits(read_page):
    """Read pages without a digit; return, by sort of page, how many digits are claimed all the same."""
    claims = {kind: [] for kind in NO_DIGITS}
    for number in range(PAGES):
        kind, photo = page_without_digits(number)
        lines = read_digits(read_page, photo)
        claims[kind].append(sum(probability >= 0.5 for line in lines for _, probability in line))
    return {
        name: {
            "pages": len(counts),
            "digits claimed": sum(counts),
            "a page": round(sum(counts) / len(counts), 2),
            "pages with none": round(counts.count(0) / len(counts), 4),
        }
        for name, counts in (claims | {"all": sum(claims.values(), [])}).items()
    }


def show(table):
    names = list(next(iter(table.values())))
    print(f"{'':16}" + "".join(f"{name:>17}" for name in names))
    for group, row in table.items():
        cells = (f"{row[name]:.1%}" if re.search("right|none", name) else str(row[name]) for name in names)
        print(f"{group:16}" + "".join(f"{cell:>17}" for cell in cells))


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("folder", type=Path, nargs="?", help="pictures whose names begin with their number")
    what.add_argument("--turned", action="store_true", help="simulated pages on their side or upside down")
    what.add_argument("--cut", action="store_true", help="the same without the network that reads whole lines")
    what.add_argument("--without-digits", action="store_true", help="pages of letters, printed text and drawings")
    arguments = parser.parse_args(argv)
    from mnist_course import pages

    networks = reader.Reader(paths.ROBUST_READER), None if arguments.cut else reader.LineReader()

    def read_page(image):
        return pages.read_page(image, *networks)

    wrong = {}
    if arguments.folder:
        part, given = "labelled pictures", " FOLDER"
        scores, wrong = measure_folder(read_page, arguments.folder)
        table = {"all": scores}
    elif arguments.without_digits:
        part, given, table = "pages without digits", " --without-digits", measure_without_digits(read_page)
    else:
        part, given = ("turned pages", " --turned") if arguments.turned else ("pages", "")
        part, given = ("pages, cut", " --cut") if arguments.cut else (part, given)
        table = measure_pages(read_page, arguments.turned)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[part] = {"command": "python -m benchmarks.whole_numbers" + given} | measured_on() | table
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    show(table)
    for name, text in wrong.items():
        print(f"{name} is read as {text or 'nothing'}")


if __name__ == "__main__":
    sys.exit(main())
