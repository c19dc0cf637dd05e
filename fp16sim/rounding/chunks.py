"""Arrays are processed in chunks, in C order, by one thread or more: the result depends on neither."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np

from ..conversion import Array, Carrier
from ..flags import Tally
from .random_bits import Draw


def can_slice(x: Array, out: Array) -> bool:
    """Whether slices can be chunks: both are contiguous, of one native dtype, and the same memory or apart."""
    of_x, of_out = x.flags, out.flags  # not .carray, which asks whether x can be written to: broadcast arrays warn
    if not (of_x.c_contiguous and of_x.aligned and of_out.c_contiguous and of_out.aligned):
        return False
    if x.dtype != out.dtype or not out.dtype.isnative:
        return False
    if x is out or not np.may_share_memory(x, out):
        return True
    return bool(x.__array_interface__["data"][0] == out.__array_interface__["data"][0])


def flattened(x: Array, out: Array) -> tuple[Array, Array]:
    """Contiguous arrays with one dimension, without a copy; `out` may be of a subclass, such as np.memmap."""
    if type(out) is not np.ndarray:
        out = np.asarray(out)
    return (x, out) if x.ndim == 1 else (x.reshape(-1), out.reshape(-1))


def buffered(x: Array, out: Array, carrier: Carrier, size: int) -> Iterator[tuple[int, Array, Array]]:
    """(offset, chunk of x, chunk of out) for any arrays, as contiguous chunks of dtype `carrier`."""
    offset = 0
    nditer: Any = np.nditer
    iterator = nditer(
        [np.atleast_1d(x), np.atleast_1d(out)],  # before NumPy 2.3, numbers of no dimensions are not written back
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
"""work(chunk of x, chunk of out, draws, tally, offset)"""


def for_each(work: Work, x: Array, out: Array, size: int, draw: Draw | None, tally: Tally, threads: int) -> None:
    """Call `work` for all chunks of flat arrays, in `threads` threads, one of which is the caller's.

    Every thread has its own tally; they are merged at the end, in any order. Where the system gives no more threads,
    fewer do the work.
    """
    queue = _Queue(x, out, size, draw)
    if threads == 1:
        queue.run(work, tally)
        return
    tallies = [Tally(tally.listeners) for _ in range(min(threads, -(-x.size // size)) - 1)]
    failures: list[BaseException] = []

    def guarded(own: Tally) -> None:
        try:
            queue.run(work, own)
        except BaseException as error:
            failures.append(error)
            queue.close()

    workers = [threading.Thread(target=guarded, args=(own,)) for own in tallies]
    started = _start(workers)
    guarded(tally)
    for worker in started:
        worker.join()
    for own in tallies:
        for key, event in own.events.items():
            tally.merge(key, event)
    if failures:
        raise failures[0]


def _start(workers: Sequence[threading.Thread]) -> list[threading.Thread]:
    """Start the threads, and return those that the system could start: a browser and a program that ends have none."""
    started = []
    with suppress(RuntimeError):
        for worker in workers:
            worker.start()
            started.append(worker)
    return started


class _Queue:
    """The chunks of flat arrays, each with its draws. Any thread may take the next one."""

    def __init__(self, x: Array, out: Array, size: int, draw: Draw | None) -> None:
        self.x, self.out, self.size, self.draw = x, out, size, draw
        self.starts, self.lock = iter(range(0, x.size, size)), threading.Lock()

    def next(self) -> tuple[Array, Array, Array | None, int] | None:
        """A chunk of both arrays, its draws and its offset; None when no chunk is left."""
        with self.lock:
            start = next(self.starts, None)
            if start is None:
                return None
            chunk = self.x[start : start + self.size]
            draws = self.draw(chunk.size) if self.draw else None
            return chunk, self.out[start : start + self.size], draws, start

    def run(self, work: Work, tally: Tally) -> None:
        """Work on chunks until none is left."""
        with np.errstate(all="ignore"):  # a context variable: a new thread starts without it
            while (task := self.next()) is not None:
                chunk, out, draws, start = task
                work(chunk, out, draws, tally, start)

    def close(self) -> None:
        """Leave no chunk for any thread."""
        with self.lock:
            self.starts = iter(range(0))
