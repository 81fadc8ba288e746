"""`make colab` and the setup cell, with a stand-in for Colab and a local folder for GitHub; no network is used."""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from mnist_course import colab, notebook_runs, paths

COLAB = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"


def setup_source(path):
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if "COURSE_REPOSITORY =" in cell.source]
    assert len(sources) == 1
    return sources[0]


@pytest.fixture
def project(project, monkeypatch):
    """A copy of the project that colab.main takes for the original."""
    monkeypatch.setattr(paths, "ROOT", project)
    monkeypatch.setattr(paths, "NOTEBOOKS", project / "notebooks")
    monkeypatch.setattr(paths, "SOLUTIONS", project / "notebooks" / "solutions")
    return project


def run_on_colab(source, folder, github):
    """Run `source` in `folder` as Colab would, with the folder `github` in the place of https://github.com/."""
    folder.mkdir(exist_ok=True)
    environment = os.environ | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{github.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-c", COLAB + source]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def all_text(project):
    return "".join(path.read_text("utf-8") for path in [project / "README.md", *project.glob("notebooks/**/*.ipynb")])


def test_name_is_written_again_and_again_without_harm(project, capsys):
    notebooks = sorted(project.glob("notebooks/**/*.ipynb"))
    hashes = [notebook_runs.code_sha256(nbformat.read(path, as_version=4)) for path in notebooks]
    assert colab.main(["ada/first-course"]) == 0
    written = all_text(project)
    capsys.readouterr()
    assert colab.main(["ada/first-course"]) == 0
    assert capsys.readouterr().out.startswith("ada/first-course: 0 of ")
    assert all_text(project) == written
    assert colab.main(["Grace-H/course.2"]) == 0
    assert all_text(project) == written.replace("ada/first-course", "Grace-H/course.2")
    assert hashes == [notebook_runs.code_sha256(nbformat.read(path, as_version=4)) for path in notebooks]
    readme = (project / "README.md").read_text("utf-8")
    for path in notebooks:
        address = f"https://colab.research.google.com/github/Grace-H/course.2/blob/main/{path.relative_to(project).as_posix()}"
        first_cell = nbformat.read(path, as_version=4).cells[0].source
        assert readme.count(f"({address})") == 1 and first_cell.count(f"({address})") == 1
        assert 'COURSE_REPOSITORY = "Grace-H/course.2"  #' in setup_source(path)


@pytest.mark.parametrize("name", ["", "course", "ada/", "/course", "ada/my course", "a/c/d", 'a/c"; x', "-a/b", "a/.."])
def test_malformed_names_are_refused(monkeypatch, capsys, name):
    monkeypatch.setattr(paths, "ROOT", None)  # no file is even looked for
    assert colab.main([name]) == 2
    assert capsys.readouterr().err == f"colab.py: Name the course's GitHub repository as owner/name, got {name!r}.\n"


def test_readme_without_marks_is_refused_and_nothing_written(project, capsys):
    (project / "README.md").write_text("# Course\n", "utf-8")
    before = all_text(project)
    assert colab.main(["ada/course"]) == 2
    assert capsys.readouterr().err.startswith("colab.py: README.md has no lines <!-- colab -->")
    assert all_text(project) == before


def test_setup_cell_fetches_the_course_once(project, tmp_path):
    subprocess.run([sys.executable, "-m", "mnist_course.colab", "ada/course"], cwd=project, check=True)
    repository = tmp_path / "github" / "ada" / "course"
    repository.parent.mkdir(parents=True)
    source = setup_source(project / "notebooks" / "01_data_exploration.ipynb")
    project.rename(repository)
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "Course"]):
        subprocess.run(["git", *command], cwd=repository, check=True)
    check = "\nprint(mh.__file__, mh.load_mnist()[0][0].shape)"
    result = run_on_colab(source + "\n" + source + check, tmp_path / "content", tmp_path / "github")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'content' / 'mnist-course' / 'mnist_helpers.py'} (60000, 28, 28)\n"
    assert result.stderr.count("Cloning into") == 1


def test_setup_cell_says_what_to_do_without_a_name_or_with_a_wrong_one(tmp_path):
    source = setup_source(paths.NOTEBOOKS / "01_data_exploration.ipynb")
    blank = re.sub('COURSE_REPOSITORY = ".*?"', 'COURSE_REPOSITORY = ""', source)
    result = run_on_colab(blank, tmp_path / "content", tmp_path)
    sentence = "Set COURSE_REPOSITORY above to the owner/name of this course on GitHub, then run this cell again.\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", sentence)
    wrong = blank.replace('COURSE_REPOSITORY = ""', 'COURSE_REPOSITORY = "nobody/nothing"')
    result = run_on_colab(wrong, tmp_path / "content", tmp_path)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "GitHub did not give us nobody/nothing: check COURSE_REPOSITORY" in result.stderr
    assert not (tmp_path / "content" / "mnist-course").exists()


def test_all_notebooks_fetch_the_course_in_the_same_way():
    notebooks = notebook_runs.find_notebooks(solutions=True)
    starts = {setup_source(path).split("# TensorFlow reports errors only")[0] for path in notebooks}
    assert len(starts) == 1


def test_nothing_is_installed_into_colab_but_two_packages_without_their_dependencies():
    allowed = "pip install --quiet --no-deps ai-edge-litert anywidget psygnal backports.strenum"
    for path in notebook_runs.find_notebooks(solutions=True):
        for cell in nbformat.read(path, as_version=4).cells:
            source = cell.source.replace(allowed, "")
            assert cell.cell_type != "code" or not re.search(r"\b(pip|conda|apt)\b", source)
