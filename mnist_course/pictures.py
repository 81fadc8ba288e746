"""From any picture of one digit to 28 x 28 pixels, the way MNIST was made.

`load_picture` opens a file, `steps` yields every step that it takes from there, and `to_mnist` is the last of them.
"""

import math
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from mnist_course.digits import choose_digit
from mnist_course.ink import bounding_box, framed, grow, ink_steps, resize

_LARGEST_MEGAPIXELS = 100
_LONGER_SIDE = 1400  # pixels that are left of a larger picture, at least
_MOST_MEMORY = 300  # megabytes that a picture may take while it is opened
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "ICO", "TGA")
_ORIENTATION = ExifTags.Base.Orientation
THINNEST, _THICKEST = 1.6, 4.5  # stroke widths that need no change, in pixels of the 20 x 20 box


def suffixes():
    """Return the endings of files that `load_picture` can read, a set of lower-case texts such as ".png"."""
    return {suffix for suffix, name in Image.registered_extensions().items() if name in _FORMATS}


def load_picture(path):
    """Open a picture file; return it upright, its longer side below 2800, in mode RGB, RGBA or F (16 bits, floats).

    Its `info["scale"]` says how many pixels of the upright original one of its pixels is long. Raises ValueError when
    `path` is no file, no picture, damaged, above 100 megapixels, or needs more than 300 MB of memory to open.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is not a file: give the path of a picture.")
    Image.preinit()  # PNG, JPEG and the like: `open` would import every format to look for one of them
    too_large = f"{path} is larger than {_LARGEST_MEGAPIXELS} megapixels: save a smaller copy."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of what is refused here, or does no harm
        try:
            image = Image.open(path, formats=_FORMATS)
        except Image.DecompressionBombError:
            raise ValueError(too_large) from None
        except Exception:
            raise ValueError(f"{path} is not a picture that can be read here: save it as PNG or JPEG.") from None
        with image:
            if image.width * image.height > _LARGEST_MEGAPIXELS * 1_000_000:
                raise ValueError(too_large)
            if (needed := memory_to_open(image)) > _MOST_MEMORY:
                raise ValueError(
                    f"{path} has {image.width} x {image.height} pixels and needs {needed:.0f} MB of memory to open, "
                    f"more than {_MOST_MEMORY}: save a smaller copy."
                )
            longer_side = max(image.size)
            try:
                smallest = [max(1, side * _LONGER_SIDE // longer_side) for side in image.size]
                image.draft("RGB", smallest)  # lets a JPEG shrink while it is decoded
                image.load()
                small = shrink(image)
                small.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
                ImageOps.exif_transpose(small, in_place=True)  # not of `image`, which would be in memory twice
                small.info["scale"] = longer_side / max(small.size)
                return small
            except Exception as error:  # a damaged file can make a decoder raise anything
                raise ValueError(f"{path} is damaged or cut short ({error}): save the picture again.") from None


def memory_to_open(image):
    """Return the megabytes that decoding takes, as measured for each format, from what the header tells."""
    if image.format in ("JPEG", "MPO"):  # shrinks while it is decoded; a progressive one is whole first
        bytes_a_pixel = 6 if image.info.get("progressive") else 0
    elif image.format in ("WEBP", "AVIF"):
        bytes_a_pixel = 16 if image.format == "WEBP" else 8
    else:
        bytes_a_pixel = {"1": 1, "L": 1, "P": 1}.get(image.mode, 2 if image.mode.startswith("I;16") else 4)
        if image.format == "TIFF" and image.getexif().get(_ORIENTATION, 1) > 1:
            bytes_a_pixel *= 2  # Pillow turns it while it is whole
    return image.width * image.height * bytes_a_pixel / 1e6


def shrink(image):
    """Average blocks of pixels until the longer side is below 2800; return a PIL image of mode RGB, RGBA or F."""
    factor = max(1, max(image.size) // _LONGER_SIDE)
    plain = image.mode in ("RGBA", "F") or (image.mode == "RGB" and not image.has_transparency_data)
    if factor == 1 and plain and type(image) is Image.Image:  # nothing to do, and no file that will be closed
        return image
    strips = []  # a strip at a time, so that the full picture is never copied
    for top in range(0, image.height, 32 * factor):
        strip = image.crop((0, top, image.width, min(top + 32 * factor, image.height)))
        if strip.mode[0] in "IF":
            strip = strip.convert("I").convert("F") if strip.mode.startswith("I;16") else strip.convert("F")
        else:
            strip = strip.convert("RGBA" if strip.has_transparency_data else "RGB")
        strips.append(strip.reduce(factor))
    small = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for number, strip in enumerate(strips):
        small.paste(strip, (0, 32 * number))
    return small


def crop(ink):
    """Cut an ink map to the bounding box of its ink."""
    top, bottom, left, right = bounding_box(ink > 0.02)
    return ink[top:bottom, left:right]


def stroke_width(ink):
    """Return the mean width of the strokes in pixels: twice the ink's area over the length of its outline."""
    padded = framed(ink, 1)
    outline = np.hypot(np.diff(padded, axis=0)[:, 1:], np.diff(padded, axis=1)[1:]).sum()
    return 2 * ink.sum() / max(outline, 1e-12)


def _scale_to(ink, longer_side):
    """Scale an ink map, aspect kept, anti-aliased, so that its longer side has `longer_side` pixels."""
    return np.asarray(resize(Image.fromarray(ink), longer_side / max(ink.shape), Image.Resampling.HAMMING))


def set_stroke_width(ink):
    """Redraw strokes thinner or thicker than nearly all in MNIST (1.6 to 4.5 pixels of 20) at that limit."""
    width = stroke_width(ink) * 20 / max(ink.shape)
    if THINNEST <= width <= _THICKEST:
        return ink
    large = _scale_to(framed(ink, 1), 200)
    large = crop(np.clip(0.5 + 4 * (large - 0.5 * large.max()), 0, 1))
    wanted = np.clip(width, THINNEST, _THICKEST) / 20  # of the longer side, which grows with the strokes
    radius = (wanted * max(large.shape) - stroke_width(large)) / (2 * (1 - wanted))
    return crop(grow(framed(large, int(abs(radius)) + 1), radius))


def fit_to_box(ink):
    """Scale an ink map to fit 20 x 20, the aspect kept; ink of just that size is left as it is."""
    gain = np.clip(max(ink.shape) / 40, 1, 3)  # the edges of MNIST's strokes are one pixel wide
    ink = crop(np.clip(0.5 + gain * (ink - 0.5), 0, 1))
    return ink if max(ink.shape) == 20 else crop(_scale_to(ink, 20))


def _corner_by_mass(ink):
    """Return the row and column at which ink begins in 28 x 28 when its centre of mass is in (13.5, 14.5], a list."""
    corner = []
    for axis in (0, 1):
        weight = ink.sum(axis=1 - axis)
        centre = (weight * np.arange(len(weight))).sum() / weight.sum()
        corner.append(min(max(math.floor(14.5 - centre), 0), 28 - len(weight)))
    return corner


def centre_by_mass(ink):
    """Place ink of at most 20 x 20 with its centre of mass in (13.5, 14.5]; return uint8 (28, 28), brightest 255."""
    top, left = _corner_by_mass(ink)
    result = np.zeros((28, 28))
    result[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return np.round(255 * result / result.max()).astype(np.uint8)


def _is_mnist(image):
    """Return whether a picture is as MNIST was made: its ink 20 pixels long, centred by mass, on pure black."""
    if image.size != (28, 28) or image.mode not in ("L", "RGB"):
        return False
    pixels = np.asarray(image.convert("L"))
    if image.mode == "RGB" and (np.asarray(image) != pixels[..., np.newaxis]).any():
        return False
    if pixels.max() < 254:
        return False
    top, bottom, left, right = bounding_box(pixels > 0)
    ink = pixels[top:bottom, left:right]
    return max(ink.shape) == 20 and _corner_by_mass(ink) == [top, left]


def steps(image):
    """Yield (name, array) for each step from any PIL image of one digit to what MNIST would have made of it.

    The first is named "picture", the last "28 x 28": uint8 (28, 28), white on black; no name comes twice. The others
    are floats, (h, w, 3) for colours, else (h, w); an image of MNIST itself has none. Where a sheet lies on a table or
    the digit is small, a closer look begins anew with "sheet: picture" or "closer: picture". Raises ValueError for no
    ink or several digits, at the step that finds it.
    """
    if _is_mnist(image):
        yield from ((name, np.asarray(image.convert("L"))) for name in ("picture", "28 x 28"))
        return
    image = shrink(image)
    sheet, ink = yield from ink_steps(image, "")
    image = image.crop(sheet) if sheet else image
    yield "the digit", (digit := choose_digit(ink))
    top, bottom, left, right = bounding_box(digit > 0)
    side, scale = max(bottom - top, right - left), max(image.size) / max(digit.shape)
    if side < 64 and scale > 1:  # small in its picture: look again, closer, where it was found
        margin, limits = 0.3 * side, digit.shape[::-1] * 2
        box = np.clip([left - margin, top - margin, right + margin, bottom + margin], 0, limits).astype(int)
        closer = image.crop(np.round(box * scale).astype(int).tolist())
        _, ink = yield from ink_steps(closer, "closer: ")
        area = Image.fromarray(grow(digit, 0.06 * side)).crop(box.tolist()).resize(ink.shape[::-1])
        yield "closer: the digit", (digit := choose_digit(np.where(np.asarray(area) > 0.2, ink, 0)))
    yield "strokes", (ink := set_stroke_width(crop(digit)))
    yield "20 x 20", (ink := fit_to_box(ink))
    yield "28 x 28", centre_by_mass(ink)


def to_mnist(image):
    """Return the last of `steps`: uint8 (28, 28), white on black, as MNIST would show any PIL image of one digit.

    Raises ValueError for no ink or several digits.
    """
    *_, (_, last) = steps(image)
    return last


def last_of(steps):
    """Run through a generator of steps; return what it returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def fit(ink):
    """Return the digit that an ink map holds as MNIST would show it, uint8 (28, 28); black for too little."""
    if ink.max(initial=0) >= 0.3:
        with suppress(ValueError):  # so little in so large a box that nothing is left of it
            return centre_by_mass(fit_to_box(set_stroke_width(crop(ink))))
    return np.zeros((28, 28), np.uint8)


def naive_image(picture):
    """Make uint8 (28, 28) of a PIL image as most tutorials do: grey, shrunk, inverted when bright (notebook 06)."""
    grey = np.asarray(picture.convert("L").resize((28, 28), Image.Resampling.LANCZOS))
    return 255 - grey if grey.mean() > 127 else grey
