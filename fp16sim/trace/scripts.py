"""A script under the trace: its own code, and the modules beside it that it imports."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..accumulators import AccumulatorLike
from ..conversion import Seed
from ..formats import FormatLike, Rounding
from ..wording import quoted
from .literals import current
from .ranking import outputs
from .rewriting import swapped, with_literals
from .running import Run, checked, finish, new_recorder, quiet
from .sites import is_foreign


def script(
    path: str | Path,
    arguments: Sequence[str] = (),
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    accumulator: AccumulatorLike | None = None,
    *,
    rng: Seed = None,
) -> Run:
    """Run a Python script, unchanged, in a format and beside a shadow: `fp16sim trace`.

    The results are the numbers that it prints or turns into text; if there are none, those in its global variables.

    Parameters
    ----------
    path : str or Path
    arguments : sequence of str
        What the script finds in sys.argv after its name.
    fmt, mode, accumulator, rng
        As for `wrap`.

    Raises
    ------
    FileNotFoundError, SyntaxError
        If there is no such script, or it is no Python. Errors that it raises surface as they are.
    """
    file = Path(path)
    source = file.read_bytes()
    code = with_literals(compile(source, str(file), "exec", dont_inherit=True))
    fmt, mode = checked(fmt, mode, accumulator)

    def again(**changes: Any) -> Run:
        how: dict[str, Any] = {"fmt": fmt, "mode": mode, "accumulator": accumulator, "rng": rng}
        return _run(new_recorder(**(how | changes)), file, code, arguments, again)

    return again()


def _run(recorder: Any, file: Path, code: types.CodeType, arguments: Sequence[str], again: Any) -> Run:
    token = current.set(recorder)
    main = types.ModuleType("__main__")
    main.__file__ = str(file)
    recorder.files.add(str(file))
    output: Any = contextlib.redirect_stdout(_Nowhere()) if recorder.changed else contextlib.nullcontext()
    try:
        with _as_main(main, file, arguments), swapped(recorder.files), np.errstate(**quiet()), output:
            _execute(code, vars(main))
        results = outputs(recorder.shown) or outputs([x for name, x in vars(main).items() if name[:2] != "__"])
        return finish(recorder, file.name, None, _once(results), again)
    finally:
        current.reset(token)


def _execute(code: types.CodeType, names: dict[str, Any]) -> None:
    try:
        exec(code, names)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


class _Nowhere:
    """Where a script prints when it is repeated."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def _once(results: list[Any]) -> list[Any]:
    return list({id(x): x for x in results}.values())


@contextlib.contextmanager
def _as_main(main: types.ModuleType, file: Path, arguments: Sequence[str]) -> Iterator[None]:
    """What Python does for a script: sys.argv, sys.path and sys.modules; its own modules are forgotten afterwards."""
    argv, path, before, modules = sys.argv, list(sys.path), sys.modules["__main__"], set(sys.modules)
    sys.argv, sys.path[0:0] = [str(file), *arguments], [str(file.resolve().parent)]
    sys.modules["__main__"] = main
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
        sys.modules["__main__"] = before
        for name in set(sys.modules) - modules:
            own = getattr(sys.modules[name], "__file__", None)
            if own and not is_foreign(own):
                del sys.modules[name]


def where(error: BaseException, file: Path) -> str:
    """The place in the user's code where an error was raised: "script.py:12", for a message of one line."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == str(file) or not is_foreign(name):
            found = f"{Path(name).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found or quoted(str(file))
