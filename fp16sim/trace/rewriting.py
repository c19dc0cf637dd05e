"""Unchanged code under the trace: its float constants become literals, and its numpy and math become ours, for a while.

The code object of each function of the user's project that the traced one can reach gets other constants: floats become
`Literal`, integers `Whole`. The names in its globals, closures and defaults that are NumPy, math or their functions
become ours. Line numbers, names and everything else stay, so tracebacks are as they were. All is put back when the run
ends, also when it ends with an error. One run at a time may do that, so other threads wait.
"""

from __future__ import annotations

import builtins
import copy
import functools
import math
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from .literals import Literal, Whole, current
from .proxies import MATHEMATICS, MODULES, NUMPY, OBJECTS, Function, Wrapped
from .sites import is_foreign
from .traced import Traced, argument

_lock = threading.RLock()


def with_literals(code: types.CodeType) -> types.CodeType:
    """The same code with literals in place of its numbers, also in the functions inside it."""
    return code.replace(co_consts=tuple(map(_constant, code.co_consts)))


def _constant(x: Any) -> Any:
    if type(x) is float:
        return Literal(x)
    if type(x) is int:
        return Whole(x)
    if type(x) is tuple:
        return tuple(map(_constant, x))
    return with_literals(x) if isinstance(x, types.CodeType) else x


def substitute(x: Any) -> Any:
    """What traced code sees in place of an object; the object itself if that is as it was."""
    if type(x) is float:
        return Literal(x)
    if isinstance(x, types.ModuleType):
        return Wrapped(x) if x.__name__ == "statistics" else MODULES.get(x, x)
    if id(x) in OBJECTS:
        return OBJECTS[id(x)]
    name = getattr(x, "__name__", None)
    if not callable(x) or not isinstance(name, str) or isinstance(x, (type, types.FunctionType, types.MethodType)):
        numpy_function = isinstance(x, types.FunctionType) and str(x.__module__).startswith(("numpy", "statistics"))
        return Function(x, str(name)) if numpy_function else x
    if getattr(math, name, None) is x:
        return getattr(MATHEMATICS, name)
    return Function(x, name) if isinstance(x, np.ufunc) or getattr(np, name, None) is x else x


class Swap:
    """The functions and names that were changed, and what they were."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.seen: set[int] = set()
        self.arrays: dict[int, Any] = {}
        self.undo = ExitStack()

    def called(self, function: Any) -> None:
        """Change what is run: a function, or an object that can be called, with the numbers that it owns."""
        owner = getattr(function, "__self__", None)
        if owner is None and not isinstance(function, (type, types.FunctionType, functools.partial)):
            owner, function = function, getattr(type(function), "__call__", function)  # noqa: B004
        if isinstance(getattr(owner, "__dict__", None), dict):
            self._arrays(vars(owner), vars(owner))
        self.function(function)

    def function(self, function: Any) -> None:
        """Change a function, and whatever of the user's project it can reach."""
        function = _underlying(function)
        if isinstance(function, type):
            self._kind(function)
        if not isinstance(function, types.FunctionType) or id(function) in self.seen:
            return
        self.seen.add(id(function))
        self.files.add(function.__code__.co_filename)
        before, defaults, named = function.__code__, function.__defaults__, function.__kwdefaults__
        self.undo.callback(_restore, function, before, defaults, named)
        function.__code__ = with_literals(before)
        function.__defaults__ = defaults and tuple(map(substitute, defaults))
        function.__kwdefaults__ = named and {k: substitute(x) for k, x in named.items()}
        for cell in function.__closure__ or ():
            self._cell(cell)
        self._arrays(function.__globals__, _names_in(before))
        self.module(function.__globals__)
        if (wrapped := getattr(function, "__wrapped__", None)) is not None:
            self.function(wrapped)

    def module(self, names: dict[str, Any]) -> None:
        """Change the names of a module."""
        if id(names) in self.seen:
            return
        self.seen.add(id(names))
        for name, x in list(names.items()):
            if name.startswith("__") and name.endswith("__"):
                continue
            self._rename(names, name, x, substitute(x))
            self._reach(x)

    def _rename(self, names: dict[str, Any], name: str, x: Any, y: Any) -> None:
        if y is not x:
            names[name] = y
            self.undo.callback(_put_back, names, name, y, x)

    def _arrays(self, names: dict[str, Any], used: Iterable[str]) -> None:
        """Change the arrays of floats that are used."""
        for name in list(used):
            if name in names:
                self._rename(names, name, names[name], self._array(names[name]))

    def _array(self, x: Any) -> Any:
        """An array of floats as a traced one, which is given what the code writes to it; anything else as it is."""
        recorder = current.get()
        if type(x) is not np.ndarray or x.dtype.kind != "f" or recorder is None:
            return x
        if id(x) not in self.arrays:
            drawn = copy.deepcopy(recorder.rng)  # an array that is not used in the end draws no random bits
            y = self.arrays[id(x)] = argument(recorder, x.copy())
            if recorder.rng is not None and drawn is not None:
                recorder.rng.bit_generator.state = drawn.bit_generator.state
            self.undo.callback(_write_back, x, y, y.plain.copy())
        return self.arrays[id(x)]

    def _cell(self, cell: Any) -> None:
        try:
            x = cell.cell_contents
        except ValueError:  # it is empty
            return
        y = substitute(self._array(x))
        if y is not x:
            cell.cell_contents = y
            self.undo.callback(_refill, cell, y, x)
        self._reach(x)

    def _reach(self, x: Any) -> None:
        """A function, class or module of the user's project that the traced code knows by name."""
        if isinstance(x, types.ModuleType):
            file = getattr(x, "__file__", None)
            if file and not is_foreign(file) and x.__name__ != "__main__":
                self.module(vars(x))
        elif isinstance(x, type):
            if _is_users(sys.modules.get(x.__module__)):
                self._kind(x)
        elif isinstance(function := _underlying(x), types.FunctionType) and self._is_ours(function):
            self.function(function)

    def _is_ours(self, function: types.FunctionType) -> bool:
        file = function.__code__.co_filename
        return file in self.files or not is_foreign(file)

    def _kind(self, kind: type) -> None:
        """The methods of a class."""
        if id(kind) in self.seen:
            return
        self.seen.add(id(kind))
        for x in list(vars(kind).values()):
            for part in (x.fget, x.fset) if isinstance(x, property) else (x,):
                self.function(part) if part is not None and not isinstance(part, type) else None


def _is_users(module: Any) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and not is_foreign(str(file))


def _underlying(x: Any) -> Any:
    while True:
        if isinstance(x, functools.partial):
            x = x.func
        elif isinstance(x, (staticmethod, classmethod, types.MethodType)):
            x = x.__func__
        else:
            return x


def _restore(function: Any, code: types.CodeType, defaults: Any, named: Any) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, named


def _names_in(code: types.CodeType) -> set[str]:
    """The names that a code object uses, with those of the functions inside it."""
    inside = (x for x in code.co_consts if isinstance(x, types.CodeType))
    return set(code.co_names).union(*map(_names_in, inside))


def _write_back(x: Any, y: Traced, before: Any) -> None:
    if x.flags.writeable and not np.array_equal(y.plain, before, equal_nan=True):
        x[...] = y.plain


def _refill(cell: Any, ours: Any, before: Any) -> None:
    if cell.cell_contents is ours:  # the code may have assigned to it
        cell.cell_contents = before


@contextmanager
def swapped(files: set[str], *functions: Any, folder: str = "") -> Iterator[Swap]:
    """Functions under the trace; modules that they import meanwhile are changed, too, if they are the user's."""
    with _lock:
        swap = Swap(files)
        own_import = builtins.__import__
        with swap.undo:
            for function in functions:
                swap.called(function)
            swap.undo.callback(setattr, builtins, "__import__", own_import)
            builtins.__import__ = _importing(own_import, swap)
            yield swap


def _importing(own_import: Callable[..., Any], swap: Swap) -> Callable[..., Any]:
    def imported(name: str, names: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        module = own_import(name, names, locals, fromlist, level)
        file = sys._getframe(1).f_code.co_filename
        if file not in swap.files:
            return module
        if module in MODULES:
            return (
                MODULES[module] if not (name.startswith("numpy.") and fromlist) else getattr(NUMPY, name.split(".")[1])
            )
        if id(module) in OBJECTS:
            return OBJECTS[id(module)]
        if name == "statistics":
            return Wrapped(module)
        if _is_users(module):
            swap.module(vars(module))
            swap.files.update(_files(module))
        return module

    return imported


def _files(module: Any) -> set[str]:
    return {str(module.__file__)}


def _put_back(names: dict[str, Any], name: str, ours: Any, before: Any) -> None:
    if names.get(name) is ours:  # the code may have assigned to it
        names[name] = before
