"""The JavaScript and CSS in web/, for the page and for what notebooks show: a module and its imports become one text.

A module may import by `import { names } from "./other.js";` at the beginning of a line and export functions, classes
and constants where they are defined; more is not needed, and refused.
"""

import re

from mnist_course import paths

_IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([\w.]+)\";\n", flags=re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", flags=re.M)


def read_source(name):
    """Return the text of a file in web/. Raises ValueError when there is none."""
    path = paths.WEB / name
    if not path.is_file():
        raise ValueError(f"{paths.shown(path)} is missing: unpack the course again, or fetch it from its repository.")
    return path.read_text(encoding="utf-8")


def join_styles(*names):
    """Return the text of several style sheets in web/, one after the other."""
    return "".join(read_source(name) for name in names)


def join_modules(name):
    """Return the module web/`name` with all that it imports, as the text of one module without imports.

    Its own exports stay. Raises ValueError for a missing file, an import of another form or of an unknown name.
    """
    return "\n".join([*_shut_in(name, {}).values(), _IMPORT.sub("", read_source(name))])


def _shut_in(name, exported):
    """Return {name: text} of what a module imports, in order; only what they export is seen outside of each.

    `exported` has the names that each module exports, and gets those of this one.
    """
    text, texts = read_source(name), {}
    exported[name] = _EXPORT.findall(text)
    for names, other in _IMPORT.findall(text):
        if other not in exported:
            texts |= _shut_in(other, exported)
            body, names_out = _EXPORT.sub("", _IMPORT.sub("", read_source(other))), ", ".join(exported[other])
            texts[other] = f"const {{ {names_out} }} = (() => {{\n{body}\nreturn {{ {names_out} }};\n}})();"
        if unknown := {each.strip() for each in names.split(",") if each.strip()} - {*exported[other]}:
            raise ValueError(f"web/{name} imports {', '.join(sorted(unknown))}, which web/{other} does not export.")
    left = _EXPORT.sub("", _IMPORT.sub("", text))
    if wrong := re.search(r"^(import\b.*|export (?!default\b).*)", left, flags=re.M):
        raise ValueError(f"web/{name} has a line that cannot be joined: {wrong[0]}")
    return texts
