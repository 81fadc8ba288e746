"""How the code is built: who imports whom, how long a file may be, which names are private, how docstrings begin."""

import ast
import graphlib
import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache

import pytest

from mnist_course import paths

COMMANDS = sorted(path for path in paths.ROOT.glob("*.py") if path.stem not in ("mnist_helpers", "setup"))
BELOW = sorted((paths.ROOT / "mnist_course").glob("*.py"))
LIBRARY = [paths.ROOT / "mnist_helpers.py", *(path for path in BELOW if path.stem != "__init__")]
LESSON_CHECKS = sorted((paths.ROOT / "mnist_course" / "checks").glob("lesson_*.py"))
WITHOUT_KERAS = (
    *(
        "paths",
        "quiet",
        "command_line",
        "pictures",
        "ink",
        "digits",
        "divisions",
        "pages",
        "strips",
        "reader",
        "reading",
        "pen_strokes",
        "paper_photos",
        "recipes",
    ),
    *("written_lines", "drawing_pad", "exercises", "files", "notebook_runs", "packs", "copies", "colab"),
    *("sheets", "collect", "collected_page", "one_notebook", "packed_weights", "web_page", "web_sources"),
    "course_site",
    "javascript",
    *("parameters", "results", "tied", "sweep_works", "sweep_runs", "sweeps", "sweep_report", "one_run"),
)
EXPECTED_BY_HELPERS = {"mnist_course.paths", "mnist_course.quiet", "mnist_course.training"}
NO_VERB = {"Pictures", "Digits", "Images", "Batches"}  # nouns with which the docstring of a class may begin


def module_name(path):
    return ".".join(path.relative_to(paths.ROOT).with_suffix("").parts)


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


library = pytest.mark.parametrize("path", LIBRARY, ids=module_name)


# ---------------------------------------------------------------- who imports whom


def imports_of_ours(path):
    """The modules of the course that a file imports, at its top or inside a function."""
    ours = {module_name(other) for other in (*LIBRARY, *COMMANDS, *LESSON_CHECKS)}
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names & ours


def test_no_module_imports_itself_in_a_circle():
    graph = {module_name(path): imports_of_ours(path) for path in (*LIBRARY, *LESSON_CHECKS)}
    assert graph["mnist_course.packs"] >= {"mnist_course.paths"}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_the_helpers_import_little_of_ours():
    assert imports_of_ours(paths.ROOT / "mnist_helpers.py") <= EXPECTED_BY_HELPERS


def test_nothing_below_imports_a_command():
    commands = {module_name(path) for path in COMMANDS}
    for path in (*LIBRARY, *LESSON_CHECKS):
        assert not imports_of_ours(path) & commands, module_name(path)


def test_what_needs_no_network_loads_no_keras():
    code = (
        "import importlib, json, sys\n"
        "loaded = {}\n"
        f"for name in {WITHOUT_KERAS!r}:\n"
        "    before = set(sys.modules)\n"  # what an earlier module loaded is not this one's fault
        "    importlib.import_module(f'mnist_course.{name}')\n"
        "    loaded[name] = sorted({'keras', 'tensorflow'} & (set(sys.modules) - before))\n"
        "print(json.dumps(loaded))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {name: [] for name in WITHOUT_KERAS}


# ---------------------------------------------------------------- files


def test_no_module_is_long():
    for path in (*paths.ROOT.glob("*.py"), *paths.ROOT.glob("mnist_course/**/*.py"), *paths.BENCHMARKS.glob("*.py")):
        most = 300 if path.stem == "mnist_helpers" else 450
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= most, f"{module_name(path)} has {lines} lines, at most {most} are easy to survey"


def test_every_package_is_installed():
    settings = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {*paths.ROOT.glob("*/__init__.py"), *paths.ROOT.glob("mnist_course/**/__init__.py")}
    assert sorted(settings["packages"]) == sorted(module_name(path.parent) for path in found)
    assert settings["py-modules"] == ["mnist_helpers"]


@pytest.mark.parametrize("path", COMMANDS, ids=module_name)
def test_a_command_passes_its_exit_code_on(path):
    _, start = path.read_text(encoding="utf-8").split('\nif __name__ == "__main__":\n')
    assert "    sys.exit(main())\n" in start


def test_every_helper_of_the_first_lessons_names_the_notebook():
    helpers = [node for node in tree(paths.ROOT / "mnist_helpers.py").body if isinstance(node, ast.FunctionDef)]
    unnamed = [node.name for node in helpers if node.name[0] != "_" and "notebook" not in ast.get_docstring(node)]
    assert not unnamed


# ---------------------------------------------------------------- names


def defined_names(path):
    """The functions, classes and constants at the top of a file, without `main`."""
    names = []
    for node in tree(path).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assigned = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            names += [name for name in assigned if re.fullmatch("_?[A-Z][A-Z0-9_]*", name)]
    return [name for name in names if name != "main"]


@cache
def users():
    """{(module, name): files that use it} over all code and prose; of the notebooks what stands in their cells."""
    texts = {}
    for pattern in ("*.py", "mnist_course/**/*.py", "benchmarks/*.py", "tests/**/*.py", "*.md", "*/README.md"):
        texts |= {path: path.read_text(encoding="utf-8") for path in paths.ROOT.glob(pattern)}
    for path in paths.NOTEBOOKS.glob("**/[0-9]*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts[path] = "\n".join("".join(cell["source"]) for cell in cells)
    found = defaultdict(set)
    for path, text in texts.items():
        used = re.findall(r"(\w+)(?=\.(\w+))", text) + re.findall(r"setattr\((\w+), \"(\w+)\"", text)
        for module, names in re.findall(r"from ([\w.]+) import (\([^)]*\)|[^\n(]*)", text):
            used += [(module.rpartition(".")[2], name) for name in re.findall(r"\w+", names)]
        for module, name in used:
            found["mnist_helpers" if module == "mh" else module, name].add(path)
    return found


@library
def test_a_name_begins_with_an_underscore_exactly_when_no_other_file_uses_it(path):
    names = defined_names(path)
    wrong = [name for name in names if name.startswith("_") == bool(users()[path.stem, name] - {path})]
    assert not wrong, f"{module_name(path)}: rename {', '.join(wrong)}"


# ---------------------------------------------------------------- docstrings


@library
def test_docstrings_say_what_to_expect_in_the_imperative(path):
    for node in tree(path).body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_") or node.name == "main":
            continue
        words = (ast.get_docstring(node) or "").split()
        assert words, f"{node.name} has no docstring"
        third_person = re.fullmatch("[A-Z][a-z]*[a-rt-z]s", words[0]) and words[0] not in NO_VERB
        assert not third_person, f"{node.name}: {words[0]}"
