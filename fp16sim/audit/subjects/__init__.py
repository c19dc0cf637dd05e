"""The libraries that the audit knows: each is a small function that says, as data, what there is to compare.

`arrays` has fp16sim itself, NumPy, ml_dtypes and struct; `frameworks` has torch, JAX and torchao; `emulators` has
gfloat, pychop, softfloatpy and gmpy2; `own` makes one of a function that the user names. `SUBJECTS` is the table.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

from ..subject import Subject
from . import arrays, emulators, frameworks


class Library(NamedTuple):
    """What is imported, and what makes the subject of the modules that were."""

    modules: tuple[str, ...]
    subject: Callable[..., Subject]
    about: str


SUBJECTS: dict[str, Library] = {
    "fp16sim": Library(("fp16sim",), arrays.fp16sim, "this package on this machine"),
    "numpy": Library(("numpy",), arrays.numpy, "float16: casts, texts, arithmetic, functions, sums"),
    "ml_dtypes": Library(("ml_dtypes",), arrays.ml_dtypes, "casts to all its formats; arithmetic and sums of bfloat16"),
    "torch": Library(("torch",), frameworks.torch, "half, bfloat16 and float8 on the processor"),
    "jax": Library(("jax", "jax.numpy"), frameworks.jax, "float16, bfloat16 and float8 on the processor"),
    "gfloat": Library(("gfloat", "gfloat.formats"), emulators.gfloat, "casts to many formats, in many modes; blocks"),
    "pychop": Library(("pychop",), emulators.pychop, "casts to binary16 and bfloat16 by its three classes"),
    "torchao": Library(
        (
            "torchao",
            "torch",
            "torchao.prototype.mx_formats.mx_tensor",
            "torchao.prototype.mx_formats.nvfp4_tensor",
        ),
        frameworks.torchao,
        "block quantizers: MXFP8, MXFP6, MXFP4, NVFP4",
    ),
    "struct": Library(("struct",), arrays.struct, "the code 'e', binary16"),
    "softfloatpy": Library(("softfloatpy",), emulators.softfloatpy, "Berkeley SoftFloat: binary16, bfloat16"),
    "gmpy2": Library(("gmpy2",), emulators.gmpy2, "MPFR, limited to the range of binary16 and bfloat16"),
}
"""By name, in the order of the report."""


def version_of(module: ModuleType) -> str:
    """The version of a module, of its package, or of Python for the standard library."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(module.__name__)
    except PackageNotFoundError:
        import platform

        return str(getattr(module, "__version__", f"Python {platform.python_version()}"))
