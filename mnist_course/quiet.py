"""How Keras is started: without what C++ libraries write to the terminal, and with memory that stays."""

import contextlib
import ctypes
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow, imported later, reports errors only


@contextlib.contextmanager
def quiet_stderr():
    """Hide what is written to standard error's file descriptor inside the `with` block."""
    try:
        saved = os.dup(2)
    except OSError:  # it is closed: nothing can be heard
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def _keep_memory():
    """Let each thread keep 64 MB of free memory: glibc else returns it after every training step, and asks again."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(-2, 64 << 20)  # M_TOP_PAD


def import_keras():
    """Import Keras, and TensorFlow if it is there, without what its C++ side says; return Keras.

    Since TensorFlow 2.19 no environment variable stops that, and `keras.utils.set_random_seed` imports TensorFlow even
    where Keras computes with JAX or PyTorch.
    """
    _keep_memory()
    with quiet_stderr():
        import keras

        with contextlib.suppress(ImportError):
            import tensorflow  # noqa: F401
    return keras
