"""What every notebook must keep, and that the collection in conftest.py notices when one is no longer true."""

import re
import shutil
import subprocess
import sys

import nbformat
import papermill
import pytest
import yaml

import run_course

PATHS = run_course.find_notebooks(solutions=True)
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
    return [cell for cell in cells if tag is None or run_course.has_tag(cell, tag)]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


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
        assert parameter["inferred_type_name"] in run_course.TYPES, f"{name} has no plain type"
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


def test_nothing_of_a_run_is_left_but_its_outputs(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info", "course"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}, cell.metadata
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
    assert notebook.metadata.get("course", {}).get("code_sha256") == run_course.code_sha256(notebook), message


def test_at_least_three_outputs_are_compared(notebook):
    cells = code_cells(notebook, "nbval-check-output")
    assert len([cell for cell in cells if cell.outputs]) >= 3
    assert all(cell.outputs for cell in cells), "a compared cell shows nothing"


def test_key_results_are_short_lines(path, notebook):
    results = run_course.key_results(notebook)
    assert results or path.parent.name == "solutions"
    assert all(len(line) <= 90 for line in results)


def test_prose_follows_every_figure_before_the_next(notebook):
    unread = None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            unread = None
        elif any("image/png" in output.get("data", {}) for output in cell.outputs):
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


def test_fast_parameters_exist_with_these_types():
    fast_parameters = yaml.safe_load(run_course.FAST_PARAMETERS.read_text(encoding="utf-8"))
    paths = {path.stem: path for path in PATHS}
    for stem, parameters in fast_parameters.items():
        known = run_course.find_parameters(paths[stem])
        for name, value in parameters.items():
            assert type(value).__name__ == known[name], f"{stem}: {name}"


@pytest.fixture
def small_course(tmp_path):
    """A course of one small notebook with this project's own collection; returns a function that runs pytest on it."""
    for name in ("run_course.py", "pyproject.toml", "tests/conftest.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(run_course.ROOT / name, tmp_path / name)
    (tmp_path / "tests" / "fast_parameters.yml").write_text("01_small: {COUNT: 2}\n")
    new_code_cell = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Small"),
            new_code_cell(
                'COUNT: int = 2000  # large\nOUTPUT_DIR: str = ""  # where to',
                metadata={"tags": ["parameters"]},
                execution_count=1,
            ),
            new_code_cell(
                "from pathlib import Path\nprint(COUNT, bool(OUTPUT_DIR), Path.cwd().name)",
                metadata={"tags": ["nbval-check-output"]},
                execution_count=2,
                outputs=[nbformat.v4.new_output("stream", text="2 True notebooks\n")],
            ),
            new_code_cell(
                "Path(OUTPUT_DIR, 'made').touch()\n'anything'",
                execution_count=3,
                outputs=[nbformat.v4.new_output("stream", text="not compared\n")],
            ),
        ]
    )
    notebook.metadata.kernelspec = {"display_name": "Other", "language": "python", "name": "not-installed-anywhere"}

    def run_pytest(change=lambda cells: None, *options):
        changed = nbformat.from_dict(notebook)
        change(changed.cells)
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        nbformat.write(changed, tmp_path / "notebooks" / "01_small.ipynb")
        command = [sys.executable, "-m", "pytest", "-q", "-rA", "--color=no", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run_pytest


def test_collection_runs_notebooks_with_the_fast_parameters(small_course, tmp_path):
    result = small_course()
    assert result.returncode == 0, result.stdout
    assert "3 passed" in result.stdout
    assert "PASSED tests/fast_parameters.yml::01_small::Cell 2" in result.stdout
    assert not (tmp_path / "outputs").exists()
    assert sorted(path.name for path in (tmp_path / "notebooks").iterdir()) == ["01_small.ipynb"]


def test_collection_runs_notebooks_with_their_own_parameters(small_course, tmp_path):
    def change(cells):
        cells[2].outputs[0].text = "2000 True notebooks\n"

    result = small_course(change, "--full")
    assert result.returncode == 0 and "3 passed" in result.stdout, result.stdout
    assert not (tmp_path / "outputs").exists()


def test_collection_notices_a_stored_output_that_is_no_longer_true(small_course):
    def change(cells):
        cells[2].outputs[0].text = "3 True notebooks\n"

    result = small_course(change)
    assert result.returncode == 1 and "1 failed, 2 passed" in result.stdout
    assert "FAILED tests/fast_parameters.yml::01_small::Cell 1" in result.stdout
    assert "Cell outputs differ" in result.stdout and "01_small::Cell 1" in result.stdout


def test_collection_notices_a_cell_that_fails(small_course):
    def change(cells):
        cells[3].source = "raise KeyError('changed')"

    result = small_course(change)
    assert result.returncode == 1 and "1 failed, 2 passed" in result.stdout
    assert "KeyError" in result.stdout and "FAILED tests/fast_parameters.yml::01_small::Cell 2" in result.stdout
