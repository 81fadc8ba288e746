"""Uses the page that reads digits, built and opened from the file system, in Chromium; run by `make test-browser`.

The network of Chromium is off.
"""

import io
import math
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from mnist_course import paths, web_page

PHONE = {"width": 360, "height": 740}
ONE = [(0.5, 0.2), (0.5, 0.5), (0.5, 0.8)]
SEVEN = [(0.3, 0.22), (0.7, 0.22), (0.45, 0.8)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "digit_page.html"
    path.write_text(web_page.build_page(), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser, file):
    """Opens the page, offline. In the end nothing was asked for but the file, and the console is silent."""
    contexts, wrong = [], []

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | options)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url == file.as_uri() or wrong.append(request.url))
        page.goto(file.as_uri())
        expect(page.locator("#note")).to_contain_text("A test digit")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(open_page):
    return open_page()


def sentence(page):
    return page.locator("#sentence")


def draw(page, points):
    box = page.get_by_role("application", name="Drawing pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def layer(page, name):
    return page.locator(f"[data-layer={name}] .maps")


def touch(page, name, *, across, down):
    """Touch a layer's maps, at shares of their width and height."""
    maps = layer(page, name)
    maps.scroll_into_view_if_needed()
    box = maps.bounding_box()
    maps.click(position={"x": across * box["width"], "y": down * box["height"]})


def numbers(page, selector):
    return [float(text.replace("−", "-")) for text in page.locator(f".sum {selector}").all_inner_texts()]


def heading(page):
    """The value that the map holds, which stands in the heading over its sum."""
    return float(page.locator(".sum h3").inner_text().rpartition(": ")[2])


def tab_to(page, locator):
    for _ in range(100):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key never reaches {locator}.")


# ---------------------------------------------------------------- the pad and the reading


def test_a_stroke_is_drawn_and_read(page):
    draw(page, ONE)
    expect(sentence(page)).to_have_text(re.compile(r"^This is a 1 \(\d+\.\d %\)\.$"))
    shares = [float(text.split()[0]) for text in page.locator("#bars .percent").all_inner_texts()]
    assert np.argmax(shares) == 1 and 99 < sum(shares) < 101
    expect(page.locator("#digit")).to_have_text("1")
    expect(page.locator("#spoken")).to_have_text(sentence(page).inner_text())


def test_the_reading_changes_while_the_pen_is_down(page):
    box = page.get_by_role("application", name="Drawing pad").bounding_box()
    page.evaluate(
        "window.seen = [];"
        "new MutationObserver(() => window.seen.push(document.getElementById('sentence').textContent))"
        ".observe(document.getElementById('sentence'), { childList: true })"
    )
    before = page.locator("#spoken").inner_text()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    for x, y in [(200, 60), (120, 220)]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
        page.wait_for_timeout(100)
    assert len(page.evaluate("window.seen")) >= 2
    assert page.locator("#spoken").inner_text() == before  # who listens hears of it when the pen rests
    page.mouse.up()
    expect(page.locator("#spoken")).to_have_text(re.compile("a 7"))


def test_undo_and_clear(page):
    draw(page, ONE)
    one = page.locator("#bars").inner_text()
    draw(page, [(0.2, 0.2), (0.8, 0.8)])
    expect(page.locator("#bars")).not_to_have_text(one)
    page.get_by_role("button", name="Undo").click()
    assert page.locator("#bars").inner_text() == one
    page.get_by_role("button", name="Clear").click()
    expect(sentence(page)).to_have_text("Draw one digit, from 0 to 9.")
    page.get_by_role("button", name="Undo").click()  # a digit that was cleared by mistake comes back
    assert page.locator("#bars").inner_text() == one


def test_with_two_digits_it_says_so_and_claims_nothing(page):
    draw(page, [(0.2, 0.3), (0.2, 0.7)])
    draw(page, [(0.8, 0.3), (0.8, 0.7)])
    expect(sentence(page)).to_contain_text("2 digits")
    assert page.locator("#bars .best").count() == 0 and page.locator("#digit").inner_text() == ""


def test_a_test_digit_one_that_is_misread_and_the_other_network(page):
    page.get_by_role("button", name="a test digit").click()
    expect(page.locator("#note")).to_have_text(re.compile(r"A test digit, labelled \d"))
    for network in ("robust", "standard"):
        page.get_by_text(network, exact=True).click()
        page.get_by_role("button", name="one that it misreads").click()
        expect(page.locator("#note")).to_contain_text("misread")
    bars = page.locator("#bars").inner_text()
    page.get_by_text("robust", exact=True).click()
    expect(page.locator("#bars")).not_to_have_text(bars)


# ---------------------------------------------------------------- the walk


def test_the_nine_products_and_the_bias_make_the_value_of_the_first_map(page):
    draw(page, SEVEN)
    page.locator("[data-layer=conv1] .maps").focus()
    page.keyboard.press("Enter")
    window, products = numbers(page, ".window td"), numbers(page, ".products td")
    weights = [float(field.input_value()) for field in page.locator(".filter input").all()]
    assert np.allclose(np.multiply(window, weights), products, atol=0.002)
    assert sum(products) + numbers(page, ".bias td")[0] == pytest.approx(numbers(page, ".total td")[0], abs=0.006)
    assert heading(page) == numbers(page, ".value td")[0] == max(0, numbers(page, ".total td")[0])
    assert page.locator("[data-layer=input] .marks .window").count() == 1


@pytest.mark.parametrize(
    ("name", "products", "lit"),
    [
        ("conv2", 288, "[data-layer=pool1] .marks .window"),
        ("dense", 1600, "[data-layer=pool2] .marks .strong"),
        ("probabilities", 128, "[data-layer=dense] .marks .strong"),
    ],
)
def test_deeper_the_strongest_products_and_the_rest_make_the_value(page, name, products, lit):
    draw(page, SEVEN)
    touch(page, name, across=0.4, down=0.75)
    rows = numbers(page, ".terms tbody td:nth-child(4)")
    assert len(rows) == 8 and sorted(map(abs, rows), reverse=True) == list(map(abs, rows))
    assert f"{products - 8:,} products" in page.locator(".sum .rest").inner_text()
    total = numbers(page, ".total td")[0]
    assert sum(rows) + numbers(page, ".rest td")[0] + numbers(page, ".bias td")[0] == pytest.approx(total, abs=0.001)
    assert heading(page) == numbers(page, ".value td")[0]
    if name != "probabilities":
        assert heading(page) == max(0, total)
    assert page.locator(lit).count() == (32 if name == "conv2" else 8)


def test_a_product_leads_a_layer_back_and_on_to_the_pixels(page):
    draw(page, SEVEN)
    touch(page, "probabilities", across=0.5, down=0.75)
    expect(page.locator(".sum h3")).to_contain_text("Probability of 7")
    feature = page.locator(".terms button").first
    name, value = feature.inner_text(), numbers(page, ".terms tbody td:nth-child(2)")[0]
    feature.click()
    expect(page.locator(".sum h3")).to_contain_text(name.capitalize())
    assert heading(page) == value
    for _ in range(2):  # to the pooled maps, where one value was the largest of four
        page.locator(".terms button").first.click()
        assert heading(page) == max(numbers(page, ".window td")) or math.isclose(
            heading(page), max(numbers(page, ".window td")), abs_tol=0.001
        )
        page.locator(".before .map").focus()
        page.keyboard.press("Enter")
        if page.locator(".sum").get_attribute("data-layer") == "conv1":
            break
    expect(page.locator(".sum .products")).to_be_visible()


def test_a_filter_is_edited_and_set_back(page):
    draw(page, SEVEN)
    page.locator("[data-layer=conv1] .maps").focus()
    page.keyboard.press("Enter")
    bars, fields = page.locator("#bars").inner_text(), page.locator(".filter input")
    value, weights = heading(page), [field.input_value() for field in fields.all()]
    for field in fields.all():
        field.fill("0")
    assert numbers(page, ".total td") == numbers(page, ".bias td") != [value]
    expect(page.locator("#note")).to_have_text("You have changed a filter.")
    fields.first.fill("9")
    assert page.locator("#bars").inner_text() != bars
    expect(page.locator(".effect")).to_contain_text("With the trained filters: 7")
    page.get_by_text("standard", exact=True).click()
    expect(page.locator("#note")).to_have_text("")
    page.get_by_text("robust", exact=True).click()
    expect(page.locator("#note")).to_have_text("You have changed a filter.")
    page.get_by_role("button", name="Set the filters back").click()
    assert heading(page) == value and page.locator("#bars").inner_text() == bars
    assert [field.input_value() for field in fields.all()] == weights
    expect(page.locator("#note")).to_have_text("")


# ---------------------------------------------------------------- the trials


def test_the_cover_is_tried_everywhere(page):
    draw(page, SEVEN)
    page.get_by_role("button", name="Try all 576 places").click()
    verdict = page.locator("#cover .verdict")
    expect(verdict).to_have_text(re.compile(r"row \d+, column \d+"), timeout=180_000)  # on a busy machine
    worst = re.search(r"(\d+\.\d) %", verdict.inner_text())[1]
    if "still read" in verdict.inner_text():
        expect(page.locator("#cover figcaption").first).to_contain_text(worst)
    square = page.get_by_role("application", name="The digit with a square")
    square.focus()
    before = page.locator("#cover .patch").first.get_attribute("style")
    page.keyboard.press("ArrowUp")
    assert page.locator("#cover .patch").first.get_attribute("style") != before


@pytest.mark.parametrize("kind", ["Move", "Turn", "Thicken"])
def test_a_guess_comes_before_the_slider_and_the_slider_bears_the_verdict_out(page, kind):
    draw(page, SEVEN)
    expect(page.locator("#spoken")).to_contain_text("a 7")
    page.get_by_text(kind, exact=True).click()
    slider, verdict = page.locator("#changes input[type=range]"), page.locator("#changes .verdict")
    page.get_by_role("button", name="Compare").click()
    expect(verdict).to_contain_text("Type your guess first")
    expect(slider).to_be_disabled()
    page.locator("#changes input[type=number]").fill("1")
    page.keyboard.press("Enter")
    expect(verdict).to_contain_text("You guessed 1")
    expect(slider).to_be_enabled()
    caption = page.locator("#changes figcaption")
    if "becomes" in verdict.inner_text():
        assert "a 7" not in caption.inner_text()
        slider.focus()
        page.keyboard.press("ArrowLeft")
    expect(caption).to_contain_text("a 7")


# ---------------------------------------------------------------- files


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def seven(*, ink, paper):
    pixels = np.full((300, 240), paper, np.uint8)
    pixels[60:84, 60:180] = ink
    for row in range(60, 250):
        pixels[row, 156 - (row - 60) // 3 : 180 - (row - 60) // 3] = ink
    return pixels


def huge_png():
    """A PNG of 100 megapixels in a few kilobytes."""

    def part(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1251) * 10_000, 9)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", rows) + part(b"IEND", b"")


SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9' onload='window.ran = 1'>"
    b"<script>window.ran = 1</script></svg>"
)


def choose(page, name, content):
    page.locator("#file").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


@pytest.mark.parametrize(("ink", "paper"), [(20, 250), (240, 15)], ids=["dark on light", "light on dark"])
def test_a_picture_is_read(page, ink, paper):
    choose(page, "seven.png", png(seven(ink=ink, paper=paper)))
    expect(sentence(page)).to_have_text(re.compile("^This is a 7"))


def test_a_picture_is_dropped(page):
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "seven.png", { type: "image/png" }));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        list(png(seven(ink=0, paper=255))),
    )
    expect(sentence(page)).to_have_text(re.compile("^This is a 7"))


def test_a_photograph_is_left_to_the_command(page):
    light = np.linspace(120, 250, 240).astype(np.uint8)[None] * np.ones((300, 1), np.uint8)
    choose(page, "photo.png", png(np.minimum(light, seven(ink=30, paper=255))))
    expect(sentence(page)).to_contain_text("photo.png looks like a photograph")
    expect(sentence(page)).to_contain_text("test_model.py")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("letter.txt", b"Dear network,", "is not a picture that can be read here"),
        ("empty.png", b"", "is not a picture that can be read here"),
        ("huge.png", huge_png(), "has 10000 × 10000 pixels, more than 40 million"),
        ("script.svg", SVG, "is not a picture that can be read here"),
        ("half.png", png(seven(ink=0, paper=255))[:60], "is damaged or cut short"),
        ("white.png", png(np.full((99, 99), 255, np.uint8)), "no ink"),
        ("<img src=x onerror=window.ran=1>.png", b"none", "<img src=x onerror=window.ran=1>.png is not a picture"),
    ],
)
def test_what_is_no_picture_of_a_digit_gets_a_sentence_and_nothing_runs(page, name, content, words):
    choose(page, name, content)
    expect(sentence(page)).to_contain_text(words)
    expect(page.locator("#spoken")).to_contain_text(words)
    assert page.evaluate("window.ran") is None
    draw(page, ONE)
    expect(sentence(page)).to_contain_text("This is a 1")


# ---------------------------------------------------------------- everybody, everywhere


def test_the_keyboard_alone_draws_and_walks(page):
    pad = page.get_by_role("application", name="Drawing pad")
    tab_to(page, pad)
    assert pad.evaluate("pad => getComputedStyle(pad).outlineStyle") == "solid"
    page.keyboard.press("Space")
    for _ in range(22):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(sentence(page)).to_contain_text("This is a 1")
    maps = layer(page, "conv2")
    tab_to(page, maps)
    page.keyboard.press("Enter")
    expect(page.locator(".sum h3")).to_have_text(re.compile(r"^Map \d+, row \d+, column \d+: "))
    before = page.locator(".sum h3").inner_text()
    page.keyboard.press("ArrowUp" if int(before.split()[1].strip(",")) > 8 else "ArrowDown")
    expect(page.locator(".sum h3")).not_to_have_text(before)
    expect(page.locator("#network [aria-live]")).to_contain_text("Map")
    tab_to(page, page.locator("#changes input[type=number]"))
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator("#changes .verdict")).to_contain_text("You guessed 2")


def test_a_phone_shows_all_of_it_and_fingers_draw_and_walk(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    box = page.get_by_role("application", name="Drawing pad").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    finger = page.context.new_cdp_session(page)
    for kind, share in [("touchStart", 0.2), ("touchMove", 0.4), ("touchMove", 0.6), ("touchMove", 0.8)]:
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + share * box["height"]}
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(sentence(page)).to_contain_text("This is a 1")
    assert page.locator("#digit").bounding_box()["y"] < PHONE["height"]  # seen while one draws
    layer(page, "conv2").tap(position={"x": 60, "y": 60})
    expect(page.locator(".sum h3")).to_contain_text("Map")
    assert heading(page) == numbers(page, ".value td")[0]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(open_page, serious_faults, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)  # the policy would keep axe out
    draw(page, SEVEN)
    for name in ("conv1", "conv2"):
        layer(page, name).focus()
        page.keyboard.press("Enter")
        assert serious_faults(page) == []
    paths.OUTPUTS.mkdir(exist_ok=True)
    page.screenshot(path=paths.OUTPUTS / f"digit_page_{scheme}.png", full_page=True)


def test_the_policy_forbids_every_request(page):
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert "default-src 'none'" in policy and "unsafe" not in policy
