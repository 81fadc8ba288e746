"""How long does it take to read 99 % of the validation images? `fast`, `standard` and Keras's own example side by side.

    python -m benchmarks.time_to_accuracy

All in one process: `fast` with ten seeds, `standard` between them, the example; then two epochs of each other recipe,
for their relative times. Takes about 15 minutes on two cores; nothing else should run. The results go to
benchmarks/time_to_accuracy.json.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from mnist_course import training
from mnist_course.command_line import command
from mnist_course.recipes import RECIPES, prepare

keras = mh.keras
RESULTS = Path(__file__).with_suffix(".json")
TARGET = 0.99


class Clock(keras.callbacks.Callback):
    """Notes the seconds since the start of training, and the validation accuracy, after every epoch."""

    def on_train_begin(self, logs=None):
        self.begin, self.epochs = time.monotonic(), []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((round(time.monotonic() - self.begin, 2), round(logs["val_accuracy"], 6)))


def keras_example():
    """Return the network of "Simple MNIST convnet" on keras.io (Chollet, 2015), not compiled: 34,826 parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


def measure(name, recipe, seed, *, build=None):
    """Train `recipe` with a clock; return what was measured, the building of the network included."""
    part, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    validation, clock = (mh.scale_pixels(images), mh.one_hot(labels)), Clock()
    begin = time.monotonic()
    model, options = prepare(recipe, *part, seed=seed, build=build)
    with tempfile.TemporaryDirectory() as folder:
        training.train(
            model, validation=validation, output_dir=folder, callbacks=[clock], verbose=0, **options
        )  # fmt: skip
    seconds = time.monotonic() - begin
    accuracy = mh.evaluate(labels, mh.predict(model, images))["accuracy"]
    print(f"{name} seed {seed}: {seconds:.1f} s, {accuracy:.2%} of validation", flush=True)
    return {
        "seed": seed,
        "seconds": round(seconds, 2),
        "seconds_to_target": next((second for second, accuracy in clock.epochs if accuracy >= TARGET), None),
        "validation_accuracy": round(accuracy, 6),
        "epochs": clock.epochs,
    }


def seconds_an_epoch(runs):
    """The median over all epochs but the first of each run, which builds the graph."""
    ends = [[end for end, _ in run["epochs"]] for run in runs]
    return round(
        statistics.median(later - earlier for run in ends for earlier, later in zip(run, run[1:], strict=False)), 2
    )


@command
def main(argv=None):
    fast = [measure("fast", RECIPES["fast"], seed) for seed in range(5)]
    standard = [measure("standard", RECIPES["standard"], 0)]
    fast += [measure("fast", RECIPES["fast"], seed) for seed in range(5, 10)]
    example = [measure("keras_example", RECIPES["standard"]._replace(epochs=15, patience=None), 0, build=keras_example)]
    others = {name: [measure(name, RECIPES[name]._replace(epochs=2), 0)] for name in ("robust", "tiny", "record")}
    an_epoch = {name: seconds_an_epoch(runs) for name, runs in ({"standard": standard, "fast": fast} | others).items()}
    mean = {
        name: statistics.mean(run["seconds"] for run in runs) for name, runs in (("fast", fast), ("standard", standard))
    }
    results = {
        "command": "python -m benchmarks.time_to_accuracy",
        **measured_on(),
        "fast": fast,
        "standard": standard,
        "keras_example": example,
        "standard_over_fast": round(mean["standard"] / mean["fast"], 2),
        "seconds_an_epoch": an_epoch,
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"standard takes {results['standard_over_fast']} times as long as fast")


if __name__ == "__main__":
    sys.exit(main())
