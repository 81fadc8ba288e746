"""Reads digits with LiteRT, which starts in a fraction of a second and needs neither Keras nor TensorFlow."""

from pathlib import Path

import numpy as np

from mnist_course import paths, strips
from mnist_course.quiet import quiet_stderr

MOST_AT_ONCE = 512  # images; each takes 0.2 MB of memory while it is read


class Reader:
    """Load the network in a .tflite file at `path`. Raises ValueError when there is none that reads 28 x 28 digits."""

    def __init__(self, path):
        self.path = path
        self._network = _Network(path, [(-1, 28, 28, 1), (-1, 10)], "28 x 28 pixels in, 10 digits out")

    def read(self, images):
        """Return the probabilities of the ten digits, float32 (n, 10) in [0, 1], for raw uint8 images (n, 28, 28).

        Raises ValueError for anything else.
        """
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28) or len(images) == 0:
            raise ValueError(
                f"Expected raw images, uint8 of shape (n, 28, 28), but received {images.dtype} of shape {images.shape}."
            )
        count = len(images)
        size = -(-count // -(-count // MOST_AT_ONCE))  # of equal parts, because preparing for another size takes long
        result = np.empty((count, 10), np.float32)
        for begin in range(0, count, size):
            part = slice(min(begin, count - size), min(begin + size, count))
            result[part] = self._network.run(images[part])
        return result


class LineReader:
    """Read lines with the network in a .tflite file at `path`, which is loaded when it is first needed.

    It may be sent to another process, which loads the network anew.
    """

    def __init__(self, path=paths.LINE_READER):
        self.path = path
        self._network = None

    def __reduce__(self):
        return LineReader, (self.path,)

    def read(self, strip):
        """Return the probabilities of the answers in each frame, float32 (w / 2, 12), for a strip, uint8 (32, w).

        `strips` says what they mean. Raises ValueError for anything else, and where there is no network that reads it.
        """
        high = strips.HEIGHT
        strip = np.asarray(strip)
        if strip.dtype != np.uint8 or strip.ndim != 2 or len(strip) != high or strip.shape[1] == 0:
            raise ValueError(
                f"Expected a strip, uint8 of shape ({high}, w), but received {strip.dtype} of shape {strip.shape}."
            )
        if self._network is None:
            shapes = [(-1, high, -1, 1), (-1, -1, strips.ANSWERS)]
            self._network = _Network(self.path, shapes, f"strips of {high} rows in, {strips.ANSWERS} answers out")
        wide = strip.shape[1]
        framed = np.pad(strip, [(0, 0), (0, -wide % 32)])  # few widths, because preparing for another takes long
        logits = self._network.run(framed[None])[0, : -(-wide // strips.FRAME)]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


class _Network:
    """The network in a .tflite file; raises ValueError where there is none of the two `shapes`, `expected` in words."""

    def __init__(self, path, shapes, expected):
        from ai_edge_litert.interpreter import Interpreter

        self._prepared_for = None  # the shape of what it was made ready for last
        try:
            content = Path(path).read_bytes()
            with quiet_stderr():
                self._interpreter = Interpreter(model_content=content)
            self._input, self._output = (
                self._interpreter.get_input_details()[0],
                self._interpreter.get_output_details()[0],
            )
            found = [tuple(map(int, part["shape_signature"])) for part in (self._input, self._output)]
        except (OSError, ValueError, RuntimeError, IndexError) as error:
            raise ValueError(f"{path} is not a network that can be read; train again, or restore the file.") from error
        if found != shapes:
            raise ValueError(f"{path} is a network of another shape, {found}; expected {expected}.")

    def run(self, pictures):
        """Return what it says of `pictures`, uint8 (n, h, w)."""
        shape = (*pictures.shape, 1)
        if shape != self._prepared_for:
            with quiet_stderr():
                self._interpreter.resize_tensor_input(self._input["index"], shape)
                self._interpreter.allocate_tensors()
            self._prepared_for = shape
        self._interpreter.set_tensor(self._input["index"], pictures[..., np.newaxis].astype(np.float32) / 255)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"])
