"""Which format and mode each kind of number has: the nouns of mixed precision, frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeAlias

import numpy.typing as npt

from ..accumulators import Accumulator, TensorCore, parse, resolve
from ..accumulators.narrow_factors import NarrowFactors
from ..arrays import FloatArray, array
from ..conversion import Generator, as_generator
from ..formats import IN_TEXT, NO_FIELD, Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import did_you_mean, quoted
from .records import Converted, from_plain, names_unknown


class Precision(NamedTuple):
    """A format, and the mode by which results are rounded to it.

    >>> Precision.of("bf16:stochastic")
    Precision('bfloat16:stochastic')
    """

    fmt: Format
    mode: Rounding = Rounding.TIES_TO_EVEN

    @classmethod
    def of(cls, given: PrecisionLike) -> Precision:
        """From a name such as "binary16" or "bfloat16:stochastic", a Format, a dtype, a Precision, or `to_plain`."""
        if isinstance(given, Precision):
            return given
        if isinstance(given, dict):
            return cls(get_format(given["format"]), get_rounding(given["mode"]))
        if isinstance(given, str):
            fmt, _, mode = given.partition(":")
            return cls(get_format(fmt), get_rounding(mode or "ties_to_even"))
        return cls(get_format(given))

    @classmethod
    def from_plain(cls, given: Any, what: str) -> Precision:
        """What `to_plain` and JSON made of a Precision."""
        if isinstance(given, str):
            return cls.of(given)
        stored = from_plain(_StoredPrecision, given, what)
        return cls(get_format(stored.format), stored.mode)

    def __str__(self) -> str:
        return self.fmt.name if self.mode is Rounding.TIES_TO_EVEN else f"{self.fmt.name}:{self.mode.value}"

    def to_plain(self) -> str | dict[str, Any]:
        """Plain data for JSON, which `of` reads back: the text, or all fields of a format whose name does not say them.

        >>> from dataclasses import replace
        >>> flushing = Precision(replace(get_format("binary16"), subnormals="flush_to_zero"))
        >>> Precision.of(flushing.to_plain()) == flushing != Precision.of(str(flushing))
        True
        """
        fmt = self.fmt.to_plain()
        return str(self) if isinstance(fmt, str) else {"format": fmt, "mode": self.mode.value}

    def __repr__(self) -> str:
        return f"Precision({str(self)!r})"

    def array(self, x: FloatArray | npt.ArrayLike, rng: Generator = None) -> FloatArray:
        """`x` in this format and mode, each element rounded once. An array that has both is returned itself."""
        if isinstance(x, FloatArray):
            if x.fmt == self.fmt and x.mode is self.mode:
                return x
            if x.fmt == self.fmt:  # no element changes: the mode is for what follows
                return FloatArray(x.values, self.fmt, self.mode, as_generator(self.mode, rng))
            x = x.values
        return array(x, self.fmt, self.mode, rng=rng)


@dataclass(frozen=True)
class _StoredPrecision:
    format: str | Format
    mode: Rounding


PrecisionLike: TypeAlias = Precision | FormatLike
"""A Precision, a name with or without a mode, a Format, a dtype, or what `Precision.to_plain` gave."""


def get_accumulator(text: str, compute: Precision, rng: Generator = None) -> Accumulator | None:
    """The accumulator that a name stands for; None for "sequential", the default of every operation.

    Parameters
    ----------
    text : str
        As for `accumulators.parse`, such as "pairwise", "blas" or "sequential:binary32", which is what tensor cores
        promise at least.
    compute : Precision
        The format and mode of the steps, if the text does not give another format.

    >>> get_accumulator("pairwise:binary32", Precision.of("binary16")).fmt.name
    'binary32'
    """
    return None if text == "sequential" else parse(text, compute.fmt, compute.mode, rng)


def _if_given(given: PrecisionLike | None) -> Any:
    return None if given is None else Precision.of(given)


FollowsCompute: TypeAlias = Converted[PrecisionLike | None, Precision]
OptionalPrecision: TypeAlias = Converted[PrecisionLike | None, Precision | None]


@names_unknown
@dataclass(frozen=True)
class Policy:
    """The precision of each kind of number in a training run.

    Each is a name such as "binary16" or "bfloat16:stochastic", a Format, a dtype or a Precision.

    Parameters
    ----------
    compute : optional
        Activations and their gradients; "binary32" by default.
    param : optional
        The weights that the model computes with. This one and the next four are `compute` unless given.
    output : optional
        The logits.
    loss : optional
        The softmax and the loss.
    gradient : optional
        The gradients of the weights, as the optimizer receives them.
    state : optional
        The optimizer's moments, and its arithmetic.
    master : optional
        A second copy of the weights, to which the steps are added; `param` is a rounded copy of it. No second copy
        unless given.
    operand, cotangent : optional
        For fp8, whose products are added up in a wider `compute`: the factors of matrix products are first rounded to
        `operand` in the forward pass, and the gradients among them to `cotangent` in the backward pass. Numbers beyond
        the largest become the largest. No such rounding unless given.
    accumulator : str
        How matrix products and other sums are added up; see `get_accumulator`.

    Raises
    ------
    ValueError
        For an unknown name, or an accumulator that is narrower than `compute`.

    Examples
    --------
    >>> policy = Policy("binary16", state="binary32", master="binary32", loss="binary32", accumulator="blas")
    >>> policy.param, policy.loss
    (Precision('binary16'), Precision('binary32'))
    >>> print(policy)
    compute=binary16 loss=binary32 state=binary32 master=binary32 accumulator=blas
    """

    compute: Converted[PrecisionLike, Precision] = Converted(Precision.of, "binary32")
    param: FollowsCompute = Converted(_if_given, None)
    output: FollowsCompute = Converted(_if_given, None)
    loss: FollowsCompute = Converted(_if_given, None)
    gradient: FollowsCompute = Converted(_if_given, None)
    state: FollowsCompute = Converted(_if_given, None)
    master: OptionalPrecision = Converted(_if_given, None)
    operand: OptionalPrecision = Converted(_if_given, None)
    cotangent: OptionalPrecision = Converted(_if_given, None)
    accumulator: Converted[str, str] = Converted(str.lower, "sequential")

    def __post_init__(self) -> None:
        for name in PRECISIONS:
            if name not in OPTIONAL and getattr(self, name) is None:
                object.__setattr__(self, name, self.compute)
        self._check_accumulator()

    def _check_accumulator(self) -> None:
        accumulator = get_accumulator(self.accumulator, self.compute)
        try:
            resolve(accumulator, *self.compute, None)
        except ValueError as error:
            raise ValueError(f"accumulator={quoted(self.accumulator)} with compute={self.compute}: {error}") from None

    @classmethod
    def of(cls, given: PolicyLike) -> Policy:
        """From a Policy, one precision for all kinds, or text such as "compute=binary16 master=binary32".

        >>> Policy.of("bfloat16") == Policy("bfloat16")
        True
        """
        if isinstance(given, Policy):
            return given
        if not isinstance(given, str) or "=" not in given:
            return cls(given)
        pairs = [part.partition("=") for part in re.split(rf"[,\s]+{NO_FIELD}", given.strip(" ,"))]
        if len(pairs) == 1 and ("," in pairs[0][0] or pairs[0][0] in IN_TEXT):  # "width=8,precision=4"
            return cls(given)
        parts: dict[str, Any] = {name: value for name, _, value in pairs}
        known = [field.name for field in fields(cls)]
        for name, equals, value in pairs:
            if name not in known or not value:
                rule = f"must be PART=VALUE, where PART is one of {', '.join(known)}"
                similar = did_you_mean(name, known) if value else ""
                raise ValueError(f"policy={quoted(given)}: {similar}{quoted(name + equals + value)} {rule}")
        if len(parts) < len(pairs):
            raise ValueError(f"policy={quoted(given)} gives a part twice; give each part once")
        return cls(**parts)

    def __str__(self) -> str:
        follows = {name: None if name in OPTIONAL else self.compute for name in PRECISIONS}
        own = [f"{name}={getattr(self, name)}" for name in PRECISIONS[1:] if getattr(self, name) != follows[name]]
        added = [] if self.accumulator == "sequential" else [f"accumulator={self.accumulator}"]
        return " ".join([f"compute={self.compute}", *own, *added])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: `Policy(**data)` reads it back."""
        given = {name: getattr(self, name) for name in PRECISIONS}
        return {name: p and p.to_plain() for name, p in given.items()} | {"accumulator": self.accumulator}

    @property
    def stochastic(self) -> bool:
        """Whether any kind of number is rounded stochastically."""
        return any(p is not None and p.mode.random for p in map(self.__getattribute__, PRECISIONS))

    @property
    def weights(self) -> Precision:
        """What the steps are added to: the master weights if there are any, else the parameters."""
        return self.master or self.param


PolicyLike: TypeAlias = Policy | PrecisionLike
"""A Policy, its text, or one precision for all kinds of numbers."""

PRECISIONS = ("compute", "param", "output", "loss", "gradient", "state", "master", "operand", "cotangent")
OPTIONAL = ("master", "operand", "cotangent")


@dataclass(frozen=True)
class Products:
    """How a layer multiplies matrices and adds up: what a Policy says, ready for use."""

    accumulator: Accumulator | None = None
    operand: Precision | None = None
    cotangent: Precision | None = None

    @classmethod
    def of(cls, policy: Policy, rng: Generator = None) -> Products:
        """The products of a policy; a matrix unit is told the formats of narrower factors."""
        accumulator = get_accumulator(policy.accumulator, policy.compute, rng)
        narrow = [precision.fmt for precision in (policy.operand, policy.cotangent) if precision]
        if isinstance(accumulator, TensorCore) and narrow:
            accumulator = NarrowFactors(accumulator, tuple(dict.fromkeys(narrow)))
        return cls(accumulator, policy.operand, policy.cotangent)


DEFAULT_PRODUCTS = Products()
"""One term after the other, every step rounded to the operands' own format."""
