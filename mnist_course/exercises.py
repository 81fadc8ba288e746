"""The exercises of the notebooks: each has a check, a ladder of hints and a solution.

`check("1.2", answer)` says whether an answer is right and, if not, what is off; `hint("1.2")` gives one more hint each
time; `solution("1.2")` shows the solution from notebooks/solutions/. The checks themselves are in mnist_course/checks/,
a file a notebook.
"""

import copy
import ctypes
import importlib
import json
import textwrap
import threading

import numpy as np

from mnist_course import paths

TIME_LIMIT = 5  # seconds that a learner's function may take for one call
registered = {}  # name -> (check, hints, takeaway), filled as the files in checks/ are imported
hints_shown = {}


class NotYet(Exception):
    """Raised inside a check: the answer is not right yet; the message says what about it is off."""


class _NotAttempted(NotYet):
    """Raised inside a check: the stub is untouched."""


def exercise(name, *, hints, takeaway):
    """Register the decorated function as the check of exercise `name`, such as "1.2".

    The function receives what the learner passed to `check`. It returns when the answer is right and raises NotYet with
    one sentence when it is not. `hints` go from a nudge to nearly the answer; `takeaway` is the one thing to remember.
    """

    def register(function):
        registered[name] = function, tuple(hints), takeaway
        return function

    return register


def check(name, *answer):
    """Print whether `answer` solves exercise `name`, and why not if it does not; return True or False.

    Whatever the answer is, even a function that fails or never ends, this returns.
    """
    try:
        function, _, takeaway = _find(name)
        if any(part is None or part is Ellipsis for part in answer):
            raise _NotAttempted
        function(*answer)
    except _NotAttempted:
        _say(f'Exercise {name}: not attempted yet. When you want a nudge, run exercises.hint("{name}").')
    except NotYet as reason:
        _say(f"Exercise {name}: not yet. {reason}")
    except Exception as error:  # an answer of a kind that nobody thought of
        _say(f"Exercise {name}: not yet. The check cannot read this answer ({_in_short(error)}).")
    else:
        _say(f"Exercise {name}: correct. {takeaway}")
        return True
    return False


def hint(name):
    """Print one more hint for exercise `name` each time it is called."""
    try:
        hints = _find(name)[1]
    except NotYet as reason:
        _say(str(reason))
        return
    shown = min(hints_shown.get(name, 0) + 1, len(hints))
    hints_shown[name] = shown
    _say(f"Hint {shown} of {len(hints)}: {hints[shown - 1]}")
    if shown == len(hints):
        _say(f'That is the last one; exercises.solution("{name}") shows a solution.')


def solution(name):
    """Print the solution of exercise `name`, as it stands in the notebook of solutions."""
    try:
        lesson = _find(name) and int(name.split(".")[0])
    except NotYet as reason:
        _say(str(reason))
        return
    for path in paths.SOLUTIONS.glob(f"{lesson:02d}_*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if f"solution-{name}" in cell["metadata"].get("tags", []):
                print("".join(cell["source"]))
                return
    _say("This copy of the course comes without solutions; ask your teacher, or take another hint.")


def _say(text):
    """Print in lines that fit the width of a notebook."""
    print(textwrap.fill(text, 88))


def names(lesson):
    """Return the names of the exercises of a notebook: names(1) is ["1.1", "1.2", ...]."""
    importlib.import_module(f"mnist_course.checks.lesson_{lesson:02d}")
    return sorted(name for name in registered if name.split(".")[0] == str(lesson))


def _find(name):
    try:
        names(int(name.split(".")[0]))
        return registered[name]
    except (AttributeError, ValueError, KeyError, ModuleNotFoundError):
        raise NotYet(f"There is no exercise {name!r}; exercises are named after their notebook, such as 1.2.") from None


# ---------------------------------------------------------------- what the checks are made of


def number(answer, *, whole=False):
    """Return the learner's answer as a float, or as an int if it has to be `whole`; NotYet if it is no such number."""
    value = _without_library(answer)
    value = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotYet(f"Expected one number, received {_describe(answer)}.")
    if not np.isfinite(value):
        raise NotYet(f"Expected a finite number, received {value}.")
    if whole and value != int(value):
        raise NotYet(f"Expected a whole number, received {value}.")
    return int(value) if whole else float(value)


def _without_library(answer):
    """Return a tensor of TensorFlow, JAX or PyTorch, or a scalar of NumPy, as an array; anything else as it is."""
    answer = answer.detach() if hasattr(answer, "detach") else answer  # PyTorch's, with a gradient
    return np.asarray(answer) if hasattr(answer, "__array__") else answer


def array(answer, shape):
    """Return the learner's answer as a NumPy array of numbers or truth values of this shape; NotYet if it is none."""
    try:
        values = np.asarray(_without_library(answer))
    except Exception as error:
        raise NotYet(f"Expected an array, received {_describe(answer)} ({_in_short(error)}).") from None
    if values.dtype.kind not in "biuf":
        raise NotYet(f"Expected an array of numbers, received {_describe(answer)}.")
    if values.shape != tuple(shape):
        raise NotYet(f"Expected an array of shape {tuple(shape)}, received one of shape {values.shape}.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise NotYet("The shape is right, but some values are not finite numbers (NaN or infinity).")
    return values


def call(function, *arguments):
    """Return what the learner's function makes of copies of these arguments.

    NotYet when it is no function, raises, or does not return in time; _NotAttempted when it returns None, as stubs do.
    """
    if not callable(function):
        raise NotYet(f"Expected a function, received {_describe(function)}; pass its name without brackets.")
    outcome = {}

    def run():
        try:
            outcome["value"] = function(*copy.deepcopy(arguments))
        except BaseException as error:  # even SystemExit must not end the learner's session
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(TIME_LIMIT)
    if thread.is_alive():
        _interrupt(thread)
        raise NotYet(f"The function had not returned after {TIME_LIMIT} seconds; does a loop in it never end?")
    if isinstance(outcome.get("error"), NotImplementedError):
        raise _NotAttempted
    if "error" in outcome:
        raise NotYet(f"The function raised {_in_short(outcome['error'])}.")
    if outcome["value"] is None or outcome["value"] is Ellipsis:
        raise _NotAttempted
    return outcome["value"]


def _interrupt(thread):
    """Make a thread that never ends raise SystemExit, so that it does not keep a core busy for ever."""
    for _ in range(20):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        thread.join(0.05)
        if not thread.is_alive():
            return


def _describe(answer):
    """Say in a few words what an answer is: "the text 'five'", "an array of shape (2, 3)", "a list"."""
    if isinstance(answer, str):
        return f"the text {answer[:30]!r}"
    if isinstance(answer, np.ndarray):
        return f"an array of shape {answer.shape}"
    if isinstance(answer, (bool, int, float)):
        return f"{answer!r}"
    if callable(answer):
        return "a function"
    return f"a value of type {type(answer).__name__}"


def _in_short(error):
    words = (str(error).strip().splitlines() or [""])[0][:120]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
