"""Draws on the pad in a real JupyterLab, in the Chromium that is installed; run by `make test-browser`.

The checks share one page and run in the order in which a learner meets them.
"""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
).split()
SECONDS = 1000  # Playwright counts in milliseconds

READ = """
import numpy as np
from mnist_course import drawing_pad

def read(picture):
    rows, columns = np.nonzero(np.asarray(picture) < 128)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    if max(height, width) < 40:
        raise ValueError("This is only a dot: draw one digit.")
    digit = 1 if height > 2 * width else 0
    return np.where(np.arange(10) == digit, 0.91, 0.01)

pad = drawing_pad.DrawingPad(read)
pad
"""
READ_WITH_THE_NETWORK = """
from mnist_course import drawing_pad, paths, pictures, reader
network = reader.Reader(paths.ROBUST_READER)
pad = drawing_pad.DrawingPad(lambda drawing: network.read(pictures.to_mnist(drawing)[None])[0])
pad
"""
WALK = """
import keras
import numpy as np
import mnist_helpers as mh
from mnist_course import explorer

keras.utils.set_random_seed(0)
model = mh.build_cnn()
images = np.zeros((2, 28, 28), np.uint8)
images[0, 4:24, 12:16] = images[1, 12:16, 4:24] = 255
explorer.show(model, images)
"""
LOOK = "pad.picture.size, np.asarray(pad.picture).min(), np.asarray(pad.picture).max()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder that JupyterLab opens, with the notebook and with settings of its own."""
    folder = tmp_path_factory.mktemp("jupyter")
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in (READ, LOOK)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "pad.ipynb")
    for name, source in (("network", READ_WITH_THE_NETWORK), ("walk", WALK)):
        cells = [nbformat.v4.new_code_cell(source.strip())]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
    no_news = folder / "config/labconfig/page_config.json"
    no_news.parent.mkdir(parents=True)
    no_news.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
    return folder


@pytest.fixture(scope="module")
def address(folder):
    """A JupyterLab server on the loopback interface, away from the learner's own Jupyter settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    own |= {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython"}
    environment = os.environ | {name: str(folder / place) for name, place in own.items()}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--IdentityProvider.token=pad", f"--ServerApp.root_dir={folder}"]
    with open(folder / "server.log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                assert server.poll() is None, (folder / "server.log").read_text()
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/doc/tree/pad.ipynb?token=pad"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def page(address):
    """The notebook in Chromium, its first cell run. Every address that the page asked for is kept in page.asked."""
    assert CHROMIUM, "The pad is tested in Chromium: install it (Debian: apt-get install chromium), then try again."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 800})
        page.set_default_timeout(60 * SECONDS)
        expect.set_options(timeout=60 * SECONDS)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda websocket: page.asked.append(websocket.url))
        open_pad(page, address)
        yield page
        browser.close()


def another_page(page, **size):
    other = page.context.browser.new_page(viewport=size)
    other.set_default_timeout(60 * SECONDS)
    return other


def open_notebook(page, address):
    page.goto(address)
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible()
    page.locator(".jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")


def open_pad(page, address):
    open_notebook(page, address)
    expect(status(page)).to_have_text("Draw one digit, from 0 to 9.")


def status(page):
    return page.locator(".drawing-pad").get_by_role("status")


def bars(page):
    return page.get_by_role("list", name="Probability of each digit").get_by_role("listitem")


def draw(page, points):
    """Draw one stroke with the mouse through points, given in shares of the paper's width and height."""
    paper = page.get_by_role("application", name="Drawing pad").bounding_box()
    places = [(paper["x"] + x * paper["width"], paper["y"] + y * paper["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def take_screenshot(page, name):
    (ROOT / "outputs").mkdir(exist_ok=True)
    page.screenshot(path=ROOT / "outputs" / name)


def test_a_stroke_is_drawn_and_the_answer_of_the_kernel_appears(page):
    draw(page, [(0.5, 0.15), (0.5, 0.85)])
    expect(status(page)).to_have_text("This is a 1 (91.0 %).")
    expect(bars(page)).to_have_text([f"{digit}{91 if digit == 1 else 1}.0 %" for digit in range(10)])
    take_screenshot(page, "drawing_pad_light.png")


def test_the_kernel_holds_the_picture(page):
    page.locator(".jp-Cell .cm-content").nth(1).click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text("((280, 280), np.uint8(0), np.uint8(255))")


def test_the_buttons_are_reached_and_pressed_by_keyboard(page):
    clear, undo, read = (page.get_by_role("button", name=name, exact=True) for name in ("Clear", "Undo", "Read"))
    clear.focus()
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Draw one digit, from 0 to 9.")
    expect(bars(page)).to_have_text([str(digit) for digit in range(10)])
    draw(page, [(0.5, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.5), (0.5, 0.2)])
    expect(clear).to_be_focused()
    for button in (undo, read):
        page.keyboard.press("Tab")
        expect(button).to_be_focused()
    assert read.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("Space")
    expect(status(page)).to_have_text("This is a 0 (91.0 %).")


def test_a_refusal_is_shown(page):
    page.get_by_role("button", name="Clear", exact=True).click()
    draw(page, [(0.5, 0.5)])
    expect(status(page)).to_have_text("This is only a dot: draw one digit.")


def test_a_finger_draws_too(page):
    page.get_by_role("button", name="Clear", exact=True).click()
    paper = page.get_by_role("application", name="Drawing pad").bounding_box()
    touch = page.context.new_cdp_session(page)
    x = paper["x"] + paper["width"] / 2
    for kind, share in [("touchStart", 0.2), ("touchMove", 0.4), ("touchMove", 0.6), ("touchMove", 0.8)]:
        point = {"x": x, "y": paper["y"] + share * paper["height"]}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(status(page)).to_have_text("This is a 1 (91.0 %).")


def test_the_saved_notebook_is_valid_and_small(page, folder):
    page.keyboard.press("Control+s")
    saved = None
    for _ in range(120):
        saved = nbformat.read(folder / "pad.ipynb", as_version=4)
        if saved.cells[0].outputs:
            break
        time.sleep(0.25)
    nbformat.validate(saved)
    assert saved.cells[0].outputs[0].data["text/plain"].startswith("A drawing pad: run this cell")
    assert "widgets" not in saved.metadata
    assert (folder / "pad.ipynb").stat().st_size < 5000


def test_the_network_of_the_course_reads_a_three(page, address):
    """Its picture, outputs/drawing_pad.png, is there to be looked at."""
    page = another_page(page, width=1100, height=800)
    open_pad(page, address.replace("pad.ipynb", "network.ipynb"))
    upper = [(0.5 + 0.2 * math.cos(angle), 0.32 + 0.16 * math.sin(angle)) for angle in np.linspace(-2.6, 1.6, 20)]
    lower = [(0.5 + 0.24 * math.cos(angle), 0.66 + 0.19 * math.sin(angle)) for angle in np.linspace(-1.6, 2.6, 20)]
    draw(page, upper + lower)
    expect(status(page)).to_contain_text("This is a 3 (")
    box = page.locator(".drawing-pad").bounding_box()
    page.screenshot(path=ROOT / "outputs" / "drawing_pad.png", clip=box | {"width": 640})
    page.close()


def test_one_walks_through_the_network_of_the_kernel(page, address):
    page = another_page(page, width=1500, height=1100)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    open_notebook(page, address.replace("pad.ipynb", "walk.ipynb"))
    digits = page.get_by_role("group", name="Digit to look at").get_by_role("button")
    expect(digits).to_have_count(2)
    expect(digits.first).to_have_attribute("aria-pressed", "true")
    heading = page.locator(".network-explorer .sum h3")
    before = heading.text_content()
    digits.last.click()
    expect(heading).not_to_have_text(before)
    page.locator("[data-layer=conv2] .maps").click()
    expect(page.locator(".network-explorer .terms tbody tr")).to_have_count(8)
    take_screenshot(page, "explorer_light.png")
    page.close()


def test_after_a_reload_in_the_dark_theme_the_drawing_is_still_there(page, folder):
    theme = folder / "settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    theme.parent.mkdir(parents=True, exist_ok=True)
    theme.write_text('{"theme": "JupyterLab Dark"}')
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    expect(status(page)).to_have_text("This is a 1 (91.0 %).")
    draw(page, [(0.3, 0.2), (0.18, 0.55)])  # alone it would be a 1 again
    expect(status(page)).to_have_text("This is a 0 (91.0 %).")
    take_screenshot(page, "drawing_pad_dark.png")


def test_the_page_asked_nobody_but_the_local_server(page):
    addresses = [url for url in page.asked if url.startswith(("http", "ws"))]
    assert addresses
    assert [url for url in addresses if "//127.0.0.1:" not in url] == []
