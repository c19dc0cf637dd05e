"""gfloat, pychop, softfloatpy and gmpy2: libraries whose purpose is exact emulation."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...formats import BFLOAT16, BINARY16, Format, Rounding, get_format
from ..inputs import COUNTS
from ..subject import Array, BlockCheck, Check, Subject
from .common import FIVE, arithmetic, casts, one_by_one

DIRECTED = {
    Rounding.TOWARD_ZERO: "TowardZero",
    Rounding.TOWARD_POSITIVE: "TowardPositive",
    Rounding.TOWARD_NEGATIVE: "TowardNegative",
    Rounding.TIES_TO_AWAY: "TiesToAway",
}


# --- gfloat ---------------------------------------------------------------------------------------------------------

_GFLOAT = {
    "binary16": "binary16",
    "bfloat16": "bfloat16",
    "ocp_e4m3": "e4m3fn",
    "ocp_e5m2": "e5m2",
    "ocp_e2m3": "e2m3fn",
    "ocp_e3m2": "e3m2fn",
    "ocp_e2m1": "e2m1fn",
}


def gfloat(module: Any, formats: Any) -> Subject:
    """round_ndarray to binary16, bfloat16 and the small formats, in five modes."""
    version = _version("gfloat")
    checks: list[Check] = []
    for theirs, ours in _GFLOAT.items():
        info = getattr(formats, f"format_info_{theirs}", None)
        if info is None:
            continue
        fmt = get_format(ours)
        for mode in (Rounding.TIES_TO_EVEN, *DIRECTED):
            way = getattr(module.RoundMode, DIRECTED.get(mode, "TiesToEven"))
            checks += casts(fmt, {"binary64": _gfloat_cast(module, info, way, fmt)}, "", mode)
        checks.append(Check(f"{ours} codes", "decode", fmt, _gfloat_decode(module, info)))
    blocks = (BlockCheck("mxfp8 by floor", "mxfp8", "floor", _gfloat_blocks(module, formats)),)
    return Subject("gfloat", version, tuple(checks), blocks)


def _gfloat_cast(module: Any, info: Any, way: Any, fmt: Format) -> Callable[[Array], Any]:
    saturate = fmt.saturate or fmt.specials.value == "none"
    return lambda x: module.round_ndarray(info, x, way, sat=saturate)


def _gfloat_decode(module: Any, info: Any) -> Callable[[Array], Any]:
    return one_by_one(lambda code: module.decode_float(info, code).fval)


def _gfloat_blocks(module: Any, formats: Any) -> Callable[[Array], tuple[Array | None, Array]]:
    """Only the scales: gfloat gives values of elements, not codes."""
    info = formats.format_info_mxfp8_e4m3

    def quantize(x: Array) -> tuple[Array | None, Array]:
        scales = [module.compute_scale_amax(info.etype.emax, row.astype(np.float64)) for row in x]
        return None, np.array([module.encode_float(info.stype, float(scale)) for scale in scales], np.uint8)

    return quantize


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


# --- pychop ---------------------------------------------------------------------------------------------------------

_CHOP_MODES = {
    Rounding.TIES_TO_EVEN: 1,
    Rounding.TOWARD_POSITIVE: 2,
    Rounding.TOWARD_NEGATIVE: 3,
    Rounding.TOWARD_ZERO: 4,
    Rounding.TIES_TO_AWAY: 8,
    Rounding.TO_ODD: 9,
}
"""Modes of pychop.Chop, as its documentation numbers them."""


def pychop(module: Any) -> Subject:
    """Chop in six modes, and FaultChop to nearest, for binary16 and bfloat16."""
    module.backend("numpy")
    checks: list[Check] = []
    for fmt, bits, letter in ((BINARY16, (5, 10), "h"), (BFLOAT16, (8, 7), "b")):
        for mode, number in _CHOP_MODES.items():
            found = _named("Chop: ", casts(fmt, {"binary64": module.Chop(*bits, rmode=number)}, "", mode))
            checks += found if mode is Rounding.TIES_TO_EVEN else _some(2, found)
        checks += _named("Chop: ", casts(fmt, {"binary32": _in_float32(module.Chop(*bits))}))
        checks += _named("FaultChop: ", casts(fmt, {"binary64": module.FaultChop(letter, subnormal=True)}))
    return Subject("pychop", _version("pychop"), tuple(checks))


def _in_float32(cast: Callable[[Array], Any]) -> Callable[[Array], Any]:
    return lambda x: cast(x.astype(np.float32))


def _some(step: int, checks: Iterator[Check]) -> Iterator[Check]:
    """The same checks with fewer inputs."""
    yield from (replace(check, step=step) for check in checks)


def _named(prefix: str, checks: Iterator[Check]) -> Iterator[Check]:
    yield from (replace(check, name=prefix + check.name) for check in checks)


# --- softfloatpy ----------------------------------------------------------------------------------------------------

_SOFT = {
    Rounding.TIES_TO_EVEN: "NEAR_EVEN",
    Rounding.TOWARD_ZERO: "MIN_MAG",
    Rounding.TOWARD_NEGATIVE: "MIN",
    Rounding.TOWARD_POSITIVE: "MAX",
    Rounding.TIES_TO_AWAY: "NEAR_MAX_MAG",
}
_SOFT_OPERATIONS = {
    "add": "f16_add",
    "subtract": "f16_sub",
    "multiply": "f16_mul",
    "divide": "f16_div",
    "sqrt": "f16_sqrt",
    "fma": "f16_mul_add",
}


def softfloatpy(module: Any) -> Subject:
    """Casts from float64 and float32 in five modes; + - * / sqrt and fma of binary16."""
    checks: list[Check] = []
    for mode in _SOFT:
        half = {"binary64": _soft(module, mode, lambda x: module.Float64.from_float(x).to_f16().to_float())}
        checks += casts(BINARY16, half, "", mode)
    single = _soft(module, Rounding.TIES_TO_EVEN, lambda x: module.Float32.from_float(x).to_f16().to_float())
    checks += casts(BINARY16, {"binary32": single})
    brain = _soft(module, Rounding.TIES_TO_EVEN, lambda x: _bfloat16(module, x))
    checks += casts(BFLOAT16, {"binary32": brain})
    checks += arithmetic(BINARY16, lambda name, columns: _soft_operation(module, name)(*columns), COUNTS)
    return Subject("softfloatpy", _version("softfloatpy"), tuple(checks))


def _bfloat16(module: Any, x: float) -> float:
    code = module.f32_to_bf16(module.Float32.from_float(x)).to_bytes()
    return float(struct.unpack(">f", code + b"\0\0")[0])


def _soft(module: Any, mode: Rounding, function: Callable[[float], float]) -> Callable[[Array], Array]:
    def cast(x: Array) -> Array:
        module.set_rounding_mode(getattr(module.RoundingMode, _SOFT[mode]))
        try:
            return one_by_one(function)(x)
        finally:
            module.set_rounding_mode(module.RoundingMode.NEAR_EVEN)

    return cast


def _soft_operation(module: Any, name: str) -> Callable[..., Array]:
    function, make = getattr(module, _SOFT_OPERATIONS[name]), module.Float16.from_float
    return one_by_one(lambda *numbers: function(*map(make, numbers)).to_float())


# --- gmpy2 ----------------------------------------------------------------------------------------------------------

_MPFR = {
    Rounding.TIES_TO_EVEN: "RoundToNearest",
    Rounding.TOWARD_ZERO: "RoundToZero",
    Rounding.TOWARD_POSITIVE: "RoundUp",
    Rounding.TOWARD_NEGATIVE: "RoundDown",
}
_MPFR_OPERATIONS = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "sqrt": "sqrt"}


def gmpy2(module: Any) -> Subject:
    """MPFR with the precision and the range of binary16 and bfloat16: casts in four modes, text, + - * / and sqrt."""
    checks: list[Check] = []
    for fmt in (BINARY16, BFLOAT16):
        for mode in _MPFR:
            found = casts(fmt, {"binary64": _mpfr_cast(module, fmt, mode)}, "", mode)
            checks += found if mode is Rounding.TIES_TO_EVEN else _some(5, found)
        checks.append(Check(f"{fmt.name} from text", "parse", fmt, _mpfr_cast(module, fmt, Rounding.TIES_TO_EVEN)))
        operation = lambda name, columns, fmt=fmt: _mpfr_operation(module, fmt, name)(*columns)  # noqa: E731
        checks += _some(3, arithmetic(fmt, operation, FIVE))
    return Subject("gmpy2", f"{module.version()} ({module.mpfr_version()})", tuple(checks))


def _context(module: Any, fmt: Format, mode: Rounding) -> Any:
    """MPFR's exponents are of significands in [1/2, 1): one more than those of IEEE 754."""
    return module.context(
        precision=fmt.precision,
        emin=fmt.quantum_exponent_min + 1,
        emax=fmt.emax + 1,
        subnormalize=True,
        round=getattr(module, _MPFR[mode]),
    )


def _mpfr_cast(module: Any, fmt: Format, mode: Rounding) -> Callable[[Any], Array]:
    def cast(x: Any) -> Array:
        with _context(module, fmt, mode):
            return one_by_one(lambda number: float(module.mpfr(number)))(x)

    return cast


def _mpfr_operation(module: Any, fmt: Format, name: str) -> Callable[..., Array]:
    def operation(*columns: Array) -> Array:
        with _context(module, fmt, Rounding.TIES_TO_EVEN):
            function = getattr(module, _MPFR_OPERATIONS[name])
            return one_by_one(lambda *numbers: float(function(*map(module.mpfr, numbers))))(*columns)

    return operation
