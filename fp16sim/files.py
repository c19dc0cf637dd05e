"""Writing files: a file is complete or not there, and an old file stays until the new one is complete.

While a file is written, its content is in a hidden file beside it, which the writer keeps open and locked. A process
that is killed loses its locks. So whoever writes to the folder next can tell what the killed one left, and removes it.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

PART, CLAIM = ".fp16sim-part-", ".fp16sim-claim-"
"""How the names of hidden files begin: files that are being written, and claims of names."""

if sys.platform == "win32":  # a file that a process has open cannot be renamed or removed there
    CLOSED_FIRST = True

    def _lock(handle: int) -> bool:
        return True

    def _remove_if_abandoned(path: Path) -> None:
        path.unlink()

else:
    import fcntl

    CLOSED_FIRST = False

    def _lock(handle: int) -> bool:
        """Lock an open file until it is closed, or its process ends in any way; False if another one has the lock."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _remove_if_abandoned(path: Path) -> None:
        with path.open("rb+") as file:
            if _lock(file.fileno()):
                path.unlink()


def remove_abandoned(folder: Path) -> None:
    """Remove the hidden files that killed processes left in a folder; those of running ones stay."""
    for begin in (PART, CLAIM):
        for path in folder.glob(f"{begin}*"):
            with suppress(OSError):  # it is not ours to remove, or another process was faster
                _remove_if_abandoned(path)


# --- writing --------------------------------------------------------------------------------------------------------


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder, which replaces `path` when the block ends without an exception.

    A link is followed. An OSError names `path`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole", encoding="utf-8")
    ...     [(p.name, p.read_text(encoding="utf-8")) for p in Path(folder).iterdir()]
    [('a.txt', 'whole')]
    """
    with _errors_name(path), ExitStack() as closing:
        target = Path(os.path.realpath(path))
        remove_abandoned(target.parent)
        handle, temporary = _locked_file(target.parent)
        closing.callback(os.close, handle)
        try:
            yield temporary
            temporary.chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
            os.fsync(handle)
            if CLOSED_FIRST:
                closing.close()
            temporary.replace(target)
        finally:
            if CLOSED_FIRST:
                closing.close()
            temporary.unlink(missing_ok=True)


def _locked_file(folder: Path) -> tuple[int, Path]:
    """A new hidden file, open and locked."""
    while True:
        handle, name = tempfile.mkstemp(prefix=PART, dir=folder)
        if _is_owned(handle, name):
            return handle, Path(name)
        os.close(handle)


def _is_owned(handle: int, path: str | Path) -> bool:
    """Lock a new file; False if another process took it for abandoned before it was locked."""
    try:
        return _lock(handle) and os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
    except OSError:  # a file system without locks: nobody removes the file either
        return True


@contextmanager
def _errors_name(path: str | Path) -> Iterator[None]:
    """Let errors such as a full disk name the file that the user knows, and not the hidden one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and PART not in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _umask() -> int:
    """The permissions that new files do not get. The system tells them only when they are set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write a text in UTF-8, completely or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write bytes, completely or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def why_not_writable(path: Path) -> str:
    """Why a file cannot be written, with the way out; "" if it can. For before the work whose result it is."""
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        if not target.parent.is_dir():
            return f"the folder {str(target.parent)!r} does not exist; create it first"
        mode = stat.S_IFREG
    except OSError as error:  # the name is too long, links lead in a circle, a part of the path is a file ...
        return f"{error.strerror}; choose another file"
    if stat.S_ISDIR(mode):
        return "it is a folder; choose another name"
    if not stat.S_ISREG(mode):
        return "it is not a regular file; choose another one"
    writable = os.access(target.parent, os.W_OK) and (os.access(target, os.W_OK) or not target.exists())
    return "" if writable else "it cannot be written to; choose another file"


# --- names for runs -------------------------------------------------------------------------------------------------


def numbered(path: Path, number: int) -> Path:
    """x.png, x-2.png, x-3.png ... for the numbers from 1.

    >>> numbered(Path("x.png"), 1).name, numbered(Path("x.png"), 2).name
    ('x.png', 'x-2.png')
    """
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def first_free(path: Path) -> Path:
    """The path, or the first one with a number that is not there yet: what is not named is not replaced."""
    return next(free for number in count(1) if not (free := numbered(path, number)).exists())


def numbers_in_use(path: Path) -> list[int]:
    """The numbers in the names of the files that are there already, such as x.html (1) and x-2-label.npz (2)."""
    pattern = re.compile(rf"{re.escape(path.stem)}(?:-(\d+))?(?:[-.].*)?")
    found = (pattern.fullmatch(other.name) for other in path.parent.iterdir())
    return sorted({int(match[1] or 1) for match in found if match})


@contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Claim a name, so that no other process claims it during the block; whether that was possible."""
    place = claim_file(path)
    with suppress(OSError):
        _remove_if_abandoned(place)
    try:
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        yield False
        return
    if not _is_owned(handle, place):
        os.close(handle)
        yield False
        return
    with ExitStack() as closing:
        closing.callback(os.close, handle)
        try:
            yield True
        finally:
            if CLOSED_FIRST:
                closing.close()
            with suppress(OSError):
                place.unlink()


def claim_file(path: Path) -> Path:
    """The hidden file that claims a name and all names with other endings."""
    # A digest, because a name can be as long as the system allows.
    return path.with_name(CLAIM + hashlib.sha256(os.fsencode(path.stem)).hexdigest()[:16])
