"""The slider of notebook 02: its pictures are those that were given, in the order of their captions."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from mnist_course import weight_pictures


def colours(encoded):
    """Return the RGB values of a picture on the page, integers (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")).astype(int)


def test_each_picture_uses_all_colours_and_zero_is_white():
    pictures = np.zeros((3, 2, 4))
    pictures[1, 0, 0], pictures[1, 1, 1] = 5, -5
    pictures[2, 0, 0] = -0.01
    page = weight_pictures.slider(pictures, ["a", "b", "c"], alt="three").data
    first, second, third = (colours(part) for part in re.search(r'data-pictures="([^"]+)"', page)[1].split(" "))
    assert first.shape == (2, 4, 3) and (first > 250).all()
    above, below = (np.array(weight_pictures.SIGNED(end, bytes=True)[:3]) for end in (1.0, 0.0))
    assert (second[0, 0] == above).all() and (second[1, 1] == below).all() and (second[0, 1] > 250).all()
    assert (third[0, 0] == below).all()


def test_the_last_picture_and_its_caption_show_until_the_slider_moves():
    pictures = np.random.default_rng(0).normal(size=(4, 28, 56))
    page = weight_pictures.slider(pictures, [f"step {step}" for step in range(4)], alt="a <b>").data
    shown = re.search(r'src="data:image/png;base64,([^"]+)"', page)[1]
    assert shown == re.search(r'data-pictures="([^"]+)"', page)[1].split(" ")[3]
    assert 'value="3"' in page and 'max="3"' in page and "<output>step 3</output>" in page
    assert 'data-captions="step 0|step 1|step 2|step 3"' in page and 'alt="a &lt;b&gt;"' in page
    assert "http" not in page and "<script" not in page


@pytest.mark.parametrize("pictures", [np.ones((3, 28, 28)), np.ones((2, 784)), np.ones((0, 28, 28))])
def test_a_caption_too_few_or_rows_instead_of_pictures_are_refused(pictures):
    with pytest.raises(ValueError, match="Expected n pictures and n captions"):
        weight_pictures.slider(pictures, ["a", "b"][: len(pictures)], alt="")
