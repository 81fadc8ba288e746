"""Where everything stands: folders, file names, and which trained network is taken. Imports nothing of the course."""

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA_PATH = ROOT / "data" / "mnist.npz"
SAMPLE_PICTURE = ROOT / "data" / "samples" / "crossed_seven.jpg"
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = NOTEBOOKS / "solutions"
MY_NOTEBOOKS = ROOT / "my_notebooks"  # the learner's copies of the lessons
FAST_PARAMETERS = NOTEBOOKS / "fast_parameters.yml"
BENCHMARKS = ROOT / "benchmarks"
OUTPUTS = ROOT / "outputs"
WEB = ROOT / "web"  # sources of the page and of what notebooks show in the browser

WEIGHTS_NAME = "mnist_cnn.weights.h5"
LITERT_NAME = "mnist_cnn.tflite"
LOG_NAME = "training_log.csv"
BACKUP_NAME = "backup"  # the folder of an interrupted training, beside its weights

SHIPPED_WEIGHTS = ROOT / "models" / WEIGHTS_NAME  # of the recipe `standard`
ROBUST_WEIGHTS = ROOT / "models" / "mnist_robust.weights.h5"  # of the recipe `robust`
ROBUST_READER = ROOT / "models" / "mnist_robust.tflite"  # the same network for LiteRT
LINE_READER = ROOT / "models" / "mnist_lines.tflite"  # reads a line at once; trained by `line_training`


def shown(path, start=os.curdir):
    """Return `path` as somebody in the folder `start` would name it, where there is a way from there."""
    try:
        return Path(os.path.relpath(path, start))
    except ValueError:  # Windows knows no way from one drive to another
        return Path(path)


def find_weights(output_dir=OUTPUTS):
    """Return the path of the learner's own weights in `output_dir` if there are any, else of the shipped ones."""
    own = Path(output_dir) / WEIGHTS_NAME
    return own if own.is_file() else SHIPPED_WEIGHTS


def find_reader(output_dir=OUTPUTS):
    """Return the path of the learner's own LiteRT network in `output_dir` if there is one, else of the shipped one."""
    own = Path(output_dir) / LITERT_NAME
    return own if own.is_file() else ROBUST_READER


def recipe_note(network):
    """Return the path of the note beside a LiteRT network that says which recipe trained it."""
    return Path(network).with_suffix(".json")


def read_recipe(network):
    """Return the name of the recipe that trained the LiteRT network at a path, or None when nothing says so."""
    try:
        name = json.loads(recipe_note(network).read_text(encoding="utf-8"))["recipe"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return name if isinstance(name, str) else None
