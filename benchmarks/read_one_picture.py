"""How long does it take to read one picture, through Keras too, a page, and a folder with one process and with two?

    python -m benchmarks.read_one_picture

Each way is started afresh, in turn; the results go to benchmarks/read_one_picture.json.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measured_on import measured_on
from mnist_course import paper_photos, paths
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
ROUNDS, ROUNDS_OF_FOLDERS = 5, 3
ICONS, PHOTOS = 1000, 200
THROUGH_KERAS = """
import sys
import mnist_helpers as mh
from mnist_course import paths, pictures, training
model = mh.build_cnn()
training.load_weights(model, paths.ROBUST_WEIGHTS)
image = pictures.to_mnist(pictures.load_picture(sys.argv[1]))
print(mh.predict(model, image[None]).round(3)[0].tolist())
"""


def measure(*command):
    """Run a command afresh; return (seconds, peak memory in MB)."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, *map(str, command)], cwd=paths.ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} failed.")
    return time.perf_counter() - begin, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)


def make_inputs(folder):
    """Return the paths of a 12-megapixel photo of the sample, a page of 40 digits, and three folders.

    In the folders are icons of 28 x 28, as MNIST was made, then shifted by two pixels, and many names of the photo.
    """
    photo, page = folder / "photo.jpg", folder / "page.jpg"
    Image.open(paths.SAMPLE_PICTURE).resize((4000, 3000), Image.Resampling.BICUBIC).save(photo, quality=90)
    icons, shifted, photos = folder / "icons", folder / "shifted", folder / "photos"
    for made in (icons, shifted, photos):
        made.mkdir()
    for place in range(PHOTOS):
        (photos / f"{place:04d}.jpg").hardlink_to(photo)
    with np.load(paths.DATA_PATH) as arrays:
        images = arrays["x_train"][:ICONS]
    paper_photos.photograph_page(images[:40].reshape(5, 8, 28, 28), np.random.default_rng(0)).save(page, quality=90)
    for place, image in enumerate(images):
        Image.fromarray(image).save(icons / f"{place:04d}.png")
        Image.fromarray(np.roll(image, 2, axis=1)).save(shifted / f"{place:04d}.png")
    return photo, page, icons, shifted, photos


@command
def main(argv=None):
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor(1, get_context("spawn")) as other:  # or its memory would count in what is measured
            photo, page, icons, shifted, photos = other.submit(make_inputs, Path(folder)).result()
        commands = {
            "reader, one picture": ("test_model.py", paths.SAMPLE_PICTURE),
            "Keras, the same picture": ("-c", THROUGH_KERAS, paths.SAMPLE_PICTURE),
            "reader, 12-megapixel photo": ("test_model.py", photo),
            "reader, a page of 40 digits": ("test_model.py", page),
        }
        folders = {
            f"{ICONS:,} icons": icons,
            f"{ICONS:,} shifted icons": shifted,
            f"{PHOTOS} 12-megapixel photos": photos,
        }
        for name, inside in folders.items():
            for words, processes in (("1 process", 1), ("2 processes", 2)):
                command = ("test_model.py", inside, "--json", "--processes", processes)
                commands[f"reader, {name}, {words}"] = command
        measured = {name: [] for name in commands}
        for number in range(ROUNDS):  # in turn, so that a busy minute slows all of them
            for name, command in commands.items():
                if "process" not in name or number < ROUNDS_OF_FOLDERS:
                    measured[name].append(measure(*command))
    table = {}
    for name, runs in measured.items():
        seconds, memory = zip(*runs, strict=True)
        table[name] = {"seconds": round(statistics.median(seconds), 3), "memory_mb": round(max(memory))}
        table[name]["all_seconds"] = [round(second, 3) for second in seconds]
    one, keras, photo, *_, photos_by_one, photos_by_two = (row["seconds"] for row in table.values())
    ratios = {
        "Keras / reader": round(keras / one, 1),
        "12-megapixel photo adds seconds": round(photo - one, 3),
        "photos, 1 process / 2 processes": round(photos_by_one / photos_by_two, 2),
    }
    results = {"command": "python -m benchmarks.read_one_picture", **measured_on()}
    results |= {"rounds": [ROUNDS, ROUNDS_OF_FOLDERS], "ways": table, "ratios": ratios}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{'':46}{'median s':>10}{'peak MB':>10}")
    for name, row in table.items():
        print(f"{name:46}{row['seconds']:10.2f}{row['memory_mb']:10}")
    for name, value in ratios.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    sys.exit(main())
