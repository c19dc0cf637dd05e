"""Arrays cut into pieces, in C order, and shared among threads: the result never depends on how."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .draws import Draw
from .flags import Tally
from .lifting import Array


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


def share(
    work: Callable[[Array, Array, Array | None, Tally, int], None],
    x: Array,
    out: Array,
    size: int,
    draw: Draw | None,
    tally: Tally,
    threads: int,
) -> None:
    """work(piece of x, piece of out, draws, tally, offset) for all pieces of flat arrays, by so many threads.

    The pieces are handed out in order, each with the next draws; every thread has a tally of its own, and tallies can
    be merged in any order. The calling thread works too.
    """
    starts, lock = iter(range(0, x.size, size)), threading.Lock()

    def run(own: Tally) -> None:
        with np.errstate(all="ignore"):  # a context variable: a new thread starts without it
            while True:
                with lock:
                    start = next(starts, None)
                    if start is None:
                        return
                    piece = x[start : start + size]
                    draws = draw(piece.size) if draw else None
                work(piece, out[start : start + size], draws, own, start)

    if threads == 1:
        return run(tally)
    tallies = [tally, *(Tally(tally.listeners) for _ in range(min(threads, -(-x.size // size)) - 1))]
    failures: list[BaseException] = []

    def guarded(own: Tally) -> None:
        try:
            run(own)
        except BaseException as error:
            failures.append(error)
            with lock:
                for _ in starts:  # nothing more to do for anyone
                    pass

    workers = [threading.Thread(target=guarded, args=(own,)) for own in tallies[1:]]
    for worker in workers:
        worker.start()
    guarded(tally)
    for worker, own in zip(workers, tallies[1:], strict=True):
        worker.join()
        for key, event in own.events.items():
            tally.merge(key, event)
    if failures:
        raise failures[0]
    return None
