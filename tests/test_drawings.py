"""The network as a picture: what is drawn is what Keras says, and the words say the same."""

import base64
import re

import keras
import matplotlib.pyplot as plt

import mnist_helpers as mh
from mnist_course import drawings


def test_each_layer_that_changes_the_shape_is_named_with_its_shape_and_parameters():
    assert drawings.network_layers(mh.build_cnn()) == [
        ("Input", (28, 28, 1), 0),
        ("Conv2D", (26, 26, 32), 320),
        ("MaxPooling2D", (13, 13, 32), 0),
        ("Conv2D", (11, 11, 64), 18496),
        ("MaxPooling2D", (5, 5, 64), 0),
        ("Flatten", (1600,), 0),
        ("Dense", (128,), 204928),
        ("Dense", (10,), 1290),
    ]


def test_alt_text_says_the_numbers_or_keeps_them_back():
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(7, 5), keras.layers.Flatten()])
    before = plt.get_fignums()
    told, kept = (drawings.draw_network(model, numbers=numbers).data for numbers in (True, False))
    assert 'alt="The network from left to right: Input, 28 x 28 x 1, 0 parameters; Conv2D, 24 x 24 x 7, 182' in told
    assert 'alt="The network from left to right: Input; Conv2D; Flatten."' in kept
    assert told != kept
    assert plt.get_fignums() == before


def test_words_are_escaped_and_the_picture_is_a_png():
    page = drawings.described(plt.figure(), 'a "5" < 6').data
    assert 'alt="a &quot;5&quot; &lt; 6"' in page
    assert base64.b64decode(re.search('base64,([^"]*)"', page)[1]).startswith(b"\x89PNG")
