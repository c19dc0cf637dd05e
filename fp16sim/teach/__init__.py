"""Teaching: strategies that find bugs, a grader that names the misconception, and as many questions as you like.

Each module is loaded when it is first used; `strategies` needs Hypothesis.

>>> import fp16sim as fs
>>> fs.teach.grade.decode(lambda code: fs.decode(code, "e4m3fn"), "e4m3fn").passed
True
"""

import importlib

__all__ = ["exercises", "grade", "strategies"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
