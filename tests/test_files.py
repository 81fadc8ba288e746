"""Files are the old one or the new one, and paths are named in a way that works everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_course import files, paths


def test_what_is_written_is_read_in_a_new_folder_too(tmp_path):
    for content, expected in (("A ± 1\n", "A ± 1\n".encode()), (b"bytes", b"bytes")):
        files.write_whole(tmp_path / "new" / "file", content)
        assert (tmp_path / "new" / "file").read_bytes() == expected
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(fails, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match=r"file cannot be written \(No space left on device\); a file that was there is"):
        files.write_whole(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_path_without_a_way_from_here_is_named_whole(monkeypatch):
    assert paths.shown(Path.cwd() / "outputs") == Path("outputs")

    def other_drive(path, start):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    assert paths.shown("/somewhere") == Path("/somewhere")


def test_a_closed_stderr_does_no_harm():
    code = (
        "import os\n"
        "os.close(2)\n"
        "from mnist_course import paths, reader\n"
        "print(type(reader.Reader(paths.ROBUST_READER)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Reader" in done.stdout
