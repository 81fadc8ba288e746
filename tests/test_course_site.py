"""The course as a website: every link leads somewhere, nothing is asked of anybody, and the search finds its words."""

import json
import os
import re
from pathlib import Path

import bs4
import nbformat
import pytest
import yaml

from mnist_course import course_site, files, paths, web_page

FRONT = '<!doctype html>\n<html lang="en"><title>Front</title><body>\n<!-- course -->\n<p>Pad</p></body></html>'
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
GUESS = "guess = None  # a number"


def write(path, *cells):
    """Write a notebook; a cell is Markdown, or a pair of code and its output: text, or a dict of formats."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
            continue
        code = nbformat.v4.new_code_cell(cell[0])
        if isinstance(cell[1], dict):
            code.outputs = [nbformat.v4.new_output("display_data", cell[1])]
        elif cell[1]:
            code.outputs = [nbformat.v4.new_output("stream", text=cell[1])]
        made.append(code)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


@pytest.fixture
def course(tmp_path):
    root = tmp_path / "course"
    write(
        root / "notebooks/01_first.ipynb",
        "# 1. The first\n\nBy the end you know `one`.",
        "See the [glossary](../GLOSSARY.md#a-term), [next](02_second.ipynb) and [others](https://example.org/).",
        ("# @title Set-up: run this cell first\nimport numpy as np", ""),
        "## How many walruses?\n\nThe loss is $\\frac{a}{b}$ here. How many?",
        (GUESS, ""),
        ('guesses.reveal("walruses", 7, guess)', "walruses: 7\n"),
        "Seven of them.",
        "## Next\n\n- go on",
        ("plot()", {"image/png": PIXEL}),
        ("described()", {"text/html": f'<img alt="A black pixel" src="data:image/png;base64,{PIXEL}">'}),
    )
    write(root / "notebooks/02_second.ipynb", "# 2. The second\n\nA promise.", "## How many\n\n## How many")
    write(root / "notebooks/solutions/01_first_solutions.ipynb", "# 1. Solutions\n\nzebra", "[back](../01_first.ipynb)")
    (root / "README.md").write_text(
        "# About\n\n![one pixel](data/pixel.png) [below](#two-commands), [licence](LICENSE), "
        "[solved](notebooks/solutions/)\n\n## Two commands\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    (root / "GLOSSARY.md").write_text("# Glossary\n\n- **a term** (01): something that quokkas do.\n")
    (root / "LICENSE").write_text("free")
    (root / "data").mkdir()
    (root / "data/pixel.png").write_bytes(b"not looked at")
    return root


@pytest.fixture
def site(course):
    return course_site.make_site(FRONT, course)


def soup(text):
    return bs4.BeautifulSoup(text, "html.parser")


def pages(site):
    return {name: soup(text) for name, text in site.items() if name.endswith(".html")}


def sections(site):
    return json.loads(soup(site["search.html"]).find(id="index").string)


def test_every_link_leads_to_a_place_that_exists(site):
    found = pages(site)
    assert len(found) == 8 and site["files/LICENSE.txt"] == b"free"
    for name, page in found.items():
        for link in page.select("a[href]"):
            target, _, anchor = link["href"].partition("#")
            if target != "https://example.org/":
                assert (target or name) in site, f"{name}: {link['href']}"
                assert not anchor or found[target or name].find(id=anchor), f"{name}: {link['href']}"


def test_nothing_is_loaded_from_anywhere(site):
    for name, page in pages(site).items():
        for tag in page.find_all(src=True) + page.find_all("link"):
            assert tag.get("src", tag.get("href")).startswith("data:"), f"{name}: {tag}"
        styles = " ".join(style.get_text() for style in page.find_all("style"))
        assert "@import" not in styles and "url(" not in styles
        if name != "index.html":
            policy = page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
            assert policy.startswith("default-src 'none'; img-src data:;") and "script-src 'sha256-" in policy


def test_the_front_page_leads_to_the_lessons_and_back(site):
    links = [link["href"] for link in soup(site["index.html"]).select("nav.course a")]
    assert links == ["lessons.html", "glossary.html", "readme.html", "search.html"]  # here is no page for teachers
    assert "<p>Pad</p>" in site["index.html"]
    assert soup(site["02_second.html"]).select_one("header a")["href"] == "index.html"
    with pytest.raises(ValueError, match="The front page has no <!-- course -->"):
        course_site.make_site("<body></body>")


def test_lessons_follow_one_another_and_solutions_stand_aside(site):
    first, second = soup(site["01_first.html"]), soup(site["02_second.html"])
    assert [link["href"] for link in first.select(".turn a")] == ["02_second.html"]
    assert [link["href"] for link in second.select(".turn a")] == ["01_first.html"]
    listed = soup(site["lessons.html"])
    assert [link["href"] for link in listed.select("main h2 a")] == ["01_first.html", "02_second.html"]
    assert listed.select_one("main li a")["href"] == "01_first_solutions.html"
    assert soup(site["01_first_solutions.html"]).select_one(".note a")["href"] == "01_first.html"


def test_set_up_and_answers_are_folded(site):
    folded = {part.summary.string: part for part in soup(site["01_first.html"]).select("main details[class!=contents]")}
    assert list(folded) == ["Set-up: run this cell first", "What came out"]
    assert "import numpy" in folded["Set-up: run this cell first"].get_text()
    answer = folded["What came out"].get_text()
    assert "walruses: 7" in answer and "Seven of them." in answer and "Next" not in answer
    assert not any(part.has_attr("open") for part in folded.values())


def test_formulas_become_mathml(site, course):
    assert soup(site["01_first.html"]).select_one("p math mfrac mi").string == "a"
    assert "$" not in soup(site["01_first.html"]).main.get_text()
    write(course / "notebooks/02_second.ipynb", "# 2. The second", "Wrong: $\\left( a$")
    with pytest.raises(ValueError, match=r"The formula .* cannot be shown as MathML"):
        course_site.make_site(FRONT, course)


def test_pictures_keep_their_words(site):
    described, plain = [picture["alt"] for picture in soup(site["01_first.html"]).select("main img")][::-1]
    assert described == "A black pixel" and plain == "Figure: the text below says what it shows"
    assert soup(site["readme.html"]).img["alt"] == "one pixel"


def test_the_search_knows_headings_terms_and_their_text_but_no_answers(site):
    found = {section["title"]: section for section in sections(site)}
    walruses = found["How many walruses?"]
    assert walruses["page"] == "1. The first" and walruses["address"] == "01_first.html#how-many-walruses"
    assert "The loss is" in walruses["text"] and "guesses.reveal" in walruses["text"]
    assert found["a term"]["address"] == "glossary.html#a-term" and "quokkas" in found["a term"]["text"]
    words = json.dumps(list(found.values()))
    assert "walruses: 7" not in words and "zebra" not in words
    assert [section["address"] for section in sections(site) if section["title"] == "How many"] == [
        "02_second.html#how-many",
        "02_second.html#how-many-1",
    ]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("[gone](gone.md)", "README.md has a link to gone.md, which is not there"),
        ("[out](../../secret.txt)", "README.md has a link to ../../secret.txt, which is not there"),
        ("[place](GLOSSARY.md#gone)", "readme.html has a link to glossary.html#gone, which is not on the site"),
        ("![gone](gone.png)", "README.md shows the picture gone.png, which is not there"),
        ("![tracked](https://example.org/a.png)", "README.md shows the picture https://example.org/a.png"),
    ],
)
def test_a_dead_link_or_picture_is_named(text, complaint, course):
    (course / "README.md").write_text(f"# About\n\n## Two commands\n\n{text}\n")
    (course.parent / "secret.txt").write_text("outside")
    with pytest.raises(ValueError, match=re.escape(complaint)):
        course_site.make_site(FRONT, course)


# ---------------------------------------------------------------- writing it


@pytest.fixture
def command(course, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setattr(web_page, "build_page", lambda: FRONT)
    whole = course_site.make_site
    monkeypatch.setattr(course_site, "make_site", lambda front_page: whole(front_page, course))
    return course_site.main


def test_the_command_replaces_an_older_site(command, tmp_path, capsys):
    old = tmp_path / "outputs/site/old.html"
    for _ in range(2):
        assert command([]) == 0
        assert not old.exists() and (tmp_path / "outputs/site/files/LICENSE.txt").read_text() == "free"
        old.write_text("of a lesson that is gone")
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["site"]
    assert "index.html: 9 files" in capsys.readouterr().out


def test_a_full_disk_leaves_the_old_site_and_one_sentence(command, tmp_path, capsys, monkeypatch):
    assert command([]) == 0
    (tmp_path / "outputs/site/mark").write_text("still here")

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert command([]) == 2
    assert (tmp_path / "outputs/site/mark").exists() and len(list((tmp_path / "outputs").iterdir())) == 1
    error = capsys.readouterr().err
    assert "site cannot be written (No space left on device); what was there is still whole." in error
    assert error.count("\n") == 1


def test_a_failed_exchange_brings_the_old_folder_back(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/mark").write_text("still here")
    replace = os.replace

    def locked(source, target):
        if Path(source).name == ".site.part":
            raise OSError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", locked)
    with pytest.raises(OSError, match=r"site cannot be written \(Permission denied\)"):
        files.write_folder(tmp_path / "site", {"a": "b"})
    assert [path.name for path in tmp_path.iterdir()] == ["site"] and (tmp_path / "site/mark").exists()


def test_a_file_in_the_way_stays(tmp_path):
    (tmp_path / "site").write_text("mine")
    with pytest.raises(OSError, match="a file of that name is in the way"):
        files.write_folder(tmp_path / "site", {"a": "b"})
    assert (tmp_path / "site").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


# ---------------------------------------------------------------- the workflows that publish and test


@pytest.mark.parametrize("name", ["site", "tests"])
def test_a_workflow_runs_targets_that_exist(name):
    workflow = yaml.safe_load((paths.ROOT / f".github/workflows/{name}.yml").read_text(encoding="utf-8"))
    assert workflow["name"] and True in workflow  # YAML 1.1 reads the key `on` as true
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    asked = re.findall(r"\bmake ([a-z-]+)", " ".join(step.get("run", "") for step in steps))
    targets = re.findall(r"^([a-z-]+):", (paths.ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert asked and set(asked) <= set(targets)
    for step in steps:
        assert "run" in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_the_workflow_tests_every_python_that_the_course_promises():
    workflow = yaml.safe_load((paths.ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
