"""fp16sim: float16, bfloat16 and any small format, emulated in pure NumPy, correctly rounded.

    >>> import fp16sim as fs
    >>> fs.round_to(0.1, "binary16")
    np.float64(0.0999755859375)

Argument order is always value(s), format, mode. Start with `round_to`, the one function that rounds. Some modules are
loaded when you first use them, such as `fs.learn`::

    audit     what the numerics installed here really do
    bench     how fast fp16sim is on this machine
    cases     the interesting operands of a format
    certify   whether the elementary functions are right on this machine
    dask_arrays  rounding and blocks of Dask arrays, chunk by chunk
    demos     the numbers behind the pictures
    explain   why a result is what it is
    faults    deliberately wrong rounders
    hardware  what matrix units of GPUs do, and a way to find out what yours does
    learn     training in any format, every operation rounded
    linalg    LU, QR, eigenvalues ..., every operation rounded
    page      the explorer, an HTML file
    papers    published claims, computed again
    plots     the pictures
    report    a training run as an HTML file
    sweeps    many runs of one function, on any number of processes, in a table that grows
    teach     a grader, a quiz, exercises, and strategies that find bugs
    testing   assertions for low-precision code, with derived bounds
    trace     where the digits of a program went, line by line
    vectors   operands and right answers for other implementations, and a judge of theirs
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from . import interruption as interruption  # before NumPy, which takes most of the time to load

# isort: split

from .flags import record_flags
from .formats import (
    BFLOAT16,
    BINARY16,
    BINARY32,
    BINARY64,
    E2M1FN,
    E2M3FN,
    E3M2FN,
    E3M4,
    E4M3,
    E4M3B11FNUZ,
    E4M3FN,
    E4M3FNUZ,
    E5M2,
    E5M2FNUZ,
    E8M0FNU,
    TF32,
    Format,
    Rounding,
    Specials,
    Subnormals,
    get_format,
)
from .rounding import round_to
from .version import __version__

if TYPE_CHECKING:  # what ROOMS says, for type checkers and editors
    from . import accumulators, blocks, exact
    from .arithmetic import (
        add,
        divide,
        equal,
        fma,
        fmod,
        frexp,
        greater,
        greater_equal,
        ieee_remainder,
        less,
        less_equal,
        log_b,
        maximum,
        maximum_magnitude,
        maximum_magnitude_number,
        maximum_number,
        minimum,
        minimum_magnitude,
        minimum_magnitude_number,
        minimum_number,
        modf,
        multiply,
        not_equal,
        round_to_integral,
        scale_b,
        sqrt,
        subtract,
        to_integer,
        total_order,
        unordered,
    )
    from .arrays import FloatArray, array
    from .codes import FloatClass, all_values, classify, decode, encode, fields
    from .elementary import (
        arccos,
        arccosh,
        arcsin,
        arcsinh,
        arctan,
        arctan2,
        arctanh,
        cbrt,
        cos,
        cosh,
        erf,
        exp,
        exp2,
        expm1,
        gelu,
        hypot,
        log,
        log1p,
        log2,
        log10,
        logaddexp,
        power,
        reciprocal,
        rsqrt,
        sigmoid,
        sin,
        sinh,
        softplus,
        tan,
        tanh,
    )
    from .namespaces import array_api
    from .neighbours import next_down, next_up, spacing, ulp
    from .reductions import cumsum, dot, matmul, mean, norm, sum
    from .text import parse, to_text

__all__ = [
    "BFLOAT16",
    "BINARY16",
    "BINARY32",
    "BINARY64",
    "E2M1FN",
    "E2M3FN",
    "E3M2FN",
    "E3M4",
    "E4M3",
    "E4M3B11FNUZ",
    "E4M3FN",
    "E4M3FNUZ",
    "E5M2",
    "E5M2FNUZ",
    "E8M0FNU",
    "TF32",
    "FloatArray",
    "FloatClass",
    "Format",
    "Rounding",
    "Specials",
    "Subnormals",
    "__version__",
    "accumulators",
    "add",
    "all_values",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "array",
    "array_api",
    "blocks",
    "cbrt",
    "classify",
    "cos",
    "cosh",
    "cumsum",
    "decode",
    "divide",
    "dot",
    "encode",
    "equal",
    "erf",
    "exact",
    "exp",
    "exp2",
    "expm1",
    "fields",
    "fma",
    "fmod",
    "frexp",
    "gelu",
    "get_format",
    "greater",
    "greater_equal",
    "hypot",
    "ieee_remainder",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_b",
    "logaddexp",
    "matmul",
    "maximum",
    "maximum_magnitude",
    "maximum_magnitude_number",
    "maximum_number",
    "mean",
    "minimum",
    "minimum_magnitude",
    "minimum_magnitude_number",
    "minimum_number",
    "modf",
    "multiply",
    "next_down",
    "next_up",
    "norm",
    "not_equal",
    "parse",
    "power",
    "reciprocal",
    "record_flags",
    "round_to",
    "round_to_integral",
    "rsqrt",
    "scale_b",
    "sigmoid",
    "sin",
    "sinh",
    "softplus",
    "spacing",
    "sqrt",
    "subtract",
    "sum",
    "tan",
    "tanh",
    "to_integer",
    "to_text",
    "total_order",
    "ulp",
    "unordered",
]

ROOMS = {
    "accumulators": "",
    "arithmetic": "add divide equal fma fmod frexp greater greater_equal ieee_remainder less less_equal log_b maximum "
    "maximum_magnitude maximum_magnitude_number maximum_number minimum minimum_magnitude "
    "minimum_magnitude_number minimum_number modf multiply not_equal round_to_integral scale_b sqrt "
    "subtract to_integer total_order unordered",
    "arrays": "FloatArray array",
    "blocks": "",
    "codes": "FloatClass all_values classify decode encode fields",
    "elementary": "arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt cos cosh erf exp exp2 expm1 gelu hypot "
    "log log1p log2 log10 logaddexp power "
    "reciprocal rsqrt sigmoid sin sinh softplus tan tanh",
    "exact": "",
    "namespaces": "array_api",
    "neighbours": "next_down next_up spacing ulp",
    "reductions": "cumsum dot matmul mean norm sum",
    "text": "parse to_text",
}
"""The other public names, by the module that has them. It is loaded when one of its names is first used."""
HOMES = {name: room for room, names in ROOMS.items() for name in names.split()}

ON_DEMAND = {
    "audit": "audit",
    "bench": "bench",
    "cases": "cases",
    "dask_arrays": "dask_arrays",
    "certify": "elementary.certificates",
    "demos": "demos",
    "explain": "explain",
    "faults": "faults",
    "hardware": "hardware",
    "learn": "learn",
    "linalg": "linalg",
    "page": "page",
    "papers": "papers",
    "plots": "plots",
    "report": "report",
    "sweeps": "sweeps",
    "teach": "teach",
    "testing": "testing",
    "trace": "trace",
    "vectors": "vectors",
}
"""Modules that are not part of `from fp16sim import *`. They, too, are loaded when they are first used."""


def __getattr__(name: str) -> ModuleType:  # for type checkers: all that is not imported above is a module
    found: Any
    if name in HOMES:
        found = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    elif name in ON_DEMAND or name in ROOMS:
        found = import_module(f"{__name__}.{ON_DEMAND.get(name, name)}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, *ON_DEMAND])
