"""Ctrl-C and a request to end (SIGTERM) give the program `fp16sim` one line, also while it loads.

A program that imports fp16sim is left alone. The package imports this module first.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_NAME = os.path.splitext(os.path.basename("".join(sys.argv[:1])))[0]
_IS_PROGRAM = _NAME == "fp16sim" or sys.orig_argv[1:3] == ["-m", "fp16sim"]
if _IS_PROGRAM:
    import signal  # for the program alone, because it takes time to load


def _end(number: int, frame: Any) -> None:
    os.write(2, b"fp16sim: interrupted\n")
    os._exit(130)  # no file is open yet; or none is half-written, because files are renamed when they are complete


class Terminated(KeyboardInterrupt):
    """The system asks the program to end; what ends at Ctrl-C ends at this, too."""


def _interrupt(number: int, frame: Any) -> None:
    signal.signal(signal.SIGINT, _end)  # a second Ctrl-C does not wait
    raise KeyboardInterrupt


def _terminate(number: int, frame: Any) -> None:
    raise Terminated


def raise_again() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt, and SIGTERM the kind of it that is called Terminated."""
    if _IS_PROGRAM and signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _interrupt)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminate)


if _IS_PROGRAM and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _end)
