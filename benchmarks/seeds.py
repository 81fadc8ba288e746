"""How much do results vary from training to training? Trains a recipe with several seeds and measures each network.

    python -m benchmarks.seeds --recipe fast --seeds 0 1 2
    python -m benchmarks.seeds --recipe standard --seeds 0 1 2 3 4 --own-digits FOLDER --store

With --epochs 16 the recipe trains so many epochs instead of its own, and is stored as, say, "record, 16 epochs". With
--validation-only nothing reads the test set: for choosing. A seed that the same code has trained into outputs/seeds/ is
not trained again. The trainings run side by side, one a core, or on a Dask cluster (--scheduler). FOLDER has labelled
pictures, as for own_digits.py. The results are compared with the stored ones in benchmarks/seeds.json; --store replaces
those.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import numpy as np

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from benchmarks.own_digits import read_labels
from mnist_course import networks, paths, pictures, sweep_works, sweeps, training
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES

RESULTS = Path(__file__).with_suffix(".json")
_LONGEST = 24 * 3600  # seconds of a training


def train(recipe, seeds, epochs=None, *, scheduler=None, workers=None):
    """Train with each seed, if this code has not done that; return a command, a folder and the seconds it took, each.

    ValueError when a training failed.
    """
    own = {} if epochs is None else {"epochs": epochs}
    runs, folder = sweeps.grid(recipe=recipe, seed=seeds, **own), paths.OUTPUTS / "seeds"
    rows = sweeps.run(
        "training", runs, folder, scheduler=scheduler, workers=workers, timeout=_LONGEST, watch=_tell_what_ended
    )  # fmt: skip
    if failed := next((row["error"] for row in rows if row["status"] != "done"), None):
        raise ValueError(failed)
    return [(_command(row), row["folder"], row["seconds"]) for row in rows]


def _command(row):
    output = paths.shown(row["folder"], paths.ROOT).as_posix()
    arguments = sweep_works.training_arguments(row["parameters"])
    return " ".join(["python train_model.py", *arguments, "--output-dir", output])


def _tell_what_ended(progress):
    """Print a line for a training that has just ended."""
    if row := progress.latest:
        print(f"seed {row['parameters']['seed']}: {row['error'] or 'trained'} ({row['seconds']:.0f} s)", flush=True)


def measure(trained, places, own_digits, *, validation_only=False):
    """Return what is measured of trained networks, their predictions averaged, that read at so many places."""

    def predict(images):
        return np.mean([networks.predict_at_places(network, images, places) for network in trained], axis=0)

    part, (images, labels) = mh.load_mnist()
    validation_images, validation_labels = mh.split_train_validation(*part)[1]
    validated = mh.evaluate(validation_labels, predict(validation_images))
    measured = {"validation_accuracy": round(validated["accuracy"], 6)}
    if validation_only:
        return measured
    probabilities = predict(images)
    results = mh.evaluate(labels, probabilities)
    measured |= {
        "test_accuracy": results["accuracy"],
        "test_interval": [round(end, 6) for end in results["interval"]],
        "test_loss": round(results["loss"], 6),
        "calibration_error": round(mh.calibration_error(labels, probabilities), 6),
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


def spread(runs, accuracy="test_accuracy"):
    """Say the mean and the standard deviation of an accuracy, in percent."""
    accuracies = [100 * run[accuracy] for run in runs]
    deviation = f" ± {statistics.stdev(accuracies):.2f}" if len(runs) > 1 else ""
    return f"{statistics.mean(accuracies):.2f} %{deviation} over {len(runs)} seeds"


@command
def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=RECIPES, default="standard")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=int, help="other than the recipe's own")
    parser.add_argument("--own-digits", type=Path, metavar="FOLDER", help="labelled pictures of handwriting")
    parser.add_argument("--store", action="store_true", help="for maintainers: replace the stored results")
    parser.add_argument("--validation-only", action="store_true", help="do not read the test set; for choosing")
    parser.add_argument("--workers", type=int, metavar="N", help="trainings at a time (default: one a core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="train on a Dask cluster: tcp://host:8786")
    arguments = parser.parse_args(argv)
    if arguments.validation_only and (arguments.store or arguments.own_digits):
        parser.error("--validation-only stores nothing and reads no other pictures; leave out --store and --own-digits")
    accuracy = "validation_accuracy" if arguments.validation_only else "test_accuracy"
    options = {"validation_only": arguments.validation_only}
    own_digits = load_own_digits(arguments.own_digits) if arguments.own_digits else None
    recipe, name = RECIPES[arguments.recipe], arguments.recipe
    if arguments.epochs is not None:
        recipe, name = recipe._replace(epochs=arguments.epochs), f"{name}, {arguments.epochs} epochs"
    cluster = {"scheduler": arguments.scheduler, "workers": arguments.workers}
    trainings = train(arguments.recipe, arguments.seeds, arguments.epochs, **cluster)
    runs, trained = [], []
    for seed, (command_line, folder, seconds) in zip(arguments.seeds, trainings, strict=True):
        network = networks.load_network(folder / paths.WEIGHTS_NAME)
        losses = training.read_history(folder / paths.LOG_NAME)["val_loss"]
        run = {"seed": seed, "seconds": seconds, "epochs": len(losses), "best_epoch": int(np.argmin(losses)) + 1}
        run["validation_loss"] = round(min(losses), 6)
        run |= {"command": command_line, **measure([network], recipe.places, own_digits, **options)}
        if recipe.places > 1:
            run["unshifted"] = measure([network], 1, None, **options)
        print(f"seed {seed}: {accuracy.replace('_', ' ')} {run[accuracy]:.2%}, best epoch {run['best_epoch']}")
        runs.append(run)
        trained.append(network)
    together = measure(trained, recipe.places, own_digits, **options)
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    print(f"{name}: {spread(runs, accuracy)}; their predictions averaged: {together[accuracy]:.2%}")
    if name in stored:
        print(f"stored: {spread(stored[name]['runs'], accuracy)}")
    if arguments.store:
        settings = {field: value for field, value in recipe._asdict().items() if field != "purpose"}
        stored[name] = {"recipe": settings, **measured_on(), "parameters": trained[0].count_params()}
        stored[name] |= {"runs": runs, "averaged": together}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
