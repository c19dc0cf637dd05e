"""Fetch MNIST's files, on request: from a URL or a folder, verified before anything is written.

A file stays in memory until its sha256 is checked. Then it is written under another name and renamed. An interruption
at any time leaves either the old file or the complete new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...files import write_bytes
from ...version import __version__
from ...wording import quoted
from .sources import SLACK, Source, SourceFile, cache_folder, find, read_bounded, verified

TIMEOUT = 30.0
"""Seconds without an answer after which an attempt has failed."""
ATTEMPTS = 3
PAUSE = 1.0
"""Seconds before the second attempt; doubled for the third."""

Progress = Callable[[int, int], None]


def fetch(
    source: Source,
    *,
    url: str | None = None,
    folder: str | Path | None = None,
    to: str | Path | None = None,
    on_bytes: Callable[[str], Progress | None] = lambda name: None,
) -> list[tuple[Path, bool]]:
    """Put a data set's files into a subfolder of `to`, by default of the user's cache folder.

    Parameters
    ----------
    source : Source
    url : str, optional
        An http or https address of the files, instead of the public mirror.
    folder : path, optional
        A folder to copy the files from, instead of a download.
    to : path, optional
        The files are written to its subfolder "mnist" or "fashion-mnist".
    on_bytes : callable, optional
        Called with a file's name before its download; returns a function that is called with (bytes so far, expected
        bytes), or None.

    Returns
    -------
    list of (Path, bool)
        Each file, and whether it is new. A right file that was already there stays as it is.

    Raises
    ------
    ValueError
        If a file cannot be fetched, or is not right. Then no existing file is overwritten.
    """
    if url is not None and folder is not None:
        raise ValueError(f"url={quoted(url)} and folder={str(folder)!r} were both given; give only one of them")
    if folder is not None and not Path(folder).is_dir():
        raise ValueError(f"folder={str(folder)!r} is not a folder; give the folder with {source.files[0].name}.gz")
    base = source.url if url is None else url
    if folder is None and not base.lower().startswith(("http://", "https://")):
        raise ValueError(
            f"url={quoted(base)} must start with http:// or https://; to copy from a folder use --from FOLDER"
        )
    target = Path(cache_folder() if to is None else to).expanduser() / source.folders[0]
    results = []
    for file in source.files:
        present = next((path for path in _present(target, file) if _right(path, file)), None)
        if present is not None:
            results.append((present, False))
            continue
        if folder is not None:
            content, suffix = _copied(source, Path(folder), file)
        else:
            content, suffix = _downloaded(base, file, on_bytes(file.name))
        path = target / (file.name + suffix)
        _write(path, content)
        results.append((path, True))
    return results


def _present(target: Path, file: SourceFile) -> list[Path]:
    return [path for path in (target / file.name, target / f"{file.name}.gz") if path.is_file()]


def _right(path: Path, file: SourceFile) -> bool:
    try:
        verified(read_bounded(path, file), file)
    except (ValueError, OSError):
        return False
    return True


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)


# --- from a folder --------------------------------------------------------------------------------------------------


def _copied(source: Source, folder: Path, file: SourceFile) -> tuple[bytes, str]:
    found = find(source, (folder,), file)
    if found.path is None:
        if found.problems:
            raise ValueError(f"data={source.name}: {'; '.join(found.problems)}; nothing was overwritten")
        names = f"{file.name} or {file.name}.gz"
        raise ValueError(f"data={source.name}: folder={str(folder)!r} has no {names}; nothing was overwritten")
    return read_bounded(found.path, file), found.path.suffix if found.path.suffix == ".gz" else ""


# --- from a server --------------------------------------------------------------------------------------------------


class _Absent(Exception):
    """The server does not have the file."""


def _downloaded(base: str, file: SourceFile, progress: Progress | None) -> tuple[bytes, str]:
    """The bytes of a file as the server has it, and its suffix: ".gz" if it is compressed, else ""."""
    urls = {suffix: f"{base.rstrip('/')}/{file.name}{suffix}" for suffix in (".gz", "")}
    for url in urls.values():
        try:
            content = _attempts(url, file, progress)
            verified(content, file)
        except _Absent:
            continue
        except ValueError as error:
            raise ValueError(f"{url} was refused: {error}; nothing was overwritten") from None
        return content, ".gz" if content[:2] == b"\x1f\x8b" else ""
    raise ValueError(
        f"{urls['.gz']} does not exist (404), with or without .gz; nothing was overwritten; try another --url"
    )


def _attempts(url: str, file: SourceFile, progress: Progress | None) -> bytes:
    """The bytes at a URL; after a failure of the connection or the server it is tried again."""
    import http.client
    import urllib.error

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _get(url, file.size + SLACK, progress)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise _Absent from None
            if error.code < 500 and error.code != 429:
                raise ValueError(f"the server answered {error.code} {error.reason}") from None
            failure = f"the server answered {error.code} {error.reason}"
        except urllib.error.URLError as error:
            failure = f"no connection ({error.reason})"
        except (http.client.HTTPException, OSError) as error:
            said = " ".join(str(error).split())  # a server's text may have line breaks
            failure = f"the connection broke off ({said or type(error).__name__})"
        if attempt < ATTEMPTS:
            time.sleep(PAUSE * 2 ** (attempt - 1))
    raise ValueError(f"{failure}, {ATTEMPTS} times")


def _get(url: str, limit: int, progress: Progress | None) -> bytes:
    """The body of one answer, at most `limit` bytes."""
    import http.client
    import urllib.request

    request = urllib.request.Request(
        url, headers={"User-Agent": f"fp16sim/{__version__}", "Accept-Encoding": "identity"}
    )
    parts: list[bytes] = []
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        expected, size = _expected(answer), 0
        while part := answer.read(1 << 16):
            parts.append(part)
            size += len(part)
            if max(size, expected) > limit:
                raise ValueError(f"it is longer than {limit} bytes, so it is not the right file")
            if progress:
                progress(size, expected or size)
    if expected and size != expected:
        raise http.client.IncompleteRead(b"", expected - size)
    return b"".join(parts)


def _expected(answer: Any) -> int:
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else 0
