"""Read the digit in a picture, or in each picture of a folder."""

import argparse
import json
import os
import sys
from pathlib import Path

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ico", ".ppm", ".pgm", ".tga"}


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image_path", type=Path, nargs="+", help="a picture of one digit, or a folder of such pictures")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--explain", type=Path, metavar="PNG", help="draw the steps from picture to 28 x 28 (one picture)"
    )
    arguments = parser.parse_args(argv)
    if arguments.explain and (len(arguments.image_path) > 1 or arguments.image_path[0].is_dir()):
        parser.error("--explain takes one picture, not several")
    return arguments


def find_pictures(paths):
    for path in paths:
        if path.is_dir():
            yield from sorted(inside for inside in path.iterdir() if inside.suffix.lower() in SUFFIXES)
        else:
            yield path


def preview(image):
    """The 28 x 28 image as 14 lines of text, two rows of pixels a line."""
    shades = " .:-=+*#%@"
    pairs = image.reshape(14, 2, 28).mean(axis=1)
    return "\n".join("    " + "".join(shades[int(value * 9 / 255 + 0.5)] for value in row).rstrip() for row in pairs)


def report(path, probabilities, image, as_json):
    first, second = (int(digit) for digit in probabilities.argsort()[::-1][:2])
    if as_json:
        rounded = [round(float(probability), 4) for probability in probabilities]
        print(json.dumps({"path": str(path), "digit": first, "probability": rounded[first], "probabilities": rounded}))
    else:
        print(f"{path}: {first} ({probabilities[first]:.1%}), then {second} ({probabilities[second]:.1%})")
        print(preview(image))


def draw_steps(picture, path):
    """Save the steps from picture to 28 x 28 as one picture."""
    from matplotlib.figure import Figure

    from mnist_course import pictures

    colours = pictures.read_colours(picture)
    strength = pictures.measure_ink(colours, pictures.estimate_paper(colours))
    ink = pictures.spread_greys(pictures.remove_shadows(strength))
    digit = pictures.choose_digit(pictures.remove_rulings(ink))
    steps = {
        "picture": colours.clip(0, 1),
        "ink, light removed": strength,
        "shadows removed": ink,
        "the digit": digit,
        "28 x 28": pictures.to_mnist(picture),
    }
    figure = Figure(figsize=(12, 3), layout="tight")
    for axes, (title, step) in zip(figure.subplots(1, len(steps)), steps.items(), strict=True):
        axes.imshow(step, cmap="gray")
        axes.set_axis_off()
        axes.set_title(title)
    figure.savefig(path)


def main(argv=None):
    arguments = parse_arguments(argv)
    from mnist_course import pictures, reader

    try:
        network = reader.find_reader()
        digits = reader.Reader(network)
    except ValueError as error:
        print(f"test_model.py: {error}", file=sys.stderr)
        return 2
    if not arguments.json:
        print(
            f"Network: {'the shipped reader' if network == reader.SHIPPED else 'your own'}, {os.path.relpath(network)}"
        )
    found = failed = 0
    for path in find_pictures(arguments.image_path):
        found += 1
        try:
            picture = pictures.load_picture(path)
            if arguments.explain:
                draw_steps(picture, arguments.explain)
            image = pictures.to_mnist(picture)
            report(path, digits.read(image[None])[0], image, arguments.json)
        except (ValueError, OSError) as error:
            failed += 1
            message = str(error) if str(path) in str(error) else f"{path}: {error}"
            if arguments.json:
                print(json.dumps({"path": str(path), "error": message}))
            else:
                print(f"test_model.py: {message}", file=sys.stderr)
    if not found:
        print("test_model.py: there is no picture in that folder.", file=sys.stderr)
    return 2 if failed or not found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
