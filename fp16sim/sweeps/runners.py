"""Where cells run: in this process, or in processes of this machine; `cluster` has the third place.

A runner takes the function and the cells, and gives each cell with its outcome, in the order in which they end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any

from ..wording import shortened
from .cells import Cell
from .work import Failure, Function, Outcome, perform

MOST_WORKERS = 61 if os.name == "nt" else 1024
"""Windows waits for 63 handles at once at most."""

MOST_LOSSES = 2
"""A cell whose process ends so often while no other cell runs is a failure."""


def here(function: Function, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
    """Run the cells in this process, one after the other."""
    for cell in cells:
        yield cell, perform(function.call, cell.config)


def processes(function: Function, cells: Sequence[Cell], workers: int) -> Iterator[tuple[Cell, Outcome]]:
    """Run the cells in `workers` processes of this machine, each with one thread of BLAS.

    A process may end in the middle, killed by the system for want of memory or by anyone. The pool is lost then, and
    no one can tell which of the cells under way ended it. So these run again, one at a time, in a new pool; one whose
    process ends twice even so is a failure.
    """
    function.refuse_what_processes_cannot_import()
    waiting, suspects, losses = deque(cells), deque[Cell](), Counter[str]()
    while waiting or suspects:
        queue, most = (suspects, 1) if suspects else (waiting, min(workers, len(waiting)))
        with _pool(most) as pool:
            lost = yield from _until_lost(pool, function, queue, most + (most > 1))
        if most == 1:
            losses.update(cell.key for cell in lost)
        for cell in lost:
            if losses[cell.key] < MOST_LOSSES:
                suspects.append(cell)
            else:
                yield cell, ended(f"its process ended {MOST_LOSSES} times: killed, or out of memory?")


def _until_lost(
    pool: ProcessPoolExecutor, function: Function, queue: deque[Cell], most: int
) -> Generator[tuple[Cell, Outcome], None, list[Cell]]:
    """Run the cells of a queue, `most` at a time, until it is empty or the pool is lost; return those lost with it."""
    flying: dict[Future[Outcome], Cell] = {}
    lost: list[Cell] = []
    while not lost:
        with suppress(BrokenProcessPool):
            while queue and len(flying) < most:
                flying[pool.submit(perform, function.call, queue[0].config)] = queue[0]
                queue.popleft()
        if not flying:
            break
        done = wait(flying, return_when=FIRST_COMPLETED).done
        if any(map(_is_lost, done)):
            done = wait(flying).done
        for future in done:
            cell = flying.pop(future)
            if _is_lost(future):
                lost.append(cell)
            else:
                yield cell, outcome_of(future)
    return lost


def _is_lost(future: Future[Outcome]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


def outcome_of(future: Any) -> Outcome:
    """What a finished future brings; an error on the way, such as a result that cannot be sent, is a failure."""
    try:
        return future.result()
    except Exception as error:
        return ended(f"{type(error).__name__}: {error}")


def ended(why: str) -> Outcome:
    """The failure of a cell that could not end by itself."""
    return Outcome(None, Failure("Lost", shortened(" ".join(why.split()), 500), ""), 0.0)


# --- processes ------------------------------------------------------------------------------------------------------


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, in whatever way that ends, and at once if the block is left by an exception."""
    others, finished = set(multiprocessing.active_children()), False
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)
        try:
            _check_start(pool)
            yield pool
            finished = True
        finally:
            for child in () if finished else set(multiprocessing.active_children()) - others:
                child.kill()
            pool.shutdown(cancel_futures=True)


def _check_start(pool: ProcessPoolExecutor) -> None:
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise RuntimeError(
            "the processes of the sweep end as they start; in a script, call it under if __name__ == '__main__', "
            "because each process imports the script; or use workers=0"
        ) from None


THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "FP16SIM_THREADS")


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """New processes have one thread of BLAS, whose sums can depend on the number of threads.

    They read it from the environment when they load NumPy, so it has to be there before they start.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _begin() -> None:
    """Of a process of the pool: Ctrl-C is for the parent, and when the parent ends, however it ends, so does this.

    What its cells print goes to stderr: stdout is for the results of the sweep.
    """
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
