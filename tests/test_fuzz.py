"""2,000 damaged and odd files: each gives a reading or one sentence. benchmarks/fuzz_pictures.py makes 20,000."""

from benchmarks import fuzz_pictures


def test_damaged_and_odd_files_give_readings_or_sentences(tmp_path):
    report = fuzz_pictures.fuzz(2000, tmp_path, seed=1)
    assert report["readings"] + report["refusals"] == 2000
    assert report["readings"] > 100 and report["refusals"] > 1000
    assert report["slowest_seconds"] < 2
