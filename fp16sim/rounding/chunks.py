"""Arrays cut into pieces, in C order, and shared among threads: the result never depends on how."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from ..conversion import Array
from ..flags import Tally
from .random_bits import Draw


def plain(x: Array, out: Array) -> bool:
    """Whether both are contiguous, of one native dtype, and one array or apart: then a piece is a slice."""
    of_x, of_out = x.flags, out.flags  # not .carray, which asks whether x can be written to: broadcast arrays warn
    if not (of_x.c_contiguous and of_x.aligned and of_out.c_contiguous and of_out.aligned):
        return False
    if x.dtype != out.dtype or not out.dtype.isnative:
        return False
    if x is out or not np.may_share_memory(x, out):
        return True
    return bool(x.__array_interface__["data"][0] == out.__array_interface__["data"][0])


def flat(x: Array, out: Array) -> tuple[Array, Array]:
    """Plain arrays with one dimension, without a copy; `out` may be of a subclass, such as np.memmap."""
    if type(out) is not np.ndarray:
        out = np.asarray(out)
    return (x, out) if x.ndim == 1 else (x.reshape(-1), out.reshape(-1))


def buffered(x: Array, out: Array, carrier: Any, size: int) -> Iterator[tuple[int, Array, Array]]:
    """(offset, piece of x, piece of out) for any arrays, as contiguous pieces of dtype `carrier`."""
    offset = 0
    nditer: Any = np.nditer
    iterator = nditer(
        [x, out],
        flags=["external_loop", "buffered", "zerosize_ok", "copy_if_overlap"],
        op_flags=[[access, "overlap_assume_elementwise", "aligned", "contig"] for access in ("readonly", "writeonly")],
        op_dtypes=[carrier, carrier],
        casting="same_kind",
        order="C",
        buffersize=size,
    )
    with iterator:
        for source, target in iterator:
            yield offset, source, target
            offset += source.size


Work: TypeAlias = "Callable[[Array, Array, Array | None, Tally, int], None]"
"""work(piece of x, piece of out, draws, tally, offset)"""


def share(work: Work, x: Array, out: Array, size: int, draw: Draw | None, tally: Tally, threads: int) -> None:
    """`work` on all pieces of flat arrays, by so many threads, of which the calling one is one.

    Every thread has a tally of its own, and tallies can be merged in any order.
    """
    queue = _Queue(x, out, size, draw)
    if threads == 1:
        return queue.run(work, tally)
    tallies = [Tally(tally.listeners) for _ in range(min(threads, -(-x.size // size)) - 1)]
    failures: list[BaseException] = []

    def guarded(own: Tally) -> None:
        try:
            queue.run(work, own)
        except BaseException as error:
            failures.append(error)
            queue.close()

    workers = [threading.Thread(target=guarded, args=(own,)) for own in tallies]
    for worker in workers:
        worker.start()
    guarded(tally)
    for worker, own in zip(workers, tallies, strict=True):
        worker.join()
        for key, event in own.events.items():
            tally.merge(key, event)
    if failures:
        raise failures[0]
    return None


class _Queue:
    """The pieces of flat arrays, handed out in order, each with the next draws, to whatever thread asks."""

    def __init__(self, x: Array, out: Array, size: int, draw: Draw | None) -> None:
        self.x, self.out, self.size, self.draw = x, out, size, draw
        self.starts, self.lock = iter(range(0, x.size, size)), threading.Lock()

    def next(self) -> tuple[Array, Array, Array | None, int] | None:
        """A piece of both arrays, its draws and its offset; None when all are given away."""
        with self.lock:
            start = next(self.starts, None)
            if start is None:
                return None
            piece = self.x[start : start + self.size]
            draws = self.draw(piece.size) if self.draw else None
            return piece, self.out[start : start + self.size], draws, start

    def run(self, work: Work, tally: Tally) -> None:
        """Work on pieces as long as there are any."""
        with np.errstate(all="ignore"):  # a context variable: a new thread starts without it
            while (task := self.next()) is not None:
                piece, out, draws, start = task
                work(piece, out, draws, tally, start)

    def close(self) -> None:
        """Nothing more to do for anyone."""
        with self.lock:
            self.starts = iter(range(0))
