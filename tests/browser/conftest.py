"""What the checks in Chromium share: the browser that is installed, and axe-core, which finds what keeps people out."""

import shutil
from pathlib import Path

import pytest

AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"  # from npm, by `make test-browser`
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import expect, sync_playwright  # `make test` collects this folder without it

    assert CHROMIUM, "This is tested in Chromium: install it (Debian: apt-get install chromium), then try again."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        expect.set_options(timeout=60_000)
        yield browser
        browser.close()


@pytest.fixture
def serious_faults():
    """Return a page's serious faults by axe-core, a list of (name, place); the page's context has to bypass its CSP."""

    def serious_faults(page):
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        assert found["passes"], "axe-core looked at nothing"
        faults = [fault for fault in found["violations"] if fault["impact"] in ("serious", "critical")]
        return [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in faults]

    return serious_faults
