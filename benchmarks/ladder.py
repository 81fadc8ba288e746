"""What does each ingredient of `record` bring? Trains the steps between `standard` and `record`.

    python benchmarks/ladder.py

Each step adds one thing to the one above it. Three seeds a step, five epochs each, measured on the validation images
only: the test set is for finished recipes. The ends of the ladder are in seeds.json. The results go to
benchmarks/ladder.json. Takes about half an hour.
"""

import functools
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measured_on import measured_on

import mnist_helpers as mh
from mnist_course import recipes

RESULTS = Path(__file__).with_suffix(".json")
SEEDS, EPOCHS = (0, 1, 2), 5


def plain(build, rate):
    """Return a recipe that shows the network that `build` makes MNIST as it is."""

    def recipe(images, labels, *, seed, epochs):
        training = mh.scale_pixels(images), mh.one_hot(labels)
        return recipes.one_cycle(build(), training, len(images), epochs, rate)

    return recipe


def without_normalisation():
    """Return the network of `record` without its layers of batch normalisation, not compiled."""
    normalisation = mh.keras.layers.BatchNormalization
    layers = [layer for layer in recipes.build_record().layers if not isinstance(layer, normalisation)]
    return mh.keras.Sequential([mh.keras.Input((28, 28, 1)), *layers])


STEPS = {
    "one cycle of 5 epochs": plain(mh.build_cnn, 0.002),
    "five convolutions": plain(without_normalisation, 0.002),
    "batch normalisation": plain(recipes.build_record, 0.004),
    "warped digits": functools.partial(recipes.record, learning_rate=0.004),
}


def measure(recipe, seed):
    training, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    mh.keras.utils.set_random_seed(seed)
    model, options = recipe(*training, seed=seed, epochs=EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        mh.train(
            model, validation=(mh.scale_pixels(images), mh.one_hot(labels)), output_dir=folder, verbose=0, **options
        )
    accuracy = mh.evaluate(labels, mh.predict(model, images))["accuracy"]
    return {"seed": seed, "validation_accuracy": round(accuracy, 6)}


def main():
    results = {"command": "python benchmarks/ladder.py", **measured_on(), "epochs": EPOCHS, "steps": {}}
    for step, recipe in STEPS.items():
        results["steps"][step] = [measure(recipe, seed) for seed in SEEDS]
        print(step, [run["validation_accuracy"] for run in results["steps"][step]], flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
