"""The network as a picture that one can walk through, value by value, in JupyterLab or Colab (notebook 07).

`show(model)` is web/explorer.js, as on the page of `make page`, with the weights of your own network.
"""

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import traitlets

import mnist_helpers as mh
from mnist_course import drawings, packed_weights, web_sources

_OTHER_NETWORK = "Expected the course's network, as `mh.build_cnn()` builds it, but received {}."
_MAPS_DRAWN = 16  # of a layer in the still picture


def show(model, images=None):
    """Return a widget that shows what every layer of `model` makes of a digit; touch a value to see its sum.

    `model` is a network that `mh.build_cnn()` built, or its weights as `get_weights()` returns them; filters that are
    edited in the widget change nothing in it. `images` are raw uint8 (n, 28, 28) to choose from, without them the first
    validation image of each digit. Where nothing moves, as in a stored or printed notebook, a still picture of the
    first image stands instead. Used in notebook 07. Raises ValueError for another network, or images of another shape.
    """
    weights = _weights_of(model)
    if images is None:
        (_, _), (images, labels) = mh.split_train_validation(*mh.load_mnist()[0])
        images = images[[np.flatnonzero(labels == digit)[0] for digit in range(10)]]
        titles = [f"A validation image, label {digit}" for digit in range(10)]
    else:
        titles = [f"Image {number}" for number in range(len(images))]
    mh.scale_pixels(images)  # says what is wrong with them
    if not len(images):
        raise ValueError("Expected at least one image to look at, but received none.")
    network = mh.build_cnn()
    network.set_weights(weights)
    if hasattr(model, "predict") and not np.allclose(mh.predict(model, images), mh.predict(network, images), atol=1e-4):
        raise ValueError(_OTHER_NETWORK.format("one of the same shapes that computes otherwise"))
    return _Explorer(network, np.ascontiguousarray(images), titles)


def _weights_of(model):
    weights = [np.asarray(weight) for weight in (model.get_weights() if hasattr(model, "get_weights") else model)]
    shapes = tuple(weight.shape for weight in weights)
    if shapes != packed_weights.SHAPES:
        raise ValueError(_OTHER_NETWORK.format(f"one whose weights have the shapes {', '.join(map(str, shapes))}"))
    return weights


class _Explorer(anywidget.AnyWidget):
    _esm = web_sources.join_modules("explorer_widget.js")
    _css = web_sources.join_styles("explorer_widget.css", "explorer.css")
    _weights = traitlets.Dict().tag(sync=True)
    _images = traitlets.Bytes().tag(sync=True)
    _titles = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, network, images, titles):
        packed = packed_weights.pack(network.get_weights(), "float32")
        super().__init__(_weights=packed, _images=images.tobytes(), _titles=titles)
        self._still = _draw(network, images[0], titles[0])

    def __repr__(self):
        return "The network, layer by layer: run this cell in JupyterLab or Colab, then touch any value."

    def _repr_mimebundle_(self, **options):
        bundle, metadata = super()._repr_mimebundle_(**options)
        return bundle | {"text/html": self._still.data}, metadata


def _draw(network, image, title):
    """Draw the image, the maps of four layers, the 128 features and the ten probabilities; return an IPython `HTML`."""
    values, rows = mh.scale_pixels(image[None]), {}
    for layer in network.layers:
        values = layer(values)
        rows[layer.name] = mh.keras.ops.convert_to_numpy(values)[0]
    maps = [row for row in rows.values() if row.ndim == 3]
    features, probabilities = [row for row in rows.values() if row.ndim == 1 and len(row) in (128, 10)][-2:]
    figure, axes = plt.subplots(1, 7, figsize=(12, 2.7), layout="tight", width_ratios=(3, 4, 4, 4, 4, 2.2, 3))
    axes[0].imshow(image, cmap="gray")
    axes[0].set_title("28 x 28")
    for ax, row in zip(axes[1:5], maps, strict=True):
        strongest = np.sort(np.argsort(-row.mean(axis=(0, 1)))[:_MAPS_DRAWN])
        framed = np.pad(row[:, :, strongest], [(0, 1), (0, 1), (0, 0)], constant_values=np.nan)
        side = len(framed)
        tiles = framed.transpose(2, 0, 1).reshape(4, 4, side, side).swapaxes(1, 2).reshape(4 * side, 4 * side)
        ax.imshow(tiles, cmap="cividis", vmin=0)
        ax.set_title(f"{_MAPS_DRAWN} of {row.shape[2]} maps\n{side - 1} x {side - 1}")
    axes[5].imshow(features.reshape(16, 8), cmap="cividis", vmin=0)
    axes[5].set_title("128\nfeatures")
    colours = [mh.VERMILLION if each == probabilities.max() else mh.BLUE for each in probabilities]
    axes[6].barh(range(10), probabilities, color=colours)
    axes[6].set(xlim=(0, 1), ylim=(9.6, -0.6), xticks=[0, 1], yticks=range(10), xlabel="probability", box_aspect=1.3)
    for ax in axes[:6]:
        ax.set_axis_off()
    best = probabilities.argmax()
    return drawings.described(
        figure,
        f"From left to right: {title}; the strongest maps after each convolution and each pooling; 128 features; "
        f"ten bars, the longest at {best} with {probabilities[best]:.1%}.",
    )
