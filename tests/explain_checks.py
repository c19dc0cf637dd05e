"""The records of explain, judged from the definitions of their fields, without the code that made them."""

import math
from fractions import Fraction

from fp16sim import exact
from fp16sim.formats import Rounding, Subnormals


def check_step(step):
    """What must hold of any rounding step, from the definitions of its fields."""
    digits = ("quantum_exponent", "scaled", "kept", "guard", "round", "sticky", "rest", "rounded")
    without_digits = step.rule in ("special", "flushed_input")
    assert {getattr(step, name) is None for name in digits} == {without_digits}
    assert (step.exponent is None) == (not exact.is_finite(step.exact) or step.exact == 0)
    assert (step.draw is None) == (without_digits or step.mode is not Rounding.STOCHASTIC or not step.rest)
    if without_digits:
        return
    fmt, x, ulp = step.fmt, step.exact, Fraction(2) ** step.quantum_exponent
    assert step.scaled * ulp == abs(x) == (step.kept + step.rest) * ulp
    assert 0 <= step.rest < 1
    tail = step.rest - Fraction(step.guard, 2) - Fraction(step.round, 4)
    assert 0 <= tail < Fraction(1, 4)
    assert step.sticky == (tail > 0)
    assert step.rounded in ((step.kept, step.kept + 1) if step.rest else (step.kept,))
    check_neighbours(step)
    check_rule(step)
    beyond = step.rounded * ulp > fmt.max_finite
    assert step.case == ("overflow" if beyond else "subnormal" if abs(x) < fmt.min_normal else "normal")
    if step.case == "overflow":
        assert step.rounded * ulp > fmt.max_finite
        assert "overflow" in step.flags
    elif step.flushed:
        assert step.result.value == 0
        assert 0 < step.rounded * ulp < fmt.min_normal
    else:
        assert abs(step.result.value) == step.rounded * ulp
    assert step.carry == (step.rounded == 2**fmt.precision)


def check_neighbours(step):
    below, above = step.below, step.above
    assert below.value <= step.exact <= above.value
    assert [below.chosen, above.chosen].count(True) == (2 if below is above else 1)
    chosen = below if below.chosen else above
    if step.case != "overflow" and not step.flushed:
        assert chosen.value == step.result.value
        assert chosen.code == step.result.code
    if None not in (below.distance, above.distance) and abs(step.exact) <= step.fmt.max_finite:
        ulp = Fraction(2) ** step.quantum_exponent
        assert below.distance == (step.exact - Fraction(below.value)) / ulp
        assert above.distance == (Fraction(above.value) - step.exact) / ulp
    for one in (below, above):
        assert one.code is None or exact.decode(one.code, step.fmt) == one.value
    gradual = step.fmt.subnormals is not Subnormals.FLUSH_TO_NEAREST
    if step.rest and gradual and None not in (below.code, above.code) and math.inf not in (-below.value, above.value):
        # Nothing lies between them: codes of one sign that follow each other.
        assert abs(below.code - above.code) == 1
    if step.mode is Rounding.STOCHASTIC and below is not above:
        assert below.probability + above.probability == 1


def check_rule(step):
    """The rule says what it says of the bits, of the sign, and of the distance."""
    negative, half = step.exact < 0, Fraction(1, 2)
    up = step.rounded > step.kept
    assert (step.rule == "exact") == (step.rest == 0)
    facts = {
        "exact": not up,
        "nearer": step.mode.nearest and step.rest != half and up == (step.rest > half) == (step.guard == 1),
        "tie_to_even": step.mode is Rounding.TIES_TO_EVEN and step.rest == half and step.rounded % 2 == 0,
        "tie_to_away": step.mode is Rounding.TIES_TO_AWAY and step.rest == half and up,
        "toward_zero": not up,
        "toward_positive": up != negative,
        "toward_negative": up == negative,
        "to_odd": step.rounded % 2 == 1,
        "stochastic": up == (Fraction(2 * (step.draw or 0) + 1, 2**33) < step.rest),
    }
    assert facts[step.rule]


def check_exact(why):
    """The integers of an operation give its exact result, and the leading bit stands where it is said to."""
    step = why.exact
    if step.rule != "digits":
        return
    size, value = Fraction(2) ** step.integer_exponent, abs(step.value)
    assert step.integer * size == step.value if not step.remainder else 0 < value - abs(step.integer) * size < size
    assert step.integer * step.value > 0
    assert Fraction(2) ** step.exponent <= value < Fraction(2) ** (step.exponent + 1)
    lead = [
        exact.exponent_of(abs(t.integer * Fraction(2) ** t.exponent)) if t.integer else t.exponent for t in step.terms
    ]
    promised = {"multiply": sum(lead), "divide": lead[0] - lead[-1], "sqrt": lead[0] // 2}.get(why.operation, max(lead))
    assert step.normalisation == step.exponent - promised
    if why.operation in ("add", "subtract", "fma"):
        assert step.shift == abs(step.terms[0].exponent - step.terms[1].exponent)
        assert sum(t.integer * Fraction(2) ** t.exponent for t in step.terms) == step.value
        lower = min(step.terms, key=lambda t: t.exponent)
        assert step.shifted == (lower.name if step.shift else None)
