"""What the tests of `reading.share` let other processes do; in a file of its own, which they import quickly."""

import os
import signal
import time


def prepare_to_double(folder):
    """Doubles numbers, 0 slowly; 3 ends its process; each process leaves its number as a file in a folder."""

    def double(number):
        time.sleep(0.2 if number == 0 else 0)
        (folder / str(os.getpid())).touch()
        if number == 3:
            os._exit(9)
        return 2 * number

    return double


def prepare_to_describe():
    """Tells how many threads NumPy may take, and whether Ctrl-C is ignored."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return lambda item: ([os.environ.get(name) for name in names], signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
