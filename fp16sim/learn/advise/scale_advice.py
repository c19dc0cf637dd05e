"""The loss scale that loses least, in sentences that are computed from the counts of a survey."""

from __future__ import annotations

from ...wording import count, joined, percent
from ..observe.exponents import Fate, Survey


def recommend(seen: Survey) -> str:
    """The loss scale that loses least, what it would save, and what no loss scale can save."""
    return " ".join([_advice(seen), *_not_finite(seen)])


def _not_finite(seen: Survey) -> list[str]:
    kinds = ((seen.nans, "NaN", "NaN"), (seen.infinities, "infinity", "infinities"))
    found = [count(*kind) for kind in kinds if kind[0]]
    return [f"Before any rounding there are {joined(found)}; no loss scale repairs that."] if found else []


def _advice(seen: Survey) -> str:
    now, best, fmt = seen.fate(), seen.best_shift(), seen.fmt
    if not seen.finite:
        return "There is no finite nonzero number, so nothing can be lost."
    if not now.lost:
        return f"{fmt} loses none of the {seen.finite:,} nonzero numbers: no loss scale is needed."
    if best == 0:
        return f"{fmt} loses {_losses(now, seen)}, and no loss scale loses fewer. {_reach(seen)}"
    then, doublings = seen.fate(best), _doublings(seen, best)
    without = f"without it {percent(now.lost / seen.finite)} ({_kinds(now)})"
    sentences = [f"A loss scale of 2^{best} loses least: {_losses(then, seen)}; {without}."]
    sentences += _smaller(seen, best)
    if doublings:
        sentences.append(f"2^{best} can be doubled {count(doublings, 'time')} before the largest number overflows.")
    return " ".join([*sentences, *([_reach(seen)] if then.lost else [])])


def _losses(fate: Fate, seen: Survey) -> str:
    if not fate.lost:
        return f"none of the {seen.finite:,} nonzero numbers"
    return f"{percent(fate.lost / seen.finite)} of the {seen.finite:,} nonzero numbers ({_kinds(fate)})"


def _kinds(fate: Fate) -> str:
    kinds = ((fate.underflowed, "become 0"), (fate.overflowed, "overflow"))
    return joined(f"{n:,} {what}" for n, what in kinds if n)


def _reach(seen: Survey) -> str:
    fmt, span = seen.fmt, seen.highest - seen.lowest + 1
    return f"The numbers span {count(span, 'binade')}, and {fmt} has {fmt.emax - fmt.quantum_exponent_min + 1}."


def _doublings(seen: Survey, shift: int) -> int:
    """How often the scale can be doubled before the first number overflows; 0 if one overflows already."""
    doublings = 0
    while not seen.fate(shift + doublings + 1).overflowed and doublings < 2 * seen.fmt.bias:
        doublings += 1
    return doublings


ALMOST = 1000
"""A smaller scale is almost as good as the best one if it loses at most one number in 1,000 more."""


def _smaller(seen: Survey, best: int) -> list[str]:
    """The smallest scale that is almost as good, if there is one."""
    enough = seen.fate(best).lost + seen.finite // ALMOST
    first = next((k for k in range(1, best) if seen.fate(k).lost <= enough), best)
    if first == best:
        return []
    return [f"2^{first} is almost as good ({percent(seen.fate(first).lost / seen.finite)})."]
