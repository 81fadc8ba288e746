"""Read the digit in a picture, or in each picture of a folder."""

import argparse
import json
import sys
from pathlib import Path

from mnist_course import paths, pictures, reader
from mnist_course.command_line import command


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


def find_pictures(given):
    for path in given:
        if path.is_dir():
            suffixes = pictures.suffixes()
            yield from sorted(inside for inside in path.iterdir() if inside.suffix.lower() in suffixes)
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


def draw_steps(steps):
    """Draw {name: array}, five in a row; return the figure."""
    from matplotlib.figure import Figure

    columns = min(5, len(steps))
    rows = -(-len(steps) // columns)
    figure = Figure(figsize=(2.4 * columns, 2.4 * rows), layout="tight")
    for place, (name, step) in enumerate(steps.items(), start=1):
        axes = figure.add_subplot(rows, columns, place, title=name, anchor="N")
        axes.imshow(step.clip(0, 1) if step.ndim == 3 else step, cmap="gray")
        axes.set_axis_off()
    return figure


def explain(picture, path):
    """Draw the steps from picture to 28 x 28, or as far as they go; return the last one."""
    taken = {}
    try:
        for name, step in pictures.steps(picture):
            taken[name] = step
    finally:
        draw_steps(taken).savefig(path)
    return step


@command
def main(argv=None):
    arguments = parse_arguments(argv)
    network = paths.find_reader()
    digits = reader.Reader(network)
    if not arguments.json:
        owner = "the shipped reader" if network == paths.ROBUST_READER else "your own"
        print(f"Network: {owner}, {paths.shown(network)}")
    found = failed = 0
    for path in find_pictures(arguments.image_path):
        found += 1
        try:
            picture = pictures.load_picture(path)
            image = explain(picture, arguments.explain) if arguments.explain else pictures.to_mnist(picture)
        except (ValueError, OSError) as error:
            failed += 1
            message = str(error) if str(path) in str(error) else f"{path}: {error}"
            if arguments.json:
                print(json.dumps({"path": str(path), "error": message}))
            else:
                print(f"test_model.py: {message}", file=sys.stderr)
        else:
            report(path, digits.read(image[None])[0], image, arguments.json)
    if not found:
        raise ValueError("there is no picture in that folder.")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
