"""Which format and mode each kind of number has: the nouns of mixed precision, frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..accumulators import Accumulator, Blas, Exact, Kahan, Pairwise, Sequential
from ..arrays import FloatArray, array
from ..conversion import as_generator
from ..formats import NAMED_FORMATS, Format, Rounding, get_format, get_rounding

Generator: TypeAlias = "np.random.Generator | None"


class Precision(NamedTuple):
    """A format and the mode that results are rounded to it by.

    >>> Precision.of("bf16:stochastic")
    Precision('bfloat16:stochastic')
    """

    fmt: Format
    mode: Rounding = Rounding.TIES_TO_EVEN

    @classmethod
    def of(cls, given: Any) -> Precision:
        """From a name such as "binary16" or "bfloat16:stochastic", a Format, a dtype or a Precision."""
        if isinstance(given, Precision):
            return given
        if isinstance(given, dict):  # as `plain` gives it
            return cls(format_of(given["format"]), get_rounding(given["mode"]))
        if isinstance(given, str):
            fmt, _, mode = given.partition(":")
            return cls(get_format(fmt), get_rounding(mode or "ties_to_even"))
        return cls(get_format(given))

    def __str__(self) -> str:
        return self.fmt.name if self.mode is Rounding.TIES_TO_EVEN else f"{self.fmt.name}:{self.mode.value}"

    def plain(self) -> Any:
        """Plain data for JSON, which `of` reads back: the text, or all fields of a format that its name does not tell.

        >>> from dataclasses import replace
        >>> flushing = Precision(replace(get_format("binary16"), subnormals="flush_to_zero"))
        >>> Precision.of(flushing.plain()) == flushing != Precision.of(str(flushing))
        True
        """
        fmt = format_to_plain(self.fmt)
        return str(self) if isinstance(fmt, str) else {"format": fmt, "mode": self.mode.value}

    def __repr__(self) -> str:
        return f"Precision({str(self)!r})"

    def array(self, x: Any, rng: Generator = None) -> FloatArray:
        """`x` in this format and mode, rounded once where the format does not hold it."""
        if isinstance(x, FloatArray):
            if x.fmt == self.fmt and x.mode is self.mode:
                return x
            if x.fmt == self.fmt:  # held already: only the mode of what follows changes
                return FloatArray(x.values, self.fmt, self.mode, as_generator(self.mode, rng))
            x = x.values
        return array(x, self.fmt, self.mode, rng=rng)


def format_to_plain(fmt: Format) -> Any:
    """The name of a named format; of any other its fields."""
    if any(fmt == named and fmt.name == named.name for named in NAMED_FORMATS):
        return fmt.name
    return {name: getattr(value, "value", value) for name, value in asdict(fmt).items()}


def format_of(given: Any) -> Format:
    """What `format_to_plain` wrote."""
    return Format(**given) if isinstance(given, dict) else get_format(given)


ACCUMULATORS: dict[str, Callable[..., Accumulator]] = {
    "sequential": Sequential,
    "pairwise": Pairwise,
    "kahan": Kahan,
    "exact": lambda fmt, mode, rng=None: Exact(),
    "blas": lambda fmt, mode, rng=None: Blas(),
}
"""How products are added up, by name; see `fp16sim.accumulators`."""

SHORTHANDS = {"binary32": "sequential:binary32"}


def get_accumulator(text: str, compute: Precision, rng: Generator = None) -> Accumulator | None:
    """The accumulator that a name stands for; None for the default, one after the other in the format itself.

    Parameters
    ----------
    text : str
        "sequential", "pairwise", "kahan", "exact" or "blas", then optionally ":FORMAT" and ":MODE", which are those of
        `compute` by default: "sequential:binary32" is what tensor cores promise at least, "blas" the same by NumPy's
        BLAS, fast and in no defined order; "binary32" is short for the former.

    >>> get_accumulator("pairwise:binary32", Precision.of("binary16")).fmt.name
    'binary32'
    """
    kind, _, rest = SHORTHANDS.get(text, text).partition(":")
    if kind not in ACCUMULATORS:
        choices = ", ".join(map(repr, (*ACCUMULATORS, *SHORTHANDS)))
        raise ValueError(f"accumulator={text!r} is unknown; use one of {choices}, or like 'pairwise:binary32'")
    if kind == "sequential" and not rest:
        return None
    own = Precision.of(rest) if rest else compute
    return ACCUMULATORS[kind](own.fmt, own.mode, rng if own.mode is Rounding.STOCHASTIC else None)


@dataclass(frozen=True)
class Policy:
    """The precision of each kind of number in a training run. What is not given follows `compute`.

    Parameters
    ----------
    compute : Precision, str or Format
        Activations and their cotangents, the gradients of activations.
    param : optional
        The weights that the model computes with.
    output : optional
        The logits.
    loss : optional
        The softmax and the loss.
    gradient : optional
        The gradients of the weights, as the optimizer gets them.
    state : optional
        The optimizer's moments, and its arithmetic.
    master : optional
        A second copy of the weights, which the steps are added to and of which `param` is a rounded copy; none if
        not given.
    operand, cotangent : optional
        What the factors of matrix products are rounded to first, in the forward pass and (the cotangent) in the
        backward pass: for fp8, whose products go to a wider `compute`. Their range is saturated.
    accumulator : str
        How matrix products and other sums are added up; see `get_accumulator`.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> policy = Policy("binary16", state="binary32", master="binary32", loss="binary32", accumulator="blas")
    >>> policy.param, policy.loss
    (Precision('binary16'), Precision('binary32'))
    >>> print(policy)
    compute=binary16 loss=binary32 state=binary32 master=binary32 accumulator=blas
    """

    compute: Any = "binary32"
    param: Any = None
    output: Any = None
    loss: Any = None
    gradient: Any = None
    state: Any = None
    master: Any = None
    operand: Any = None
    cotangent: Any = None
    accumulator: str = "sequential"

    def __post_init__(self) -> None:
        compute = Precision.of(self.compute)
        for name in PRECISIONS:
            given = getattr(self, name)
            absent = None if name in OPTIONAL else compute
            object.__setattr__(self, name, absent if given is None else Precision.of(given))
        self._check_accumulator(compute)

    def _check_accumulator(self, compute: Precision) -> None:
        accumulator = get_accumulator(self.accumulator, compute)
        if accumulator and not isinstance(accumulator, Exact) and not compute.fmt.fits_in(accumulator.fmt):
            raise ValueError(
                f"accumulator={self.accumulator!r} adds in {accumulator.fmt.name}, which does not hold "
                f"compute={compute}; use a wider one, or 'exact'"
            )

    @classmethod
    def of(cls, given: Any) -> Policy:
        """From a Policy, a precision that everything has, or text such as "compute=binary16 master=binary32".

        >>> Policy.of("bfloat16") == Policy("bfloat16")
        True
        """
        if isinstance(given, Policy):
            return given
        if not isinstance(given, str) or "=" not in given:
            return cls(given)
        pairs = [part.partition("=")[::2] for part in given.replace(",", " ").split()]
        parts = dict(pairs)
        known = [field.name for field in fields(cls)]
        for name, value in pairs:
            if name not in known or not value:
                raise ValueError(f"policy={given!r}: {name!r} is no part of a policy; use some of {', '.join(known)}")
        if len(parts) < len(pairs):
            raise ValueError(f"policy={given!r} says something twice; give each part once")
        return cls(**parts)

    def __str__(self) -> str:
        follows = {name: None if name in OPTIONAL else self.compute for name in PRECISIONS}
        own = [f"{name}={getattr(self, name)}" for name in PRECISIONS[1:] if getattr(self, name) != follows[name]]
        added = [] if self.accumulator == "sequential" else [f"accumulator={self.accumulator}"]
        return " ".join([f"compute={self.compute}", *own, *added])

    @property
    def stochastic(self) -> bool:
        """Whether any kind of number is rounded stochastically."""
        return any(p is not None and p.mode is Rounding.STOCHASTIC for p in map(self.__getattribute__, PRECISIONS))

    @property
    def weights(self) -> Precision:
        """What the steps are added to: the master weights, where there are any."""
        chosen: Precision = self.master or self.param
        return chosen


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
        """The products of a policy."""
        return cls(get_accumulator(policy.accumulator, policy.compute, rng), policy.operand, policy.cotangent)


PLAIN = Products()
"""One term after the other, every step rounded to the operands' own format."""
