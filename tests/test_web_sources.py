"""JavaScript modules become one text, and English stands in one place."""

import re

import pytest

from mnist_course import paths, web_sources


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A folder that is taken for web/; call it with the modules' texts by name."""
    monkeypatch.setattr(paths, "WEB", tmp_path)

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text, encoding="utf-8")

    return write


def test_what_is_imported_comes_first_and_once_shut_in(web):
    end = 'import { double } from "./middle.js";\nimport { one } from "./first.js";\nexport const two = double(one);\n'
    middle = 'import {\n one } from "./first.js";\nconst two = 2;\nexport function double(n) { return two * n; }\n'
    web(end=end, middle=middle, first="const two = 2;\nexport const one = two - 1;\n")
    text = web_sources.join_modules("end.js")
    assert "import" not in text and text.count("const one") == 1
    parts = [text.index(words) for words in ("const { one } =", "const { double } =", "export const two")]
    assert parts == sorted(parts)
    assert text.count("export") == 1  # what the page or the notebook asks for
    assert text.count("=> {\n") == 2  # so that each keeps a `two` of its own


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('import { one as two } from "./other.js";', "imports one as two, which web/other.js does not export"),
        ('import { three } from "./other.js";', "imports three, which web/other.js does not export"),
        ('import * as other from "./other.js";', "a line that cannot be joined: import \\* as other"),
        ('import { one } from "./absent.js";', "absent.js is missing"),
        ("export { one };", "a line that cannot be joined: export { one };"),
    ],
)
def test_what_cannot_be_joined_is_refused(web, line, words):
    web(end=f"{line}\n", other="export const one = 1;\n")
    with pytest.raises(ValueError, match=words):
        web_sources.join_modules("end.js")


def code_of(path):
    """The text of a JavaScript file without its comments."""
    return re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S)


def test_every_english_sentence_of_the_page_stands_in_one_file():
    for path in sorted(paths.WEB.glob("*.js")):
        texts = re.findall(r'"([^"\n]*)"|`([^`\n]*)`|>([^<>=(){}\n]*)<', code_of(path))
        words = re.compile(r"[^.#[]*[a-z]{2,} [a-z]{2,} [a-z]{2,}")  # neither a selector nor a class
        sentences = [part for parts in texts for part in parts if words.match(part)]
        assert bool(sentences) == (path.name == "texts.js"), f"{path.name}: {sentences}"


def test_nothing_in_web_names_an_address():
    for path in sorted(paths.WEB.iterdir()):
        assert not re.search(r"https?:|//\w+\.\w", path.read_text(encoding="utf-8")), path.name
