"""What a matrix unit does, on Fractions: the definition that `TensorCore` and every fit are compared with.

    c
    products of a group, exact  ->  aligned to the largest exponent, cut off `bits` below it  ->  added  ->  rounded

Steps that differ from that are functions of their own, in STEP. Infinite and NaN factors are not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ..accumulators.alignment import EXTRA_BITS, TRUNCATED
from ..accumulators.machines import Datapath
from ..formats import BINARY16, BINARY32, Format, Rounding, get_format

Number: TypeAlias = float | Fraction
"""A finite number is exact; infinities and NaN are floats."""

PATTERNS: dict[str, Callable[[int, int], int]] = {
    "consecutive": lambda k, group: k // group,
    "even_odd": lambda k, group: 2 * (k // (2 * group)) + k % 2,
    "pairs": lambda k, group: 2 * (k // (2 * group)) + k // 2 % 2,
}
"""Which step adds product k: neighbours together, every other product together, or every other pair."""

CUTS: dict[str, Callable[[Fraction], int]] = {"toward_zero": math.trunc, "down": math.floor, "nearest": round}
"""What becomes of the bits below the window."""

ROUNDS: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.TOWARD_ZERO: math.trunc,
    Rounding.TIES_TO_EVEN: round,
    Rounding.TOWARD_NEGATIVE: math.floor,
    Rounding.TOWARD_POSITIVE: math.ceil,
}
"""How a sum is rounded to an integer multiple of its quantum."""


@dataclass(frozen=True)
class Model:
    """A matrix unit: exact arithmetic on Fractions with the roundings that the unit makes.

    Attributes
    ----------
    factors, output : Format
    group : int
        Products that are added at once.
    bits : int or None
        Fraction bits that alignment keeps below the largest exponent; None: the sum of a group is exact.
    pattern : str
        One of PATTERNS. All but "consecutive" have blocks of 2 * group products.
    cut : {"toward_zero", "down", "nearest"}
        What becomes of bits below those.
    joins : {"with", "after"}
        Whether the sum so far is aligned with the products, or added to their rounded sum, to nearest even.
    normalised : bool
        Whether terms are added one by one and the window follows each sum. If not, all are aligned at once.
    precision : int or None
        Significant bits of a sum; None: as many as the output's format has.
    mode : Rounding
        How a sum is rounded.
    step : str
        One of STEPS of `fp16sim.accumulators.machines`; the parameters above are those of "aligned".
    zero : int or None
        The exponent of a zero in the alignment; None: zeros take no part.
    least : int or None
        The least exponent that terms are aligned to; None: there is no limit.
    flushes : bool
        Whether subnormal factors and sums count as zero.

    Examples
    --------
    >>> from fp16sim.formats import BINARY16, BINARY32
    >>> volta = Model(BINARY16, BINARY32, group=4, bits=23)
    >>> volta.dot([2.0**-12] * 4, [2.0**-12] * 4, 1.0), volta.dot([2.0**-12] * 4, [2.0**-12] * 4, 0.5)
    (1.0, 0.5000002384185791)
    """

    factors: Format
    output: Format
    group: int
    bits: int | None = None
    pattern: str = "consecutive"
    cut: str = "toward_zero"
    joins: str = "with"
    normalised: bool = False
    precision: int | None = None
    mode: Rounding = Rounding.TOWARD_ZERO
    step: str = "aligned"
    zero: int | None = None
    least: int | None = None
    flushes: bool = False

    @property
    def significant(self) -> int:
        """Significant bits of a sum."""
        return self.precision or self.output.precision

    def dot(self, a: Sequence[float], b: Sequence[float], c: float = 0.0) -> float:
        """c plus the sum of the products of finite numbers of the formats."""
        if self.flushes:
            a, b = ([x if abs(x) >= self.factors.min_normal else 0.0 for x in xs] for xs in (a, b))
            c = c if abs(c) >= self.output.min_normal else 0.0
        for products in self.groups(len(a)):
            c = self.add_group([a[k] for k in products], [b[k] for k in products], c)
        return c + 0.0

    def groups(self, n: int) -> list[list[int]]:
        """The products of each step, by their places."""
        steps: dict[int, list[int]] = {}
        for k in range(n):
            steps.setdefault(PATTERNS[self.pattern](k, self.group), []).append(k)
        return [steps[step] for step in sorted(steps)]

    def add_group(self, a: Sequence[float], b: Sequence[float], c: float) -> float:
        """One step: some products and the sum so far."""
        if not math.isfinite(c) and self.step not in ("in_halves", "pairwise"):
            return c
        return self.rounded(STEP[self.step](self, a, b, c))

    def rounded(self, s: Number, mode: Rounding | None = None, fmt: Format | None = None) -> float:
        """A sum as the unit stores it; only the significand is cut off, so that 2^(emax + 1) is infinite."""
        fmt, precision = fmt or self.output, self.significant if fmt is None else fmt.precision
        if s == 0 or not isinstance(s, Fraction):
            return s + 0.0
        quantum = Fraction(2) ** (max(exponent_of(s), fmt.emin) - precision + 1)
        value = ROUNDS[mode or self.mode](s / quantum) * quantum
        if abs(value) >= Fraction(2) ** (fmt.emax + 1):
            return math.copysign(math.inf, s)
        return 0.0 if self.flushes and abs(value) < fmt.min_normal else float(value)

    def stored_exponent(self, x: float, fmt: Format) -> int | None:
        """The exponent of a number as the format stores it; None for a zero that takes no part."""
        return max(math.frexp(x)[1] - 1, fmt.emin) if x else self.zero

    def products(
        self, a: Sequence[float], b: Sequence[float], fmt: Format | None = None
    ) -> tuple[list[Fraction], list[int | None]]:
        """Exact products, and their exponents as the unit sees them: the sums of the factors' stored ones."""
        fmt = fmt or self.factors
        values, exponents = [], []
        for x, y in zip(a, b, strict=True):
            e, f = self.stored_exponent(x, fmt), self.stored_exponent(y, fmt)
            values.append(Fraction(x) * Fraction(y))
            exponents.append(None if e is None or f is None else e + f)
        return values, exponents

    def window(self, exponents: Sequence[int | None]) -> tuple[int, Fraction]:
        """The largest exponent of some terms, and what the last bit of the window below it is worth."""
        present = [e for e in exponents if e is not None]
        highest = max(present, default=0)
        if self.least is not None:
            highest = max(highest, self.least)
        assert self.bits is not None
        return highest, Fraction(2) ** (highest - self.bits)


def exponent_of(x: Fraction) -> int:
    """e with 2^e <= |x| < 2^(e + 1)."""
    e = abs(x.numerator).bit_length() - x.denominator.bit_length()
    return e if abs(x) >= Fraction(2) ** e else e - 1


def cut_to(terms: Sequence[Fraction], unit: Fraction, cut: str = "toward_zero") -> Fraction:
    """The sum of terms that lose what is below a unit."""
    return sum((CUTS[cut](x / unit) for x in terms), 0) * unit


# --- the steps ------------------------------------------------------------------------------------------------------


def aligned(model: Model, a: Sequence[float], b: Sequence[float], c: float) -> Number:
    """Products and the sum so far, aligned to the largest exponent, cut off and added."""
    values, exponents = model.products(a, b)
    if model.joins == "after":
        return ordinary_sum(model, model.rounded(_added(model, values, exponents)), c)
    return _added(model, [Fraction(c), *values], [model.stored_exponent(c, model.output), *exponents])


def _added(model: Model, values: list[Fraction], exponents: list[int | None]) -> Fraction:
    """The sum of terms, aligned all at once, or one by one to each sum."""
    if model.bits is None:
        return sum(values, Fraction(0))
    if not model.normalised:
        return cut_to(values, model.window(exponents)[1], model.cut)
    total, of_total = Fraction(0), model.zero
    for value, e in zip(values, exponents, strict=True):
        if e is not None:
            total = cut_to([total, value], model.window([of_total, e])[1], model.cut)
            of_total = max(exponent_of(total), model.output.emin) if total else model.zero
    return total


def ordinary_sum(model: Model, x: float, y: float) -> Number:
    """x + y to nearest even, which the last rounding leaves as it is; exact where the model's mode is that anyway."""
    exact = _sum(x, y)
    if model.mode is Rounding.TIES_TO_EVEN or not isinstance(exact, Fraction):
        return exact
    nearest = model.rounded(exact, Rounding.TIES_TO_EVEN)
    return Fraction(nearest) if math.isfinite(nearest) else nearest


def _sum(x: float, y: float) -> Number:
    return Fraction(x) + Fraction(y) if math.isfinite(x) and math.isfinite(y) else x + y


def in_halves(model: Model, a: Sequence[float], b: Sequence[float], c: float) -> Number:
    """As binary16: every other pair of products from zero, then the others; the sum so far is added to that."""
    part = 0.0
    for pairs in (0, 1):
        half = [k for k in range(len(a)) if k // 2 % 2 == pairs]
        if half and math.isfinite(part):
            values, exponents = model.products([a[k] for k in half], [b[k] for k in half], BINARY16)
            terms = [Fraction(part), *values]
            unit = model.window([model.stored_exponent(part, model.output), *exponents])[1]
            part = model.rounded(cut_to(terms, unit), TRUNCATED[model.output])
    return _sum(part, c)


def pairwise(model: Model, a: Sequence[float], b: Sequence[float], c: float) -> Number:
    """Products rounded to binary32 and added there in pairs; the sum so far comes last."""
    terms = [model.rounded(x, fmt=BINARY32) for x in model.products(a, b)[0]]
    while len(terms) > 1:
        terms += [0.0] * (len(terms) % 2)
        terms = [model.rounded(_sum(x, y), fmt=BINARY32) for x, y in zip(terms[::2], terms[1::2], strict=True)]
    return _sum(terms[0], c)


def _beside(model: Model, products: Fraction, highest: int, c: float) -> Fraction:
    """CDNA 3: a sum of products and the sum so far, each rounded down below the larger exponent."""
    of_c = model.stored_exponent(c, BINARY32)
    top = highest if of_c is None else max(highest, of_c)
    assert model.bits is not None
    kept = cut_to([Fraction(c)], Fraction(2) ** (top - model.bits), "down")
    if model.step == "odd_even" and of_c is not None and of_c < top - model.bits - 1:
        kept = Fraction(0)
    return cut_to([products], Fraction(2) ** (top - EXTRA_BITS), "down") + kept


def floored(model: Model, a: Sequence[float], b: Sequence[float], c: float) -> Number:
    """CDNA 3: products are aligned, cut off and added; that and the sum so far are aligned and rounded down."""
    values, exponents = model.products(a, b)
    if huge := sum(math.copysign(math.inf, x) for x in values if abs(x) >= 2**128):
        return huge
    highest, unit = model.window(exponents)
    return _beside(model, cut_to(values, unit), highest, c)


def odd_even(model: Model, a: Sequence[float], b: Sequence[float], c: float) -> Number:
    """CDNA 3 with 8-bit factors: even and odd products are aligned apart, and their sums rounded down."""
    parts, tops = [], []
    if len(a) == 1:
        a, b = (*a, 0.0), (*b, 0.0)  # the machine always has odd products, if only of zeros
    for k in (0, 1):
        values, exponents = model.products(a[k::2], b[k::2])
        highest, unit = model.window(exponents)
        parts.append(cut_to(values, unit))
        tops.append(highest)
    assert model.bits is not None
    unit = Fraction(2) ** (max(tops) - model.bits)
    return _beside(model, sum((cut_to([part], unit, "down") for part in parts), Fraction(0)), max(tops), c)


def exact(model: Model, a: Sequence[float], b: Sequence[float], c: float) -> Number:
    """All products and the sum so far, exactly."""
    return sum(model.products(a, b)[0], Fraction(c))


STEP: dict[str, Callable[[Model, Sequence[float], Sequence[float], float], Number]] = {
    step.__name__: step for step in (aligned, in_halves, pairwise, floored, odd_even, exact)
}
"""Every step but "blocks", which `block_sum` is."""


def block_sum(
    model: Model,
    size: int,
    a: Sequence[tuple[float, float]],
    b: Sequence[tuple[float, float]],
    c: float,
    scale: Format,
) -> float:
    """One step on (element, scale) pairs: `size` products are added exactly, and aligned by their exponents.

    With 16, as the step "blocks" has, only the scales' exponents count; with 1, those of the elements too.
    """
    terms, exponents = [Fraction(c)], [model.stored_exponent(c, model.output)]
    for k in range(0, len(a), size):
        pairs = list(zip(a[k : k + size], b[k : k + size], strict=True))
        (x, s), (y, t) = pairs[0]
        terms.append(sum(Fraction(u) * Fraction(v) for (u, _), (v, _) in pairs) * Fraction(s) * Fraction(t))
        e = [model.stored_exponent(s, scale), model.stored_exponent(t, scale)]
        e += [model.stored_exponent(x, model.factors), model.stored_exponent(y, model.factors)] if size == 1 else []
        exponents.append(None if None in e else sum(n for n in e if n is not None))
    return model.rounded(cut_to(terms, model.window(exponents)[1]))


def model_of(path: Datapath) -> Model:
    """The model of a row of the table."""
    exactly = path.step in ("exact", "pairwise")
    return Model(
        get_format(path.factors),
        path.output,
        path.group,
        None if exactly else path.bits,
        precision=path.keeps.precision if path.keeps else None,
        mode=path.mode,
        step=path.step,
        zero=path.zero,
        least=path.least,
        flushes=path.flushes,
    )
