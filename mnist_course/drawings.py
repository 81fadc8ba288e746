"""Drawings with words: figures that carry their own alt text, and a network drawn from its layers (notebook 03)."""

import base64
import html
import io

import matplotlib.pyplot as plt
from IPython.display import HTML

_COLOURS = {"Conv2D": "#0072B2", "MaxPooling2D": "#E69F00", "Flatten": "#999999", "Dense": "#009E73"}  # Okabe and Ito
_MAPS_DRAWN = 8  # of a layer with more, the rest is left out
_ROOM = 25  # for the words above a layer


def described(figure, alt):
    """Return a matplotlib figure as an IPython `HTML` picture with `alt`, a text for who cannot see it; close it.

    Used in notebook 03.
    """
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    plt.close(figure)
    picture = base64.b64encode(file.getvalue()).decode()
    return HTML(f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{picture}" style="max-width: 100%">')


def network_layers(model):
    """Return what is drawn of a Keras model: (class name, output shape of one image, parameters) a layer, input first.

    Layers that change no shape are left out.
    """
    layers = [("Input", tuple(model.input_shape[1:]), 0)]
    for layer in model.layers:
        shape = tuple(layer.output.shape[1:])
        if shape != layers[-1][1]:
            layers.append((layer.__class__.__name__, shape, layer.count_params()))
    return layers


def draw_network(model, *, numbers=True):
    """Draw a Keras model whose layers stand in a row: maps as stacked squares, rows of values as bars, in proportion.

    With `numbers`, shapes and parameter counts are written beside the layers. Returns an IPython `HTML` picture whose
    alt text says the same. Used in notebook 03.
    """
    layers = network_layers(model)
    figure, ax = plt.subplots(figsize=(10, 2.6), layout="tight")
    left = 0
    for name, shape, parameters in layers:
        colour = _COLOURS.get(name, "#dddddd")
        if len(shape) == 3:
            side, drawn = shape[0], min(shape[2], _MAPS_DRAWN)
            width = side + 1.2 * (drawn - 1)
            start = left + max(0, (_ROOM - width) / 2)
            for place in reversed(range(drawn)):
                corner = start + 1.2 * place, -side / 2 + 1.2 * place
                ax.add_patch(plt.Rectangle(corner, side, side, facecolor=colour, edgecolor="white", linewidth=0.8))
        else:
            width, height = 3, 4 + 7 * len(str(shape[0]))
            ax.add_patch(plt.Rectangle((left + (_ROOM - width) / 2, -height / 2), width, height, facecolor=colour))
        centre = left + max(width, _ROOM) / 2
        ax.text(centre, 29, f"{name}\n{_size(shape)}" if numbers else name, ha="center", va="center", fontsize=9)
        if numbers:
            ax.text(centre, -20, f"{parameters:,}", ha="center", va="center", fontsize=9)
        left += max(width, _ROOM) + 4
    if numbers:
        ax.text(-3, -20, "parameters", ha="right", va="center", fontsize=9)
    ax.set(xlim=(-23, left), ylim=(-23, 33), aspect="equal")
    ax.set_axis_off()
    words = [f"{name}, {_size(shape)}, {count:,} parameters" if numbers else name for name, shape, count in layers]
    return described(figure, "The network from left to right: " + "; ".join(words) + ".")


def _size(shape):
    return " x ".join(f"{number:,}" for number in shape)
