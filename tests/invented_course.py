"""A course of small invented notebooks, for the tests of what runs notebooks."""

import nbformat

PARAMETERS = """COUNT: int = 2  # how many lines to print
RATE: float = 0.5  # a rate
LOUD: bool = False  # shout
NAME: str = "Ada"  # whom to greet
OUTPUT_DIR: str = ""  # empty: the course's outputs/ folder"""


def write_notebook(path, *cells):
    """Write a notebook and return its path; a cell is its source, or (source, tag)."""
    pairs = [cell if isinstance(cell, tuple) else (cell, None) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {path.stem}")])
    for source, tag in pairs:
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {}))
    notebook.metadata.kernelspec = {"display_name": "Other", "language": "python", "name": "not-installed-anywhere"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def write_course(notebooks):
    """Write two good notebooks, the second reading what the first wrote, and their quick parameters."""
    write_notebook(
        notebooks / "01_make.ipynb",
        (PARAMETERS, "parameters"),
        (
            "print('for', NAME, end=': ')\nfor number in range(COUNT):\n    print('line', number, flush=True)",
            "key-result",
        ),
        "import pathlib\npathlib.Path(OUTPUT_DIR, 'made.txt').write_text('made by 01')",
    )
    write_notebook(
        notebooks / "02_use.ipynb",
        ('OUTPUT_DIR: str = ""  # empty: the course\'s outputs/ folder', "parameters"),
        ("import pathlib\npathlib.Path(OUTPUT_DIR, 'made.txt').read_text()", "key-result"),
    )
    (notebooks / "fast_parameters.yml").write_text("01_make: {COUNT: 3, NAME: Grace}\n")
