"""Guesses that count: what you expected beside what came out, kept in outputs/guesses.json. The last lesson draws them.

A guess is a number, or `(low, high)`: a range that you think holds the answer. Where the answer is a word or a digit
that cannot be a little wrong, it is that, or a list of several that you think likely.
"""

import json
import textwrap
from numbers import Real
from pathlib import Path

import numpy as np

from mnist_course import paths
from mnist_course.files import write_whole

GUESSES_NAME = "guesses.json"


def reveal(question, truth, guess=None, reason=""):
    """Print the answer to a question, what was guessed and how far off that was; keep the guess. In every notebook.

    `question` names in a few words what was asked for, once in the whole course; `truth` is a number, or a str for what
    cannot be a little wrong. With the guess None only the answer is printed and nothing is kept. A guess of another
    kind is named in the printed line, and not kept: whatever it is, the lesson goes on.
    """
    truth = truth if isinstance(truth, str) else np.asarray(truth).item()
    line = f"{question}: {_short(truth)}"
    if guess is not None:
        try:
            likely = _likely_words(guess) if isinstance(truth, str) else _likely_range(guess)
            line += f"; you guessed {_named(truth, likely)}: {_verdict(truth, likely)}"
            _keep({"question": question, "truth": truth, "guess": likely, "reason": str(reason)})
        except (ValueError, OSError) as error:
            line += f". {error}"
    print(textwrap.fill(line, 88))


def read_record(folder=paths.OUTPUTS):
    """Return the guesses kept in `folder`, oldest first; used in notebook 08 and by `make collect`.

    Each is a dictionary: question, truth, guess (a list: low and high, or the likely words), reason, and right, which
    says whether the answer was among what the guess held likely. Raises ValueError when the file is damaged.
    """
    path = Path(folder) / GUESSES_NAME
    if not path.exists():
        return []
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return [entry | {"right": _is_right(entry["truth"], entry["guess"])} for entry in kept]
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{paths.shown(path)} cannot be read as guesses; move it away to begin anew.") from error


def draw_record(record):
    """Draw each numeric guess divided by its answer, on a logarithmic axis; return the figure. Used in notebook 08.

    `record` is what `read_record` returns. A range is a line from low to high, a number a point; a guess that was right
    has a circle, one that was not a cross. Raises ValueError when there is nothing to draw.
    """
    import matplotlib.pyplot as plt  # here: who only reveals needs no plots

    import mnist_helpers as mh

    numeric = [entry for entry in record if not isinstance(entry["truth"], str)]
    numeric = [entry for entry in numeric if min(entry["truth"], *entry["guess"]) > 0]
    if not numeric:
        raise ValueError("No guess of a number above 0 is kept yet, so there is nothing to draw.")
    figure, ax = plt.subplots(figsize=(8, 1.5 + 0.3 * len(numeric)), layout="tight")
    ax.axvline(1, color="black", linestyle=":", label="the answer")
    for row, entry in enumerate(numeric):
        ratios = np.divide(entry["guess"], entry["truth"])
        colour, symbol = (mh.BLUE, "o-") if entry["right"] else (mh.VERMILLION, "x-")
        ax.plot(ratios, [row] * len(ratios), symbol, color=colour)
    ax.set(xscale="log", xlabel="guess divided by the answer", ylim=(len(numeric) - 0.5, -0.5))
    ax.set_yticks(range(len(numeric)), [textwrap.shorten(entry["question"], 50) for entry in numeric])
    ax.legend()
    return figure


def _likely_range(guess):
    """Return [low, high] of a guessed number, or of a range; ValueError for anything else."""
    values = list(guess) if isinstance(guess, (tuple, list, np.ndarray)) else [guess, guess]
    if len(values) != 2 or any(isinstance(value, bool) or not isinstance(value, (Real, np.number)) for value in values):
        raise ValueError(f"A guess is a number or a range (low, high), not {_quoted(guess)}, so it was not kept.")
    low, high = sorted(np.asarray(value).item() for value in values)
    if not np.isfinite([low, high]).all():
        raise ValueError(f"A guess is a finite number, not {_quoted(guess)}, so it was not kept.")
    return [low, high]


def _likely_words(guess):
    """Return the guessed words, a list of one or more; ValueError for anything else."""
    words = list(guess) if isinstance(guess, (tuple, list, set)) else [guess]
    if not words or not all(isinstance(word, (str, int, np.integer)) for word in words):
        raise ValueError(f"A guess is a word or a digit, or a list of them, not {_quoted(guess)}, so it was not kept.")
    return [str(word) for word in words]


def _quoted(guess):
    return textwrap.shorten(repr(guess), 40)


def _short(number):
    """Return a number as somebody would say it: four digits at most after the first that counts."""
    return number if isinstance(number, str) else f"{number:,}" if isinstance(number, int) else f"{number:.4g}"


def _named(truth, likely):
    if isinstance(truth, str):
        return " or ".join(likely)
    return " to ".join(_short(value) for value in dict.fromkeys(likely))


def _is_right(truth, likely):
    if isinstance(truth, str):
        return truth.lower() in [word.lower().strip() for word in likely]
    return likely[0] <= truth <= likely[1]


def _verdict(truth, likely):
    if _is_right(truth, likely):
        return "right" if isinstance(truth, str) or likely[0] == likely[1] else "it lies within"
    if isinstance(truth, str):
        return "not this time"
    distance = likely[0] - truth if likely[0] > truth else truth - likely[1]
    return f"{_short(distance)} too {'high' if likely[0] > truth else 'low'}"


def _keep(entry):
    """Add a guess to outputs/guesses.json, in the place of an earlier one at the same question."""
    kept = [{name: value for name, value in other.items() if name != "right"} for other in read_record(paths.OUTPUTS)]
    kept = [other for other in kept if other["question"] != entry["question"]] + [entry]
    write_whole(paths.OUTPUTS / GUESSES_NAME, json.dumps(kept, indent=1) + "\n")
