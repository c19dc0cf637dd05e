"""Formats as text: the names, layouts and fields that stand for a format, and the shortest text of one.

`get_format` reads all of them, in this order: a known name, fields such as "width=8,precision=4", an overflow
convention as the last field, a layout such as "e5m4", a format of P3109. `with_behaviour` changes what a format does
at the ends of its range, and gives it the name that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from ..modes import Specials, Subnormals, member
from ..overflow import Overflow, get_overflow
from ..wording import did_you_mean, joined, quoted
from .format import MAX_NAME, NAMED_FORMATS, ONE_ZERO, Format, p3109

# Other names: those of NumPy, C, ml_dtypes and hardware makers. "float" means what it means in Python and NumPy.
ALIASES = {
    "binary16": "fp16 float16 half f16",
    "bfloat16": "bf16",
    "tf32": "tensorfloat32",
    "binary32": "fp32 float32 single f32",
    "binary64": "fp64 float64 double f64 float",
    "e5m2": "float8_e5m2 fp8_e5m2",
    "e4m3_ieee": "float8_e4m3_ieee fp8_e4m3_ieee",
    "e4m3fn": "float8_e4m3fn fp8_e4m3fn",
    "e3m2fn": "float6_e3m2fn float6_e3m2 fp6_e3m2fn fp6_e3m2 e3m2",
    "e2m3fn": "float6_e2m3fn float6_e2m3 fp6_e2m3fn fp6_e2m3 e2m3",
    "e3m4": "float8_e3m4 fp8_e3m4",
    "e4m3fnuz": "float8_e4m3fnuz fp8_e4m3fnuz",
    "e5m2fnuz": "float8_e5m2fnuz fp8_e5m2fnuz",
    "e4m3b11fnuz": "float8_e4m3b11fnuz fp8_e4m3b11fnuz",
    "e8m0fnu": "float8_e8m0fnu fp8_e8m0fnu e8m0",
    "e2m1fn": "float4_e2m1fn float4_e2m1 fp4_e2m1fn fp4_e2m1 e2m1 fp4 float4",
}
_BY_NAME = {fmt.name: fmt for fmt in NAMED_FORMATS}
_BY_NAME |= {alias: _BY_NAME[name] for name, aliases in ALIASES.items() for alias in aliases.split()}
_BY_KEY = {name.replace("_", ""): fmt for name, fmt in _BY_NAME.items()}
AMBIGUOUS = "e4m3"
"""The layout that is OCP's format to most people and IEEE 754's to others: as text it stands for neither."""
DTYPES = {"float8_e4m3": "e4m3_ieee"}
"""A dtype is of one library, so its name says which format it is."""
SEVERAL = {"8": ("e4m3fn", "e5m2", "e4m3_ieee"), "6": ("e3m2fn", "e2m3fn")}
"""Widths that do not tell which format is meant."""


def _true_or_false(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


FIELDS: dict[str, Callable[[str], Any]] = {
    "width": int,
    "precision": int,
    "specials": str,
    "subnormals": str,
    "saturate": _true_or_false,
    "nan_code": lambda text: int(text, 0),
    "bias": int,
    "signed": _true_or_false,
    "zero": _true_or_false,
}
"""What a format in text may state, and how its value is read."""
IN_TEXT = (*FIELDS, "overflow")
"""The same, and the convention that decides saturate and nan_code."""
NO_FIELD = rf"(?!\s*(?:{'|'.join(name for name in IN_TEXT if name != 'width')})\s*=)"
"""What follows a separator in a list of formats (a regular expression); there the width is the first field."""


class Named(Protocol):
    """An object with a name, such as a dtype."""

    @property
    def name(self) -> str: ...


FormatLike: TypeAlias = Format | str | type[Any] | Named | dict[str, Any]
"""A Format, a name or other text that `get_format` reads, a dtype or scalar type, or a dict from `Format.to_dict`."""


def get_format(fmt: FormatLike) -> Format:
    """The format that a Format, a name, a dtype or a dict stands for.

    Parameters
    ----------
    fmt : Format, str, dtype or dict
        A name such as "binary16", "half" or "fp4", in which case, "-", "_" and blanks do not matter; a layout such as
        "e5m4", of 5 exponent bits and 4 stored significand bits, as IEEE 754 would have it; or fields, as in
        "width=8,precision=4" or "binary16,saturate=true,subnormals=flush_to_zero", or "e4m3fn,overflow=pytorch", of a
        convention in `fp16sim.overflow`. `np.float16`, `ml_dtypes.bfloat16` and the like are recognised by their names;
        a dict has the fields that `Format.to_dict` gives.

    Raises
    ------
    ValueError
        For an unknown name, and for fields that contradict each other.
    TypeError
        For anything else, and for a dict with other fields.

    Notes
    -----
    "e3m2", "e2m3" and "e2m1" are the formats of OCP's MX, which have no infinity and no NaN. "e4m3" is refused: it
    means OCP's format, "e4m3fn", to most people, and "e4m3_ieee", which has infinities, to others. The dtype
    `ml_dtypes.float8_e4m3` is the second. "binary8p3" is a format of IEEE P3109, in full "binary8p3se": signed and
    extended by infinities; the other kinds are "sf", "ue" and "uf".

    Examples
    --------
    >>> import fp16sim as fs
    >>> get_format("bf16") is fs.BFLOAT16, get_format("half") is fs.BINARY16, get_format("fp4") is fs.E2M1FN
    (True, True, True)
    >>> get_format("e5m4").max_finite, str(get_format("width=10, precision=5"))
    (63488.0, 'e5m4')
    """
    if type(fmt) is str and (known := _BY_NAME.get(fmt)):
        return known
    if isinstance(fmt, Format):
        return fmt
    if isinstance(fmt, dict):
        return Format(**fmt)
    # np.dtype has .name, a scalar type has __name__, and torch's dtypes are known by their str.
    name = fmt if isinstance(fmt, str) else getattr(fmt, "name", None) or getattr(fmt, "__name__", None)
    if name is None and not isinstance(fmt, (int, float, type(None))) and not hasattr(fmt, "__len__"):
        name = str(fmt)
    if not isinstance(name, str):
        raise TypeError(f"fmt={quoted(fmt)} is not a format; give a Format, a name such as 'binary16', or a dtype")
    name = name if isinstance(fmt, str) else DTYPES.get(name, name)
    return _from_text(name) if len(name) <= 2 * MAX_NAME else _from_name(name, name)


@lru_cache(maxsize=1000)
def _from_text(text: str) -> Format:
    """The format of a name, of a layout, or of fields such as "width=8,precision=4"; last, an overflow convention."""
    named = {part.partition("=")[0].strip(): part for part in text.split(",")}
    if "overflow" in named:
        return _with_overflow_text(text, named)
    base, *rest = text.split(",")
    if "=" not in base:
        start = _from_name(base, text)
        if not rest:
            return start
        changes = _fields(rest, text)
        derived = {"bias": None} if {"width", "precision", "signed"} & changes.keys() else {}
        return _named(_made(text, **start.to_dict() | derived | changes))
    changes = _fields([base, *rest], text)
    if not {"width", "precision"} <= changes.keys():
        raise ValueError(f"fmt={quoted(text)} must state both; write width=8,precision=4, or a name before the fields")
    return _named(_made(text, name="", **changes))


def _with_overflow_text(text: str, named: dict[str, str]) -> Format:
    """The format of a text in which an overflow convention is one of the fields."""
    convention = named.pop("overflow").partition("=")[2].strip()
    if twice := [named[name] for name in ("saturate", "nan_code") if name in named]:
        raise ValueError(
            f"fmt={quoted(text)}: overflow={convention} and {twice[0].strip()} both say what overflow or NaN gives; "
            "leave one out"
        )
    rest = [part for part in text.split(",") if part.partition("=")[0].strip() != "overflow"]
    if len(rest) != text.count(","):
        raise ValueError(f"fmt={quoted(text)}: overflow is given twice; leave one out")
    if not rest:
        raise ValueError(f"fmt={quoted(text)} must state a format; write e4m3fn,overflow={convention}")
    with _errors_that_quote(text):
        return with_behaviour(_from_text(",".join(rest)), None, None, convention)


def _fields(parts: list[str], text: str) -> dict[str, Any]:
    """Fields from texts such as "width=8"."""
    found: dict[str, Any] = {}
    for part in parts:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name not in FIELDS or name in found:
            why = "is given twice" if name in found else "is not FIELD=VALUE"
            similar = did_you_mean(name, IN_TEXT) if name not in FIELDS else ""
            raise ValueError(f"fmt={quoted(text)}: {quoted(part)} {why}; {similar}FIELD is one of {', '.join(IN_TEXT)}")
        try:
            found[name] = FIELDS[name](value)
        except (ValueError, KeyError):
            kind = "true or false" if FIELDS[name] is _true_or_false else "an integer"
            raise ValueError(f"fmt={quoted(text)}: {name}={quoted(value)} is not {kind}") from None
    return found


def _from_name(name: str, text: str) -> Format:
    """The format of a known name in any spelling, or of a layout such as e5m4 or float8_e3m4."""
    key = re.sub(r"[-_\s]", "", name[: 2 * MAX_NAME].lower()).removeprefix("torch.")
    if key in _BY_KEY:
        return _BY_KEY[key]
    if layout := re.fullmatch(r"(?:(?:fp|float)(\d{1,3}))?e(\d{1,3})m(\d{1,3})", key, re.ASCII):
        exponent, trailing = int(layout[2]), int(layout[3])
        width = 1 + exponent + trailing
        if f"e{exponent}m{trailing}" == AMBIGUOUS:
            raise ValueError(
                f"fmt={quoted(text)} is more than one format; write e4m3fn: OCP's, up to 448; or e4m3_ieee: IEEE's, up "
                "to 240 (which e4m3 is in a file that fp16sim wrote)"
            )
        if layout[1] in (None, str(width)):
            return _made(text, name=f"e{exponent}m{trailing}", width=width, precision=trailing + 1)
        raise ValueError(f"fmt={quoted(text)}: e{exponent}m{trailing} has {width} bits with its sign, not {layout[1]}")
    if draft := re.fullmatch(r"binary(\d{1,3})p(\d{1,3})([su][ef])?", key, re.ASCII):
        return _p3109(text, int(draft[1]), int(draft[2]), draft[3] or "se")
    width_alone = re.fullmatch(r"(?:fp|float|f)([68])", key)
    if width_alone:
        raise ValueError(f"fmt={quoted(text)} is more than one format; use {joined(SEVERAL[width_alone[1]], 'or')}")
    raise ValueError(
        f"fmt={quoted(text)} is not a known format; {did_you_mean(key, _BY_NAME)}"
        f"known: {', '.join(f.name for f in NAMED_FORMATS)}; "
        "make your own: e5m4 (exponent bits and stored bits) or width=8,precision=4"
    )


def _p3109(text: str, width: int, precision: int, kind: str) -> Format:
    """A format of P3109 in a text; an error quotes the text."""
    if not (2 <= width <= 15 and 1 <= precision <= width):
        raise ValueError(f"fmt={quoted(text)}: P3109 has widths of 2 to 15 bits and precisions of 1 to the width")
    with _errors_that_quote(text):
        return p3109(width, precision, kind)


def _made(text: str, **given: Any) -> Format:
    """A format of these fields; an error quotes the text."""
    with _errors_that_quote(text):
        return Format(**given)


@contextmanager
def _errors_that_quote(text: str) -> Iterator[None]:
    """A ValueError says in which text of a format the fault is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"fmt={quoted(text)}: {error}") from None


def _named(fmt: Format) -> Format:
    """The format under the shortest name that `get_format` reads; a known format is itself."""
    known = next((one for one in (*NAMED_FORMATS, *_p3109_like(fmt)) if one.layout == fmt.layout), None)
    mine, theirs = fmt.to_dict(), known.to_dict() if known else _usual(fmt)
    own = [f"{name}={str(mine[name]).lower()}" for name in FIELDS if mine[name] != theirs[name]]
    if known:
        return replace(fmt, name=",".join([known.name, *own])) if own else known
    name = f"e{fmt.exponent_bits}m{fmt.trailing_bits}"
    is_read = fmt.signed and fmt.width - fmt.precision >= 2 <= fmt.precision and name not in (*_BY_KEY, AMBIGUOUS)
    return replace(fmt, name=",".join([name if is_read else f"width={fmt.width},precision={fmt.precision}", *own]))


def _p3109_like(fmt: Format) -> list[Format]:
    """The format of P3109 with these widths and specials, if there is one."""
    if fmt.specials not in ONE_ZERO or not fmt.zero or not 2 <= fmt.width <= 15:
        return []
    extended = fmt.specials is Specials.ONE_NAN_AND_INFINITIES
    return [p3109(fmt.width, fmt.precision, ("s" if fmt.signed else "u") + ("e" if extended else "f"))]


def _usual(fmt: Format) -> dict[str, Any]:
    """What a format has if a text states its width and precision, and whether it has a sign."""
    defaults = {field.name: getattr(field.default, "value", field.default) for field in fields(Format)}
    return defaults | {"width": fmt.width, "precision": fmt.precision, "bias": fmt.usual_bias}


def with_behaviour(
    fmt: Format, saturate: bool | None, subnormals: Subnormals | str | None, overflow: str | None = None
) -> Format:
    """`fmt` with another treatment of overflow or subnormals; None keeps its own."""
    if saturate is None and subnormals is None and overflow is None:
        return fmt
    if overflow is not None:
        if saturate is not None:
            raise ValueError(
                f"saturate={saturate} and overflow={quoted(overflow)} both say what overflow gives; leave one out"
            )
        return _by_convention(with_behaviour(fmt, None, subnormals), get_overflow(overflow))
    if saturate is False and fmt.specials is Specials.NONE:
        raise ValueError(f"saturate=False: {fmt.name} has no infinity and no NaN to overflow to; leave saturate out")
    kind = fmt.subnormals if subnormals is None else member(Subnormals, "subnormals", subnormals)
    changed = replace(fmt, saturate=fmt.saturate if saturate is None else saturate, subnormals=kind)
    return _named(changed) if fmt.overflow and saturate is not None else changed


def _by_convention(fmt: Format, convention: Overflow) -> Format:
    """`fmt` with the overflow of a convention, which its name then states."""
    known = next((name for name in convention.formats if _BY_NAME[name].layout == fmt.layout), None)
    if known is None:
        raise ValueError(
            f"overflow={quoted(convention.name)} says nothing about {fmt.name}, only about "
            f"{joined(convention.formats)}; use saturate=True or saturate=False"
        )
    chosen = {"negative_zero": fmt.sign_bit, "max_finite": fmt.largest_code}.get(convention.nan, fmt.nan_code)
    plain = _named(replace(fmt, saturate=False, nan_code=None))
    return replace(
        fmt,
        name=f"{plain.name},overflow={convention.name}",
        saturate=known in convention.saturates,
        nan_code=None if fmt.has_nan else chosen,
    )
