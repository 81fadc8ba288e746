"""Build the page that reads digits in the browser: one file, which asks nobody for anything.

    python -m mnist_course.web_page

writes outputs/digit_page.html from the sources in web/, with the weights of the shipped networks and sample digits.
"""

import argparse
import base64
import hashlib
import io
import json
import re
import sys

import numpy as np
from PIL import Image

from mnist_course import packed_weights, paths, web_sources
from mnist_course.command_line import command
from mnist_course.files import write_whole

_LARGEST = 1_000_000  # bytes of the page
_NETWORKS = {"robust": (paths.ROBUST_WEIGHTS, "float16"), "standard": (paths.SHIPPED_WEIGHTS, "int8")}
_SAMPLES = 60  # digits of each sort: misread by one of the networks, and any
_COLUMNS = 12  # of the picture that holds them
_SCRIPT = re.compile(r'<script type="module" src="([\w.]+)"></script>')
_STYLE = re.compile(r'<link rel="stylesheet" href="([\w.]+)">')


def build_page():
    """Return the page as text, less than a million bytes; ValueError when a source is missing or it is larger."""
    page = web_sources.read_source("page.html")
    page = _STYLE.sub(lambda link: f"<style>\n{web_sources.read_source(link[1])}</style>", page)
    page = _SCRIPT.sub(lambda link: f'<script type="module">\n{web_sources.join_modules(link[1])}</script>', page)
    trained = {name: (packed_weights.read_weights(path), kind) for name, (path, kind) in _NETWORKS.items()}
    packed = {name: packed_weights.pack(weights, kind) for name, (weights, kind) in trained.items()}
    for name, data in {"weights": packed, "samples": _choose_samples()}.items():
        empty = f'<script type="application/json" id="{name}"></script>'
        if page.count(empty) != 1:
            raise ValueError(f"web/page.html needs one line {empty}.")
        content = json.dumps(data, separators=(",", ":")).replace("<!", "<\\u0021")  # would begin a comment
        page = page.replace(empty, empty.replace("></", f">{content}</"))
    page = page.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{_policy(page)}\n', 1)
    if (size := len(page.encode("utf-8"))) >= _LARGEST:
        raise ValueError(f"The page has {size:,} bytes; less than {_LARGEST:,} were promised.")
    return page


def _policy(page):
    """Return the line that forbids the page every request, and every script and style but its own."""
    rules = ["default-src 'none'", "img-src data: blob:", "base-uri 'none'", "form-action 'none'"]
    for kind, tag in (("script", '<script type="module">'), ("style", "<style>")):
        parts = re.findall(f"{tag}(.*?)</{kind}>", page, flags=re.S)
        hashes = [base64.b64encode(hashlib.sha256(part.encode("utf-8")).digest()).decode() for part in parts]
        rules.append(" ".join([f"{kind}-src", *(f"'sha256-{each}'" for each in hashes)]))
    return f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">'


def _choose_samples():
    """Return test digits for the page: {"png": a picture, 12 of them a row, "labels", "misread": booleans, "first"}.

    Half of them were misread by a shipped network; the others are any, chosen at random and always the same. A digit is
    28 x 28 pixels of the picture, a data URL. The last one is also "first", its pixels in base 64: the page reads it
    before the picture is unpacked.
    """
    with np.load(paths.DATA_PATH, allow_pickle=False) as data:
        images, labels = data["x_test"], data["y_test"]
    seeds = json.loads((paths.BENCHMARKS / "seeds.json").read_text(encoding="utf-8"))
    wrong = np.unique([image for name in _NETWORKS for image in seeds[name]["runs"][0]["misread"]])
    rng = np.random.default_rng(0)
    hard = rng.choice(wrong, _SAMPLES, replace=False)
    chosen = np.concatenate([hard, rng.choice(np.setdiff1d(np.arange(len(images)), hard), _SAMPLES, replace=False)])
    tiles = images[chosen].reshape(-1, _COLUMNS, 28, 28).swapaxes(1, 2).reshape(-1, _COLUMNS * 28)
    file = io.BytesIO()
    Image.fromarray(tiles).save(file, "png", optimize=True)
    return {
        "png": "data:image/png;base64," + base64.b64encode(file.getvalue()).decode(),
        "labels": labels[chosen].tolist(),
        "misread": np.isin(chosen, wrong).tolist(),
        "first": {"pixels": base64.b64encode(images[chosen[-1]].tobytes()).decode(), "label": int(labels[chosen[-1]])},
    }


@command
def main(argv=None):
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(argv)
    page = build_page()
    path = paths.OUTPUTS / "digit_page.html"
    write_whole(path, page)
    print(f"{paths.shown(path).as_posix()}: {path.stat().st_size:,} bytes; open it in a browser, it needs no network.")


if __name__ == "__main__":
    sys.exit(main())
