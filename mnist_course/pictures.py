"""From any picture of one digit to 28 x 28 pixels, the way MNIST was made.

`load_picture` opens a file, `steps` yields every step that it takes from there, and `to_mnist` is the last of them.
An *ink map* is a float32 array (height, width) in which paper is 0 and ink is 1. NumPy and Pillow suffice.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

_LARGEST_MEGAPIXELS = 100
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "ICO", "TGA")
_NO_INK = "found no ink: send a picture of one digit that stands out from its background."
_FAINTEST = 0.65
_THINNEST, _THICKEST = 1.6, 4.5  # stroke widths that need no change, in pixels of the 20 x 20 box
_WORKING_SIDE = 256  # pixels on the longer side of the picture in which the ink is looked for


def suffixes():
    """Return the endings of files that `load_picture` can read, a set of lower-case texts such as ".png"."""
    return {suffix for suffix, name in Image.registered_extensions().items() if name in _FORMATS}


def load_picture(path):
    """Open a picture file; return it upright, its longer side below 1024, in mode RGB, RGBA or F (16 bits, floats).

    Raises ValueError when `path` is no file, no picture, damaged, or above 100 megapixels.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is not a file: give the path of a picture of one digit.")
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
            try:
                image.draft("RGB", (512, 512))  # lets a JPEG shrink while it is decoded
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
                return _shrink(image)
            except Exception as error:  # a damaged file can make a decoder raise anything
                raise ValueError(f"{path} is damaged or cut short ({error}): save the picture again.") from None


def _shrink(image):
    """Average blocks of pixels until the longer side is below 1024; return a PIL image of mode RGB, RGBA or F."""
    factor = max(1, max(image.size) // 512)
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


def _read_colours(image):
    """Return the colours of what `_shrink` returned, float32 (h, w, 3) in [0, 1], h and w at most 256.

    On a transparent background the ink is what is opaque, whatever its colour.
    """
    scale = min(1, _WORKING_SIDE / max(image.size))
    pixels = np.asarray(_resize(image, scale, Image.Resampling.BOX) if scale < 1 else image, np.float32)
    if image.mode == "F":
        pixels = np.nan_to_num(pixels, posinf=0, neginf=0)
        return ((pixels - pixels.min()) / max(np.ptp(pixels), 1e-12))[..., None].repeat(3, axis=2)
    colours, opacity = pixels[..., :3] / 255, pixels[..., 3:] / 255
    opaque = opacity[..., 0] > 0.5 if image.mode == "RGBA" else np.ones(pixels.shape[:2], bool)
    if opaque.mean() > 0.995:
        return colours
    paper = np.median(colours[opaque], axis=0) if opaque.any() else 0
    if opaque.mean() > 0.5 and np.abs(colours[opaque] - paper).mean() > 0.02:  # a photo with transparent margins
        return paper + (colours - paper) * opacity
    return 1 - opacity.repeat(3, axis=2)


def _resize(image, scale, method):
    """Scale a PIL image in both directions, to one pixel at least; return it."""
    return image.resize([max(1, round(side * scale)) for side in image.size], method)


def estimate_paper(colours):
    """Return the paper's colour under the ink, float32 (h, w, 3): a smooth surface (quadratic) through most pixels."""
    height, width, _ = colours.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    surface = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    step = max(1, max(height, width) // 64)
    basis, target = surface[::step, ::step].reshape(-1, 6), colours[::step, ::step].reshape(-1, 3)
    at_border = 1 + 3 * (np.abs(basis[:, 1:3]).max(axis=1) > 0.85)  # the border is paper more often than the middle
    fit = np.median(np.repeat(target, at_border.astype(int), axis=0), axis=0)
    for _ in range(10):  # pixels far from the surface are ink and lose their say
        weight = at_border / (0.05**2 + ((target - fit) ** 2).sum(axis=1))
        weighted = basis.T * weight
        coefficients = np.linalg.solve(weighted @ basis + 1e-6 * np.eye(6), weighted @ target)
        fit = basis @ coefficients
    return (surface @ coefficients).astype(np.float32)


def measure_ink(colours, paper):
    """Return how far each pixel is from the paper towards the ink's colour, float32 (h, w); paper is near 0.

    The ink's direction in colour space is the strongest one, so any colours and either polarity will do.
    """
    difference = (colours - paper).reshape(-1, 3)
    weighted = difference * (difference**2).sum(axis=1, keepdims=True) ** 0.5
    direction = np.linalg.eigh(weighted.T @ weighted)[1][:, -1]
    strength = difference @ direction
    strength *= 1 if (strength**3).sum() >= 0 else -1
    return strength.reshape(colours.shape[:2]).astype(np.float32)


def _running_max(values, reach):
    """Return the largest value within `reach` rows above and below each pixel, float32 (h, w)."""
    window, length = 2 * reach + 1, 1
    frame = np.full((len(values) + 2 * reach, values.shape[1]), -np.inf, np.float32)
    frame[reach : reach + len(values)] = values
    while length < window:  # each step doubles the rows looked at
        step = min(length, window - length)
        frame = np.maximum(frame[:-step], frame[step:])
        length += step
    return frame


def _square_max(values, reach):
    """Return the largest value within a square of `reach` pixels to each side of each pixel, float32 (h, w)."""
    return _running_max(_running_max(values, reach).T, reach).T


def _remove_wide(strength, reach):
    """Subtract whatever holds a square of `reach` pixels to each side: a morphological top-hat, float32 (h, w)."""
    page = np.pad(strength, reach)  # paper goes on outside the picture
    wide = _square_max(-_square_max(-page, reach), reach)
    return strength - wide[reach:-reach, reach:-reach]


def remove_shadows(strength):
    """Even out light and shadow; return float32 (h, w), paper around 0.

    Strokes are narrower than shadows, but how narrow, and whether ink is what is darker or what is lighter, differs:
    the narrowest attempt that keeps the picture's sharp edges, and adds none, is taken.
    """
    edges = _slopes(strength)
    attempts = []
    for reach in sorted({max(4, round(share / 2 * max(strength.shape))) for share in (0.1, 0.14, 0.2, 0.3)}):
        for sign in (1, -1):
            flat = _remove_wide(sign * strength, reach)
            steepness = _slopes(flat)
            error = (np.abs(steepness - edges) * np.maximum(steepness, edges) ** 2).sum()
            attempts.append((error * (1 if sign > 0 else 1.5), flat))  # paper is what there is most of
        if min(attempts, key=lambda attempt: attempt[0])[0] < 0.1 * (edges**3).sum():
            break
    flat = min(attempts, key=lambda attempt: attempt[0])[1]
    return flat - np.percentile(flat, 30)  # ink can cover more than half of a picture that was cut out


def _slopes(values):
    """Return the steepness at each pixel, (h, w), 0 at the border of the picture."""
    result = np.zeros_like(values)
    down, right = values[2:, 1:-1] - values[:-2, 1:-1], values[1:-1, 2:] - values[1:-1, :-2]
    result[1:-1, 1:-1] = np.sqrt(down * down + right * right) / 2
    return result


def spread_greys(strength):
    """Scale to an ink map in which the edge of a stroke is near 0.5. Raises ValueError when nothing stands out."""
    weight = _slopes(strength) ** 3
    middle = _square_max(strength, 1) - _square_max(-strength, 1)  # twice the grey halfway up an edge
    level = (weight * middle).sum() / max(weight.sum(), 1e-12)  # ink, where its edges are sharpest
    noise = 1.5 * np.median(-strength[strength <= 0])  # paper is as often below 0 as above
    if level < max(0.03, 4 * noise):
        raise ValueError(_NO_INK)
    reach = max(1, round(0.1 * max(strength.shape)))
    local = _square_max(np.minimum(strength, level), reach)  # a pen presses unevenly
    return np.clip(strength / np.maximum(local, _FAINTEST * level), 0, 1)


def grow(values, radius):
    """Widen what is bright by a disc of `radius` pixels (a negative radius narrows it); return float32 (h, w)."""
    if radius < 0:
        return -grow(-values, -radius)
    reach = int(radius)
    frame = np.full((len(values) + 2 * reach, values.shape[1]), -np.inf, np.float32)
    for row in range(-reach, reach + 1):
        half = int((radius**2 - row**2) ** 0.5)
        part = frame[reach + row : reach + row + len(values)]
        np.maximum(part, _running_max(values.T, half).T, out=part)
    return frame[reach : reach + len(values)]


def _label_pieces(mask):
    """Number the connected pieces of a boolean mask from 1, diagonal neighbours included; return integers (h, w)."""
    number = (np.cumsum(mask) - 1).reshape(mask.shape)
    pairs = []
    neighbours = (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])
    diagonal_neighbours = (np.s_[:-1, :-1], np.s_[1:, 1:]), (np.s_[:-1, 1:], np.s_[1:, :-1])
    for here, there in neighbours + diagonal_neighbours:
        both = mask[here] & mask[there]
        pairs.append(np.stack([number[here][both], number[there][both]]))
    first, second = np.concatenate(pairs, axis=1)
    root = np.arange(mask.sum())
    while True:
        low, high = np.minimum(root[first], root[second]), np.maximum(root[first], root[second])
        if (low == high).all():
            break
        np.minimum.at(root, high, low)
        while (root[root] != root).any():
            root = root[root]
    labels = np.zeros(mask.shape, int)
    labels[mask] = np.unique(root, return_inverse=True)[1] + 1
    return labels


def _bounding_box(mask):
    """Return (top, bottom, left, right) of what is True; bottom and right are one past it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def remove_rulings(ink):
    """Take out of an ink map the lines of ruled or squared paper: straight, parallel, thin, from edge to edge."""
    return _remove_level_rulings(_remove_level_rulings(ink).T).T


def _remove_level_rulings(ink):
    """Do what `remove_rulings` does for lines that run within 6 degrees of the horizontal."""
    mask, (height, width) = ink > 0.15, ink.shape
    if min(height, width) < 40:
        return ink
    columns, near = np.arange(width), _running_max(mask, 1)
    best, tilt = np.zeros(height), np.zeros(height)  # for each row in the middle column: the straightest line there
    for slope in np.arange(-0.105, 0.106, 4 / width):
        rows = np.arange(height)[:, None] + np.round(slope * (columns - width // 2)).astype(int)
        visible = (rows >= 0) & (rows < height)  # a line can leave the picture at a corner
        on_line = (near[np.clip(rows, 0, height - 1), columns] * visible).sum(axis=1)
        share = on_line / np.maximum(visible.sum(axis=1), width / 3)
        tilt = np.where(share > best, slope, tilt)
        best = np.maximum(share, best)
    run, result, found = _run_lengths(mask), ink.copy(), []
    for row in np.argsort(-best):
        if best[row] < 0.85 or any(abs(row - other) < 0.06 * height for other in found):
            continue
        rows = row + np.round(tilt[row] * (columns - width // 2)).astype(int) + np.arange(-2, 3)[:, None]
        rows = np.clip(rows, 0, height - 1)
        thickness = np.median(run[rows, columns].max(axis=0))
        if thickness > max(4, 0.02 * height):  # a stroke of the digit in a tight crop
            return ink
        found.append(row)
        on_line = run[rows, columns] <= thickness + 2  # elsewhere a stroke crosses the line
        result[rows[on_line], np.nonzero(on_line)[1]] = 0
    return result if len(found) > 1 else ink


def _run_lengths(mask):
    """Return the length of the vertical run of True that each pixel belongs to, 0 outside, integers (h, w)."""
    result, count = np.zeros(mask.shape, int), 0
    for row in range(len(mask)):
        result[row] = count = np.where(mask[row], count + 1, 0)
    for row in range(len(mask) - 2, -1, -1):
        result[row] = np.where(mask[row] & mask[row + 1], result[row + 1], result[row])
    return result


def _measure_pieces(labels, ink):
    """Return, for the pieces numbered from 1, their longer sides in pixels, and their ink; arrays (pieces,)."""
    boxes = np.array([_bounding_box(labels == number) for number in range(1, labels.max() + 1)])
    sides = np.maximum(boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2])
    return sides, np.bincount(labels.ravel(), weights=ink.ravel())[1:]


def _drop_specks_and_borders(labels, ink):
    """Return which pieces can belong to a digit (boolean mask), and the longer side of the largest of them."""
    sides, mass = _measure_pieces(labels, ink)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    contact = np.bincount(edge, minlength=len(sides) + 1)[1:]
    inside = contact <= 0.15 * max(ink.shape)
    if (sides * inside).max() < max(0.25 * sides.max(), 0.1 * max(ink.shape)):
        inside[:] = True  # nothing else in the picture: the ink at the edge is the digit
    largest = sides[(mass * sides * inside).argmax()]
    good = inside & (sides >= 0.08 * largest) & (mass >= 0.01 * (mass * inside).max())
    return np.append(False, good)[labels], largest


def choose_digit(ink):
    """Keep the digit's part of an ink map; drop specks and page borders. Raises ValueError for no digit or several."""
    labels = _label_pieces(ink > 0.4)
    if not labels.any():
        raise ValueError(_NO_INK)
    mask, largest = _drop_specks_and_borders(labels, ink)
    joined = grow(mask, max(1, 0.07 * largest)) > 0  # bridges the gaps of a broken stroke
    groups = np.where(mask, _label_pieces(joined), 0)
    sides, mass = _measure_pieces(groups, ink)
    main = (mass * sides).argmax()
    several = np.sum((sides >= 0.6 * sides[main]) & (mass >= 0.25 * mass[main]))
    if several > 1:
        raise ValueError(f"found {several} digits: crop the picture to one.")
    near = np.unique(groups[grow(groups == main + 1, max(1, 0.2 * largest)) > 0])
    strokes = [number for number in near if number and sides[number - 1] >= 0.25 * sides[main]]  # a little apart
    digit = np.isin(groups, strokes)
    return np.where(grow(digit, 2) > 0, ink, 0)  # with the grey rim of its strokes


def crop(ink):
    """Cut an ink map to the bounding box of its ink."""
    top, bottom, left, right = _bounding_box(ink > 0.02)
    return ink[top:bottom, left:right]


def stroke_width(ink):
    """Return the mean width of the strokes in pixels: twice the ink's area over the length of its outline."""
    padded = np.pad(ink, 1)
    outline = np.hypot(np.diff(padded, axis=0)[:, 1:], np.diff(padded, axis=1)[1:]).sum()
    return 2 * ink.sum() / max(outline, 1e-12)


def _scale_to(ink, longer_side):
    """Scale an ink map, aspect kept, anti-aliased, so that its longer side has `longer_side` pixels."""
    return np.asarray(_resize(Image.fromarray(ink), longer_side / max(ink.shape), Image.Resampling.HAMMING))


def set_stroke_width(ink):
    """Redraw strokes thinner or thicker than nearly all in MNIST (1.6 to 4.5 pixels of 20) at that limit."""
    width = stroke_width(ink) * 20 / max(ink.shape)
    if _THINNEST <= width <= _THICKEST:
        return ink
    large = _scale_to(np.pad(ink, 1), 200)
    large = crop(np.clip(0.5 + 4 * (large - 0.5 * large.max()), 0, 1))
    wanted = np.clip(width, _THINNEST, _THICKEST) / 20  # of the longer side, which grows with the strokes
    radius = (wanted * max(large.shape) - stroke_width(large)) / (2 * (1 - wanted))
    return crop(grow(np.pad(large, int(abs(radius)) + 1), radius))


def fit_to_box(ink):
    """Scale an ink map to fit 20 x 20, the aspect kept; ink of just that size is left as it is."""
    gain = np.clip(max(ink.shape) / 40, 1, 3)  # the edges of MNIST's strokes are one pixel wide
    ink = crop(np.clip(0.5 + gain * (ink - 0.5), 0, 1))
    return ink if max(ink.shape) == 20 else crop(_scale_to(ink, 20))


def centre_by_mass(ink):
    """Place ink of at most 20 x 20 with its centre of mass in (13.5, 14.5]; return uint8 (28, 28), brightest 255."""
    offsets = []
    for axis in (0, 1):
        weight = ink.sum(axis=1 - axis)
        centre = (weight * np.arange(len(weight))).sum() / weight.sum()
        offsets.append(int(np.clip(np.floor(14.5 - centre), 0, 28 - len(weight))))
    result = np.zeros((28, 28))
    result[offsets[0] : offsets[0] + ink.shape[0], offsets[1] : offsets[1] + ink.shape[1]] = ink
    return np.round(255 * result / result.max()).astype(np.uint8)


def _find_sheet(strength, side):
    """Return the box, in a picture of `side` pixels, of a sheet seen whole on a table of another colour, or None."""
    step = max(1, max(strength.shape) // 64)
    strength = strength[::step, ::step]
    mask = strength > 0.5 * np.percentile(strength, 95)
    if not mask.any():
        return None
    labels = _label_pieces(mask)
    sheet = labels == np.bincount(labels[mask]).argmax()
    top, bottom, left, right = _bounding_box(sheet)
    sides = sorted((bottom - top, right - left))
    area = sides[0] * sides[1]
    inside = min(top, left, sheet.shape[0] - bottom, sheet.shape[1] - right) > 0
    if not inside or sheet.sum() < 0.8 * area or area < 0.25 * sheet.size or sides[1] > 2.5 * sides[0]:
        return None
    margin = 0.05 * sides[0] + 1
    box = np.array([left + margin, top + margin, right - margin, bottom - margin])
    return np.round(box * side / max(sheet.shape)).astype(int).tolist()


def _is_mnist(image):
    """Return whether a picture is as MNIST was made: its ink 20 pixels long, centred by mass, on pure black."""
    if image.size != (28, 28) or image.mode not in ("L", "RGB"):
        return False
    pixels = np.asarray(image.convert("L"))
    if image.mode == "RGB" and (np.asarray(image) != pixels[..., np.newaxis]).any():
        return False
    ink = crop(pixels) if pixels.any() else pixels
    return max(ink.shape) == 20 and np.allclose(centre_by_mass(ink), pixels, atol=1)  # MNIST's brightest: 254 or 255


def _ink_steps(image, prefix):
    """Yield the steps from a picture to its ink map; return both, the picture cut to a sheet if it shows one."""
    yield prefix + "picture", (colours := _read_colours(image))
    yield prefix + "paper", (paper := estimate_paper(colours))
    yield prefix + "ink", (strength := measure_ink(colours, paper))
    side = max(image.size)
    if not prefix and side >= 64 and (sheet := _find_sheet(strength, side)):  # an icon shows no table
        return (yield from _ink_steps(image.crop(sheet), "sheet: "))
    yield prefix + "shadows removed", (flat := remove_shadows(strength))
    yield prefix + "greys spread", (ink := spread_greys(flat))
    yield prefix + "rulings removed", (ink := remove_rulings(ink))
    return image, ink


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
    image, ink = yield from _ink_steps(_shrink(image), "")
    yield "the digit", (digit := choose_digit(ink))
    top, bottom, left, right = _bounding_box(digit > 0)
    side, scale = max(bottom - top, right - left), max(image.size) / max(digit.shape)
    if side < 64 and scale > 1:  # small in its picture: look again, closer, where it was found
        margin, limits = 0.3 * side, digit.shape[::-1] * 2
        box = np.clip([left - margin, top - margin, right + margin, bottom + margin], 0, limits).astype(int)
        closer = image.crop(np.round(box * scale).astype(int).tolist())
        _, ink = yield from _ink_steps(closer, "closer: ")
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


def naive_image(picture):
    """Make uint8 (28, 28) of a PIL image as most tutorials do: grey, shrunk, inverted when bright (notebook 06)."""
    grey = np.asarray(picture.convert("L").resize((28, 28), Image.Resampling.LANCZOS))
    return 255 - grey if grey.mean() > 127 else grey
