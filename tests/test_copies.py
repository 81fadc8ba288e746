"""The learner's copies: without outputs, never touched once they are there, and at home in my_notebooks/."""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from mnist_course import copies, notebook_runs, paths

LESSONS = notebook_runs.find_notebooks()


@pytest.fixture
def my_notebooks(tmp_path, monkeypatch):
    """An empty place for the copies of the course's own lessons."""
    monkeypatch.setattr(paths, "MY_NOTEBOOKS", tmp_path / "my_notebooks")
    monkeypatch.chdir(tmp_path)
    return paths.MY_NOTEBOOKS


def test_copies_are_the_lessons_without_outputs(my_notebooks, capsys):
    assert copies.main([]) == 0
    names = [path.name for path in LESSONS]
    assert capsys.readouterr().out.splitlines() == [f"my_notebooks/{name}: copied" for name in names]
    assert sorted(os.listdir(my_notebooks)) == names
    for lesson in LESSONS:
        copy = nbformat.read(my_notebooks / lesson.name, as_version=4)
        nbformat.validate(copy)
        original = nbformat.read(lesson, as_version=4)
        assert any(cell.get("outputs") for cell in original.cells) and copy != original
        for cell in original.cells:
            if cell.cell_type == "code":
                cell.update(outputs=[], execution_count=None)
        assert copy == original


def test_what_is_there_stays_as_it_is(my_notebooks, capsys):
    my_notebooks.mkdir()
    (my_notebooks / LESSONS[1].name).write_text("mine")
    (my_notebooks / "01_notes.md").write_text("mine")
    assert copies.main([]) == 0
    first = capsys.readouterr().out.splitlines()
    assert first[0].endswith(": copied") and first[1] == f"my_notebooks/{LESSONS[1].name}: kept yours"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in my_notebooks.iterdir()}
    assert copies.main([]) == 0
    assert all(line.endswith(": kept yours") for line in capsys.readouterr().out.splitlines())
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in my_notebooks.iterdir()}
    assert (my_notebooks / LESSONS[1].name).read_text() == "mine"


def test_an_interrupted_copy_leaves_no_half_file(my_notebooks, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(os, "replace", stop)
        assert copies.main([]) == 130
    assert not list(my_notebooks.glob("[!.]*"))
    assert copies.main([]) == 0
    assert sorted(path.name for path in my_notebooks.glob("[!.]*")) == [path.name for path in LESSONS]


def test_a_folder_that_cannot_be_written_is_one_sentence(my_notebooks, capsys):
    my_notebooks.write_text("a file in its place")
    assert copies.main([]) == 2
    assert re.fullmatch(r"copies\.py: .+ cannot be written \(.+\n", capsys.readouterr().err)


def test_links_lead_to_the_same_from_a_copy():
    for lesson in LESSONS:
        cells = [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "markdown"]
        for target in re.findall(r"\]\((?!https?:|#|attachment:)([^)#\s]+)", "\n".join(cells)):
            is_copied = target in [path.name for path in LESSONS]
            assert is_copied or (paths.MY_NOTEBOOKS / target).resolve().exists(), f"{lesson.name}: {target}"


def test_a_copy_writes_where_the_lesson_does(project):
    """JupyterLab starts a kernel in the notebook's folder."""
    environment = os.environ | {"PYTHONPATH": str(project)}
    command = [sys.executable, "-m", "mnist_course.copies"]
    subprocess.run(command, cwd=project, env=environment, capture_output=True, check=True)
    lessons = [path for path in LESSONS if "OUTPUT_DIR" in notebook_runs.find_parameters(path)]
    assert len(lessons) >= 3
    for lesson in lessons:
        assert "(OUTPUT_DIR or paths.OUTPUTS)" in (project / "my_notebooks" / lesson.name).read_text(encoding="utf-8")
    look = (
        "from pathlib import Path; from mnist_course import paths\n"
        "for OUTPUT_DIR in ('', '../outputs/short'): print(Path(OUTPUT_DIR or paths.OUTPUTS).resolve())"
    )
    for folder in ("notebooks", "my_notebooks"):
        command = [sys.executable, "-c", look]
        done = subprocess.run(command, cwd=project / folder, env=environment, capture_output=True, text=True)
        assert done.stdout == f"{project / 'outputs'}\n{project / 'outputs' / 'short'}\n"


def test_make_lab_copies_and_opens_the_first_copy():
    ask = ["make", "--no-print-directory", "--dry-run", "lab"]
    done = subprocess.run(ask, cwd=paths.ROOT, capture_output=True, text=True)
    copying, opening = done.stdout.splitlines()[-2:]
    assert copying.endswith("-m mnist_course.copies")
    assert "--ServerApp.root_dir=. --LabApp.default_url=/lab/tree/my_notebooks/01_data_exploration.ipynb" in opening
