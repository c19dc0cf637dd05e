"""fp16sim itself, NumPy's float16, ml_dtypes, and the standard library's struct."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ...formats import BFLOAT16, BINARY16, Format, get_format
from ...reductions import mean
from ...reductions import sum as our_sum
from ...rounding import round_to
from ...text import to_text
from ..subject import Accuracy, Array, Check, Reduction, Subject
from .common import FIVE, PYTHON_OPERATORS, arithmetic, casts, documented, functions, one_by_one, values_of

NAMES = "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh cbrt reciprocal"
FUNCTIONS = {name: name for name in NAMES.split()}
"""Elementary functions of NumPy that fp16sim has."""


def fp16sim(module: Any) -> Subject:
    """fp16sim on this machine, by the paths that users take; judged by the exact layer in its own tests."""
    checks: list[Check] = []
    for name in ("binary16", "bfloat16", "e4m3fn", "e5m2", "e2m1fn"):
        fmt = get_format(name)
        sources = {"binary64": _ours(fmt, np.float64), "binary32": _ours(fmt, np.float32)}
        checks += casts(fmt, sources)
        checks.append(Check(f"{name} codes", "decode", fmt, partial(module.decode, fmt=fmt)))
    for fmt in (BINARY16, BFLOAT16):
        checks += arithmetic(fmt, _our_operation(module, fmt), FIVE)
        checks.append(Check(f"{fmt.name} from text", "parse", fmt, _our_reading(fmt)))
        checks.append(Check(f"{fmt.name} printed", "print", fmt, one_by_one(_prints_ours(fmt))))
    return Subject("fp16sim", module.__version__, tuple(checks), (), tuple(_our_sums()))


def _our_operation(module: Any, fmt: Format) -> Callable[[str, tuple[Array, ...]], Any]:
    """By the operators of arrays, which compute in other ways than `fs.add` and its sisters, where that is faster."""

    def operation(name: str, columns: tuple[Array, ...]) -> Any:
        given = [module.array(x, fmt) for x in columns]
        return (given[0].sqrt() if name == "sqrt" else PYTHON_OPERATORS[name](*given)).values

    return operation


def _ours(fmt: Format, dtype: Any) -> Callable[[Array], Any]:
    return lambda x: round_to(x.astype(dtype), fmt)


def _our_reading(fmt: Format) -> Callable[[Any], Any]:
    return lambda texts: round_to(list(texts), fmt)


def _prints_ours(fmt: Format) -> Callable[[float], float]:
    return lambda x: float(round_to(to_text(x, fmt), fmt))


def _our_sums() -> Iterator[Reduction]:
    for fmt in (BINARY16, BFLOAT16):
        for name in ("sequential", "pairwise", "binary32"):
            yield Reduction(f"sum by {name}", fmt, partial(our_sum, fmt=fmt, accumulator=name))
        yield Reduction("mean", fmt, partial(mean, fmt=fmt), mean=True)


# --- NumPy ----------------------------------------------------------------------------------------------------------


def numpy(module: Any) -> Subject:
    """float16: casts from every dtype and from text, arithmetic, functions, printing, reductions."""
    return Subject(
        "numpy",
        module.__version__,
        (*_numpy_conversions(), *_numpy_arithmetic()),
        (),
        tuple(_numpy_sums()),
        (
            Accuracy(
                "var of 256 numbers", BINARY16, lambda x: x.astype(np.float16).var(axis=1), lambda x: x.var(axis=1)
            ),
        ),
    )


def _numpy_conversions() -> Iterator[Check]:
    half = np.float16
    yield from casts(
        BINARY16, {"binary64": lambda x: x.astype(half), "binary32": lambda x: x.astype(np.float32).astype(half)}
    )
    yield Check("binary16 from longdouble", "longdouble", BINARY16, lambda x: x.astype(half))
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        limits = np.iinfo(name)
        yield Check(
            f"binary16 from {name}",
            "integer",
            BINARY16,
            lambda x, name=name: np.array(x, name).astype(half),
            limits=(int(limits.min), int(limits.max)),
        )
    yield Check("binary16 from text", "parse", BINARY16, one_by_one(half))
    yield Check("binary16 from an array of texts", "parse", BINARY16, lambda x: np.array(x, str).astype(half))
    yield Check("binary16 codes", "decode", BINARY16, lambda codes: codes.view(half).astype(np.float64))
    yield Check("binary16 codes to float32", "decode", BINARY16, lambda codes: codes.view(half).astype(np.float32))
    yield Check("binary16 printed", "print", BINARY16, one_by_one(lambda x: round_to(str(half(x)), BINARY16)))


def _numpy_arithmetic() -> Iterator[Check]:
    def operation(name: str, columns: tuple[Array, ...]) -> Any:
        return getattr(np, name)(*(x.astype(np.float16) for x in columns))

    yield from arithmetic(BINARY16, operation, FIVE)
    yield from functions(BINARY16, lambda name, x: getattr(np, name)(x.astype(np.float16)), FUNCTIONS)


def _numpy_sums() -> Iterator[Reduction]:
    half = np.float16
    yield Reduction("np.sum", BINARY16, lambda x: float(np.sum(x.astype(half))))
    yield Reduction("np.cumsum", BINARY16, lambda x: float(np.cumsum(x.astype(half))[-1]))
    yield Reduction("np.dot", BINARY16, lambda x: float(np.dot(x.astype(half), np.ones(x.size, half))))
    yield Reduction("np.matmul", BINARY16, lambda x: float((x.astype(half)[None] @ np.ones((x.size, 1), half))[0, 0]))
    yield Reduction("np.mean", BINARY16, lambda x: float(np.mean(x.astype(half))), mean=True)


# --- ml_dtypes ------------------------------------------------------------------------------------------------------

_ML_NAMES = [
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3",
    "float8_e3m4",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "float8_e4m3b11fnuz",
    "float8_e8m0fnu",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float4_e2m1fn",
]


def ml_dtypes(module: Any) -> Subject:
    """Casts to all its formats; arithmetic, functions and reductions of bfloat16."""
    checks: list[Check] = []
    for name in _ML_NAMES:
        dtype = getattr(module, name, None)
        if dtype is not None:
            checks += _ml_casts(np.dtype(dtype))
    bf16 = np.dtype(module.bfloat16)
    checks += arithmetic(BFLOAT16, lambda op, x: getattr(np, op)(*(c.astype(bf16) for c in x)), FIVE)
    checks += functions(BFLOAT16, lambda name, x: getattr(np, name)(x.astype(bf16)), FUNCTIONS)
    checks.append(
        Check("bfloat16 printed", "print", BFLOAT16, one_by_one(lambda x: round_to(str(bf16.type(x)), "bf16")))
    )
    reductions = (
        Reduction("np.sum", BFLOAT16, lambda x: float(np.sum(x.astype(bf16)))),
        Reduction("np.dot", BFLOAT16, lambda x: float(np.dot(x.astype(bf16), np.ones(x.size, bf16)))),
        Reduction("np.mean", BFLOAT16, lambda x: float(np.mean(x.astype(bf16))), mean=True),
    )
    return Subject("ml_dtypes", module.__version__, tuple(checks), (), reductions)


def _ml_casts(dtype: np.dtype[Any]) -> Iterator[Check]:
    fmt, where = documented(get_format(dtype), "ml_dtypes")
    raw = np.dtype(f"u{dtype.itemsize}")

    def cast(source: Any) -> Callable[[Array], Array]:
        return lambda x: values_of(x.astype(source).astype(dtype).view(raw), fmt)

    sources = {"binary64": cast(np.float64), "binary32": cast(np.float32), "binary16": cast(np.float16)}
    yield from casts(fmt, sources, where)
    plain = get_format(dtype)
    yield Check(f"{plain.name} codes", "decode", plain, lambda codes: codes.view(dtype).astype(np.float64))
    if dtype.name == "bfloat16":
        yield Check("bfloat16 from int64", "integer", plain, lambda x: np.array(x, np.int64).astype(dtype))


# --- struct ---------------------------------------------------------------------------------------------------------


def struct(module: Any) -> Subject:
    """The code 'e': a float64 to two bytes and back. It refuses what overflows, as documented."""
    pack, unpack = module.Struct("<e").pack, module.Struct("<e").unpack
    most = float(BINARY16.max_finite)

    def cast(x: float) -> float:
        try:
            return float(unpack(pack(x))[0])
        except OverflowError:
            return float(np.copysign(np.inf, x)) if abs(x) > most else float("nan")

    version = f"Python {import_module('platform').python_version()}"
    checks = (
        *casts(BINARY16, {"binary64": one_by_one(cast)}, "struct raises OverflowError where IEEE 754 gives infinity"),
        Check(
            "binary16 codes", "decode", BINARY16, one_by_one(lambda code: unpack(int(code).to_bytes(2, "little"))[0])
        ),
    )
    return Subject("struct", version, checks)
