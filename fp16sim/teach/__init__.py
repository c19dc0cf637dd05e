"""Teaching: strategies that find bugs, a grader that names the misconception, and as many questions as you like.

Each module is loaded when it is first used; `strategies` needs Hypothesis. `guess` and `guesses` are for lessons: a
guess is typed before the result, kept, compared and scored. `puzzle`, `check`, `hint` and `solution` are for
lessons too: what a learner writes is graded at once, and helped; see `practice`.

>>> import fp16sim as fs
>>> fs.teach.grade.decode(lambda code: fs.decode(code, "e4m3fn"), "e4m3fn").passed
True
"""

import importlib

from .guessing import guess, guesses

PRACTICE = ("check", "hint", "puzzle", "solution")
"""Functions for the lessons: see `practice`."""

__all__ = ["exercises", "grade", "guess", "guesses", "strategies", *PRACTICE]


def __getattr__(name: str) -> object:
    if name in PRACTICE:
        return getattr(importlib.import_module(f"{__name__}.practice"), name)
    if name in ("exercises", "grade", "strategies"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
