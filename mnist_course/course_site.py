"""The course as a website that needs no server and asks nobody: the digit page, lessons, glossary, search.

    python -m mnist_course.course_site

Writes outputs/site/; a double click on its index.html opens it. Every page is one file, with style and pictures inside.
"""

import base64
import hashlib
import json
import posixpath
import re
import sys
from collections import Counter, namedtuple
from urllib.parse import quote, unquote

import bs4
import jinja2
import nbformat
from latex2mathml import converter
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

from mnist_course import paths, web_page, web_sources
from mnist_course.command_line import command
from mnist_course.files import write_folder

_COURSE_PLACE = "<!-- course -->"  # where the front page takes the links to the other pages
_COURSE = "Handwritten digits with Keras"
_PLACES = {"lessons.html": "Lessons", "glossary.html": "Glossary", "readme.html": "About", "teaching.html": "Teaching"}
_SHOWN_AS_THEY_ARE = (".json", ".png", ".jpg", ".txt")  # by a browser; other files get a name that it shows as text
_NOT_SEARCHED = ("lessons.html", "search.html")  # nor are solutions
_NO_ALT = "Figure: the text below says what it shows"  # the notebooks' rule for a figure without words of its own
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)
_LESSONS = """# Lessons

Every lesson asks before it answers. What came out stays folded here until you open it, so write your guess down first.
To run the cells and change them, take the course home: [two commands](README.md#two-commands) do it.
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {}; base-uri 'none'"
_SEARCH = """<h1>Search</h1>
<p id="found" role="status">Type a word, for example dropout.</p>
<ol id="results"></ol>
<noscript><p>The search needs JavaScript.</p></noscript>
"""

_Page = namedtuple("_Page", "name title folders soup")  # folders: of its source, below the course


class _Renderer(IPythonRenderer):
    """Markdown to HTML with formulas as MathML, which browsers show by themselves."""

    def block_math(self, body):
        return _mathml(body, "block")

    def inline_math(self, body):
        return _mathml(body, "inline")

    def latex_environment(self, name, body):
        return _mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


class _Exporter(HTMLExporter):
    """Notebooks to plain HTML, without the scripts that nbconvert's pages take from elsewhere."""

    @jinja2.pass_context
    def markdown2html(self, context, source):
        folder = context["resources"]["metadata"]["path"]
        renderer = _Renderer(escape=False, embed_images=True, exclude_anchor_links=True, path=folder)
        return MarkdownWithMath(renderer=renderer).render(source)


def _mathml(formula, display):
    try:
        return converter.convert(formula, display=display)
    except Exception as error:  # the library has no common class for what it raises
        raise ValueError(f"The formula {formula!r} cannot be shown as MathML.") from error


# ---------------------------------------------------------------- from a source to a page


def _name_pages(root):
    """Return {path of a source below `root`, with slashes: name of its page}, lessons first and in order."""
    sources = [*root.glob("notebooks/[0-9]*.ipynb"), *root.glob("notebooks/solutions/[0-9]*.ipynb")]
    sources = sorted(sources) + sorted([*root.glob("*.md"), *root.glob("[a-z]*/README.md")])
    names = {}
    for path in sources:
        below = path.relative_to(root)
        stem = below.parent.name if below.parent.name and path.stem == "README" else path.stem
        names[below.as_posix()] = f"{stem.lower()}.html"
    return names


def _render(exporter, notebook, folder):
    """Return the HTML of a notebook's cells as soup, set-up and answers folded, pictures inside."""
    resources = {"metadata": {"path": str(folder)}}
    for cell in notebook.cells:
        cell.metadata.setdefault("alt", _NO_ALT)
    soup = bs4.BeautifulSoup(exporter.from_notebook_node(notebook, resources)[0], "html.parser")
    answer = None
    for cell, block in zip(notebook.cells, soup.select(".cell"), strict=True):
        title = re.match(r"# @title (.+)|", cell.source)[1]
        if title:
            _fold(soup, block.find(class_="input"), title)
        output = block.find(class_="output_wrapper")
        if output and "guesses.reveal(" in cell.source:
            answer = _fold(soup, output, "What came out")
        elif answer and cell.cell_type == "markdown" and not cell.source.startswith("#"):
            answer.append(block.extract())  # the text that reads the output
        else:
            answer = None
    for span in soup.select(".output_wrapper pre [style]"):
        del span["style"]  # colours chosen for one background
    for table in soup.select("table"):
        table.wrap(soup.new_tag("div", attrs={"class": "wide"}))
    return soup


def _fold(soup, element, summary):
    details = element.wrap(soup.new_tag("details"))
    details.insert(0, soup.new_tag("summary", string=summary))
    return details


def _set_anchors(soup, selector):
    """Give what a CSS selector finds, headings and the terms of the glossary, the ids that GitHub gives to headings."""
    met = Counter()
    for element in soup.select(selector):
        slug = re.sub(r"[^\w\- ]", "", element.get_text().strip().lower()).replace(" ", "-")
        (element.parent if element.name == "strong" else element)["id"] = f"{slug}-{met[slug]}" if met[slug] else slug
        met[slug] += 1


def _rewrite_links(soup, source, root, names, files):
    """Make the links of a page lead to other pages, or to copies, added to `files`; ValueError for a dead one."""
    for link in soup.select("a[href]"):
        target, hash_sign, anchor = link["href"].partition("#")
        if _ELSEWHERE.match(target) or not target:
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(target)))
        if path in names:
            link["href"] = names[path] + hash_sign + anchor
        elif (root / path).is_dir() and path.split("/")[0] == "notebooks":
            link["href"] = "lessons.html"
        elif (root / path).is_file() and not path.startswith(".."):
            copy = f"files/{path}" if path.endswith(_SHOWN_AS_THEY_ARE) else f"files/{path}.txt"
            files[copy] = (root / path).read_bytes()
            link["href"] = quote(copy)
        else:
            raise ValueError(f"{source} has a link to {link['href']}, which is not there.")
    for picture in soup.select("img"):
        if not picture["src"].startswith("data:"):
            raise ValueError(f"{source} shows the picture {picture['src']}, which is not there.")


def _find_sections(page):
    """Return what the search finds on a page, a dict for each heading or term: title, page, address and text."""
    sections = []
    for node in page.soup.descendants:
        if isinstance(node, bs4.Tag) and (node.name in ("h1", "h2", "h3") or node.name == "li" and node.get("id")):
            title = (node.strong if node.name == "li" else node).get_text().strip()
            sections.append({"title": title, "page": page.title, "address": f"{page.name}#{node['id']}", "text": ""})
        elif type(node) is bs4.NavigableString and sections and node.find_parent(class_="output_wrapper") is None:
            if node.find_parent(["h1", "h2", "h3"]) is None:
                sections[-1]["text"] += node
    for section in sections:
        section["text"] = " ".join(section["text"].split())
    return sections


def _check_anchors(pages):
    """Raise ValueError when a link leads to a page of the site, or to a place on one, that does not exist."""
    ids = {page.name: {element["id"] for element in page.soup.select("[id]")} for page in pages}
    for page in pages:
        for link in page.soup.select("a[href]"):
            name, _, anchor = link["href"].partition("#")
            if _ELSEWHERE.match(name) or name.startswith("files/"):
                continue
            if (name or page.name) not in ids or anchor and unquote(anchor) not in ids[name or page.name]:
                raise ValueError(f"{page.name} has a link to {link['href']}, which is not on the site.")


# ---------------------------------------------------------------- the site


def make_site(front_page, root=paths.ROOT):
    """Return the site as {name of a file: its text or bytes}.

    `front_page` is the HTML that becomes index.html; it holds `_COURSE_PLACE`, where the links to the other pages go.
    `root` is the folder of the course. Raises ValueError for a link, a place on a page or a picture that is missing,
    and for a formula that MathML cannot show.
    """
    if _COURSE_PLACE not in front_page:
        raise ValueError(f"The front page has no {_COURSE_PLACE}, where the links to the lessons belong.")
    names, files, pages = _name_pages(root), {}, []
    sources = {source: _read(root / source) for source in names}
    sources["lessons.md"] = _list_lessons(sources)
    as_it_is = {"clean_html": lambda html: html}  # highlighted code is clean, and cleaning it takes a fifth of the time
    exporter = _Exporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True, filters=as_it_is)
    for source, notebook in sources.items():
        soup = _render(exporter, notebook, (root / source).parent)
        _set_anchors(soup, "h1, h2, h3, h4" + (", li > strong:first-child" if source == "GLOSSARY.md" else ""))
        _rewrite_links(soup, source, root, names, files)
        title = soup.h1.get_text().strip() if soup.h1 else source
        pages.append(_Page(names.get(source, "lessons.html"), title, source.split("/")[:-1], soup))
    pages.append(_Page("search.html", "Search", [], bs4.BeautifulSoup(_SEARCH, "html.parser")))
    places = [_Page(name, _PLACES[name], [], None) for name in _PLACES if name in {page.name for page in pages}]
    links = "".join(f'<a href="{place.name}">{place.title}</a>\n' for place in [*places, pages[-1]])
    front_page = front_page.replace(_COURSE_PLACE, f'<nav class="course" aria-label="Course">\n{links}</nav>', 1)
    front = _Page("index.html", "Draw a digit", [], bs4.BeautifulSoup(front_page, "html.parser"))
    _check_anchors([front, *pages])
    return files | {front.name: front_page} | _dress(pages, [front, *places])


def _read(path):
    """Return a notebook; of a Markdown file, one with a single cell."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    return _from_markdown(path.read_text(encoding="utf-8"))


def _from_markdown(text):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def _list_lessons(sources):
    """Return the page of all lessons, each with its promise, and of the solutions."""
    text, solutions = _LESSONS, ""
    for source, notebook in sources.items():
        if source.endswith(".ipynb"):
            title, _, promise = notebook.cells[0].source.partition("\n")
            title = title.removeprefix("# ")
            if "/solutions/" in source:
                solutions += f"- [{title}]({source})\n"
            else:
                text += f"\n## [{title}]({source})\n\n{promise.strip()}\n"
    return _from_markdown(text + ("\n## Solutions, for after the exercises\n\n" + solutions if solutions else ""))


def _dress(pages, places):
    """Return {name: HTML} of the pages, each with style, script, navigation and a list of its own headings."""
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    style = web_sources.read_source("site.css") + HtmlFormatter().get_style_defs(".highlight")
    style += f"\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"
    script = web_sources.read_source("site.js")
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = template.from_string(web_sources.read_source("site.html"))
    lessons = [page for page in pages if page.folders == ["notebooks"]]
    searched = [page for page in pages if "solutions" not in page.folders and page.name not in _NOT_SEARCHED]
    index = json.dumps([section for page in searched for section in _find_sections(page)], ensure_ascii=False)
    dressed = {}
    for page in pages:
        place = lessons.index(page) if page in lessons else None
        handlers = [tag["oninput"] for tag in page.soup.select("[oninput]")]  # of the slider in lesson 2
        allowed = [_hash(text) for text in (script, *handlers)] + ["'unsafe-hashes'"] * bool(handlers)
        dressed[page.name] = template.render(
            page=page,
            course=_COURSE,
            policy=_POLICY.format(" ".join(allowed)),
            style=Markup(style),
            script=Markup(script),
            body=Markup(page.soup),
            headings=page.soup.select("h2[id]"),
            places=places,
            lessons=lessons,
            previous=lessons[place - 1] if place else None,
            next=lessons[place + 1] if place is not None and place + 1 < len(lessons) else None,
            index=Markup(index.replace("</", "<\\/")) if page.name == "search.html" else "",
        )
    return dressed


def _hash(script):
    """Return what a Content-Security-Policy calls a script that it lets run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@command
def main(argv=None):
    folder = paths.OUTPUTS / "site"
    files = make_site(web_page.build_page())
    write_folder(folder, files)
    size = sum(len(content.encode() if isinstance(content, str) else content) for content in files.values())
    print(f"{paths.shown(folder / 'index.html')}: {len(files)} files, {size / 1e6:.1f} MB; a double click opens it")


if __name__ == "__main__":
    sys.exit(main())
