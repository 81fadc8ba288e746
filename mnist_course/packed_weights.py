"""The weights of the course's network as text that the browser unpacks: `decodeWeights` in web/network.js.

Taught in notebook 07. A packed network is a dict: `kind` ("float32", "float16" or "int8"), `shapes`, and `text`, the
numbers of all arrays one after the other, little-endian; with "int8" also `scales`, float32, by which the whole
numbers of each output channel (the last axis) are multiplied. Both texts are base 85, five characters for four bytes.
"""

import base64
import math

import numpy as np

SHAPES = ((3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 128), (128,), (128, 10), (10,))
_TYPES = {"float32": "<f4", "float16": "<f2", "int8": "i1"}
_LAYERS = ("conv2d", "conv2d_1", "dense", "dense_1")  # names in a weights file that Keras wrote


def read_weights(path):
    """Return the weights of the course's network in a .weights.h5 file, eight arrays of `SHAPES`, without Keras.

    Raises ValueError when the file is missing, damaged, or holds another network.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            weights = [file[f"layers/{layer}/vars/{number}"][()] for layer in _LAYERS for number in (0, 1)]
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} is missing or not a whole weights file; train again, or restore it.") from error
    except KeyError:
        weights = []
    if tuple(weight.shape for weight in weights) != SHAPES:
        raise ValueError(f"{path} holds the weights of another network than the course's (`standard` or `robust`).")
    return weights


def _scale(weight):
    """Return the largest size of the numbers of each output channel over 127, float32 (channels,); 1 for zeros."""
    largest = np.abs(weight).reshape(-1, weight.shape[-1]).max(axis=0)
    return np.where(largest > 0, largest / 127, 1).astype("<f4")


def pack(weights, kind):
    """Return a packed network of `weights`, a list of float arrays, as `kind`: "float32", "float16" or "int8".

    Raises ValueError for another kind.
    """
    if kind not in _TYPES:
        raise ValueError(f"Expected one of {', '.join(_TYPES)} as the kind of number, but received {kind!r}.")
    packed = {"kind": kind, "shapes": [list(weight.shape) for weight in weights]}
    if kind == "int8":
        scales = [_scale(weight) for weight in weights]
        weights = [np.rint(weight / scale) for weight, scale in zip(weights, scales, strict=True)]
        packed["scales"] = _text(scales)
    return packed | {"text": _text([weight.astype(_TYPES[kind]) for weight in weights])}


def unpack(packed):
    """Return the arrays of a packed network, float32: what the browser computes with."""
    sizes = [math.prod(shape) for shape in packed["shapes"]]
    content = base64.b85decode(packed["text"])
    values = np.frombuffer(content, _TYPES[packed["kind"]], sum(sizes)).astype(np.float32)
    weights = [part.reshape(shape) for part, shape in zip(_parts(values, sizes), packed["shapes"], strict=True)]
    if packed["kind"] != "int8":
        return weights
    scales = np.frombuffer(base64.b85decode(packed["scales"]), "<f4")
    channels = [shape[-1] for shape in packed["shapes"]]
    return [weight * scale for weight, scale in zip(weights, _parts(scales, channels), strict=True)]


def _text(arrays):
    return base64.b85encode(b"".join(array.tobytes() for array in arrays), pad=True).decode()


def _parts(values, sizes):
    return np.split(values, np.cumsum(sizes)[:-1])
