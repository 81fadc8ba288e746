"""Reads the course's website in the Chromium that is installed, from the file system; run by `make test-browser`.

The site is built once, into a temporary folder.
"""

import pytest
from playwright.sync_api import expect

from mnist_course import course_site, paths

PHONE = {"width": 360, "height": 740}
PAGES = ("index.html", "lessons.html", "02_how_a_network_learns.html", "glossary.html", "search.html?q=dropout")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, made as `make site` makes it."""
    before, paths.OUTPUTS = paths.OUTPUTS, tmp_path_factory.mktemp("outputs")
    try:
        assert course_site.main([]) == 0
        yield paths.OUTPUTS / "site"
    finally:
        paths.OUTPUTS = before


@pytest.fixture
def page(browser, site):
    """A page on which nothing goes wrong: no word in the console, no error, no request but for the site's own files."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith((site.as_uri(), "data:")) or wrong.append(request.url))
    page.open = lambda name: page.goto(f"{site.as_uri()}/{name}")
    yield page
    page.close()
    assert wrong == []


def tab_to(page, locator):
    for _ in range(100):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key never reaches {locator}.")


def test_every_page_opens_without_a_request_or_a_complaint(page, site):
    for path in sorted(site.glob("*.html")):
        page.open(path.name)
        expect(page.locator("h1").first).not_to_be_empty()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser, site, serious_faults, name, scheme):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # the policy would keep axe out
    page = context.new_page()
    page.goto(f"{site.as_uri()}/{name}")
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    faults = serious_faults(page)
    context.close()
    assert faults == []


@pytest.mark.parametrize("name", [*PAGES, "readme.html", "teaching.html", "01_data_exploration_solutions.html"])
def test_nothing_is_wider_than_a_phone(page, name):
    page.set_viewport_size(PHONE)
    page.open(name)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_search_works_with_the_keyboard_alone(page):
    page.open("03_model_building.html")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
    query = page.get_by_role("searchbox", name="Search")
    tab_to(page, query)
    page.keyboard.type("validation loss")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=validation+loss")
    status = page.get_by_role("status")
    expect(status).to_contain_text("sections")
    expect(query).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("quokka")
    expect(status).to_have_text("0 sections.")
    page.keyboard.press("Control+a")
    page.keyboard.type("adversarial ex")
    first = page.locator("#results a").first
    expect(first).to_have_text("adversarial examples")
    tab_to(page, first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#adversarial-examples")


def test_a_query_is_text_and_nothing_else(page):
    page.open("search.html?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%20(%5B%5C")
    expect(page.get_by_role("status")).to_contain_text("section")
    assert page.locator("#results img").count() == 0


def test_answers_open_and_the_slider_of_a_lesson_moves(page):
    page.open("02_how_a_network_learns.html")
    answer = page.locator("summary", has_text="What came out").first
    assert not answer.evaluate("summary => summary.parentElement.open")
    answer.focus()
    page.keyboard.press("Enter")
    assert answer.evaluate("summary => summary.parentElement.open")
    slider = page.get_by_role("slider", name="which picture")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("figure output")).to_contain_text("step 0,")


def test_from_the_front_door_to_the_last_lesson(page):
    page.open("index.html")
    page.get_by_role("link", name="Lessons", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="1.").first.click()
    page.wait_for_url("**/01_*.html")
    titles = [page.title()]
    while page.locator("a[rel=next]").count():
        address = page.locator("a[rel=next]").get_attribute("href")
        page.locator("a[rel=next]").click()
        page.wait_for_url(f"**/{address}")
        titles.append(page.title())
    assert len(titles) == len(list(paths.NOTEBOOKS.glob("[0-9]*.ipynb"))) == len(set(titles))
