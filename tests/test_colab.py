"""`make colab` and the set-up cell, with stand-ins for Colab, GitHub and pip; no network is used."""

import fcntl
import http.server
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
import threading
import zipfile

import nbformat
import pytest

from mnist_course import colab, notebook_runs, packs, paths

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


# ---------------------------------------------------------------- the set-up cell


SETUP = setup_source(paths.NOTEBOOKS / "01_data_exploration.ipynb")
BOTH_WAYS = "Upload mnist-course-student.zip, or write owner/name of the course above; then run this cell again.\n"
INSTALLED = "install -q --no-deps -r mnist-course/mnist_course/colab_requirements.txt\n"


def with_repository(name):
    return SETUP.replace('COURSE_REPOSITORY = ""', f'COURSE_REPOSITORY = "{name}"')


@pytest.fixture
def content(tmp_path, monkeypatch):
    """The folder in which Colab runs a notebook. `pip` notes in pip.log what it was asked for, and installs nothing."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/pip.log"\n')
    (tmp_path / "bin" / "pip").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    use_as_github(monkeypatch, (tmp_path / "github").as_uri())
    (tmp_path / "content").mkdir()
    return tmp_path / "content"


def use_as_github(monkeypatch, address):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{address}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")


def run_on_colab(source, content, **options):
    """Run `source` in the folder `content` as Colab would."""
    command = [sys.executable, "-c", COLAB + source]
    streams = {"stdin": subprocess.DEVNULL} | options
    return subprocess.run(command, cwd=content, capture_output=True, text=True, timeout=300, **streams)


def write_small_course(folder, name):
    """Write what the set-up cell imports, without TensorFlow; its mnist_helpers.NAME says where it came from."""
    (folder / "mnist_course").mkdir(parents=True)
    (folder / "mnist_helpers.py").write_text(f"NAME = {name!r}\n")
    for module in ("__init__", "exercises", "guesses", "quiz"):
        (folder / "mnist_course" / f"{module}.py").touch()


def upload_small_course(content, name="mnist-course-student.zip", folder="mnist-course", age=0):
    write_small_course(content / "made" / folder, name)
    shutil.make_archive(str(content / name.removesuffix(".zip")), "zip", content / "made")
    shutil.rmtree(content / "made")
    time = (content / name).stat().st_mtime - age
    os.utime(content / name, (time, time))


def publish_small_course(tmp_path, repository="ada/course"):
    folder = tmp_path / "github" / repository
    write_small_course(folder, "repository")
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "Course"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def damage_end(path):
    path.write_bytes(path.read_bytes()[:-100])


def damage_middle(path):
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as pack:
        last = pack.infolist()[-1]
    content[last.header_offset] ^= 255  # the files before it are unpacked
    path.write_bytes(content)


def test_the_students_zip_is_unpacked_once_and_works(project, content, tmp_path):
    zipped = shutil.copy(packs.make_pack("student", project), content)
    look = (
        "\nfrom mnist_course import paths, pictures"
        "\nprint(mh.__file__, mh.load_mnist()[0][0].shape, exercises.names(1)[0], guesses.read_record())"
        "\nprint(pictures.to_mnist(pictures.load_picture(paths.SAMPLE_PICTURE)).shape)"
    )
    result = run_on_colab(f"{SETUP}\n{SETUP}\n{look}", content)
    assert (result.returncode, result.stderr) == (0, "")
    course = content / "mnist-course"
    assert result.stdout == f"{course / 'mnist_helpers.py'} (60000, 28, 28) 1.1 []\n(28, 28)\n"
    with zipfile.ZipFile(zipped) as pack:
        assert {f"mnist-course/{name}" for name in packs.find_files(course)} >= set(pack.namelist())
    assert (tmp_path / "pip.log").read_text() == 2 * INSTALLED


@pytest.mark.parametrize("there", ["folder zip repository", "zip repository", "folder repository", "repository"])
def test_what_is_unpacked_comes_before_a_zip_and_a_zip_before_the_repository(content, tmp_path, there):
    if "folder" in there:
        write_small_course(content / "mnist-course", "folder")
    if "zip" in there:
        upload_small_course(content, "mnist-course-zip.zip")
    publish_small_course(tmp_path)
    result = run_on_colab(with_repository("ada/course") + "\nprint(mh.NAME)", content)
    expected = there.split()[0].replace("zip", "mnist-course-zip.zip")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{expected}\n", "")
    assert (tmp_path / "pip.log").read_text() == INSTALLED


@pytest.mark.parametrize("folder", ["mnist-course", "mnist-course-main"])
def test_the_newest_zip_is_taken_also_one_that_github_made(content, folder):
    upload_small_course(content, "mnist-course-student.zip", age=60)
    upload_small_course(content, "mnist-course-student (1).zip", folder)
    upload_small_course(content, "mnist-course-a.zip", age=120)
    result = run_on_colab(SETUP + "\nprint(mh.NAME)", content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "mnist-course-student (1).zip\n", "")


def test_without_anything_one_sentence_names_both_ways(content, tmp_path):
    result = run_on_colab(SETUP, content)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", BOTH_WAYS)
    assert not list(content.iterdir()) and not (tmp_path / "pip.log").exists()


def test_a_wrong_name_is_named_by_git_before_the_sentence(content, tmp_path):
    result = run_on_colab(with_repository("nobody/nothing"), content)
    assert result.returncode == 1 and result.stdout == "" and "Traceback" not in result.stderr
    assert "nobody/nothing" in result.stderr and result.stderr.endswith(BOTH_WAYS)
    assert not list(content.iterdir()) and not (tmp_path / "pip.log").exists()


@pytest.mark.parametrize("damage", [damage_end, damage_middle])
def test_a_damaged_zip_is_passed_over_and_leaves_no_course(content, tmp_path, damage):
    upload_small_course(content)
    damage(content / "mnist-course-student.zip")
    result = run_on_colab(SETUP, content)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", BOTH_WAYS)
    assert not (content / "mnist-course").exists()
    publish_small_course(tmp_path)
    result = run_on_colab(with_repository("ada/course") + "\nprint(mh.NAME)", content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "repository\n", "")
    shutil.rmtree(content / "mnist-course")
    upload_small_course(content)
    result = run_on_colab(SETUP + "\nprint(mh.NAME)", content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "mnist-course-student.zip\n", "")


def test_a_zip_of_something_else_is_passed_over(content):
    upload_small_course(content, folder="holidays")
    result = run_on_colab(SETUP, content)
    assert (result.returncode, result.stderr) == (1, BOTH_WAYS) and not (content / "mnist-course").exists()


class AsksForAName(http.server.BaseHTTPRequestHandler):
    """GitHub, when a repository does not exist or is private."""

    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
        self.end_headers()

    def log_message(self, *_):
        pass


def test_nobody_is_asked_for_a_user_name(content, monkeypatch):
    """In a terminal, where git would wait for an answer."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), AsksForAName)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_as_github(monkeypatch, f"http://127.0.0.1:{server.server_port}")
    for name in ("GIT_ASKPASS", "SSH_ASKPASS", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    ours, terminal = pty.openpty()
    try:
        result = run_on_colab(
            with_repository("ada/private"), content, stdin=terminal, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
    finally:
        server.shutdown()
        os.close(ours)
        os.close(terminal)
    assert result.returncode == 1 and "terminal prompts disabled" in result.stderr
    assert result.stderr.endswith(BOTH_WAYS)


def test_the_course_is_cloned_from_the_name_that_make_colab_wrote(project, content, tmp_path):
    colab.main(["ada/course"])
    publish_small_course(tmp_path)
    for path in notebook_runs.find_notebooks(solutions=True):
        assert setup_source(path) == with_repository("ada/course")
    result = run_on_colab(f"{setup_source(path)}\nprint(mh.NAME)", content)
    assert (result.returncode, result.stdout.splitlines()[-1], result.stderr) == (0, "repository", "")


def test_the_set_up_is_the_same_everywhere_and_short():
    for path in notebook_runs.find_notebooks(solutions=True):
        assert re.sub('(COURSE_REPOSITORY = )".*?"', r'\1""', setup_source(path)) == SETUP, path.name
    title, *lines = [line for line in SETUP.splitlines() if line.strip()]
    assert title.startswith("# @title ") and len(lines) <= 12 and max(map(len, lines)) <= 120


def test_nothing_is_installed_but_four_packages_without_their_dependencies():
    asked = (paths.ROOT / "mnist_course" / "colab_requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = ["ai-edge-litert", "anywidget", "psygnal", "backports.strenum"]
    assert [line for line in asked if not line.startswith("#")] == packages
    for path in notebook_runs.find_notebooks(solutions=True):
        for cell in nbformat.read(path, as_version=4).cells:
            source = cell.source.replace("pip " + INSTALLED.strip(), "")
            assert cell.cell_type != "code" or not re.search(r"\b(pip|conda|apt)\b", source)
