"""What does each ingredient of `record` bring? Trains the steps between `standard` and `record`.

    python -m benchmarks.ladder

Each step adds one thing to the one above it. Three seeds a step, five epochs each, measured on the validation images
only: the test set is for finished recipes. The ends of the ladder are in seeds.json. The results go to
benchmarks/ladder.json. Takes about half an hour.
"""

import json
import sys
import tempfile
from pathlib import Path

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from mnist_course import networks, training
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES, prepare

RESULTS = Path(__file__).with_suffix(".json")
SEEDS, EPOCHS = (0, 1, 2), 5


def without_normalisation():
    """Return the network of `record` without its layers of batch normalisation, not compiled."""
    normalisation = mh.keras.layers.BatchNormalization
    layers = [layer for layer in networks.build_record().layers if not isinstance(layer, normalisation)]
    return mh.keras.Sequential([mh.keras.Input((28, 28, 1)), *layers])


RECORD = RECIPES["record"]._replace(epochs=EPOCHS)
STEPS = {  # a recipe's row, and what builds its network when that is not the row's
    "one cycle of 5 epochs": (RECORD._replace(network="standard", pictures="MNIST", learning_rate=0.002), None),
    "five convolutions": (RECORD._replace(pictures="MNIST", learning_rate=0.002), without_normalisation),
    "batch normalisation": (RECORD._replace(pictures="MNIST"), None),
    "warped digits": (RECORD, None),
}


def measure(recipe, build, seed):
    part, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    model, options = prepare(recipe, *part, seed=seed, build=build)
    validation = mh.scale_pixels(images), mh.one_hot(labels)
    with tempfile.TemporaryDirectory() as folder:
        training.train(model, validation=validation, output_dir=folder, verbose=0, **options)
    accuracy = mh.evaluate(labels, mh.predict(model, images))["accuracy"]
    return {"seed": seed, "validation_accuracy": round(accuracy, 6)}


@command
def main(argv=None):
    results = {"command": "python -m benchmarks.ladder", **measured_on(), "epochs": EPOCHS, "steps": {}}
    for step, (recipe, build) in STEPS.items():
        results["steps"][step] = [measure(recipe, build, seed) for seed in SEEDS]
        print(step, [run["validation_accuracy"] for run in results["steps"][step]], flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
