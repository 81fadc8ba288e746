"""Reads digits with LiteRT, which starts in a fraction of a second and needs neither Keras nor TensorFlow."""

from pathlib import Path

import numpy as np

from mnist_course.quiet import quiet_stderr

MOST_AT_ONCE = 512  # images; each takes 0.2 MB of memory while it is read


class Reader:
    """Load the network in a .tflite file at `path`. Raises ValueError when there is none that reads 28 x 28 digits."""

    def __init__(self, path):
        from ai_edge_litert.interpreter import Interpreter

        self.path = path
        self._prepared_for = 0  # how many images the network was made ready last
        try:
            content = Path(path).read_bytes()
            with quiet_stderr():
                self._interpreter = Interpreter(model_content=content)
            self._input, self._output = (
                self._interpreter.get_input_details()[0],
                self._interpreter.get_output_details()[0],
            )
            shapes = [tuple(part["shape_signature"]) for part in (self._input, self._output)]
        except (OSError, ValueError, RuntimeError, IndexError) as error:
            raise ValueError(f"{path} is not a network that can be read; train again, or restore the file.") from error
        if shapes != [(-1, 28, 28, 1), (-1, 10)]:
            raise ValueError(
                f"{path} is a network of another shape, {shapes}; expected 28 x 28 pixels in, 10 digits out."
            )

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
        if size != self._prepared_for:
            with quiet_stderr():
                self._interpreter.resize_tensor_input(self._input["index"], (size, 28, 28, 1))
                self._interpreter.allocate_tensors()
            self._prepared_for = size
        result = np.empty((count, 10), np.float32)
        for begin in range(0, count, size):
            part = slice(min(begin, count - size), min(begin + size, count))
            self._interpreter.set_tensor(self._input["index"], images[part, ..., np.newaxis].astype(np.float32) / 255)
            self._interpreter.invoke()
            result[part] = self._interpreter.get_tensor(self._output["index"])
        return result
