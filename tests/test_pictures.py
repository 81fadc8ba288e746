"""Any picture of a digit becomes what MNIST would have made of it, or is refused in one sentence."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_pictures import (
    BLACK,
    DIGITS,
    TRAIN_IMAGES,
    WHITE,
    blurred,
    draw,
    ink_mask,
    likeness,
    page_with,
    place,
    polyline,
)
from PIL import Image, ImageDraw, ImageOps

from mnist_course import digits, ink, pictures

ROOT = Path(__file__).parents[1]
every_digit = pytest.mark.parametrize("digit", range(10))
some_digits = pytest.mark.parametrize("digit", (1, 4, 8))


def saved(image, path, **options):
    image.save(path, **options)
    return path


def assert_reads_as(image, digit, least=0.85):
    found = likeness(pictures.to_mnist(image), DIGITS[digit])
    assert found >= least, f"the {digit} came out only {found:.2f} like the original"


# --- as MNIST was made ----------------------------------------------------------------------------------

def centre_of_mass(image):
    weight = image / image.sum()
    return (weight.sum(axis=1) * np.arange(28)).sum(), (weight.sum(axis=0) * np.arange(28)).sum()


@every_digit
def test_a_reading_has_the_facts_of_mnist(digit):
    reading = pictures.to_mnist(page_with(DIGITS[digit], light=0.3, grain=4))
    assert reading.shape == (28, 28) and reading.dtype == np.uint8 and reading.max() == 255
    assert all(13.5 < centre <= 14.5 for centre in centre_of_mass(reading))
    assert max(pictures.crop(reading).shape) == 20


@every_digit
def test_a_digit_drawn_large_comes_back_close_to_the_original(digit):
    assert_reads_as(page_with(DIGITS[digit], size=(1000, 1000), side=900, corner=(50, 50)), digit, least=0.93)


def test_mnist_passes_through_unchanged():
    for image in TRAIN_IMAGES[:300]:
        reading = pictures.to_mnist(Image.fromarray(image))
        assert np.abs(reading.astype(int) - image).mean() < 12
        again = pictures.to_mnist(Image.fromarray(reading))
        assert np.abs(again.astype(int) - reading).max() <= 1


def test_mnist_passes_through_nearly_unchanged_in_other_guises():
    """Inverted, shifted or as RGBA, an icon is measured anew, and must come out the same."""
    for image in TRAIN_IMAGES[:100]:
        picture = Image.fromarray(image)
        for guise in (ImageOps.invert(picture), picture.convert("RGBA"), Image.fromarray(np.roll(image, 2, 1))):
            assert likeness(pictures.to_mnist(guise), image) > 0.8


# --- what people send -----------------------------------------------------------------------------------

PAPERS = {
    "uneven light": dict(light=0.9),
    "shadow": dict(shadow=0.45, grain=2),
    "paper grain": dict(grain=14),
    "ruled": dict(lines="ruled"),
    "ruled as dark as the ink": dict(lines="ruled", line_colour=(60, 60, 80)),
    "squared": dict(lines="squared", light=0.3, grain=3),
    "pencil": dict(ink=(135, 135, 138), pressure=0.5, grain=5),
    "pencil on squared paper": dict(ink=(120, 120, 122), lines="squared", grain=3),
    "chalk": dict(paper=(45, 70, 58), ink=(225, 228, 220), pressure=0.4, grain=7, light=0.3),
    "blue on yellow": dict(paper=(248, 228, 90), ink=(40, 60, 185), light=0.3),
    "red on green of the same brightness": dict(paper=(95, 160, 90), ink=(205, 90, 80)),
    "yellow on white": dict(ink=(245, 225, 60)),
    "light on dark": dict(paper=BLACK, ink=WHITE, light=0.3, grain=3),
}


@some_digits
@pytest.mark.parametrize("paper", PAPERS)
def test_papers_and_inks(paper, digit):
    assert_reads_as(page_with(DIGITS[digit], **PAPERS[paper]), digit)


@some_digits
@pytest.mark.parametrize("ink", ["black", "white", "crimson"])
def test_transparent_background(ink, digit):
    mask = place(ink_mask(DIGITS[digit], 300), (400, 400), (50, 40))
    image = Image.new("RGBA", (400, 400), ink)
    image.putalpha(Image.fromarray((255 * mask).astype(np.uint8)))
    assert_reads_as(image, digit)
    hidden = np.asarray(image).copy()
    hidden[mask == 0, :3] = 0  # the colour under full transparency is arbitrary
    assert_reads_as(Image.fromarray(hidden), digit)


def test_opaque_picture_with_transparent_margins():
    image = page_with(DIGITS[3]).convert("RGBA")
    ImageDraw.Draw(image).rectangle((0, 0, 40, 420), fill=(0, 0, 0, 0))
    assert_reads_as(image, 3)


LINES = {
    1: [(0.5, 0.2), (0.48, 0.8)],
    4: [(0.6, 0.8), (0.6, 0.2), (0.3, 0.6), (0.75, 0.6)],
    7: [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)],
    2: [(0.3, 0.35), (0.4, 0.22), (0.6, 0.25), (0.62, 0.4), (0.3, 0.8), (0.72, 0.8)],
}


@pytest.mark.parametrize("digit", LINES)
def test_one_pixel_lines_in_a_large_canvas_are_redrawn(digit):
    thin, normal = polyline(LINES[digit], width=1), polyline(LINES[digit], width=100)
    reading = pictures.to_mnist(thin)
    assert pictures.stroke_width(reading / 255) > 1.4
    assert likeness(reading, pictures.to_mnist(normal)) > 0.8


@every_digit
def test_very_thick_strokes_keep_their_loops_and_come_out_thinner(digit):
    thick = ink.grow(ink_mask(DIGITS[digit], 400).astype(np.float32), 8)
    reading = pictures.to_mnist(draw(place(thick, (500, 500), (50, 50))))
    assert pictures.stroke_width(reading / 255) < 5
    assert likeness(reading, DIGITS[digit]) > 0.75


@some_digits
@pytest.mark.parametrize("corner", [(5, 10), (250, 400), (130, -15)], ids=["upper left", "lower right", "cut off"])
def test_off_centre_and_small(corner, digit):
    assert_reads_as(page_with(DIGITS[digit], side=140, corner=corner, grain=2), digit, least=0.8)


@some_digits
def test_small_in_a_large_photo(digit):
    assert_reads_as(page_with(DIGITS[digit], size=(900, 1200), side=110, corner=(640, 200), grain=3, light=0.4), digit)


@every_digit
def test_touching_the_edges_of_the_picture(digit):
    ink = pictures.crop(ink_mask(DIGITS[digit], 300))
    assert_reads_as(draw(ink), digit)
    assert_reads_as(draw(np.pad(ink, ((0, 60), (0, 60)))), digit)


@every_digit
def test_specks_and_page_borders(digit):
    image = page_with(DIGITS[digit])
    pen = ImageDraw.Draw(image)
    for x, y in ((30, 40), (60, 300), (500, 80), (520, 390), (300, 20)):
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=BLACK)
    assert_reads_as(image, digit)
    pen.rectangle((0, 0, 22, 420), fill=(60, 40, 30))
    pen.rectangle((0, 400, 560, 420), fill=(60, 40, 30))
    assert_reads_as(image, digit)


@some_digits
def test_page_lying_on_a_dark_table(digit):
    table = Image.new("RGB", (760, 620), (70, 50, 40))
    table.paste(page_with(DIGITS[digit], grain=3), (100, 100))
    assert_reads_as(table, digit)


@every_digit
def test_a_stroke_broken_in_two_is_one_digit(digit):
    mask = place(ink_mask(DIGITS[digit], 300), (420, 560), (60, 120))
    ink = np.flatnonzero((mask > 0.5).any(axis=1))
    cut = ink[0] + int(0.45 * len(ink))
    mask[cut : cut + 12] = 0
    assert_reads_as(draw(mask), digit)


def test_a_five_with_its_bar_apart_is_one_digit():
    image = Image.new("L", (300, 400), 255)
    pen = ImageDraw.Draw(image)
    pen.line((140, 60, 240, 60), fill=0, width=14)
    pen.line((110, 80, 110, 180), fill=0, width=14)
    pen.arc((80, 160, 220, 330), 200, 140, fill=0, width=14)
    reading = pictures.to_mnist(image)
    assert reading[:8, 14:].max() > 200, "the bar was lost"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation, tmp_path):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the Transpose that a viewer's rotation takes back
    image = page_with(DIGITS[4])
    if orientation > 1:
        image = image.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.jpg", "a.png", "a.webp", "a.tif"):
        assert_reads_as(pictures.load_picture(saved(image, tmp_path / name, exif=exif)), 4)


MODES = {
    "1-bit": lambda image: image.convert("1"),
    "grey": lambda image: image.convert("L"),
    "palette": lambda image: image.quantize(7),
    "palette with transparency": lambda image: image.convert("RGBA").quantize(7),
    "CMYK": lambda image: image.convert("CMYK"),
    "YCbCr": lambda image: image.convert("YCbCr"),
    "grey with alpha": lambda image: image.convert("LA"),
    "16-bit": lambda image: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 200),
    "12 of 16 bits": lambda image: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 16),
    "32-bit": lambda image: image.convert("I"),
    "float in [0, 1]": lambda image: Image.fromarray(np.asarray(image.convert("L"), np.float32) / 255),
    "float with gaps": lambda image: Image.fromarray(
        np.where(np.arange(560) == 3, np.nan, np.asarray(image.convert("L"))).astype(np.float32)
    ),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes(mode, tmp_path):
    for digit in (2, 8):
        image = MODES[mode](page_with(DIGITS[digit]))
        assert_reads_as(image, digit)
        name = "a.tif" if image.mode in ("F", "I", "CMYK", "YCbCr") else "a.png"
        assert_reads_as(pictures.load_picture(saved(image, tmp_path / name)), digit)


# --- the same digit, otherwise sent, is the same reading ------------------------------------------------

def in_jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


VARIATIONS = {
    "shifted": lambda image: Image.fromarray(np.roll(image, (17, -31), (0, 1))),
    "half as large": lambda image: image.resize((280, 210), Image.Resampling.BOX),
    "three times as large": lambda image: image.resize((1680, 1260), Image.Resampling.BICUBIC),
    "other polarity": ImageOps.invert,
    "more paper around": lambda image: ImageOps.expand(image, 150, fill=WHITE),
    "less paper around": lambda image: image.crop((100, 40, 460, 380)),
    "JPEG of quality 90": lambda image: in_jpeg(image, 90),
    "JPEG of quality 10": lambda image: in_jpeg(image, 10),
    "blurred": lambda image: blurred(image, 3),
    "half the contrast": lambda image: Image.blend(image, Image.new("RGB", image.size, "grey"), 0.5),
}


@some_digits
@pytest.mark.parametrize("variation", VARIATIONS)
def test_invariance(variation, digit):
    image = page_with(DIGITS[digit])
    assert likeness(pictures.to_mnist(VARIATIONS[variation](image)), pictures.to_mnist(image)) > 0.9


# --- the steps ------------------------------------------------------------------------------------------

INK = ["picture", "paper", "ink"]
CLEAN = ["shadows removed", "greys spread", "rulings removed"]
FIT = ["strokes", "20 x 20", "28 x 28"]


def after(place, names):
    return [f"{place}: {name}" for name in names]


def on_a_table(page):
    return ImageOps.expand(page, 100, fill=(70, 50, 40))


def small_in(size):
    return page_with(DIGITS[3], size=size, side=110, corner=(90, 100))


STEPS = {
    "plain": (page_with(DIGITS[3], lines="ruled"), [*INK, *CLEAN, "the digit", *FIT]),
    "28 x 28, off the centre": (Image.fromarray(np.roll(DIGITS[3], 2, 1)), [*INK, *CLEAN, "the digit", *FIT]),
    "as MNIST made it": (Image.fromarray(DIGITS[3]), ["picture", "28 x 28"]),
    "a sheet on a table": (
        on_a_table(page_with(DIGITS[3])),
        [*INK, *after("sheet", INK + CLEAN), "the digit", *FIT],
    ),
    "small": (
        small_in((800, 1000)),
        [*INK, *CLEAN, "the digit", *after("closer", [*INK, *CLEAN, "the digit"]), *FIT],
    ),
    "small on a sheet on a table": (
        on_a_table(small_in((600, 700))),
        [*INK, *after("sheet", INK + CLEAN), "the digit", *after("closer", [*INK, *CLEAN, "the digit"]), *FIT],
    ),
}


@pytest.mark.parametrize("kind", STEPS)
def test_steps_are_those_that_the_picture_takes(kind):
    image, names = STEPS[kind]
    taken = list(pictures.steps(image))
    assert [name for name, _ in taken] == names and len(set(names)) == len(names)
    assert all(array.shape[2:] in ((), (3,)) for _, array in taken)
    last = taken[-1][1]
    assert last.dtype == np.uint8 and last.shape == (28, 28)
    np.testing.assert_array_equal(last, pictures.to_mnist(image))
    assert likeness(last, DIGITS[3]) > 0.8


MADE_BY = {  # each step, and what makes it of the one before: notebook 06 names these functions
    "ink": lambda steps: ink.measure_ink(steps["picture"], ink.estimate_paper(steps["picture"])),
    "shadows removed": lambda steps: ink.remove_shadows(steps["ink"]),
    "greys spread": lambda steps: ink.spread_greys(steps["shadows removed"]),
    "rulings removed": lambda steps: ink.remove_rulings(steps["greys spread"]),
    "the digit": lambda steps: digits.choose_digit(steps["rulings removed"]),
    "strokes": lambda steps: pictures.set_stroke_width(pictures.crop(steps["the digit"])),
    "20 x 20": lambda steps: pictures.fit_to_box(steps["strokes"]),
    "28 x 28": lambda steps: pictures.centre_by_mass(steps["20 x 20"]),
}


@pytest.mark.parametrize("name", MADE_BY)
def test_each_step_is_made_of_the_one_before(name):
    steps = dict(pictures.steps(page_with(DIGITS[3], light=0.3, grain=3, lines="ruled", size=(320, 420), side=240)))
    np.testing.assert_array_equal(MADE_BY[name](steps), steps[name])


def test_notebook_06_teaches_the_naive_image_that_others_import():
    notebook = json.loads((ROOT / "notebooks" / "06_your_own_digits.ipynb").read_text(encoding="utf-8"))
    (cell,) = [cell for cell in notebook["cells"] if "def naive_image" in "".join(cell["source"])]
    taught = {"np": np, "Image": Image}
    parts = "".join(cell["source"]).split("\n\n\n")
    (definition,) = [part for part in parts if part.startswith("def naive_image")]
    exec(definition, taught)
    icon = Image.fromarray(DIGITS[3])
    for picture in (page_with(DIGITS[3]), page_with(DIGITS[3], paper=BLACK, ink=WHITE), icon, icon.convert("RGBA")):
        made = pictures.naive_image(picture)
        assert made.shape == (28, 28) and made.dtype == np.uint8 and made.mean() < 128
        np.testing.assert_array_equal(made, taught["naive_image"](picture))


# --- refusals -------------------------------------------------------------------------------------------

def side_by_side(*digits, gap=60):
    parts = [np.pad(pictures.crop(ink_mask(DIGITS[digit], 200)), ((0, 0), (gap // 2, gap // 2))) for digit in digits]
    height = max(len(part) for part in parts)
    mask = np.concatenate([np.pad(part, ((0, height - len(part)), (0, 0))) for part in parts], axis=1)
    return draw(np.pad(mask, 80), grain=3)


def test_several_digits_are_refused_with_their_number():
    for several in ((3, 5), (1, 0), (4, 2, 7), (8, 8, 6, 9)):
        with pytest.raises(ValueError, match=f"found {len(several)} digits: crop the picture to one"):
            pictures.to_mnist(side_by_side(*several))


EMPTY = {
    "white": Image.new("RGB", (400, 300), "white"),
    "one pixel": Image.new("L", (1, 1)),
    "one row": Image.new("L", (900, 1), 80),
    "transparent": Image.new("RGBA", (64, 64), (0, 0, 0, 0)),
    "paper grain": draw(np.zeros((300, 400)), grain=10),
    "light": draw(np.zeros((300, 400)), light=0.9),
    "nothing but nan": Image.fromarray(np.full((40, 40), np.nan, np.float32)),
}


@pytest.mark.parametrize("page", EMPTY)
def test_an_empty_page_is_refused(page):
    with pytest.raises(ValueError, match="found no ink: send a picture of digits"):
        pictures.to_mnist(EMPTY[page])


REFUSED_AFTER = {
    "empty": (EMPTY["white"], "shadows removed"),
    "two digits": (side_by_side(3, 5), "rulings removed"),
    "an empty sheet on a table": (on_a_table(EMPTY["white"].convert("RGB")), "sheet: shadows removed"),
}


@pytest.mark.parametrize("kind", REFUSED_AFTER)
def test_steps_are_yielded_up_to_the_refusal(kind):
    image, last = REFUSED_AFTER[kind]
    names = []
    with pytest.raises(ValueError, match="^found "):
        for name, _ in pictures.steps(image):
            names.append(name)
    assert names[0] == "picture" and names[-1] == last


def refusal(path):
    with pytest.raises(ValueError) as caught:
        pictures.load_picture(path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    return str(caught.value)


def test_files_that_are_no_pictures(tmp_path):
    assert "is not a file" in refusal(tmp_path / "absent.png")
    assert "is not a file" in refusal(tmp_path)
    (tmp_path / "letter.png").write_text("Dear network, what digit is this?")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    for name in ("letter.png", "empty.jpg", "a.eps"):
        assert "is not a picture that can be read here" in refusal(tmp_path / name)


def test_suffixes_are_those_of_the_formats_that_can_be_read():
    readable = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ico", ".ppm", ".pgm"}
    assert readable | {".tga"} <= pictures.suffixes()
    assert not {".eps", ".pdf", ".psd", ".svg", ".tsv", ".txt", ""} & pictures.suffixes()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp", "a.gif"])
def test_truncated(name, tmp_path):
    path = saved(page_with(DIGITS[5]), tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    message = refusal(path)
    assert "damaged or cut short" in message or "not a picture" in message


@pytest.mark.parametrize("size", [(10_001, 10_000), (20_000, 20_000), (2_000_000_000, 3)])
def test_more_than_a_hundred_megapixels_is_refused_from_the_header(size, tmp_path):
    path = saved(Image.new("L", (8, 8)), tmp_path / "large.bmp")
    header = bytearray(path.read_bytes())
    header[18:26] = np.array(size, "<i4").tobytes()
    path.write_bytes(header)
    assert "larger than 100 megapixels" in refusal(path)


@pytest.mark.parametrize("mode, opens", [("RGB", False), ("L", True)])
def test_what_takes_too_much_memory_to_open_is_refused_from_the_header(mode, opens, tmp_path):
    path = saved(Image.new(mode, (8, 8)), tmp_path / "large.bmp")
    header = bytearray(path.read_bytes())
    header[18:26] = np.array((9000, 9000), "<i4").tobytes()
    path.write_bytes(header)
    message = "is damaged" if opens else "has 9000 x 9000 pixels and needs 324 MB of memory to open, more than 300"
    assert message in refusal(path)


@pytest.mark.parametrize("name, count", [("a.webp", 16), ("progressive.jpg", 6), ("a.jpg", 0), ("a.png", 4)])
def test_memory_is_counted_as_the_format_takes_it(name, count, tmp_path):
    path = saved(Image.new("RGB", (1000, 500)), tmp_path / name, progressive="progressive" in name)
    with Image.open(path) as image:
        assert pictures.memory_to_open(image) == count / 2


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_picture_is_turned_upright_and_says_how_far_it_was_shrunk(name, tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # turn it by a quarter, clockwise
    photo = Image.new("RGB", (4000, 2000), "white")
    photo.paste("black", (0, 0, 1000, 500))
    loaded = pictures.load_picture(saved(photo, tmp_path / name, exif=exif))
    assert loaded.height * loaded.info["scale"] == pytest.approx(4000) and loaded.width < loaded.height
    dark = np.asarray(loaded.convert("L")) < 128
    assert dark[: len(dark) // 5, -dark.shape[1] // 5 :].all() and not dark[:, : dark.shape[1] // 2].any()
    assert pictures.load_picture(saved(photo.crop((0, 0, 300, 200)), tmp_path / "small.png")).info["scale"] == 1


# --- quick and small ------------------------------------------------------------------------------------

@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_phone_photo_is_read_in_little_memory_without_heavy_imports(tmp_path):
    photo = page_with(DIGITS[6], grain=5, light=0.3).resize((4000, 3000))
    saved(photo, tmp_path / "photo.jpg", quality=85)
    program = (
        "import sys, time; from mnist_course import pictures; start = time.process_time();"
        f"pictures.to_mnist(pictures.load_picture({str(tmp_path / 'photo.jpg')!r}));"
        "print(time.process_time() - start, open('/proc/self/status').read().split('VmHWM:')[1].split()[0],"
        "[name for name in ('keras', 'tensorflow', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, kilobytes, heavy = done.stdout.split(maxsplit=2)
    assert float(seconds) < 2 and float(kilobytes) < 150_000 and heavy.strip() == "[]"
