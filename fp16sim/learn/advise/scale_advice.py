"""The loss scale that loses least, in a sentence or two that are computed from the counts of a survey."""

from __future__ import annotations

from ...wording import percent
from ..observe.exponents import Fate, Survey


def recommend(seen: Survey) -> str:
    """The loss scale that loses least, what it would save, and what no scale can: computed from the counts."""
    return " ".join([_advice(seen), *_not_finite(seen)])


def _not_finite(seen: Survey) -> list[str]:
    there = [f"{n} {what}" for n, what in ((seen.nans, "NaN"), (seen.infinities, "infinite")) if n]
    return [f"Already there: {', '.join(there)}; no scale repairs that."] if there else []


def _advice(seen: Survey) -> str:
    now, best, fmt = seen.fate(), seen.best_shift(), seen.fmt
    if not seen.finite:
        return "There is no finite nonzero number, so nothing can be lost."
    if not now.lost:
        return f"{fmt} loses none of the {seen.finite} nonzero numbers: no loss scale is needed."
    if best == 0:
        return f"{fmt} loses {_losses(now, seen)}, and no loss scale loses fewer. {_reach(seen)}"
    then, room = seen.fate(best), _room(seen, best)
    without = f"without it {percent(now.lost / seen.finite)} ({_kinds(now)})"
    sentences = [f"A loss scale of 2^{best} loses least: {_losses(then, seen)}; {without}."]
    sentences += _smaller(seen, best)
    if room:
        sentences.append(f"It leaves room for {_times(room)} until the largest overflows.")
    return " ".join([*sentences, *([_reach(seen)] if then.lost else [])])


def _losses(fate: Fate, seen: Survey) -> str:
    if not fate.lost:
        return f"none of the {seen.finite} nonzero numbers"
    return f"{percent(fate.lost / seen.finite)} of the {seen.finite} nonzero numbers ({_kinds(fate)})"


def _kinds(fate: Fate) -> str:
    kinds = ((fate.underflowed, "become 0"), (fate.overflowed, "overflow"))
    return ", ".join(f"{n} {what}" for n, what in kinds if n)


def _times(n: int) -> str:
    return "1 doubling" if n == 1 else f"{n} doublings"


def _reach(seen: Survey) -> str:
    fmt, span = seen.fmt, seen.highest - seen.lowest + 1
    return f"The numbers span {span} binades, and {fmt} reaches over {fmt.emax - fmt.quantum_exponent_min + 1}."


def _room(seen: Survey, shift: int) -> int:
    """How often the scale can be doubled before something overflows that did not."""
    overflowed, room = seen.fate(shift).overflowed, 0
    while seen.binades and seen.fate(shift + room + 1).overflowed == overflowed and room < 2 * seen.fmt.bias:
        room += 1
    return 0 if overflowed else room


ALMOST = 1000
"""A smaller scale is as good as the best one if it loses not more than one number in so many beyond."""


def _smaller(seen: Survey, best: int) -> list[str]:
    """The smallest scale that does almost as well, if there is one: what is lost beyond may not matter."""
    enough = seen.fate(best).lost + seen.finite // ALMOST
    first = next((k for k in range(1, best) if seen.fate(k).lost <= enough), best)
    if first == best:
        return []
    return [f"2^{first} would do almost as well ({percent(seen.fate(first).lost / seen.finite)})."]
