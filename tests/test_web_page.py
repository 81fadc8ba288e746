"""What the built page holds; tests/browser/ opens it."""

import base64
import hashlib
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from mnist_course import packed_weights, paths, web_page, web_sources


@pytest.fixture(scope="module")
def page():
    return web_page.build_page()


def block(page, name):
    """The data in the page that has this id."""
    return json.loads(re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page, flags=re.S)[1])


def test_it_is_one_file_below_a_million_bytes(page):
    assert len(page.encode("utf-8")) < 1_000_000
    assert not re.search(r"https?://|<link|src=\"(?!data:)|@import|\bimport\b[ ({]", page)


def test_the_policy_allows_this_page_alone(page):
    (policy,) = re.findall('<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and "unsafe" not in policy
    for kind, tag in (("script", '<script type="module">'), ("style", "<style>")):
        parts = page.split(tag)[1:]
        digests = [hashlib.sha256(part.split(f"</{kind}>")[0].encode("utf-8")).digest() for part in parts]
        expected = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
        assert expected and rules[f"{kind}-src"].split() == expected
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_no_event_or_style_stands_in_the_markup_where_the_policy_forbids_it(page):
    assert not re.search(r"<[a-z]+[^>]*\s(?:on\w+|style)=", page.split("</main>")[0])


def test_the_weights_are_those_of_the_shipped_networks(page):
    for name, path in (("robust", paths.ROBUST_WEIGHTS), ("standard", paths.SHIPPED_WEIGHTS)):
        packed = block(page, "weights")[name]
        tolerance = {"float16": 2**-11, "int8": 1 / 127}[packed["kind"]]
        for one, other in zip(packed_weights.read_weights(path), packed_weights.unpack(packed), strict=True):
            assert np.abs(one - other).max() <= tolerance * np.abs(one).max()


def test_the_samples_are_test_digits_with_their_labels(page):
    samples = block(page, "samples")
    picture = Image.open(io.BytesIO(base64.b64decode(samples["png"].removeprefix("data:image/png;base64,"))))
    tiles = np.asarray(picture).reshape(picture.height // 28, 28, -1, 28).swapaxes(1, 2).reshape(-1, 28, 28)
    first = samples["first"]
    assert base64.b64decode(first["pixels"]) == tiles[-1].tobytes() and first["label"] == samples["labels"][-1]
    with np.load(paths.DATA_PATH) as data:
        places = {image.tobytes(): place for place, image in enumerate(data["x_test"])}
        chosen = [places[tile.tobytes()] for tile in tiles]
        assert data["y_test"][chosen].tolist() == samples["labels"]
    seeds = json.loads((paths.BENCHMARKS / "seeds.json").read_text(encoding="utf-8"))
    wrong = {place for name in ("robust", "standard") for place in seeds[name]["runs"][0]["misread"]}
    assert [place in wrong for place in chosen] == samples["misread"]
    assert len(set(chosen)) == 120 and 60 <= sum(samples["misread"]) < 70


def test_the_command_writes_it_and_says_how_large_it_is(monkeypatch, tmp_path, capsys, page):
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path)
    assert web_page.main([]) == 0
    written = (tmp_path / "digit_page.html").read_bytes()
    assert written.decode("utf-8") == page
    assert f"digit_page.html: {len(written):,} bytes" in capsys.readouterr().out


def test_a_page_that_grew_too_large_is_refused(monkeypatch):
    source = web_sources.read_source
    monkeypatch.setattr(web_sources, "read_source", lambda name: source(name) + " " * 30_000)
    with pytest.raises(ValueError, match="The page has .* bytes; less than 1,000,000 were promised"):
        web_page.build_page()
