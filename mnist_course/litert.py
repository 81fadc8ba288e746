"""Writes a network for LiteRT, which only TensorFlow can: here where Keras runs on it, else in a process of its own."""

import importlib.util
import logging
import os
import subprocess
import sys
from pathlib import Path

from mnist_course import paths
from mnist_course.quiet import import_keras, quiet_stderr

keras = import_keras()


def convert(model, folder):
    """Write the network into `folder` as new.tflite, and return its path.

    With another backend than TensorFlow, a process on TensorFlow reads the network's layers and weights from `folder`
    and converts them. Raises ValueError when TensorFlow is not installed.
    """
    if keras.backend.backend() == "tensorflow":
        return _convert_here(model, folder)
    if importlib.util.find_spec("tensorflow") is None:
        raise ValueError("Only TensorFlow writes files for LiteRT, and it is not installed: `pip install tensorflow`.")
    (folder / "network.json").write_text(model.to_json(), encoding="utf-8")
    model.save_weights(folder / "network.weights.h5")
    command = [sys.executable, "-m", "mnist_course.litert", str(folder)]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"The conversion for LiteRT failed: {done.stderr.strip()}")
    return folder / "new.tflite"


def _convert_here(model, folder):
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # or it reports each temporary file
    try:
        with quiet_stderr():
            model.export(str(folder / "new.tflite"), format="litert", verbose=False)
    finally:
        logger.setLevel(level)
    return folder / "new.tflite"


def _main(folder):
    network = keras.models.model_from_json((folder / "network.json").read_text(encoding="utf-8"))
    network.load_weights(folder / "network.weights.h5")
    _convert_here(network, folder)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
