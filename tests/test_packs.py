"""The zips for students and teachers: what is inside, what is not, and that a lesson runs from the student's."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest

from mnist_course import exercises, notebook_runs, packs, paths

SHIPPED = {
    *("LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements.txt", "mnist_helpers.py", "run_course.py"),
    *("evaluate_model.py", "test_model.py", "train_model.py", "mnist_course/drawing_pad.py"),
    *("data/mnist.npz", "data/samples/crossed_seven.jpg", "models/mnist_cnn.weights.h5", "models/mnist_robust.tflite"),
    "models/mnist_lines.tflite",
    *("mnist_course/checks/lesson_01.py", "notebooks/01_data_exploration.ipynb", "notebooks/06_your_own_digits.ipynb"),
    *("notebooks/fast_parameters.yml", "GLOSSARY.md", "web/pad.js", "web/explorer.js"),
}


@pytest.fixture(scope="module")
def student(clone):
    """The unpacked student's pack."""
    with zipfile.ZipFile(packs.make_pack("student", clone)) as pack:
        pack.extractall(clone.parent)
    return clone.parent / "mnist-course"


def names_in(path):
    with zipfile.ZipFile(path) as pack:
        assert pack.testzip() is None
        names = pack.namelist()
    assert all(name.startswith("mnist-course/") for name in names) and len(names) == len(set(names))
    return [name.removeprefix("mnist-course/") for name in names]


def solutions_of_the_course():
    """The code of every cell that an exercise's solution is printed from."""
    for path in paths.SOLUTIONS.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if any(tag.startswith("solution-") for tag in cell.metadata.get("tags", [])):
                yield cell.source


# ---------------------------------------------------------------- what is inside


def test_student_has_what_a_learner_needs_and_nothing_for_teachers(student):
    names = packs.find_files(student)
    assert set(names) >= SHIPPED
    assert not [name for name in names if "solutions" in name or name.endswith(".zip")]
    kept = [name for name in names if name.startswith(("tests", "benchmarks", ".ci", ".github", "TEACHING"))]
    assert kept == sorted(packs.FOR_EVERYBODY)
    lessons = {path.name for path in notebook_runs.find_notebooks()}
    assert {path.name for path in student.glob("notebooks/*")} == lessons | {"fast_parameters.yml"}


def test_student_has_the_text_of_no_solution(student):
    solutions = list(solutions_of_the_course())
    assert solutions
    for path in student.rglob("*.ipynb"):
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        assert not set(cells) & set(solutions), path.name


def test_students_lessons_show_no_answers_and_teachers_do(student, clone):
    with zipfile.ZipFile(packs.make_pack("teacher", clone)) as pack:
        for path in notebook_runs.find_notebooks():
            whole = nbformat.reads(pack.read(f"mnist-course/notebooks/{path.name}").decode("utf-8"), as_version=4)
            assert whole == nbformat.read(path, as_version=4)
            cells = nbformat.read(student / "notebooks" / path.name, as_version=4).cells
            assert [cell.source for cell in cells] == [cell.source for cell in whole.cells]
            assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
            stamp = nbformat.read(student / "notebooks" / path.name, as_version=4).metadata["course"]
            assert stamp == whole.metadata["course"]


def test_teacher_has_everything(clone):
    names = names_in(packs.make_pack("teacher", clone))
    assert set(names) == set(packs.find_files(clone))
    assert {"TEACHING.md", "tests/conftest.py", *SHIPPED} <= set(names)
    assert sum(name.startswith("notebooks/solutions/") for name in names) == len(list(paths.SOLUTIONS.glob("*.ipynb")))


def test_teachers_pack_without_solutions_is_refused(student):
    result = run_in(student, "-m", "mnist_course.packs", "teacher")
    assert (result.returncode, result.stdout) == (2, "")
    assert "has no notebooks/solutions" in result.stderr and len(result.stderr.splitlines()) == 1
    assert not (student / "outputs" / "mnist-course-teacher.zip").exists()


# ---------------------------------------------------------------- that it works, and leads nowhere wrong


def run_in(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_a_lesson_reads_what_the_lesson_before_trained_in_the_students_pack(student, tmp_path):
    """The command as a user types it, from another folder, on the training lesson and the one after it."""
    lessons = [path for path in notebook_runs.find_notebooks() if "OUTPUT_DIR" in notebook_runs.find_parameters(path)]
    training, evaluation = [path.stem for path in lessons[:2]]
    command = [sys.executable, str(student / "run_course.py"), "--fast", "--html", "--notebooks", training, evaluation]
    environment = os.environ | {"MPLBACKEND": "agg"}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    folder = (tmp_path / re.search(r"Everything is in (.*)", result.stdout)[1]).resolve()
    entries = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["notebooks"]
    assert [entry["notebook"] for entry in entries] == [training, evaluation]
    for entry in entries:
        assert entry["status"] == "done" and entry["key_results"], entry
        executed = (folder / f"{entry['notebook']}.ipynb").read_text(encoding="utf-8")
        assert '"image/png"' in executed, f"{entry['notebook']} shows no figure"
        assert "Loaded your own weights" in executed, f"{entry['notebook']} did not read what was trained"
        assert (folder / f"{entry['notebook']}.html").stat().st_size > 100_000
    assert (folder / paths.WEIGHTS_NAME).exists() and paths.find_reader(folder).parent == folder
    assert [path.name for path in (student / "outputs").iterdir() if not path.name.endswith(".zip")] == ["course"]


def test_the_page_is_built_from_the_students_pack(student):
    result = run_in(student, "-m", "mnist_course.web_page")
    assert result.returncode == 0, result.stderr
    assert (student / "outputs" / "digit_page.html").stat().st_size > 500_000
    (student / "outputs" / "digit_page.html").unlink()


def test_students_pack_says_that_it_has_no_solutions(student, monkeypatch, capsys):
    monkeypatch.setattr(paths, "SOLUTIONS", student / "notebooks" / "solutions")
    exercises.solution("1.1")
    assert "comes without solutions" in capsys.readouterr().out


def test_no_link_in_the_students_pack_is_dead(student):
    for path in [*student.rglob("*.md"), *student.glob("notebooks/*.ipynb")]:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            text = "\n".join(cell.source for cell in nbformat.reads(text, 4).cells if cell.cell_type == "markdown")
        for target in re.findall(r"\]\((?!https?:|#|attachment:)([^)#\s]+)", text):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_links_to_what_is_left_out_become_plain_words():
    names = {"README.md", "notebooks/01.ipynb", "data/README.md"}
    text = "[a](TEACHING.md), [b](notebooks/01.ipynb#top), [c](https://x.org), ![d](gone.png), [e](data/), [f](#g)"
    expected = "a, [b](notebooks/01.ipynb#top), [c](https://x.org), ![d](gone.png), [e](data/), [f](#g)"
    assert packs.without_dead_links(text, "README.md", names) == expected
    assert (
        packs.without_dead_links("[up](../README.md) [x](../tests)", "data/README.md", names) == "[up](../README.md) x"
    )


def test_students_readme_says_what_is_left_out(student):
    text = (student / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ") and text.count(packs.STUDENT_NOTE) == 1


# ---------------------------------------------------------------- which files, and the same zip each time


def test_same_files_make_the_same_zip_wherever_they_are(clone, student, tmp_path):
    path = packs.make_pack("student", clone)
    first = path.read_bytes()
    os.utime(clone / "LICENSE", (0, 10**9))
    assert packs.make_pack("student", clone).read_bytes() == first
    assert packs.make_pack("student", student).read_bytes() == first  # a student's copy makes itself again


def test_an_interrupted_pack_leaves_the_older_one(clone, monkeypatch):
    path = packs.make_pack("student", clone)
    before = path.read_bytes()

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(packs, "content", fail)
    with pytest.raises(KeyboardInterrupt):
        packs.make_pack("student", clone)
    assert path.read_bytes() == before


def test_files_are_those_that_git_does_not_ignore(tmp_path, monkeypatch):
    for name in ("kept.py", "new file.py", "deleted.py", "sub/kept.md", "outputs/run.json", "a/__pycache__/b.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("outputs/\n__pycache__/\n")
    expected = [".gitignore", "kept.py", "new file.py", "sub/kept.md"]
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([*git, "add", "kept.py", "deleted.py"], cwd=tmp_path, check=True)
    (tmp_path / "deleted.py").unlink()
    assert packs.find_files(tmp_path) == expected
    monkeypatch.setenv("PATH", "")  # no git to ask
    assert packs.find_files(tmp_path) == expected
    shutil.rmtree(tmp_path / ".git")
    assert packs.find_files(tmp_path) == expected


def test_make_has_a_target_for_each():
    for kind in ("student", "teacher"):
        result = subprocess.run(["make", "--dry-run", kind], cwd=paths.ROOT, capture_output=True, text=True)
        assert f"-m mnist_course.packs {kind}" in result.stdout
