"""What does each ingredient of `record` bring? Trains the steps between `standard` and `record`.

    python -m benchmarks.ladder

Each step changes one thing of the one above it. Three seeds a step, measured on the validation images only: the test
set is for finished recipes. The ends of the ladder are in seeds.json. Every core trains one network at a time (Linux
only); two take about an hour. The results go to benchmarks/ladder.json.
"""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.cores import on_every_core
from benchmarks.measured_on import measured_on
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES

RESULTS = Path(__file__).with_suffix(".json")
SEEDS = (0, 1, 2)


def five_convolutions(*, dense):
    """Return the network of `record` without batch normalisation; with `dense`, it pools and ends as `standard` does.

    383,578 parameters with the dense layer, 306,650 without. Not compiled.
    """
    from keras import Input, Sequential, layers

    def convolution(filters, **options):
        return layers.Conv2D(filters, 3, activation="relu", **options)

    return Sequential(
        [
            Input((28, 28, 1)),
            convolution(32),
            layers.MaxPooling2D(2),
            convolution(48),
            convolution(64),
            layers.MaxPooling2D(2 if dense else 3, 2),
            convolution(128, padding="same"),
            convolution(160),
            layers.Flatten(),
            *([layers.Dense(128, activation="relu"), layers.Dropout(0.5)] if dense else [layers.Dropout(0.4)]),
            layers.Dense(10, activation="softmax"),
        ]
    )


def ends_as_standard():
    return five_convolutions(dense=True)


def without_normalisation():
    return five_convolutions(dense=False)


PLAIN = RECIPES["record"]._replace(pictures="MNIST", epochs=5)
STEPS = {  # a recipe's row, and what builds its network when that is not the row's
    "one cycle of 5 epochs": (PLAIN._replace(network="standard", learning_rate=0.001), None),
    "learning rate 0.002": (PLAIN._replace(network="standard", learning_rate=0.002), None),
    "five convolutions": (PLAIN._replace(learning_rate=0.002), ends_as_standard),
    "no dense layer, wider pooling": (PLAIN._replace(learning_rate=0.002), without_normalisation),
    "batch normalisation": (PLAIN._replace(learning_rate=0.002), None),
    "learning rate 0.004": (PLAIN, None),
    "32 epochs": (PLAIN._replace(epochs=32), None),
}


def measure(step, seed):
    """Train a step of the ladder with a seed; return its accuracy on the validation images."""
    import mnist_helpers as mh
    from mnist_course import training
    from mnist_course.recipes import prepare

    recipe, build = STEPS[step]
    part, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    model, options = prepare(recipe, *part, seed=seed, build=build)
    with tempfile.TemporaryDirectory() as folder:
        validation = mh.scale_pixels(images), mh.one_hot(labels)
        training.train(model, validation=validation, output_dir=folder, verbose=0, **options)
    accuracy = mh.evaluate(labels, mh.predict(model, images))["accuracy"]
    print(f"{step}, seed {seed}: {accuracy:.2%}", flush=True)
    return {"seed": seed, "validation_accuracy": round(accuracy, 6)}


@command
def main(argv=None):
    longest_first = sorted(STEPS, key=lambda step: -STEPS[step][0].epochs)
    cases = [(step, seed) for step in longest_first for seed in SEEDS]
    runs = dict(zip(cases, on_every_core(measure, cases), strict=True))
    results = {"command": "python -m benchmarks.ladder", **measured_on(), "steps": {}}
    for step, (recipe, _) in STEPS.items():
        row = {field: getattr(recipe, field) for field in ("pictures", "schedule", "epochs", "learning_rate")}
        results["steps"][step] = row | {"runs": [runs[step, seed] for seed in SEEDS]}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
