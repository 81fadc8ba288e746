"""How much do results vary from training to training? Trains a recipe with several seeds and measures each network.

    python benchmarks/seeds.py --recipe fast --seeds 0 1 2
    python benchmarks/seeds.py --recipe standard --seeds 0 1 2 3 4 --own-digits FOLDER --store

With --epochs 16 the recipe trains so many epochs instead of its own, and is stored as, say, "record, 16 epochs".
A seed whose training already lies in outputs/seeds/ is not trained again. FOLDER has labelled pictures, as for
own_digits.py. The results are compared with the stored ones in benchmarks/seeds.json; --store replaces those.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measured_on import measured_on
from own_digits import read_labels

import mnist_helpers as mh
from mnist_course import pictures, recipes

RESULTS = Path(__file__).with_suffix(".json")


def train(recipe, seed, epochs=None):
    """Train with one seed, if that is not done yet; return the command, the folder and the seconds it took."""
    name = recipe if epochs is None else f"{recipe}_{epochs}_epochs"
    folder = mh.ROOT / "outputs" / "seeds" / f"{name}_{seed}"
    arguments = ["--recipe", recipe, "--seed", str(seed), "--output-dir", os.path.relpath(folder, mh.ROOT)]
    arguments += [] if epochs is None else ["--epochs", str(epochs)]
    if not (folder / "seconds.txt").exists():
        begin = time.monotonic()
        subprocess.run([sys.executable, "train_model.py", *arguments], cwd=mh.ROOT, check=True)
        (folder / "seconds.txt").write_text(f"{time.monotonic() - begin:.1f}\n")
    command = " ".join(["python train_model.py", *arguments])
    return command, folder, float((folder / "seconds.txt").read_text())


def calibration_error(labels, probabilities):
    """The mean distance between confidence and accuracy, in 15 groups of equal width, weighted by their sizes.

    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks (2017).
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    groups = np.ceil(confidence * 15).astype(int)
    distances = [(groups == group).sum() * abs((confidence - right)[groups == group].mean()) for group in set(groups)]
    return sum(distances) / len(labels)


def measure(predict, own_digits):
    """Return what is measured of a network, or of several together: `predict` maps raw images to probabilities."""
    training, (images, labels) = mh.load_mnist()
    validation_images, validation_labels = mh.split_train_validation(*training)[1]
    validated = mh.evaluate(validation_labels, predict(validation_images))
    probabilities = predict(images)
    results = mh.evaluate(labels, probabilities)
    measured = {
        "validation_accuracy": round(validated["accuracy"], 6),
        "test_accuracy": results["accuracy"],
        "test_interval": [round(end, 6) for end in results["interval"]],
        "test_loss": round(results["loss"], 6),
        "calibration_error": round(float(calibration_error(labels, probabilities)), 6),
        "misread": np.flatnonzero(probabilities.argmax(axis=1) != labels).tolist(),
    }
    if own_digits:
        images, labels = own_digits
        right = predict(images).argmax(axis=1) == labels
        measured["own_handwriting"] = round(float((right & images.any(axis=(1, 2))).mean()), 4)
    return measured


def load_own_digits(folder):
    """Return the pictures of `folder` prepared as MNIST, uint8 (n, 28, 28), a refused one black; and their labels."""
    rows, images = read_labels(folder), []
    for row in rows:
        try:
            images.append(pictures.to_mnist(pictures.load_picture(folder / row["file"])))
        except ValueError:
            images.append(np.zeros((28, 28), np.uint8))
    return np.stack(images), np.array([int(row["label"]) for row in rows])


def read_log(folder):
    with open(folder / mh.LOG_NAME, newline="") as file:
        epochs = list(csv.DictReader(file))
    best = min(range(len(epochs)), key=lambda epoch: float(epochs[epoch]["val_loss"]))
    return {"epochs": len(epochs), "best_epoch": best + 1}


def spread(runs):
    """Say the mean and the standard deviation of the test accuracy, in percent."""
    accuracies = [100 * run["test_accuracy"] for run in runs]
    deviation = f" ± {statistics.stdev(accuracies):.2f}" if len(runs) > 1 else ""
    return f"{statistics.mean(accuracies):.2f} %{deviation} over {len(runs)} seeds"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=recipes.RECIPES, default="standard")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=int, help="other than the recipe's own")
    parser.add_argument("--own-digits", type=Path, metavar="FOLDER", help="labelled pictures of handwriting")
    parser.add_argument("--store", action="store_true", help="for maintainers: replace the stored results")
    arguments = parser.parse_args()
    own_digits = load_own_digits(arguments.own_digits) if arguments.own_digits else None
    read = recipes.predict_shifted if arguments.recipe == "record" else mh.predict
    name = arguments.recipe if arguments.epochs is None else f"{arguments.recipe}, {arguments.epochs} epochs"
    runs, networks = [], []
    for seed in arguments.seeds:
        command, folder, seconds = train(arguments.recipe, seed, arguments.epochs)
        networks.append(recipes.load_network(folder / mh.WEIGHTS_NAME))
        run = {"seed": seed, "seconds": seconds, **read_log(folder), "command": command}
        runs.append(run | measure(lambda images: read(networks[-1], images), own_digits))
        if read is recipes.predict_shifted:
            runs[-1]["unshifted"] = measure(lambda images: mh.predict(networks[-1], images), None)
        print(f"seed {seed}: {runs[-1]['test_accuracy']:.2%} on the test set, best epoch {runs[-1]['best_epoch']}")
    together = measure(lambda images: np.mean([read(network, images) for network in networks], axis=0), own_digits)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    print(f"{name}: {spread(runs)}; their predictions averaged: {together['test_accuracy']:.2%}")
    if name in stored:
        print(f"stored: {spread(stored[name]['runs'])}")
    if arguments.store:
        stored[name] = {
            **measured_on(),
            "parameters": networks[0].count_params(),
            "runs": runs,
            "averaged": together,
        }
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
