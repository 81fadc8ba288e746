"""Files that are whole at every moment: whatever happens while one is written, the old one or the new one is there."""

import os
from pathlib import Path


def write_whole(path, content):
    """Write `content`, bytes or text, to `path`, so that even a power cut leaves the old file or the new one.

    Raises OSError with one sentence when it cannot be written; a file that was there stays as it was.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        if part.is_file():
            part.unlink()
        raise OSError(f"{path} cannot be written ({error.strerror}); a file that was there is still whole.") from error


def _sync_folder(folder):
    """Make the new names in `folder` survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
