"""The files of a training run: all are named after its picture, and no two runs write to the same ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ..archives import MAX_BYTES
from ..files import claim, claim_file, numbered, numbers_in_use
from ..learn.run.checkpoint import Checkpointer, unfinished
from ..wording import joined
from .output import check_writable, print_error

FIRST = Path("fp16sim-train.png")
"""The picture of the first run in a folder, unless another name is given. Later runs have numbers."""


@dataclass(frozen=True)
class RunFiles:
    """The files of a run, or of several that are compared.

    >>> RunFiles.of(Path("a.png"), ["binary16", "bfloat16:stochastic"]).models[1].name
    'a-bfloat16-stochastic.npz'
    """

    picture: Path
    page: Path
    log: Path
    models: tuple[Path, ...]

    @classmethod
    def of(cls, picture: Path, labels: Sequence[str]) -> RunFiles:
        """The files named after a picture, with a model for each label."""
        page, log = (picture.with_name(f"{picture.stem}{suffix}") for suffix in (".html", ".json"))
        names = (f"{picture.stem}-{_short(label)}" for label in labels)
        return cls(picture, page, log, tuple(picture.with_name(f"{name}.npz") for name in names))

    def check(self) -> None:
        """Refuse files that cannot be written."""
        check_writable(self.picture, beside=(self.page, self.log, *self.models))

    def check_resume(self) -> None:
        """Refuse to resume a run that has no file."""
        if not any(file.exists() for file in self.models):
            names = joined((repr(str(file)) for file in self.models), "or")
            raise ValueError(f"nothing to resume: there is no {names}; leave out --resume to start a new run")

    def check_new(self, max_bytes: int) -> None:
        """Refuse to replace the files of an interrupted run, or files that nobody named.

        To name the picture of a run is to ask for the replacement of the run. Without that picture the other files
        belong to another program, or to runs of which one was interrupted before its first checkpoint.
        """
        self.refuse_unfinished(max_bytes)
        there = [file for file in (self.page, self.log, *self.models) if file.exists()]
        if there and not self.picture.exists():
            raise ValueError(
                f"out={str(self.picture)!r} would also replace {str(there[0])!r}; name another picture, or go on with "
                "--resume if it belongs to an interrupted run"
            )

    def refuse_unfinished(self, max_bytes: int) -> None:
        """Refuse to write over an interrupted run."""
        for file in self.models:
            Checkpointer(file, max_bytes=max_bytes).refuse_unfinished()

    @property
    def exist(self) -> bool:
        """Whether one of them is there already."""
        return any(file.exists() for file in (self.picture, self.page, self.log, *self.models))

    def are_interrupted(self, max_bytes: int) -> bool:
        """Whether one of the models belongs to an interrupted run."""
        return any(file.exists() and unfinished(file, max_bytes) for file in self.models)


LONGEST_LABEL = 160
"""A longer label is cut in the name of a file, of which systems take 255 bytes."""


def _short(label: str) -> str:
    """A label without what file names lack; a long one ends with the first digits of its sha256 instead."""
    safe = re.sub(r"[^\w.-]+", "-", label)
    digest = hashlib.sha256(label.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return safe if len(safe) <= LONGEST_LABEL else f"{safe[: LONGEST_LABEL - 9]}-{digest}"


@contextmanager
def own_files(out: Path | None, labels: Sequence[str], resume: bool, max_bytes: int = MAX_BYTES) -> Iterator[RunFiles]:
    """The files of a run, claimed until it ends: those named after `out`, or else after the next free name.

    Raises
    ------
    ValueError
        If a file cannot be written, or is being written by another process, or has an interrupted run to be resumed.
    """
    if out is not None:
        check_writable(out)
    for picture in _free_names(labels, resume, max_bytes) if out is None else (out,):
        files = RunFiles.of(picture, labels)
        files.check()
        with claim(picture) as ours:
            if not ours or (out is None and not resume and files.exist):
                continue  # another run has just taken the name
            if resume:
                files.check_resume()
            else:
                files.check_new(max_bytes)
            if out is None and picture != FIRST:
                print_error(f"fp16sim train: {_change(resume)} {picture.stem}.*")
            yield files
            return
    taken = out or FIRST
    raise ValueError(
        f"out={str(taken)!r}: another run is writing the files of this name; wait for its end, or choose another "
        f"--out (if there is no other run, delete {str(claim_file(taken))!r})"
    )


def _free_names(labels: Sequence[str], resume: bool, max_bytes: int) -> Iterable[Path]:
    """The names to try, without `out`: to resume, those of interrupted runs, the last one first; else new ones."""
    used = numbers_in_use(FIRST)
    runs = [RunFiles.of(numbered(FIRST, number), labels) for number in used]
    if resume:
        interrupted = [run for run in runs if run.are_interrupted(max_bytes)]
        return [run.picture for run in reversed(interrupted or runs)] or [FIRST]
    for run in runs:
        with claim(run.picture) as ours:
            if ours:  # no process is at work on it
                run.refuse_unfinished(max_bytes)
    return (numbered(FIRST, number) for number in count(max(used, default=0) + 1))


def _change(resume: bool) -> str:
    return "this run goes on with" if resume else f"{FIRST.stem}.* is there already, so this run writes"
