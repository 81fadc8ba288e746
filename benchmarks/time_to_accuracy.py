"""How long does it take to read 99 % of the validation images? `fast`, `standard` and Keras's own example side by side.

    python benchmarks/time_to_accuracy.py

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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measured_on import measured_on

import mnist_helpers as mh
from mnist_course import recipes
from train_model import DEFAULTS

keras = mh.keras
RESULTS = Path(__file__).with_suffix(".json")
TARGET = 0.99


class Clock(keras.callbacks.Callback):
    """Notes the seconds since the start of training, and the validation accuracy, after every epoch."""

    def on_train_begin(self, logs=None):
        self.begin, self.epochs = time.monotonic(), []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((round(time.monotonic() - self.begin, 2), round(logs["val_accuracy"], 6)))


def keras_example(images, labels, *, seed, epochs, learning_rate):
    """The network of "Simple MNIST convnet" on keras.io (Chollet, 2015): 34,826 parameters, no early stopping."""
    layers = keras.layers
    model = keras.Sequential(
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
    model.compile(keras.optimizers.Adam(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    training = mh.scale_pixels(images), mh.one_hot(labels)
    return model, {"training": training, "epochs": epochs, "patience": epochs}


def train(recipe, training, validation, *, seed, epochs, learning_rate):
    """Train as `mh.train` does, with a clock; return what was measured."""
    keras.utils.set_random_seed(seed)
    begin = time.monotonic()
    model, options = recipe(*training, seed=seed, epochs=epochs, learning_rate=learning_rate)
    x, y = options["training"]
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        best = mh.BestWeights(Path(folder) / "best.weights.h5")
        stop = mh.EarlyStopping(options["patience"])
        model.fit(
            x, y, validation_data=validation, epochs=epochs, batch_size=128, callbacks=[best, stop, clock], verbose=0
        )
        mh.load_weights(model, best.path)
    seconds = time.monotonic() - begin
    reached = next((seconds for seconds, accuracy in clock.epochs if accuracy >= TARGET), None)
    result = mh.evaluate(validation[1].argmax(axis=1), model.predict(validation[0], batch_size=1000, verbose=0))
    print(f"{recipe.__name__} seed {seed}: {seconds:.1f} s, {result['accuracy']:.2%} of validation", flush=True)
    return {
        "seed": seed,
        "seconds": round(seconds, 2),
        "seconds_to_target": reached,
        "validation_accuracy": round(result["accuracy"], 6),
        "epochs": clock.epochs,
    }


def seconds_an_epoch(runs):
    """The median over all epochs but the first of each run, which builds the graph."""
    ends = [[end for end, _ in run["epochs"]] for run in runs]
    return round(
        statistics.median(later - earlier for run in ends for earlier, later in zip(run, run[1:], strict=False)), 2
    )


def main():
    training, (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
    validation = mh.scale_pixels(images), mh.one_hot(labels)

    def of(name, seed, epochs=None):
        rate, epochs = DEFAULTS[name][1], epochs or DEFAULTS[name][0]
        return train(recipes.RECIPES[name], training, validation, seed=seed, epochs=epochs, learning_rate=rate)

    fast = [of("fast", seed) for seed in range(5)]
    standard = [of("standard", 0)]
    fast += [of("fast", seed) for seed in range(5, 10)]
    example = [train(keras_example, training, validation, seed=0, epochs=15, learning_rate=0.001)]

    others = {name: [of(name, 0, epochs=2)] for name in ("robust", "tiny", "record")}
    an_epoch = {name: seconds_an_epoch(runs) for name, runs in ({"standard": standard, "fast": fast} | others).items()}
    mean = {
        name: statistics.mean(run["seconds"] for run in runs) for name, runs in (("fast", fast), ("standard", standard))
    }
    results = {
        "command": "python benchmarks/time_to_accuracy.py",
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
    main()
