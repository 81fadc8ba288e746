"""How every command of the course ends: one sentence and exit code 2 for bad input, 130 for Ctrl-C."""

import functools
import os
import sys
from pathlib import Path


def command(main):
    """Decorate a command's `main(argv=None)`; what it returns, or 0 for None, is the exit code.

    A ValueError or OSError becomes one line on stderr and exit code 2, Ctrl-C exit code 130, and a reader that has seen
    enough, as in `test_model.py folder | head`, exit code 141 without a word.
    """
    name = Path(main.__code__.co_filename).name

    @functools.wraps(main)
    def answer(argv=None):
        try:
            code = main(argv)
            sys.stdout.flush()
            return code or 0
        except KeyboardInterrupt:
            print("\nStopped by Ctrl-C.", file=sys.stderr)
            return 130
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at exit
            return 141
        except (ValueError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2

    return answer
