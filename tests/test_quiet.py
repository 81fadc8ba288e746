"""What C++ libraries say is hidden, and only that; memory stays with who frees it."""

import os
import platform
import threading

import pytest

from mnist_course.quiet import import_keras, quiet_stderr


def test_stderr_comes_back_after_the_import(capfd):
    with quiet_stderr():
        os.write(2, b"hidden")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_a_thread_keeps_the_memory_that_it_frees_and_takes_again():
    import resource

    taken = []

    def take():  # 5 MB, as a training step does
        before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
        for _ in range(20):
            [bytearray(100_000) for _ in range(50)]
        taken.append(resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before)

    import_keras()
    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert taken[0] < 5 * 5_000_000 / resource.getpagesize()  # each page once, or twice, not twenty times
