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

_GUESSES_NAME = "guesses.json"
KEPT = ("question", "truth", "guess", "reason")
_FARTHEST = 100  # a guess divided by its answer, or the other way round, as far as it is drawn


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
    """Return the guesses kept in `folder`, oldest first; used in notebook 10 and by `make collect`.

    Each is a dictionary: question, truth, guess (a list: low and high, or the likely words), reason, kind ("range",
    "number" or "word"), and right, which says whether the answer was among what the guess held likely. Raises
    ValueError when the file is damaged.
    """
    path = Path(folder) / _GUESSES_NAME
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return [_described({name: entry[name] for name in KEPT}) for entry in kept]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{paths.shown(path)} cannot be read as guesses; move it away to begin anew.") from error


def draw_record(record):
    """Draw each numeric guess divided by its answer, on a logarithmic axis; return the figure. Used in notebook 10.

    `record` is what `read_record` returns. A range is a line from low to high, a number a point; a guess that was right
    has circles, one that was not crosses. What is off by more than a factor of 100 ends in a triangle at the edge.
    Answers of 0 and below have no such ratio and are left out. Raises ValueError when there is nothing to draw.
    """
    import matplotlib.pyplot as plt  # here: who only reveals needs no plots

    import mnist_helpers as mh

    numeric = [entry for entry in record if entry["kind"] != "word" and entry["truth"] > 0]
    if not numeric:
        raise ValueError("No guess of a number is kept yet, so there is nothing to draw.")
    figure, ax = plt.subplots(figsize=(8, 1.3 + 0.3 * len(numeric)), layout="tight")
    ax.axvline(1, color="black", linestyle=":")
    widest = 2.0
    for row, entry in enumerate(numeric):
        ratios = np.clip(np.divide(entry["guess"], entry["truth"]), 1 / _FARTHEST, _FARTHEST)
        widest = max(widest, 1.1 * ratios[1], 1.1 / ratios[0])
        colour, symbol = (mh.BLUE, "o") if entry["right"] else (mh.VERMILLION, "x")
        ax.plot(ratios, [row, row], color=colour)
        for ratio in ratios:
            ax.plot(ratio, row, {1 / _FARTHEST: "<", _FARTHEST: ">"}.get(ratio, symbol), color=colour)
    ax.set(
        xscale="log", xlabel="guess divided by the answer", xlim=(1 / widest, widest), ylim=(len(numeric) - 0.5, -0.5)
    )
    ticks = [tick for tick in (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100) if 1 / widest <= tick <= widest]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(numeric)), [textwrap.shorten(entry["question"], 60) for entry in numeric])
    return figure


def _likely_range(guess):
    """Return [low, high] of a guessed number, or of a range; ValueError for anything else."""
    values = guess.tolist() if isinstance(guess, np.ndarray) else guess
    values = list(values) if isinstance(values, (tuple, list)) else [values, values]
    if len(values) != 2 or any(isinstance(value, bool) or not isinstance(value, Real) for value in values):
        raise ValueError(f"A guess is a number or a range (low, high), not {_quoted(guess)}, so it was not kept.")
    if not all(-1e300 < value < 1e300 for value in values):  # of nan this is not true either
        raise ValueError(f"A guess is a finite number, not {_quoted(guess)}, so it was not kept.")
    return sorted(int(value) if value == int(value) else float(value) for value in values)


def _likely_words(guess):
    """Return the guessed words, a list of one or more; ValueError for anything else."""
    words = guess.tolist() if isinstance(guess, np.ndarray) else guess
    words = list(words) if isinstance(words, (tuple, list, set, range)) else [words]
    kinds = [isinstance(word, (str, int, np.integer)) and not isinstance(word, bool) for word in words]
    words = [str(word).strip() for word in words]
    if not words or not all(kinds) or not all(words):
        raise ValueError(f"A guess is a word or a digit, or a list of them, not {_quoted(guess)}, so it was not kept.")
    return words


def _described(entry):
    """Return an entry of the file with what follows from it: its kind, and whether it was right."""
    is_word, (first, *others) = isinstance(entry["truth"], str), entry["guess"]
    kind = "word" if is_word else "range" if first < others[0] else "number"
    return entry | {"kind": kind, "right": _is_right(entry["truth"], entry["guess"])}


def _quoted(guess):
    return textwrap.shorten(repr(guess), 40)


def _short(number):
    """Return a text as it is, and a number as somebody would say it: with four digits that count at most."""
    if isinstance(number, str):
        return number
    return f"{number:,.0f}" if isinstance(number, int) or abs(number) >= 10_000 else f"{number:.4g}"


def _named(truth, likely):
    if isinstance(truth, str):
        return " or ".join(likely)
    return " to ".join(_short(value) for value in dict.fromkeys(likely))


def _is_right(truth, likely):
    if isinstance(truth, str):
        return truth.casefold() in [word.casefold() for word in likely]
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
    kept = [{name: other[name] for name in KEPT} for other in read_record(paths.OUTPUTS)]
    kept = [other for other in kept if other["question"] != entry["question"]] + [entry]
    write_whole(paths.OUTPUTS / _GUESSES_NAME, json.dumps(kept, indent=1) + "\n")
