"""2,000 damaged and odd files: each gives a reading or one sentence. benchmarks/fuzz_pictures.py makes 20,000."""

import numpy as np
import pytest

from benchmarks import fuzz_pictures


def test_damaged_and_odd_files_give_readings_or_sentences(tmp_path):
    report = fuzz_pictures.fuzz(2000, tmp_path, seed=1)
    assert report["readings"] + report["refusals"] == 2000
    assert report["readings"] > 100 and report["refusals"] > 1000
    assert report["slowest_seconds"] < 2


@pytest.mark.parametrize("name", ["black", "chessboard", "1 pixel", "1 pixel wide", "a very wide strip"])
def test_odd_pages_give_readings_or_sentences_in_time(name):
    report = fuzz_pictures.read_odd_page(name)
    assert report["outcome"] and report["seconds"] < 5 and report["peak_megabytes"] > 0


def test_odd_pages_are_pictures():
    for name, make in fuzz_pictures.PAGES.items():
        assert min(make(np.random.default_rng(0)).size) > 0, name
