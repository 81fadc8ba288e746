"""Run a command that ends when the process that started it ends, however that ends, even by kill -9.

    python -m mnist_course.tied PARENT [--cores 0,1] COMMAND ...

PARENT is the number of the process that starts this. On Linux the system itself sees to it; elsewhere this process
stays, looks twice a second and ends the command. On Linux the command can also be bound to cores.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

_PR_SET_PDEATHSIG = 1  # from Linux's prctl.h


def tied(command, cores=None):
    """Return the command line of `command`, a list of texts, tied to this process, on `cores`, a list, on Linux."""
    bound = ["--cores", ",".join(map(str, cores))] if cores else []
    return [sys.executable, "-m", "mnist_course.tied", str(os.getpid()), *bound, *command]


def _become(parent, cores, command):
    """Turn this process into the command, to be killed when its parent ends."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)
    if cores:
        os.sched_setaffinity(0, cores)
    os.execvp(command[0], command)


def watch(parent, command):
    """Run the command, end it when the process of number `parent` has ended, and return its exit code."""
    import psutil

    starter = psutil.Process(parent)
    process = subprocess.Popen(command)
    while process.poll() is None:
        if not starter.is_running():
            process.kill()
        time.sleep(0.5)
    return process.returncode


def main(argv):
    parent, *command = argv
    cores = None
    if command[0] == "--cores":
        cores, command = {int(core) for core in command[1].split(",")}, command[2:]
    if sys.platform == "linux":
        _become(int(parent), cores, command)
    return watch(int(parent), command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
