"""Do damaged and odd files, and odd pages, give anything but a reading or one sentence? How long, how much memory?

    python -m benchmarks.fuzz_pictures [files]     20,000 unless told

The results go to benchmarks/fuzz_pictures.json. Each page is read in a process of its own.
"""

import io
import json
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.measured_on import measured_on
from mnist_course import pages, paths, pictures, reader
from mnist_course.command_line import command

FORMATS = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "JPEG": ("L", "RGB", "CMYK"), "GIF": ("L", "P"),
           "BMP": ("1", "L", "RGB"), "TIFF": ("1", "L", "RGB", "CMYK", "F", "I"), "WEBP": ("RGB", "RGBA"),
           "PPM": ("L", "RGB"), "TGA": ("L", "RGB"), "ICO": ("RGBA",)}  # fmt: skip


def odd_image(random):
    """A sketch, noise, stripes or a single colour, of an odd size, from 1 x 1 to 3000 on a side."""
    width, height = (int(side) for side in np.exp(random.uniform(0, 6, 2)))
    if random.random() < 0.02:
        width *= int(random.integers(1, 8))
    kind = random.integers(0, 5)
    image = Image.new("RGB", (width, height), tuple(random.integers(0, 256, 3).tolist()))
    pen = ImageDraw.Draw(image)
    if kind == 1:
        image = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))
    elif kind == 2:
        for column in range(0, width, 7):
            pen.line((column, 0, width - column, height), fill=tuple(random.integers(0, 256, 3).tolist()))
    elif kind > 2:
        points = (random.random((int(random.integers(2, 9)), 2)) * (width, height)).ravel().tolist()
        pen.line(points, fill=tuple(random.integers(0, 256, 3).tolist()), width=int(random.integers(1, 20)))
    return image


def odd_file(random):
    """The bytes of an odd image in an odd format and mode, whole or damaged; at times no image at all."""
    if random.random() < 0.03:
        return random.bytes(int(random.integers(0, 500)))
    name = random.choice(list(FORMATS))
    mode = random.choice(FORMATS[name])
    image = odd_image(random)
    if name == "ICO":
        image = image.resize((48, 48))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * int(random.integers(1, 258)))
    elif mode == "F":
        values = np.asarray(image.convert("L"), np.float32) * 10.0 ** random.integers(-30, 30)
        values[random.random(values.shape) < 0.01] = random.choice([np.nan, np.inf, -np.inf, 0])
        image = Image.fromarray(values)
    elif mode in ("LA", "RGBA"):
        image = image.convert("RGBA")
        image.putalpha(odd_image(random).resize(image.size).convert("L"))
        image = image.convert(mode)
    else:
        image = image.convert(mode)
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = int(random.integers(0, 11))
    image.save(buffer, str(name), **({"exif": exif} if name in ("PNG", "JPEG", "WEBP", "TIFF") else {}))
    content = bytearray(buffer.getvalue())
    damage = random.integers(0, 4)
    if damage == 1:
        content = content[: int(random.integers(0, len(content)))]
    elif damage == 2:  # more often in the header, where it hurts
        for _ in range(int(random.integers(1, 20))):
            content[int(len(content) * random.random() ** 3)] = int(random.integers(0, 256))
    elif damage == 3:
        start = int(random.integers(0, len(content)))
        content[start : start + int(random.integers(1, 64))] = random.bytes(int(random.integers(0, 64)))
    return bytes(content)


def fuzz(count, folder, seed=0):
    """Reads `count` odd files; any error but a one-sentence ValueError passes through. Returns the counts."""
    random = np.random.default_rng(seed)
    path, slowest, readings, sentences = Path(folder) / "odd", 0, 0, {}
    for _ in range(count):
        path.write_bytes(odd_file(random))
        start = time.process_time()
        try:
            reading = pictures.to_mnist(pictures.load_picture(path))
            assert reading.shape == (28, 28) and reading.dtype == np.uint8 and reading.max() == 255
            readings += 1
        except ValueError as error:
            sentence = str(error)
            assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400, sentence
            kind = sentence.replace(str(path), "PATH").split(":")[0].split("(")[0].strip()
            sentences[kind] = sentences.get(kind, 0) + 1
        slowest = max(slowest, time.process_time() - start)
    return {"files": count, "readings": readings, "refusals": sum(sentences.values()), "sentences": sentences,
            "slowest_seconds": round(slowest, 3)}  # fmt: skip


def page_of_digits(lines, columns, size=(2000, 1600)):
    """MNIST's digits, black on white, in so many lines and columns."""
    page = Image.new("L", size, 255)
    with np.load(paths.DATA_PATH) as arrays:
        digits = 255 - arrays["x_train"][: lines * columns]
    side = min(size[0] // (columns + 2), size[1] // (lines + 2))
    for place, digit in enumerate(digits):
        row, column = divmod(place, columns)
        page.paste(Image.fromarray(digit).resize((side, side)), ((column + 1) * side, (row + 1) * side))
    return page


def strokes_like_text(random, size=(2000, 1600)):
    """Rows of short crossing strokes, as of a script that nobody knows."""
    page = Image.new("L", size, 230)
    pen = ImageDraw.Draw(page)
    for top in range(100, size[1] - 100, 60):
        for left in range(100, size[0] - 100, 30):
            points = random.random((4, 2)) * (30, 40) + (left, top)
            pen.line(points.ravel().tolist(), fill=40, width=4)
    return page


def chessboard(square, size=(2000, 1600)):
    rows, columns = (np.arange(side) // square % 2 for side in size[::-1])
    return Image.fromarray(((rows[:, None] ^ columns) * 255).astype(np.uint8))


PAGES = {
    "no digit": lambda random: Image.new("L", (2000, 1600), 255),
    "1 digit": lambda random: page_of_digits(1, 1),
    "500 digits": lambda random: page_of_digits(25, 20),
    "30 lines": lambda random: page_of_digits(30, 8),
    "black": lambda random: Image.new("L", (2000, 1600), 0),
    "noise": lambda random: Image.fromarray(random.integers(0, 256, (1600, 2000), np.uint8)),
    "coarse noise": lambda random: Image.fromarray(random.integers(0, 256, (160, 200), np.uint8)).resize((2000, 1600)),
    "chessboard": lambda random: chessboard(40),
    "fine chessboard": lambda random: chessboard(4),
    "strokes like text": strokes_like_text,
    "1 pixel": lambda random: Image.new("L", (1, 1), 128),
    "1 pixel wide": lambda random: Image.fromarray(random.integers(0, 256, (2700, 1), np.uint8)),
    "a wide strip": lambda random: page_of_digits(1, 60, (20_000, 300)),
    "a very wide strip": lambda random: page_of_digits(1, 100, (60_000, 100)),
}


def read_odd_page(name):
    """Read one of the pages; return what came of it, the seconds of processor time and the peak megabytes so far."""
    import resource

    page, networks = PAGES[name](np.random.default_rng(0)), (reader.Reader(paths.ROBUST_READER), reader.LineReader())
    begin = time.process_time()
    try:
        outcome = f"{sum(map(len, pages.read_page(page, *networks).lines))} digits"
    except ValueError as error:
        outcome = str(error)
        assert outcome.endswith(".") and "\n" not in outcome and len(outcome) < 400, outcome
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
    return {"outcome": outcome, "seconds": round(seconds, 2), "peak_megabytes": round(peak)}


def fuzz_pages():
    """Read each of the pages in a process of its own; return what `read_odd_page` says of it."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as others:
        return dict(zip(PAGES, others.map(read_odd_page, PAGES), strict=True))


@command
def main(argv=None):
    arguments = sys.argv[1:] if argv is None else argv
    with tempfile.TemporaryDirectory() as folder:
        report = fuzz(int(arguments[0]) if arguments else 20_000, folder)
    status = Path("/proc/self/status")
    if status.exists():
        report["peak_megabytes"] = round(int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024)
    given = " ".join(["python -m benchmarks.fuzz_pictures", *arguments])
    report = {"command": given, **measured_on(), **report, "pages": fuzz_pages()}
    print(json.dumps(report, indent=2))
    Path(__file__).with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
