"""What is a convolution worth? Networks from none to the course's, on validation images as they are and shifted.

    python -m benchmarks.first_networks

Each is trained in the same way: Adam, learning rate 0.001, batches of 128, five epochs, three seeds; the weights are
those after the last epoch. The course's own training is longer (seeds.json). Every validation image is also read
shifted by two pixels to each of four sides. Nothing reads the test set. Takes about ten minutes on one core. The
results go to benchmarks/first_networks.json.
"""

import json
import sys
from pathlib import Path

import numpy as np

import mnist_helpers as mh
from benchmarks.measured_on import measured_on
from mnist_course import training
from mnist_course.command_line import command

RESULTS = Path(__file__).with_suffix(".json")
SEEDS, EPOCHS, PIXELS = (0, 1, 2), 5, 2
SIDES = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}  # rows and columns


def shift(images, rows, columns):
    """Return raw images, uint8 (n, 28, 28), moved down and right by so many pixels; what becomes free is black."""
    room = max(abs(rows), abs(columns))
    framed = np.pad(images, [(0, 0), (room, room), (room, room)])
    return framed[:, room - rows : room - rows + 28, room - columns : room - columns + 28]


def nearest_mean(images, labels):
    """Return a reader, images in and digits out, that answers with the nearest of the ten mean images."""
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)]).reshape(10, 784)

    def read(images):
        scores = images.reshape(-1, 784) @ means.T - np.square(means).sum(axis=1) / 2  # as in notebook 02
        return scores.argmax(axis=1)

    return read


def reader(model):
    """Return a reader, images in and digits out, of a network."""
    return lambda images: mh.predict(model, images).argmax(axis=1)


def dense(*units):
    """Return a network without convolutions, compiled; without `units` it is linear up to its softmax."""
    layers = mh.keras.layers
    hidden = [layers.Dense(number, activation="relu") for number in units]
    model = mh.keras.Sequential(
        [mh.keras.Input((28, 28, 1)), layers.Flatten(), *hidden, layers.Dense(10, activation="softmax")]
    )
    model.compile(mh.keras.optimizers.Adam(0.001), "categorical_crossentropy")
    return model


NETWORKS = {
    "linear": lambda: dense(),
    "one hidden layer of 128": lambda: dense(128),
    "one hidden layer of 283": lambda: dense(283),  # as many parameters as the course's network, less 39
    "convolutions, no dropout": lambda: mh.build_cnn(dropout=0.0),
    "the course's network": mh.build_cnn,
}


def measure(read, images, labels):
    """Return the share of images that `read` reads right, as they are and shifted to each side."""

    def share(rows, columns):
        return round(float((read(shift(images, PIXELS * rows, PIXELS * columns)) == labels).mean()), 6)

    return {"validation_accuracy": share(0, 0), "shifted": {side: share(*way) for side, way in SIDES.items()}}


@command
def main(argv=None):
    (images, labels), validation = mh.split_train_validation(*mh.load_mnist()[0])
    x, y = mh.scale_pixels(images), mh.one_hot(labels)
    networks = {"nearest mean": {"parameters": 7850, "runs": [measure(nearest_mean(images, labels), *validation)]}}
    for name, build in NETWORKS.items():
        runs = []
        for seed in SEEDS:
            mh.keras.utils.set_random_seed(seed)
            model = build()
            model.fit(training.ShuffledBatches(x, y, seed=seed), epochs=EPOCHS, verbose=0)
            runs.append({"seed": seed, **measure(reader(model), *validation)})
            print(f"{name}, seed {seed}: {runs[-1]['validation_accuracy']:.2%}", flush=True)
        networks[name] = {"parameters": model.count_params(), "runs": runs}
    settings = {"epochs": EPOCHS, "pixels": PIXELS}
    results = {"command": "python -m benchmarks.first_networks", **measured_on(), **settings, "networks": networks}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
