"""Read the digits in a picture, one or a page of them, or in each picture of a folder."""

import argparse
import contextlib
import sys
from pathlib import Path

import numpy as np

from mnist_course import pages, paths, pictures, reader, reading
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES

MARK = f"A ? follows a digit that the network is less than {pages.DOUBTFUL:.0%} sure of."
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"  # Okabe and Ito's, which the colour-blind can tell apart


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image_path", type=Path, nargs="+", help="a picture of digits, or a folder of such pictures")
    parser.add_argument("--one", action="store_true", help="take each picture for one digit, and say when it is not")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--explain", type=Path, metavar="PNG", help="draw how it was read: one digit's steps, a page's boxes and cuts"
    )
    parser.add_argument(
        "--network", metavar="own|shipped|FILE", help="which one reads (default: own if you trained one, else shipped)"
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="how many read a folder (default: one a core, if it takes a while)"
    )
    arguments = parser.parse_args(argv)
    if arguments.explain and (len(arguments.image_path) > 1 or arguments.image_path[0].is_dir()):
        parser.error("--explain takes one picture, not several")
    if arguments.processes is not None and arguments.processes < 1:
        parser.error(f"--processes: expected a whole number of at least 1, received {arguments.processes}")
    return arguments


def find_pictures(given):
    for path in given:
        if path.is_dir():
            suffixes = pictures.suffixes()
            yield from sorted(inside for inside in path.iterdir() if inside.suffix.lower() in suffixes)
        else:
            yield path


# ---------------------------------------------------------------- which network


def choose_network(wanted):
    if wanted == "shipped":
        return paths.ROBUST_READER
    if wanted not in (None, "own"):
        return Path(wanted)
    network = paths.find_reader()
    if wanted and network == paths.ROBUST_READER:
        raise ValueError("there is no network of your own in outputs/: train one with `python train_model.py`.")
    return network


def about_network(network, wanted):
    """Say which network reads, and where it is the learner's, whether the shipped one reads more."""
    if network == paths.ROBUST_READER:
        return f"Network: the shipped reader, {paths.shown(network)} and {paths.LINE_READER.name}"
    if wanted not in (None, "own"):
        return f"Network: {network}"
    recipe, line = paths.read_recipe(network), f"Network: your own, {paths.shown(network)}"
    if recipe in RECIPES and RECIPES[recipe].pictures == "other hands":
        return line
    why = f"It was trained by the recipe {recipe}:" if recipe else "If it was not trained by the recipe robust,"
    return f"{line}\n{why} --network shipped reads more of other people's handwriting."


# ---------------------------------------------------------------- --explain


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


def draw_page(picture, page):
    """Draw a PIL image and what was read in it: boxes, digits, doubtful ones dashed, cuts; return the figure."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Polygon

    scale = 9 / max(picture.size)
    figure = Figure(figsize=[max(3, side * scale) for side in picture.size], layout="tight")
    title = f"dashed: less than {pages.DOUBTFUL:.0%} sure"
    if any(digit.cut for line in page.lines for digit in line):
        title += "; green: cuts"
    axes = figure.add_subplot(title=title)
    axes.imshow(picture if picture.mode == "F" else picture.convert("RGB"), cmap="gray")
    for digit in (digit for line in page.lines for digit in line):
        left, top, right, bottom = digit.box
        corners = digit.quadrilateral or [(left, top), (right, top), (right, bottom), (left, bottom)]
        colour, style = (VERMILION, "--") if digit.probability < pages.DOUBTFUL else (BLUE, "-")
        axes.add_patch(Polygon(corners, fill=False, edgecolor=colour, linestyle=style, linewidth=1.2))
        where = {"ha": "center", "va": "bottom", "fontsize": 9, "fontweight": "bold", "color": colour}
        if digit.cut:
            axes.plot(*zip(*digit.cut, strict=True), color=GREEN, linewidth=2)
        axes.text((left + right) / 2, top, str(digit.digit), **where)
    axes.set_axis_off()
    return figure


def find_steps(picture):
    """Return the steps from picture to 28 x 28 as {name: array}, or as far as they go."""
    taken = {}
    with contextlib.suppress(ValueError):
        for name, step in pictures.steps(picture):
            taken[name] = step
    return taken


def draw(picture, page):
    if digit := reading.only_digit(page):
        steps = find_steps(picture.rotate(-page.turned, expand=True))
        if np.array_equal(steps.get("28 x 28"), digit.image):
            return draw_steps(steps)
    return draw_page(picture, page)


def explain(path, network, png, *, as_json, **how):
    """Read one picture as `reading.read_file` does, and draw how it was read, or up to where it was refused."""
    try:
        picture = pictures.load_picture(path)
        try:
            page = reading.read_page(picture, network, **how)
        except ValueError:
            draw_steps(find_steps(picture)).savefig(png)
            raise
        draw(picture, page).savefig(png)
    except (ValueError, OSError) as error:
        return reading.refuse(path, error, as_json=as_json)
    return reading.describe(path, page, picture.info["scale"], as_json=as_json)


# ---------------------------------------------------------------- the command


def read(files, network, arguments):
    how = {"as_json": arguments.json, "one": arguments.one}
    if network.path == paths.ROBUST_READER:  # pages are read by what was trained: by both shipped ones, or by the own
        how["line_network"] = reader.LineReader()
    if arguments.explain:
        yield explain(files[0], network, arguments.explain, **how)
    else:
        yield from reading.read_files(files, network, processes=arguments.processes, **how)


def show_progress(text):
    if sys.stderr.isatty() and not sys.stdout.isatty():  # on one terminal the answers themselves show it
        print(f"\r{text:30}", end="\r", file=sys.stderr, flush=True)


@command
def main(argv=None):
    arguments = parse_arguments(argv)
    chosen = choose_network(arguments.network)
    network = reader.Reader(chosen)
    if not arguments.json:
        print(about_network(chosen, arguments.network), flush=True)
    files = list(find_pictures(arguments.image_path))
    if not files:
        raise ValueError("there is no picture in that folder.")
    failed, doubtful = 0, False
    with contextlib.closing(read(files, network, arguments)) as answers:
        for number, answer in enumerate(answers, start=1):
            show_progress("")
            if answer.text:
                print(answer.text, flush=True)
            else:
                print(f"test_model.py: {answer.error}", file=sys.stderr)
            failed += bool(answer.error)
            doubtful |= answer.doubtful
            if number < len(files):
                show_progress(f"{number} of {len(files)} pictures")
    if doubtful:
        print(MARK)
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
