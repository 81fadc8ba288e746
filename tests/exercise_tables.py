"""The tests that every table of right and wrong answers goes through; used by test_exercises_NN.py."""

import pytest

from mnist_course import exercises


def table_tests(lesson, right, wrong):
    """Return the three tests of a lesson's exercises.

    `right` maps each exercise to answers, tuples of what `check` receives; `wrong` maps it to (answer, words that the
    message must have).
    """

    @pytest.mark.parametrize("name, answer", [(name, answer) for name in right for answer in right[name]])
    def right_answers_are_accepted(name, answer, capsys):
        accepted = exercises.check(name, *answer)
        out = capsys.readouterr().out
        assert accepted is True, out
        assert out.startswith(f"Exercise {name}: correct. ")

    @pytest.mark.parametrize("name, answer, words", [(name, *case) for name in wrong for case in wrong[name]])
    def mistakes_are_named(name, answer, words, capsys):
        accepted = exercises.check(name, *answer)
        assert words in " ".join(capsys.readouterr().out.split())
        assert accepted is False

    def tables_are_complete():
        assert sorted(right) == sorted(wrong) == exercises.names(lesson)
        for name in right:
            assert len(right[name]) >= 2 and len({words for _, words in wrong[name]}) >= 3
            assert any("not attempted" in words for _, words in wrong[name]), f"{name}: the stub is not among the wrong"

    return right_answers_are_accepted, mistakes_are_named, tables_are_complete
