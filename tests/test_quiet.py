"""What C++ libraries say is hidden, and only that."""

import os

from mnist_course.quiet import quiet_stderr


def test_stderr_comes_back_after_the_import(capfd):
    with quiet_stderr():
        os.write(2, b"hidden")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
