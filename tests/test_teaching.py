"""TEACHING.md and GLOSSARY.md say what the notebooks say; stated minutes agree with the measured ones."""

import json
import re

import nbformat
import pytest

from benchmarks import course_minutes
from mnist_course import notebook_runs, paths

PATHS = notebook_runs.find_notebooks()
TEACHING = (paths.ROOT / "TEACHING.md").read_text(encoding="utf-8")
README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
GLOSSARY = (paths.ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
SECONDS = json.loads(course_minutes.RESULTS.read_text(encoding="utf-8"))["seconds"]
ORDINARY_WORDS = {"new minimum", "what", "when"}  # in italics for emphasis, not because they are terms


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


def prose(path):
    """The lesson's Markdown as one line of text, with the words of links only."""
    cells = nbformat.read(path, as_version=4).cells
    text = " ".join(" ".join(cell.source for cell in cells if cell.cell_type == "markdown").split())
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)


def section(path):
    """The part of TEACHING.md about a notebook; its heading starts with the notebook's number."""
    (found,) = re.findall(rf"^### {path.stem[:2]} .*?(?=^##|\Z)", TEACHING, flags=re.M | re.S)
    return found


# ---------------------------------------------------------------- minutes


def stated_seconds(wording):
    """Return from how many seconds to how many a wording such as "2 to 4 minutes" holds."""
    number = r"(\d+(?:\.\d+)?)"
    if match := re.fullmatch(rf"under {number}(?: minutes?)?", wording):
        return 0, 60 * float(match[1])
    if match := re.fullmatch(rf"about {number}(?: minutes?)?", wording):
        return 60 * float(match[1]) / 2, 60 * float(match[1]) * 1.5
    if match := re.fullmatch(rf"{number} to {number}(?: minutes?)?", wording):
        return 60 * float(match[1]), 60 * float(match[2])
    raise ValueError(f"No time is said in a known way: {wording!r}.")


def holds(wording, seconds):
    low, high = stated_seconds(wording)
    return low <= seconds <= high


@pytest.mark.parametrize(
    ("wording", "true", "false"),
    [
        ("under 1 minute", [1, 59], [61, 300]),
        ("under 1", [18], [75]),
        ("about 1 minute", [30, 60, 90], [12, 29, 91]),
        ("about 3 minutes", [90, 270], [60, 271]),
        ("5 to 15 minutes", [300, 348, 900], [299, 901]),
        ("1 to 4", [94], [59, 241]),
    ],
)
def test_a_wrong_time_is_noticed(wording, true, false):
    assert all(holds(wording, seconds) for seconds in true)
    assert not any(holds(wording, seconds) for seconds in false)


def test_an_unknown_wording_is_noticed():
    with pytest.raises(ValueError, match="a few minutes"):
        stated_seconds("a few minutes")


def test_every_notebook_was_measured():
    assert set(SECONDS) == {path.stem for path in PATHS}


def test_notebook_says_its_measured_time(path):
    (wording,) = re.findall(r"\*\*Time:\*\* (.*?) to run on two cores", prose(path))
    assert holds(wording, SECONDS[path.stem]), f"{wording}, measured {SECONDS[path.stem]} s"


def test_readme_says_its_measured_time(path):
    (row,) = [line for line in README.splitlines() if f"](notebooks/{path.name})" in line]
    wording = row.strip("| ").split("|")[-1].strip()
    assert holds(wording, SECONDS[path.stem]), f"{wording}, measured {SECONDS[path.stem]} s"


def test_teaching_says_its_measured_time(path):
    (wording,) = re.findall(r"^\*\*Time\.\*\* Runs in (.*?);", section(path), flags=re.M)
    assert holds(wording, SECONDS[path.stem]), f"{wording}, measured {SECONDS[path.stem]} s"


def test_plans_add_up():
    tables = re.findall(r"^\| minutes \|.*?\n\|[-|]+\|\n((?:\|.*\n)+)\nTogether (\d+) minutes", TEACHING, flags=re.M)
    assert len(tables) == 3
    for rows, total in tables:
        assert sum(int(row.split("|")[1]) for row in rows.splitlines()) == int(total), rows


def write_run(folder, **changes):
    entry = {"notebook": "01_data_exploration", "status": "done", "parameters": {}, "seconds": 12.3} | changes
    (folder / "summary.json").write_text(json.dumps({"notebooks": [entry]}), encoding="utf-8")


def test_times_are_copied_from_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course_minutes, "RESULTS", tmp_path / "course_minutes.json")
    write_run(tmp_path)
    assert course_minutes.main([str(tmp_path)]) == 0
    results = json.loads((tmp_path / "course_minutes.json").read_text())
    assert results["seconds"] == {"01_data_exploration": 12.3} and "cores" in results["machine"]
    assert set(results) == {"command", "date", "machine", "versions", "seconds"}
    assert capsys.readouterr().out == "01_data_exploration: 12 s\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "failed"}, "did not finish 01_data_exploration"),
        ({"parameters": {"EPOCHS": 1}}, "with other parameters"),
        (None, "not the folder of a run"),
    ],
)
def test_other_runs_are_refused(changes, words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course_minutes, "RESULTS", tmp_path / "course_minutes.json")
    if changes:
        write_run(tmp_path, **changes)
    assert course_minutes.main([str(tmp_path)]) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "course_minutes.json").exists()


# ---------------------------------------------------------------- what TEACHING.md quotes and names


def test_quotations_are_the_notebooks_own_words(path):
    quotations = re.findall(r"^> (.+)$", section(path), flags=re.M)
    assert len(quotations) >= 3
    for quotation in quotations:
        assert quotation in prose(path)


def test_every_exercise_has_a_row_for_marking(path):
    cells = nbformat.read(path, as_version=4).cells
    asked = re.findall(r"^### Exercise (\d\.\d): (.+)$", "\n".join(cell.source for cell in cells), flags=re.M)
    rows = re.findall(r"^\| (\d\.\d) (.+?) \|", section(path), flags=re.M)
    assert rows == asked


def test_links_and_commands_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", TEACHING):
        assert (paths.ROOT / target).exists(), target
    targets = set(re.findall(r"^([a-z-]+):.*##", (paths.ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for named in re.findall(r"(?:`|^|/wheels )make ([a-z-]+)", TEACHING, flags=re.M):
        assert named in targets, named


# ---------------------------------------------------------------- glossary


def terms_in(text):
    """The terms in italics: titles of papers, which a year follows, and ordinary words are none."""
    found = re.findall(r"(?<![*\w])\*([^*\s](?:[^*]*[^*\s])?)\*(?![*\w])(?!,? \d{4})", text)
    return {term.casefold() for term in found} - ORDINARY_WORDS


def lesson_terms():
    """{term: number of the notebook that introduces it}; the exercises introduce none."""
    numbers = {}
    for path in PATHS:
        for term in terms_in(prose(path).split("## Exercises")[0]):
            numbers.setdefault(term, path.stem[:2])
    return numbers


def test_terms_are_told_from_titles_and_bold_type():
    text = "A *Label* is (Le, *A Title*, 1998), **bold**, 3 * 4 * 5, *when* and *max pooling*, *one-hot*."
    assert terms_in(text) == {"label", "max pooling", "one-hot"}


def test_glossary_has_every_term_of_the_notebooks_and_no_other():
    entries = re.findall(r"^- \*\*(.+?)\*\* \((\d\d)\): .+\.$", GLOSSARY, flags=re.M)
    assert dict((term.casefold(), number) for term, number in entries) == lesson_terms()
    assert len(entries) == len(re.findall(r"^- ", GLOSSARY, flags=re.M))
    names = [term.casefold() for term, _ in entries]
    assert names == sorted(names)


def test_ordinary_words_are_really_in_use():
    text = " ".join(prose(path) for path in PATHS)
    assert all(f"*{word}*" in text for word in ORDINARY_WORDS)
