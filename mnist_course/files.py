"""Files that are whole at every moment: whatever happens while one is written, the old one or the new one is there."""

import os
import shutil
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


def write_folder(folder, contents):
    """Write `contents`, {path below it: bytes or text}, to a new folder that then takes the place of `folder`.

    Raises OSError with one sentence when it cannot be written; a folder that was there stays as it was.
    """
    folder = Path(folder).resolve()
    part, old = (folder.with_name(f".{folder.name}.{end}") for end in ("part", "old"))
    try:
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(0, "a file of that name is in the way")
        shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
        for name, content in contents.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.replace(folder, old)
        os.replace(part, folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        raise OSError(f"{folder} cannot be written ({error.strerror}); what was there is still whole.") from error
    shutil.rmtree(old, ignore_errors=True)


def _sync_folder(folder):
    """Make the new names in `folder` survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
