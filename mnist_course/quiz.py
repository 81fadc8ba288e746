"""The three questions with which a lesson begins: about earlier lessons, to be answered from memory.

A question has three or four options; the wrong ones are what many think, most of it named in TEACHING.md, and each is
explained. The questions of a lesson stand in its file in mnist_course/checks/, as QUIZ.
"""

import importlib
import re
import textwrap
from typing import NamedTuple


class Question(NamedTuple):
    """Hold a question with its options; every option comes with one short explanation, right or wrong."""

    text: str
    options: tuple  # pairs (option, why it is right or wrong), in the order of the letters
    right: str  # a letter


def questions(lesson):
    """Return the questions of a lesson, given by its number, as a tuple of Question."""
    return importlib.import_module(f"mnist_course.checks.lesson_{lesson:02d}").QUIZ


def ask(lesson, answers=""):
    """Print the questions of a lesson; with `answers`, a letter each, such as "bca", say which are right and why.

    Returns how many are right. "?" leaves a question open. The options stay in view until the answer is right, so that
    there is something to try again. Used at the start of every notebook.
    """
    asked = questions(lesson)
    letters = re.sub(r"[\s,;.]", "", str(answers).lower()) or "?" * len(asked)
    if len(letters) != len(asked):
        print(f'Expected {len(asked)} letters, one a question, such as "{"cab"[: len(asked)]}"; received {answers!r}.')
        return 0
    for number, (question, letter) in enumerate(zip(asked, letters, strict=True), 1):
        offered = {chr(ord("a") + place): option for place, option in enumerate(question.options)}
        _say(f"{number}. {question.text}", "")
        for name, (option, _) in offered.items():
            if name == letter or letter != question.right:
                _say(f"{name}) {option}")
        if letter in offered:
            _say(f"{letter}: {'right' if letter == question.right else 'not this one'}. {offered[letter][1]}")
        elif letter != "?":
            _say(f"There is no option {letter!r}: choose from {', '.join(offered)}.")
    return sum(letter == question.right for question, letter in zip(asked, letters, strict=True))


def _say(text, indent="   "):
    print(textwrap.fill(text, 88, initial_indent=indent, subsequent_indent="   " if not indent else "      "))
