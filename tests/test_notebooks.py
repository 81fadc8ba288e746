"""What every notebook must keep, and that the collection in conftest.py notices when one is no longer true."""

import re
import shutil
import subprocess
import sys

import IPython.display
import keras
import matplotlib.pyplot as plt
import nbformat
import papermill
import pytest

import mnist_helpers as mh
from mnist_course import notebook_runs, paths
from mnist_course.parameters import TYPES

PATHS = notebook_runs.find_notebooks(solutions=True)
LESSONS = notebook_runs.find_notebooks()
MACHINE_PATH = re.compile(r"/(home|root|tmp|work|Users|private|opt|usr|var)/|\b[A-Z]:\\|site-packages|\.venv")
NOT_FOR_LEARNERS = re.compile(r"\b(CI|continuous integration|nbval|pytest|fast mode|unit tests?)\b")


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook, tag=None):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell for cell in cells if tag is None or notebook_runs.has_tag(cell, tag)]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def count_words(text):
    """Return how many words a reader of this Markdown reads, outside its tables and blocks of code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    text = re.sub(r"^\|.*$", "", text, flags=re.M)
    text = re.sub(r"\]\([^)\s]+\)", "]", text)
    return len(re.findall(r"\S*\w\S*", text))


def output_texts(cell):
    """Everything in the outputs of a cell that is not a picture."""
    for output in cell.outputs:
        yield output.get("text", "")
        yield from (str(data) for kind, data in output.get("data", {}).items() if not kind.startswith("image/"))


def test_there_are_notebooks():
    assert len(PATHS) >= 4


def test_notebook_is_valid_and_small(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size < 1_500_000


def test_headings_start_with_the_only_title_and_never_skip_a_level(notebook):
    text = re.sub(r"```.*?```", "", prose(notebook), flags=re.S)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.M)]
    assert notebook.cells[0].source.startswith("# ")
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(level <= above + 1 for above, level in zip(levels, levels[1:], strict=False)), levels


def test_parameters_are_typed_and_explained(path, notebook):
    cells = code_cells(notebook, "parameters")
    if path.parent.name == "solutions" and not cells:
        return
    (cell,) = cells
    parameters = papermill.inspect_notebook(str(path))
    assert len(parameters) == len(cell.source.splitlines()), "papermill does not understand every line"
    for name, parameter in parameters.items():
        assert parameter["inferred_type_name"] in TYPES, f"{name} has no plain type"
        assert parameter["help"], f"{name} has no comment"


def test_code_cells_are_short(notebook):
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert 0 < len(lines) <= 20, cell.source


def test_no_machine_path_in_code_prose_or_outputs(notebook):
    assert not MACHINE_PATH.search(prose(notebook))
    for cell in code_cells(notebook):
        for text in (cell.source, *output_texts(cell)):
            assert not MACHINE_PATH.search(text), text


def test_nothing_of_a_run_is_left_but_its_outputs_and_the_set_up_is_folded(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info", "course"}
    for cell in notebook.cells:
        folded = {"cellView": "form", "jupyter": {"source_hidden": True}}  # in Colab and JupyterLab
        expected = folded if "COURSE_REPOSITORY =" in cell.source else {}
        assert {key: value for key, value in cell.metadata.items() if key != "tags"} == expected, cell.metadata
        for output in cell.get("outputs", []):
            assert not any("widget" in kind for kind in output.get("data", {}))


def test_every_cell_ran_in_order_without_error_or_warning(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        kinds = [output.get("name", output.output_type) for output in cell.outputs]
        assert "error" not in kinds and "stderr" not in kinds, cell.outputs
        assert kinds.count("stdout") <= 1, "streams are not joined"


def test_outputs_belong_to_the_code(notebook):
    message = "the code was changed after its outputs were stored: run `make notebooks`"
    assert notebook.metadata.get("course", {}).get("code_sha256") == notebook_runs.code_sha256(notebook), message


def test_at_least_three_outputs_are_compared(notebook):
    cells = code_cells(notebook, "nbval-check-output")
    assert len([cell for cell in cells if cell.outputs]) >= 3
    assert all(cell.outputs for cell in cells), "a compared cell shows nothing"


def test_key_results_are_short_lines(path, notebook):
    results = notebook_runs.key_results(notebook)
    assert results or path.parent.name == "solutions"
    assert all(len(line) <= 90 for line in results)


def is_figure(output):
    data = output.get("data", {})
    return "image/png" in data or "<img " in data.get("text/html", "")


def test_prose_follows_every_figure_before_the_next(notebook):
    unread = None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            unread = None
        elif any(is_figure(output) for output in cell.outputs):
            assert unread is None, f"nothing says what this shows:\n{unread}"
            unread = cell.source
    assert unread is None, f"nothing says what this shows:\n{unread}"


def test_links_and_pictures_in_prose(path, notebook):
    for mark, text, target in re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", prose(notebook)):
        assert text, f"{target} has no words for those who cannot see it"
        if not target.startswith(("https://", "#")):
            assert (path.parent / target).exists(), target
        assert not mark or "colab-badge" in target or not target.startswith("https://"), f"{target} needs a network"


def test_lessons_do_not_speak_of_how_they_are_tested(notebook):
    for cell in notebook.cells:
        assert not NOT_FOR_LEARNERS.search(cell.source), cell.source


def test_every_lesson_shows_a_figure(path, notebook):
    pictures = [output for cell in code_cells(notebook) for output in cell.outputs if is_figure(output)]
    assert pictures or path.parent.name == "solutions"


def test_figures_that_carry_a_lesson_have_words_for_who_cannot_see_them(path, notebook):
    pages = [output.data["text/html"] for cell in code_cells(notebook) for output in cell.outputs if is_page(output)]
    described = [page for page in pages if re.search(r'<img alt="[^"]{20,}"', page)]
    assert described == pages
    assert described or path.parent.name == "solutions"


def is_page(output):
    return "<img " in output.get("data", {}).get("text/html", "")


def test_no_cell_is_tagged_to_fail(notebook):
    assert not code_cells(notebook, "raises-exception")  # nbval would go on after it, run_course.py would not


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_prose_comes_in_small_cells(path):
    for cell in nbformat.read(path, as_version=4).cells:
        words = count_words(cell.source) if cell.cell_type == "markdown" else 0
        assert words <= 60, f"{words} words, split this cell or say it in fewer:\n{cell.source}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("## Two words\n\n- **one**, *two* `code` 28 x 28", 8),
        ("a [link of four words](../a_file_name.ipynb), 95 % sure", 7),
        ("before\n\n| a | table |\n|---|---|\n| 1 | 2 |\n\nafter", 2),
        ("before\n```python\nprint('many words of code')\n```\nafter", 2),
    ],
)
def test_words_are_counted_outside_tables_code_blocks_and_targets(text, words):
    assert count_words(text) == words


def guess_cells(path):
    """Return [[question, ...], ...]: for each guess cell of a notebook, what is revealed before the next one."""
    revealed = [[]]
    for cell in code_cells(nbformat.read(path, as_version=4)):
        if cell.source.startswith("guess = None  # "):
            assert re.fullmatch('reason = ""  # .+', cell.source.split("\n", 1)[1])
            revealed.append([])
        revealed[-1] += re.findall(r'guesses\.reveal\(\s*"([^"]+)", .+, guess, reason\)', cell.source)
        assert cell.source.count("guesses.reveal(") == cell.source.count(", guess, reason)"), cell.source
    assert not revealed[0], f"revealed before anybody was asked: {revealed[0]}"
    return revealed[1:]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_asks_for_at_least_four_guesses_and_sets_each_beside_its_answer(path):
    revealed = guess_cells(path)
    assert len(revealed) >= 4
    assert all(revealed), revealed


def test_what_is_guessed_has_a_short_name_of_its_own_in_the_whole_course():
    questions = [question for path in LESSONS for revealed in guess_cells(path) for question in revealed]
    assert len(set(questions)) == len(questions), sorted(questions)
    assert max(len(question) for question in questions) < 60


def test_lessons_look_for_what_was_trained_where_they_are_told(notebook):
    parameters, *others = [cell.source for cell in code_cells(notebook) if "OUTPUT_DIR" in cell.source] or [""]
    assert not parameters or any("OUTPUT_DIR or " in source for source in others)


def test_fast_parameters_exist_with_these_types():
    notebooks = {path.stem: path for path in PATHS}
    for stem, parameters in notebook_runs.read_fast_parameters().items():
        known = notebook_runs.find_parameters(notebooks[stem])
        for name, value in parameters.items():
            assert type(value).__name__ == known[name], f"{stem}: {name}"


# ---------------------------------------------------------------- how conftest.py collects notebooks


def small_notebook(*, shown="2 True notebooks\n", last="Path(OUTPUT_DIR, 'made').touch()\n'anything'"):
    """A notebook that stores `shown` as what its second cell prints; `last` is the code of its third cell."""
    parameters = 'COUNT: int = 2000  # large\nOUTPUT_DIR: str = ""  # where to'
    check = "from pathlib import Path\nprint(COUNT, bool(OUTPUT_DIR), Path.cwd().name)"
    outputs = [[], [nbformat.v4.new_output("stream", text=shown)], [nbformat.v4.new_output("stream", text="other\n")]]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Small")])
    for source, tag, stored in zip(
        (parameters, check, last), ("parameters", "nbval-check-output", "not-compared"), outputs, strict=True
    ):
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}, execution_count=1, outputs=stored)
        notebook.cells.append(cell)
    notebook.metadata.kernelspec = {"display_name": "Other", "language": "python", "name": "not-installed-anywhere"}
    return notebook


def run_pytest(folder, notebooks, *options):
    """Run pytest on a course of these notebooks, {name: notebook}, with this project's own collection."""
    needed = ["pyproject.toml", "tests/conftest.py", "tests/invented_course.py"]
    needed += [f"mnist_course/{name}.py" for name in ("__init__", "paths", "files", "notebook_runs")]
    for name in needed:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(paths.ROOT / name, folder / name)
    (folder / "tests" / "test_other.py").write_text("def test_other(): ...\n")
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "fast_parameters.yml").write_text("\n".join(f"{name}: {{COUNT: 2}}" for name in notebooks))
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--color=no", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_collection_runs_notebooks_with_the_fast_parameters_and_notices_what_is_no_longer_true(tmp_path):
    notebooks = {
        "01_true": small_notebook(),
        "02_differs": small_notebook(shown="3 True notebooks\n"),
        "03_fails": small_notebook(last="raise KeyError('changed')"),
    }
    result = run_pytest(tmp_path, notebooks)
    assert result.returncode == 1 and "2 failed, 8 passed" in result.stdout, result.stdout
    for place in range(3):
        assert f"PASSED notebooks/01_true.ipynb::Cell {place}\n" in result.stdout
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAILED")]
    assert failed[0].startswith("FAILED notebooks/02_differs.ipynb::Cell 1") and "outputs differ" in result.stdout
    assert failed[1].startswith("FAILED notebooks/03_fails.ipynb::Cell 2") and "KeyError" in result.stdout
    assert not (tmp_path / "outputs").exists()
    assert sorted(path.stem for path in (tmp_path / "notebooks").iterdir()) == [*notebooks, "fast_parameters"]


def test_full_runs_the_notebooks_only_and_with_their_own_parameters(tmp_path):
    result = run_pytest(tmp_path, {"01_true": small_notebook(shown="2000 True notebooks\n")}, "--full")
    assert result.returncode == 0 and "3 passed" in result.stdout, result.stdout
    assert not (tmp_path / "outputs").exists()


def test_the_curves_of_notebook_04_grow_in_one_place(monkeypatch):
    updates = []

    class Place:
        def update(self, figure):
            updates.append([len(line.get_xdata()) for line in figure.axes[0].lines[:2]])

    monkeypatch.setattr(IPython.display, "display", lambda *words, display_id: Place())
    (path,) = [path for path in LESSONS if path.stem.startswith("04")]
    sources = [cell.source for cell in code_cells(nbformat.read(path, as_version=4))]
    (source,) = [source for source in sources if "class GrowingCurves" in source]
    names = {"keras": keras, "mh": mh, "plt": plt}
    exec(source.rpartition("\n\n\n")[0], names)
    before, curves = plt.get_fignums(), names["GrowingCurves"]()
    curves.on_train_begin()
    for _ in range(2):
        curves.on_epoch_end(0, {"loss": 1, "accuracy": 0.5, "val_loss": 1, "val_accuracy": 0.5})
    assert updates == [[1, 1], [2, 2]]
    assert plt.get_fignums() == before
