"""Cells on the workers of a Dask cluster. Dask distributes them, and runs those of a lost worker on another one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..version import __version__
from ..wording import quoted
from .cells import Cell
from .runners import ended, outcome_of
from .work import Function, Outcome, perform

PATIENCE = 10.0
"""Seconds to wait for a scheduler, and for its first worker."""

EXTRA = "pip install 'fp16sim[dask]'"


def on_cluster(function: Function, cells: Sequence[Cell], address: str) -> Iterator[tuple[Cell, Outcome]]:
    """Run the cells on the cluster of a scheduler.

    A module file of your own that has the function is sent to the workers once; other modules have to be there.

    Raises
    ------
    ValueError
        If the scheduler does not answer or has no workers, or a worker has another version of fp16sim.
    ConnectionError
        If the scheduler is lost in the middle; the table has all cells that were finished.
    """
    client = _connected(address)
    try:
        _check_workers(client, address)
        _send_module(client, function)
        yield from _outcomes(client, function, cells, address)
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.close(timeout=PATIENCE / 2)


def _outcomes(client: Any, function: Function, cells: Sequence[Cell], address: str) -> Iterator[tuple[Cell, Outcome]]:
    import distributed

    as_completed: Any = distributed.as_completed
    futures = {client.submit(perform, function.call, cell.config, pure=False): cell for cell in cells}
    try:
        for future in as_completed(futures, loop=client.loop):
            if future.status in ("cancelled", "lost"):
                raise ConnectionError(f"scheduler={quoted(address)} was lost; start it again, and repeat the command")
            cell = futures.pop(future)
            yield cell, _outcome(future)
    finally:
        with contextlib.suppress(Exception):
            client.cancel(list(futures), force=True)


def _outcome(future: Any) -> Outcome:
    """What a finished future brings; a cell with which several workers were lost is a failure."""
    from distributed import KilledWorker

    if isinstance(future.exception() if future.status == "error" else None, KilledWorker):
        return ended("every worker that ran it was lost: killed, or out of memory?")
    return outcome_of(future)


# --- the cluster ----------------------------------------------------------------------------------------------------


ADDRESS = re.compile(r"(\w+://)?(\[[\da-fA-F:.%]+\]|[\w.-]+):\d+/?")
"""tcp://host:8786, host:8786, tls://[::1]:8786: Dask waits long before it refuses what is no address."""


def _connected(address: str) -> Any:
    if not isinstance(address, str) or not ADDRESS.fullmatch(address):
        raise ValueError(f"scheduler={quoted(address)} is not an address; write it as 'tcp://host:8786'")
    try:
        import distributed
    except ModuleNotFoundError:
        raise ValueError(f"scheduler={quoted(address)} needs Dask; install it: {EXTRA}") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says, errors here say in one line
    client: Any = distributed.Client
    try:
        with ThreadPoolExecutor(1) as apart:  # a notebook has a loop of its own
            apart.submit(asyncio.run, _answer(address)).result()
        return client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError, TimeoutError) as error:
        why = " ".join(str(error).split()) or f"within {PATIENCE:g} s"
        raise ValueError(
            f"scheduler={quoted(address)} does not answer ({why}); start one with 'dask scheduler', or leave it out "
            "to run here"
        ) from None


async def _answer(address: str) -> None:
    """Ask a scheduler who it is; TimeoutError if it does not say. A Client waits for ever for what never answers."""
    from distributed import rpc

    ask: Any = rpc
    async with asyncio.timeout(PATIENCE), ask(address, timeout=PATIENCE) as scheduler:
        await scheduler.identity()


def _check_workers(client: Any, address: str) -> None:
    """Refuse a cluster without workers, and workers that would give other bits."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise ValueError(
            f"scheduler={quoted(address)} has no workers; start some with 'dask worker {address} --nthreads 1'"
        ) from None
    versions = client.run(eval, "__import__('fp16sim').__version__", on_error="return")
    wrong = {where: found for where, found in versions.items() if found != __version__}
    for where, found in wrong.items():
        has = "no fp16sim" if isinstance(found, BaseException) else f"fp16sim {found}"
        raise ValueError(f"the worker {where} has {has}, and this is {__version__}; install the same version there")


def _send_module(client: Any, function: Function) -> None:
    """Send the file of the function's module, if it is one of the user's own, to all workers, also to later ones."""
    name = getattr(function.call, "__module__", None) or ""
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    own = name != "__main__" and "." not in name and file.endswith(".py")
    if own and not any(part in ("site-packages", "dist-packages") for part in Path(file).parts):
        client.upload_file(file)
