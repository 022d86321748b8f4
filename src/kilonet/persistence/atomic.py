"""Writing a file so that it is there whole or not at all.

The bytes go to a temporary file in the same folder, are forced to the disk, and take the place of the
old file in one step. Whatever fails on the way (a full disk, Ctrl-C) leaves the old file as it was.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def replace_file(path: str | os.PathLike[str], content: bytes) -> Path:
    """Put `content` at `path` in one step; gives the path of the file that was written.

    A symbolic link is followed, so that the file it points to is replaced and the link stays.
    Raises FileNotFoundError (no such folder), IsADirectoryError, PermissionError or another OSError;
    the old file is then untouched and no temporary file is left.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> replace_file(folder + "/a.bin", b"12").read_bytes()
    b'12'
    """
    target = writable(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except BaseException:  # KeyboardInterrupt too: nothing half-written may stay behind
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)
    return target


def writable(path: str | os.PathLike[str]) -> Path:
    """The real path behind `path`, after checking that a file can be put there.

    Asking before a long run costs nothing and saves the run. Raises OSError subclasses that say why not.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {target.parent}. Make it first, or name another file.")
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Name a file inside it, such as {Path(path) / 'model.kn'}.")
    if target.exists() and not target.is_file():
        raise OSError(f"{path} is a device or a pipe; a model needs a plain file, because it is replaced in one step.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path}: the folder {target.parent} cannot be written to. Name a file elsewhere.")
    return target


def _mode(target: Path) -> int:
    """Permission bits for the new file: those of the file it replaces, else what the umask allows."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Force the folder's entry to the disk: without it a power cut may forget the new name."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # some systems cannot open folders; the file itself is complete by now
        return
    try:
        os.fsync(handle)
    except OSError:  # likewise: some network file systems refuse to sync a folder
        pass
    finally:
        os.close(handle)
