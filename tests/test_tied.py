"""A process that ends when the one that started it ends; test_sweeps.py kills a worker with a run."""

import os
import subprocess
import sys
import threading
import time

from mnist_course import paths, tied


def test_the_exit_code_is_that_of_the_command():
    command = [sys.executable, "-c", "import sys; sys.exit(3)"]
    assert subprocess.run(tied.tied(command), cwd=paths.ROOT).returncode == 3


def test_where_the_system_does_not_see_to_it_the_command_is_watched():
    starter = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    end = threading.Timer(0.3, starter.communicate, [b"\n"])
    end.start()
    begin = time.monotonic()
    assert tied.watch(starter.pid, [sys.executable, "-c", "import time; time.sleep(60)"]) != 0
    assert time.monotonic() - begin < 30
    assert tied.watch(os.getpid(), [sys.executable, "-c", "import sys; sys.exit(4)"]) == 4
