"""How long does it take to read one picture, with the course's reader and through Keras? Both ways side by side.

    python -m benchmarks.read_one_picture

Each way is started afresh, in turn; the results go to benchmarks/read_one_picture.json.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_course import paths
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
ROUNDS = 5
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
    """A 12-megapixel photo of the sample, and 1,000 icons of 28 x 28: as MNIST was made, and shifted by two pixels."""
    photo, icons, shifted = folder / "photo.jpg", folder / "icons", folder / "shifted"
    Image.open(paths.SAMPLE_PICTURE).resize((4000, 3000), Image.Resampling.BICUBIC).save(photo, quality=90)
    icons.mkdir()
    shifted.mkdir()
    with np.load(paths.DATA_PATH) as arrays:
        for place, image in enumerate(arrays["x_train"][:1000]):
            Image.fromarray(image).save(icons / f"{place:04d}.png")
            Image.fromarray(np.roll(image, 2, axis=1)).save(shifted / f"{place:04d}.png")
    return photo, icons, shifted


@command
def main(argv=None):
    with tempfile.TemporaryDirectory() as folder:
        photo, icons, shifted = make_inputs(Path(folder))
        commands = {
            "reader, one picture": ("test_model.py", paths.SAMPLE_PICTURE),
            "Keras, the same picture": ("-c", THROUGH_KERAS, paths.SAMPLE_PICTURE),
            "reader, 12-megapixel photo": ("test_model.py", photo),
            "reader, 1,000 icons": ("test_model.py", icons, "--json"),
            "reader, 1,000 shifted icons": ("test_model.py", shifted, "--json"),
        }
        measured = {name: [] for name in commands}
        for _ in range(ROUNDS):  # in turn, so that a busy minute slows all of them
            for name, command in commands.items():
                measured[name].append(measure(*command))
    table = {}
    for name, runs in measured.items():
        seconds, memory = zip(*runs, strict=True)
        table[name] = {"seconds": round(statistics.median(seconds), 3), "memory_mb": round(max(memory))}
        table[name]["all_seconds"] = [round(second, 3) for second in seconds]
    one, keras, photo = (table[name]["seconds"] for name in list(commands)[:3])
    ratios = {
        "Keras / reader": round(keras / one, 1),
        "12-megapixel photo adds seconds": round(photo - one, 3),
    }
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    RESULTS.write_text(
        json.dumps({"machine": machine, "rounds": ROUNDS, "ways": table, "ratios": ratios}, indent=1) + "\n"
    )
    print(f"{'':28}{'median s':>10}{'peak MB':>10}")
    for name, row in table.items():
        print(f"{name:28}{row['seconds']:10.2f}{row['memory_mb']:10}")
    for name, value in ratios.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    sys.exit(main())
