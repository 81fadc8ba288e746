"""The recipes' networks, which of them a weights file belongs to, and reading at several places.

The course's own network is `mnist_helpers.build_cnn`; here stand the others, those of the recipes `fast`, `tiny` and
`record` (notebook 08).
"""

import keras
import numpy as np

import mnist_helpers as mh
from mnist_course import paths, training


def build_fast():
    """Return the network of `fast`, not compiled: 29,658 parameters, strides in place of pooling."""
    return _network(
        *_convolution(16, 5, strides=2),  # (n, 12, 12, 16)
        *_convolution(32, strides=2),  # (n, 5, 5, 32)
        *_convolution(64),  # (n, 3, 3, 64)
    )


def build_tiny():
    """Return the network of `tiny`, not compiled: 8,946 parameters in narrow layers of 3 x 3."""
    return _network(
        *_convolution(8),  # (n, 26, 26, 8)
        *_convolution(12),  # (n, 24, 24, 12)
        keras.layers.MaxPooling2D(2),  # (n, 12, 12, 12)
        *_convolution(16),  # (n, 10, 10, 16)
        *_convolution(16),  # (n, 8, 8, 16)
        keras.layers.MaxPooling2D(2),  # (n, 4, 4, 16)
        *_convolution(20),  # (n, 2, 2, 20)
    )


def _build_record():
    """Return the network of `record`, not compiled: 307,946 parameters, most of them in the last two convolutions."""
    return _network(
        *_convolution(32),  # (n, 26, 26, 32)
        keras.layers.MaxPooling2D(2),  # (n, 13, 13, 32)
        *_convolution(48),  # (n, 11, 11, 48)
        *_convolution(64),  # (n, 9, 9, 64)
        keras.layers.MaxPooling2D(3, 2),  # (n, 4, 4, 64)
        *_convolution(128, padding="same"),  # (n, 4, 4, 128)
        *_convolution(160),  # (n, 2, 2, 160)
        dropout=0.4,
    )


def _convolution(filters, size=3, **options):
    """Return the layers of one step: convolution, batch normalisation, ReLU.

    Source: Ioffe and Szegedy, Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift (2015).
    """
    layers = keras.layers
    return (
        layers.Conv2D(filters, size, use_bias=False, **options),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    )


def _network(*layers, dropout=0.0):
    end = [keras.layers.Flatten(), keras.layers.Dropout(dropout), keras.layers.Dense(10, activation="softmax")]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers, *end])


BUILDERS = {"standard": mh.build_cnn, "fast": build_fast, "tiny": build_tiny, "record": _build_record}


def load_network(path):
    """Return the network whose weights are in the file at `path`, whichever recipe trained it.

    Raises ValueError when the file is missing, damaged, or of a network that no recipe builds.
    """
    shapes = training.weight_shapes(path)
    for build in BUILDERS.values():
        model = build()
        if sorted(weight.shape for weight in model.get_weights()) == shapes:
            training.load_weights(model, path)
            return model
    raise ValueError(f"{path} holds the weights of another network, which no recipe of the course builds.")


def load_trained_network(output_dir=paths.OUTPUTS):
    """Return the trained network: the learner's own from `output_dir` if there is one, else the shipped one.

    Prints which it took. Used in notebooks 04 and 05. Raises ValueError when the weights file is damaged.
    """
    path = paths.find_weights(output_dir)
    model = load_network(path)
    print(f"Loaded {'the shipped weights' if path == paths.SHIPPED_WEIGHTS else 'your own weights'}: {path.name}")
    return model


# first row and column that are seen, of images with a border of 1: as they are, then moved down, up, right and left
_PLACES = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]


def predict_at_places(model, images, places):
    """Return the mean of the network's probabilities, float32 (n, 10), at the first `places` of five.

    `images` are raw uint8 (n, 28, 28); 1 place reads them as they are, 5 also moved by a pixel down, up, right and
    left. What becomes free is black. Raises ValueError for another number of places.
    """
    if not 1 <= places <= len(_PLACES):
        raise ValueError(f"Expected 1 to {len(_PLACES)} places to read at, but received {places}.")
    framed = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    moved = (framed[:, row : row + 28, column : column + 28] for row, column in _PLACES[:places])
    return np.mean([mh.predict(model, each) for each in moved], axis=0)
