"""Which format and mode each kind of number has: the nouns of mixed precision, frozen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy.typing as npt

from ..accumulators import Accumulator, TensorCore, parse, resolve
from ..accumulators.narrow_factors import NarrowFactors
from ..arrays import FloatArray, array
from ..conversion import Generator, as_generator
from ..formats import BINARY32, IN_TEXT, NO_FIELD, Format, FormatLike, Rounding, get_format, get_rounding
from ..wording import did_you_mean, quoted
from .factors import Factors
from .records import Converted, from_plain, names_unknown
from .rules import PARTS_OF_POLICY, Rule, is_pattern, layer_of, split_key
from .scaled_products import check_unit


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


Rules: TypeAlias = tuple[Rule, ...]
RulesLike: TypeAlias = "Mapping[str, PrecisionLike | None] | Iterable[Rule]"


def _rules_of(given: RulesLike) -> Rules:
    """Rules from a dict of keys and values; those that are rules already stay."""
    if isinstance(given, Mapping):
        return tuple(_rule(key, value) for key, value in given.items())
    if not isinstance(given, (tuple, list)) or not all(isinstance(rule, Rule) for rule in given):
        raise TypeError(f"rules={quoted(given)} is not a dict of patterns and formats, such as {{'norm*': 'binary32'}}")
    return tuple(given)


def _rule(key: str, value: Any) -> Rule:
    pattern, operation, part = split_key(key)
    try:
        return Rule(pattern, operation, part, _rule_value(part, value))
    except (ValueError, TypeError) as error:
        raise type(error)(f"rules[{quoted(key)}]: {error}") from None


def _rule_value(part: str, value: Any) -> Any:
    if part == "accumulator":
        if not isinstance(value, str):
            raise TypeError(f"{quoted(value)} is not the name of an accumulator; use one such as 'sequential:binary32'")
        return value.lower()
    if part in OPTIONAL and value in (None, "none"):
        return None
    return Precision.of(value)


def _check_factors(unit: TensorCore, factors: list[Format], compute: Format) -> None:
    """Refuse factors that a matrix unit does not multiply, or that the arrays do not hold."""
    for fmt in factors:
        unit.with_factors(fmt)
        if not fmt.fits_in(compute):
            raise ValueError(f"compute={compute.name} does not hold the factors in {fmt.name}; use a wider compute")


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
    rules : mapping, optional
        Other precisions by name. A key is a pattern of names, as reports print them: {"norm*": "binary32"} is about
        what these layers compute and about their parameters, {"*.weight": "bfloat16"} about these parameters, and
        {"*/softmax": "binary32"} about this operation in all layers. With ":" and a part it is about that part alone:
        {"layer3:operand": None, "layer1:accumulator": "kahan"}. Of several rules for one name the last one holds.

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
    >>> policy = Policy("binary16", rules={"norm*": "binary32", "*.bias": "bfloat16"})
    >>> print(policy)
    compute=binary16 norm*=binary32 *.bias=bfloat16
    >>> policy.of_layer("norm1").compute, policy.param_of("norm1.scale"), policy.param_of("layer1.bias")
    (Precision('binary32'), Precision('binary32'), Precision('bfloat16'))
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
    rules: Converted[RulesLike, Rules] = Converted(_rules_of, ())

    def __post_init__(self) -> None:
        for name in PRECISIONS:
            if name not in OPTIONAL and getattr(self, name) is None:
                object.__setattr__(self, name, self.compute)
        self._check_accumulator()

    def _check_accumulator(self) -> None:
        accumulator = get_accumulator(self.accumulator, self.compute)
        narrow = [precision.fmt for precision in (self.operand, self.cotangent) if precision]
        try:
            if isinstance(accumulator, TensorCore) and len(narrow) == 2:
                _check_factors(accumulator, narrow, self.compute.fmt)
            else:
                resolve(accumulator, *self.compute, None)
        except ValueError as error:
            parts = "".join(f" {name}={getattr(self, name)}" for name in ("operand", "cotangent") if narrow)
            raise ValueError(
                f"accumulator={quoted(self.accumulator)} with compute={self.compute}{parts}: {error}"
            ) from None

    @classmethod
    def of(cls, given: PolicyLike, base: Policy | None = None) -> Policy:
        """From a Policy, one precision for all kinds, or text such as "compute=binary16 master=binary32".

        Text that has rules for names alone is added to a policy `base`.

        >>> Policy.of("bfloat16") == Policy("bfloat16")
        True
        >>> print(Policy.of("norm*=binary32", base=Policy("bfloat16")))
        compute=bfloat16 norm*=binary32
        """
        if isinstance(given, Policy):
            return given
        if not isinstance(given, str) or "=" not in given:
            return cls(given)
        pairs = [part.partition("=") for part in re.split(rf"[,\s]+{NO_FIELD}", given.strip(" ,"))]
        if len(pairs) == 1 and ("," in pairs[0][0] or pairs[0][0] in IN_TEXT):  # "width=8,precision=4"
            return cls(given)
        parts: dict[str, Any] = {name: value for name, _, value in pairs}
        known = PARTS_OF_POLICY
        for name, equals, value in pairs:
            if (name not in known and not is_pattern(name)) or not value:
                rule = (
                    f"must be PART=VALUE, where PART is one of {', '.join(known)}; or PATTERN=FORMAT for names of "
                    "layers and parameters, such as norm*=binary32"
                )
                similar = did_you_mean(name, known) if value else ""
                if similar and name.isidentifier():
                    rule += f"; write a layer of this name as [{name[0]}]{name[1:]}"
                raise ValueError(f"policy={quoted(given)}: {similar}{quoted(name + equals + value)} {rule}")
        if len(parts) < len(pairs):
            raise ValueError(f"policy={quoted(given)} gives a part twice; give each part once")
        rules = {name: parts.pop(name) for name in list(parts) if name not in known}
        if parts:
            return cls(**parts, rules=rules)
        if base is None:
            raise ValueError(
                f"policy={quoted(given)} has rules for names alone; say what all others compute with, as in "
                f"{quoted(f'compute=binary16 {given}')}"
            )
        return replace(base, rules=(*base.rules, *_rules_of(rules)))

    def __str__(self) -> str:
        follows = {name: None if name in OPTIONAL else self.compute for name in PRECISIONS}
        own = [f"{name}={getattr(self, name)}" for name in PRECISIONS[1:] if getattr(self, name) != follows[name]]
        added = [] if self.accumulator == "sequential" else [f"accumulator={self.accumulator}"]
        ruled = [f"{rule.text}={_rule_text(rule.value)}" for rule in self.rules]
        return " ".join([f"compute={self.compute}", *own, *added, *ruled])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: `Policy(**data)` reads it back."""
        given = {name: getattr(self, name) for name in PRECISIONS}
        rules = {rule.key: _plain_value(rule.value) for rule in self.rules}
        plain = {name: p and p.to_plain() for name, p in given.items()}
        return {**plain, "accumulator": self.accumulator, "rules": rules}

    @classmethod
    def from_plain(cls, given: Any, what: str) -> Policy:
        """What `to_dict` and JSON made of a policy."""
        stored: _StoredPolicy = from_plain(_StoredPolicy, given, what)
        parts = {name: getattr(stored, name) for name in PRECISIONS}
        return cls(**parts, accumulator=stored.accumulator, rules=stored.rules)

    @property
    def stochastic(self) -> bool:
        """Whether any kind of number is rounded stochastically."""
        ruled = [rule.value for rule in self.rules if isinstance(rule.value, Precision)]
        return any(p is not None and p.mode.random for p in (*map(self.__getattribute__, PRECISIONS), *ruled))

    # --- by name ----------------------------------------------------------------------------------------------------

    def of_layer(self, layer: str) -> Policy:
        """The policy inside a layer: with the parts that rules set for it, and no rules.

        Raises
        ------
        ValueError
            If the accumulator that a rule sets does not take what the layer computes with. If a rule sets none, and
            that of the policy does not take it, the layer sums one term after the other.
        """
        parts: dict[str, Any] = {rule.part or "compute": rule.value for rule in self.rules if rule.is_for_layer(layer)}
        return self._with_parts(parts, f"layer {layer}")

    def of_operation(self, layer: str, operation: str) -> Policy:
        """The policy inside an operation of a layer."""
        found = [rule for rule in self.rules if rule.is_for_operation(layer, operation)]
        own = self.of_layer(layer)
        return own._with_parts({rule.part or "compute": rule.value for rule in found}, f"{layer}/{operation}")

    def _with_parts(self, parts: dict[str, Any], where: str) -> Policy:
        changed = parts.keys() & {"compute", "operand", "cotangent"}
        try:
            if changed and "accumulator" not in parts and not self._takes(parts):
                parts["accumulator"] = "sequential"
            return replace(self, **parts, rules=()) if parts or self.rules else self
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def _takes(self, parts: dict[str, Any]) -> bool:
        """Whether the accumulator takes numbers of other formats."""
        try:
            replace(self, **parts, rules=())
        except ValueError:
            return False
        return True

    def param_of(self, name: str) -> Precision:
        """The format of a parameter."""
        return _param_of(self, name) if self.rules else self.param

    def weights_of(self, name: str) -> Precision:
        """What the steps of a parameter are added to."""
        return self.master or self.param_of(name)

    def compute_of(self, name: str) -> Precision:
        """What the layer of a parameter computes with."""
        return self.of_layer(layer_of(name)).compute if self.rules else self.compute

    @property
    def weights(self) -> Precision:
        """What the steps are added to: the master weights if there are any, else the parameters."""
        return self.master or self.param


@lru_cache(maxsize=4096)
def _param_of(policy: Policy, name: str) -> Precision:
    found = [rule.value for rule in policy.rules if rule.is_for_parameter(name)]
    return found[-1] if found else policy.param


def _rule_text(value: Any) -> str:
    return "none" if value is None else str(value)


def _plain_value(value: Any) -> Any:
    return value.to_plain() if isinstance(value, Precision) else value


@dataclass(frozen=True)
class _StoredPolicy:
    """The fields of a policy in a file."""

    compute: Precision
    param: Precision
    output: Precision
    loss: Precision
    gradient: Precision
    state: Precision
    master: Precision | None
    operand: Precision | None
    cotangent: Precision | None
    accumulator: str
    rules: dict[str, Any]


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


def check_factors(factors: Factors, policy: Policy) -> None:
    """Refuse factors that do not go with a policy: its formats, or its accumulator."""
    compute = policy.compute.fmt
    rounded = {name: given for name in ("operand", "cotangent") if (given := getattr(policy, name))}
    rounded |= {rule.key: rule.value for rule in policy.rules if rule.part in ("operand", "cotangent") and rule.value}
    if rounded:
        listed = " and ".join(f"{name}={given}" for name, given in rounded.items())
        raise ValueError(
            f"factors={factors} with a policy of {listed}: both round the factors of products; leave one out"
        )
    if not compute.fits_in(BINARY32):
        raise ValueError(
            f"factors={factors} with compute={compute}: factors are scaled in binary32; use a compute format that "
            "binary32 holds, such as bfloat16"
        )
    for fmt in (factors.forward, factors.backward):
        if not fmt.fits_in(compute):
            raise ValueError(f"factors={factors} with compute={compute}: {fmt} does not fit in it; use bfloat16")
    for name in (policy.accumulator, *(rule.value for rule in policy.rules if rule.part == "accumulator")):
        try:
            check_unit(factors, get_accumulator(name, policy.compute))
        except ValueError as error:
            raise ValueError(
                f"accumulator={quoted(name)} with factors={factors}: {error}; or use 'blas' or 'sequential:binary32'"
            ) from None


DEFAULT_PRODUCTS = Products()
"""One term after the other, every step rounded to the operands' own format."""
