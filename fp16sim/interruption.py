"""Ctrl-C while the program `fp16sim` loads gives one line, as later. A program that imports fp16sim is left alone.

The package imports this module first.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any


def _end(number: int, frame: Any) -> None:
    os.write(2, b"fp16sim: interrupted\n")
    os._exit(130)  # nothing has been opened yet


def raise_again() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_NAME = os.path.splitext(os.path.basename("".join(sys.argv[:1])))[0]
_IS_PROGRAM = _NAME == "fp16sim" or sys.orig_argv[1:3] == ["-m", "fp16sim"]
if _IS_PROGRAM and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _end)
