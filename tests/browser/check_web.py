"""Compares web/network.js and web/digits.js with Keras and pictures.py, in the Chromium that is installed."""

import base64

import numpy as np
import pytest
from PIL import Image, ImageDraw

import mnist_helpers as mh
from mnist_course import networks, packed_weights, paths, pen_strokes, pictures, web_sources

WEIGHTS = {"robust": paths.ROBUST_WEIGHTS, "standard": paths.SHIPPED_WEIGHTS}
BYTES = "const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));"
READ = f"""([packed, content]) => {{
  {BYTES}
  const network = window.createNetwork(window.decodeWeights(packed.text, packed)), answers = [], times = [];
  for (let start = 0; start < bytes.length; start += 784) {{
    const pixels = Float32Array.from(bytes.subarray(start, start + 784), (grey) => grey / 255);
    const from = performance.now();
    answers.push([...network.read(pixels).probabilities]);
    times.push(performance.now() - from);
  }}
  return {{ answers, milliseconds: times.sort((one, other) => one - other)[times.length >> 1] }};
}}"""
PREPARE = f"""([content, side]) => {{
  {BYTES}
  const prepared = [];
  for (let start = 0; start < bytes.length; start += side * side) {{
    try {{
      prepared.push([...window.toMnist(bytes.subarray(start, start + side * side), side, side)]);
    }} catch (error) {{
      prepared.push(error.message);
    }}
  }}
  return prepared;
}}"""


@pytest.fixture(scope="module")
def page(browser):
    """An empty page in which the functions of the two modules can be called."""
    page = browser.new_page()
    for module, names in (("network.js", "createNetwork, decodeWeights"), ("digits.js", "toMnist")):
        code = f"{web_sources.join_modules(module)}\nObject.assign(window, {{ {names} }});"
        page.add_script_tag(type="module", content=code)
    page.wait_for_function("Boolean(window.createNetwork && window.toMnist)")
    return page


def text_of(images):
    return base64.b64encode(np.ascontiguousarray(images).tobytes()).decode()


@pytest.fixture(scope="module", params=WEIGHTS)
def read(page, request):
    """{kind of number: probabilities by JavaScript, "keras": those by Keras} of 1,000 test images."""
    with np.load(paths.DATA_PATH) as data:
        images = data["x_test"][:1000]
    weights, answers = packed_weights.read_weights(WEIGHTS[request.param]), {}
    for kind in ("float32", "float16", "int8"):
        result = page.evaluate(READ, [packed_weights.pack(weights, kind), text_of(images)])
        answers[kind] = np.array(result["answers"])
        print(f"{request.param} {kind}: {result['milliseconds']:.2f} ms an image")
    return answers | {"keras": mh.predict(networks.load_network(WEIGHTS[request.param]), images)}


def changed(answers, kind):
    return int((answers[kind].argmax(axis=1) != answers["keras"].argmax(axis=1)).sum())


def test_javascript_reads_as_keras_does(read):
    assert np.abs(read["float32"] - read["keras"]).max() < 1e-5
    assert changed(read, "float32") == 0


def test_half_the_bits_change_at_most_one_reading_in_a_thousand(read):
    assert changed(read, "float16") <= 1
    assert 0 < np.abs(read["float16"] - read["keras"]).max() < 0.01


def test_a_quarter_of_the_bits_changes_few_readings(read):
    print(f"int8: {changed(read, 'int8')} of 1,000 readings changed")
    assert changed(read, "int8") <= 5


def test_a_changed_weight_counts_at_the_next_reading(page):
    packed = packed_weights.pack(packed_weights.read_weights(paths.ROBUST_WEIGHTS), "float16")
    before, after, again = page.evaluate(
        """(packed) => {
          const network = window.createNetwork(window.decodeWeights(packed.text, packed));
          const pixels = new Float32Array(784).fill(0.5), weights = network.weights[0], kept = weights[0];
          const read = () => network.read(pixels).conv1[0];
          return [read(), (weights[0] += 1, read()), (weights[0] = kept, read())];
        }""",
        packed,
    )
    assert again == before != after


def test_weights_that_are_cut_short_are_refused(page):
    packed = packed_weights.pack(packed_weights.read_weights(paths.ROBUST_WEIGHTS), "float16")
    packed["text"] = packed["text"][:-5]
    with pytest.raises(Exception, match="RangeError"):
        page.evaluate("(packed) => window.decodeWeights(packed.text, packed).length", packed)


# ---------------------------------------------------------------- drawings


def draw_on_paper(name, rng):
    """A style of pen_strokes on 280 x 280 pixels of white paper as the pad draws it, of any size and anywhere."""
    control, stroke_of, careful, quick = pen_strokes.read_style(pen_strokes.STYLES[name])
    points = control + rng.uniform(0.1, 0.4) * rng.normal(size=control.shape)
    path, width, fine = careful @ points, 18, 4
    path = path + rng.uniform() * (quick @ points - path) - path.min(axis=0)
    path *= rng.uniform(70, 230) / path.max()
    path += rng.uniform(width, 280 - width - path.max(axis=0))
    paper = Image.new("L", (280 * fine, 280 * fine), "white")
    pen, strokes = ImageDraw.Draw(paper), stroke_of[np.abs(careful).argmax(axis=1)]
    for place, (x, y) in enumerate(path * fine):
        pen.circle((x, y), width * fine / 2, fill="black")
        if place and strokes[place] == strokes[place - 1]:
            pen.line([*path[place - 1] * fine, x, y], fill="black", width=width * fine)
    return np.asarray(paper.resize((280, 280), Image.Resampling.BOX))


def to_mnist(drawing):
    try:
        return pictures.to_mnist(Image.fromarray(drawing))
    except ValueError as error:
        return str(error)


def test_a_drawing_is_prepared_as_python_prepares_it(page):
    rng = np.random.default_rng(0)
    names = rng.choice(list(pen_strokes.STYLES), 300)
    drawings = np.stack([draw_on_paper(name, rng) for name in names])
    by_python = [to_mnist(drawing) for drawing in drawings]
    by_javascript = page.evaluate(PREPARE, [text_of(drawings), 280])
    refused = [isinstance(each, str) for each in by_python]
    assert [isinstance(each, str) for each in by_javascript] == refused and sum(refused) < 15
    both = [(one, two) for one, two, no in zip(by_python, by_javascript, refused, strict=True) if not no]
    one = np.stack([one for one, _ in both])
    two = np.array([two for _, two in both], np.uint8).reshape(one.shape)
    close = np.abs(one.astype(int) - two) <= 2
    model = networks.load_network(paths.ROBUST_WEIGHTS)
    same = mh.predict(model, one).argmax(axis=1) == mh.predict(model, two).argmax(axis=1)
    print(f"{close.mean():.2%} of pixels within 2 grey values, {same.mean():.2%} of readings the same")
    assert close.mean() >= 0.99 and same.mean() >= 0.995


def paper_with(*boxes, paper=255, ink=0):
    """280 x 280 greys with ink in boxes (left, top, right, bottom)."""
    picture = Image.new("L", (280, 280), paper)
    for box in boxes:
        ImageDraw.Draw(picture).rectangle(box, fill=ink)
    return np.asarray(picture)


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (0, 255), (200, 120), (60, 90)])
def test_any_two_greys_will_do(page, paper, ink):
    drawing = paper_with((130, 60, 146, 220), paper=paper, ink=ink)
    (prepared,) = page.evaluate(PREPARE, [text_of(drawing), 280])
    assert np.abs(np.reshape(prepared, (28, 28)) - to_mnist(drawing).astype(int)).max() <= 2


def test_a_digit_of_mnist_stays_as_it_is(page):
    with np.load(paths.DATA_PATH) as data:
        digits = data["x_test"][:100]
    prepared = np.array(page.evaluate(PREPARE, [text_of(digits), 28])).reshape(digits.shape)
    as_python = np.stack([to_mnist(digit) for digit in digits])
    assert (np.abs(prepared - as_python.astype(int)) <= 2).mean() >= 0.99
    assert (prepared == digits).all(axis=(1, 2)).mean() > 0.9


def test_what_holds_no_digit_or_two_is_refused_in_a_sentence(page):
    drawings = [paper_with(), paper_with((30, 60, 60, 200), (200, 60, 230, 200))]
    assert page.evaluate(PREPARE, [text_of(np.stack(drawings)), 280]) == [
        "There is no ink: draw a digit that stands out from its paper.",
        "There are 2 digits: draw one.",
    ]
