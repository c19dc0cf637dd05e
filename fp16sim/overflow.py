"""Overflow conventions: what standards and libraries do with numbers beyond max_finite, infinities and NaN.

A cast to a narrow format has one of two answers for a number beyond max_finite, and for infinity: max_finite with its
sign (it saturates), or infinity, which is NaN in a format without infinity. Standards and libraries choose by format,
and not alike; NaN needs a choice too where the format has none. `CONVENTIONS` is the table of their choices.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from .wording import did_you_mean, quoted


class Overflow(NamedTuple):
    """One convention: for each format that its source speaks of, whether a cast to it saturates.

    Attributes
    ----------
    name : str
        As `overflow=` takes it.
    saturates : tuple of str
        The formats in which numbers beyond max_finite, infinity included, become max_finite.
    overflows : tuple of str
        Those in which they become infinity; or NaN, if the format has no infinity.
    nan : {"", "negative_zero", "max_finite"}
        What NaN becomes in a format without NaN; "" if the source does not say.
    source : str
        Where it is written.
    checked : str
        What it was compared with.
    """

    name: str
    saturates: tuple[str, ...]
    overflows: tuple[str, ...]
    nan: Literal["", "negative_zero", "max_finite"]
    source: str
    checked: str

    @property
    def formats(self) -> tuple[str, ...]:
        """All formats that the source speaks of."""
        return self.saturates + self.overflows


_IEEE = ("binary16", "bfloat16", "tf32", "binary32", "binary64")
_STORED = ("binary16", "bfloat16", "binary32", "binary64")
_OCP = ("e4m3fn", "e5m2")
_FNUZ = ("e4m3fnuz", "e5m2fnuz")
_WITHOUT_NAN = ("e3m2fn", "e2m3fn", "e2m1fn")
_LIKE_IEEE = ("e5m2", "e4m3_ieee", "e3m4")

CONVENTIONS = {
    convention.name: convention
    for convention in (
        Overflow(
            "ieee",
            (),
            (*_IEEE, *_LIKE_IEEE),
            "",
            "IEEE 754-2019, section 7.4: infinity, or max_finite where the mode rounds toward zero",
            "fp16sim.exact, Berkeley SoftFloat and MPFR, with all other rounding",
        ),
        Overflow(
            "ocp-saturating",
            (*_OCP, *_WITHOUT_NAN),
            (),
            "",
            "OCP 8-bit Floating Point (OFP8) 1.0, conversion with saturation; Microscaling Formats (MX) 1.0",
            "the host functions of CUDA 13.0 with __NV_SATFINITE",
        ),
        Overflow(
            "ocp-non-saturating",
            (),
            _OCP,
            "",
            "OCP 8-bit Floating Point (OFP8) 1.0, conversion without saturation",
            "the host functions of CUDA 13.0 with __NV_NOSAT",
        ),
        Overflow(
            "onnx-saturate",
            (*_OCP, *_FNUZ, "e2m1fn"),
            _STORED,
            "",
            "ONNX operator Cast, version 25, first table (saturate=1, the default), which is for 8-bit formats alone",
            "onnx 1.23's reference implementation",
        ),
        Overflow(
            "onnx-no-saturate",
            ("e2m1fn",),
            (*_OCP, *_FNUZ, *_STORED),
            "",
            "ONNX operator Cast, version 25, second table (saturate=0)",
            "onnx 1.23's reference implementation",
        ),
        Overflow(
            "pytorch",
            ("e4m3fn",),
            ("e5m2", *_FNUZ, *_STORED),
            "",
            "PyTorch, tensor.to(dtype) on the processor: e4m3fn alone saturates, infinity included",
            "torch 2.13",
        ),
        Overflow(
            "ml_dtypes",
            _WITHOUT_NAN,
            ("bfloat16", "e4m3fn", *_LIKE_IEEE, *_FNUZ, "e4m3b11fnuz", "e8m0fnu"),
            "negative_zero",
            "ml_dtypes, array.astype(dtype): a positive NaN becomes -0 in formats without NaN (a negative one +0, "
            "which fp16sim does not follow)",
            "ml_dtypes 0.6",
        ),
        Overflow(
            "cuda-satfinite",
            (*_OCP, *_WITHOUT_NAN, "binary16", "bfloat16", "tf32"),
            (),
            "max_finite",
            "NVIDIA PTX, cvt with .satfinite; CUDA, __NV_SATFINITE",
            "the host functions of CUDA 13.0 (formats of 8 bits or fewer; the wider ones by the text alone)",
        ),
        Overflow(
            "cuda-no-saturate",
            (),
            _OCP,
            "",
            "CUDA, __NV_NOSAT",
            "the host functions of CUDA 13.0",
        ),
    )
}
"""By name."""


def get_overflow(name: object) -> Overflow:
    """The convention of that name.

    >>> get_overflow("pytorch").saturates
    ('e4m3fn',)
    """
    known = ", ".join(map(repr, CONVENTIONS))
    if not isinstance(name, str):
        raise TypeError(f"overflow={quoted(name)} is not a name; use one of {known}")
    key = name.strip().lower()
    for convention in CONVENTIONS.values():
        if convention.name.replace("_", "-") == key.replace("_", "-"):
            return convention
    raise ValueError(f"overflow={quoted(name)} is unknown; {did_you_mean(key, CONVENTIONS)}use one of {known}")
