"""What to say about tensors in a format, in sentences that are computed from the counts.

Gradients can be multiplied by a loss scale before they are rounded, so the sentences say which one suits them. Other
numbers (weights, activations, indices) cannot; for them the sentences say what rounding changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal, TypeAlias

from ...formats import Format
from ...neighbours import ulp
from ...wording import count, joined, number, percent
from ..observe.exponents import Fate, Survey
from .inspected import InFormat, Inspected, together
from .parts import InBlocks

Kind: TypeAlias = Literal["gradients", "values"]


def verdicts(kind: Kind, tensors: Sequence[Inspected]) -> tuple[str, ...]:
    """For each format what to say about all tensors together."""
    found = together(tensors)
    if not found.survey.finite:
        return ("there is no finite nonzero number, so nothing can be lost.",) * len(found.formats)
    say = _on_gradients if kind == "gradients" else partial(_on_values, tensors)
    return tuple(" ".join(filter(None, say(one))) for one in found.formats)


def not_finite(kind: Kind, seen: Survey) -> str:
    """What was not finite before any rounding; "" if all was."""
    kinds = ((seen.nans, "NaN", "NaN"), (seen.infinities, "infinity", "infinities"))
    found = [count(*one) for one in kinds if one[0]]
    end = "; no loss scale repairs that." if kind == "gradients" else "."
    verb = "is" if seen.nans + seen.infinities == 1 else "are"
    return f"Before any rounding there {verb} {joined(found)}{end}" if found else ""


def on_blocks(found: InBlocks) -> str:
    """What blocks make of all tensors together."""
    if not found.finite:
        return "there is no finite nonzero number, so nothing can be lost."
    kinds = ((found.vanished, "become 0"), (found.saturated, "saturate"))
    lost = [(percent(n / found.finite), what) for n, what in kinds if n]
    whose = " of the nonzero numbers"
    said = "no number becomes 0 or saturates"
    if lost:
        said = joined(f"{share}{'' if i else whose} {what}" for i, (share, what) in enumerate(lost))
    spoiled = f" {count(found.spoiled, 'block')} of {found.blocks:,} hold NaN or infinity." if found.spoiled else ""
    return f"{said}; the error is {percent(found.error or 0.0)} of the length of the tensors.{spoiled}"


# --- gradients ------------------------------------------------------------------------------------------------------


WORTH = 0.9
"""A loss scale is advised if it makes the mean error smaller than this part of what it was."""


def best_scale(found: InFormat) -> int:
    """The k of the loss scale 2^k that suits gradients best; 0 if none makes the error much smaller.

    One infinite gradient spoils the whole step, so nothing may overflow. Of the scales that are left, the best is the
    smallest whose expected error is the least: a step with larger gradients may follow.
    """
    seen, now = found.survey, found.fate
    best = seen.best_shift(k for k in seen.useful_shifts() if not seen.fate(k).overflowed)
    saved = now.overflowed and seen.fate(best).lost < now.lost
    return best if saved or seen.expected_error(best) < WORTH * found.mean_error else 0


def _on_gradients(found: InFormat) -> Iterator[str]:
    seen = found.survey
    best, now = best_scale(found), _fates(found.fate, seen, " of the nonzero gradients")
    if best:
        yield f"multiply the loss by 2^{best}."
        yield f"Without it {now}."
        yield _errors(found)
        yield f"With it {_fates(seen.fate(best), seen)}."
        yield _doublings(seen, best)
    else:
        helps = "is needed" if found.mean_error <= float(seen.fmt.unit_roundoff) else "helps"
        yield f"no loss scale {helps}: {now}."
        yield _errors(found)
    yield from _reach(seen, best)


def _fates(fate: Fate, seen: Survey, whose: str = "") -> str:
    """What becomes of the finite nonzero gradients."""
    kinds = (
        (fate.underflowed, "become 0"),
        (fate.overflowed, "overflow"),
        (fate.subnormal, "become subnormal, with fewer digits"),
    )
    found = [(percent(n / seen.finite), what) for n, what in kinds if n]
    if not found:
        return f"all {count(seen.finite, 'nonzero gradient')} stay normal"
    return joined(f"{share}{'' if i else whose} {what}" for i, (share, what) in enumerate(found))


def _reach(seen: Survey, shift: int) -> Iterator[str]:
    """Why some numbers are lost at every scale."""
    span, available = seen.highest - seen.lowest + 1, seen.fmt.emax - seen.fmt.quantum_exponent_min + 1
    if seen.fate(shift).lost and span > available:
        yield f"The gradients span {count(span, 'binade')}, and {seen.fmt} has {available}."


def _doublings(seen: Survey, shift: int) -> str:
    """How often the scale can be doubled before the largest number overflows."""
    largest = seen.fmt.emax - seen.highest
    doublings = largest - bool(seen.fate(largest).overflowed) - shift
    if not doublings:
        return f"2^{shift} cannot be doubled, because the largest gradient would overflow."
    return f"2^{shift} can be doubled {count(doublings, 'time')} before the largest gradient overflows."


# --- other numbers --------------------------------------------------------------------------------------------------


def _on_values(tensors: Sequence[Inspected], found: InFormat) -> Iterator[str]:
    total, fate, errors = found.survey.total, found.fate, found.errors
    changed = errors.kept - errors.exact
    if fate.overflowed:
        yield f"{_part(fate.overflowed, total)} overflow: the largest number is {number(float(found.fmt.max_finite))}."
    if fate.underflowed:
        yield f"{_part(fate.underflowed, total)} become 0."
    if changed:
        by = f", by up to {number(errors.largest_change)}" if len(tensors) == 1 else ""
        yield f"{_part(changed, total)} are rounded{by}."
        yield _errors(found)
    elif not fate.lost:
        yield f"all {count(total, 'value')} stay what they are."
    yield from _collisions(found.fmt, tensors)
    yield _squares(found, tensors)


def _part(n: int, total: int) -> str:
    return f"{percent(n / total)} of the {count(total, 'value')} ({n:,})"


def _collisions(fmt: Format, tensors: Sequence[Inspected]) -> Iterator[str]:
    """Which tensors have fewer distinct values than before: any single tensor, and of several those of integers."""
    named = len(tensors) > 1
    for one in tensors:
        before, after = one.distinct, one[fmt].distinct
        if before is None or after is None or before == after or (named and not one.integers):
            continue
        yield f"{f'{one.name}: ' if named else ''}{before:,} distinct values become {after:,}."
        if one.integers:
            yield "If they are ids, indices or positions, keep them as integers."
        yield _spacing(fmt, one)


def _spacing(fmt: Format, one: Inspected) -> str:
    """How far apart the numbers of the format are at the largest one of a tensor that loses none."""
    largest = max(abs(one.smallest or 0.0), abs(one.largest or 0.0))
    if one[fmt].fate.lost or largest < fmt.min_normal:
        return ""
    return f"At {number(largest)} the numbers of {fmt} are {number(float(ulp(largest, fmt)))} apart."


def _squares(found: InFormat, tensors: Sequence[Inspected]) -> str:
    """Numbers in range whose squares are not, so that a norm or a variance of them is infinite."""
    first = (found.fmt.emax + 2) // 2  # the square of 2^first is 2^(emax + 1) or more
    large = sum(n for e, n in found.survey.exponents.items() if first <= e) - found.fate.overflowed
    if large <= 0 or not found.fmt.has_infinity or all(one.integers for one in tensors):
        return ""
    values = f"{count(large, 'value')} of {number(2.0**first)} or more overflow{'s' if large == 1 else ''}"
    return (
        f"{values} when squared: a norm, a variance or a mean of squares is infinite. "
        "Compute it in a wider format, or divide by the largest value first."
    )


def _errors(found: InFormat) -> str:
    """The relative errors of the numbers that are not lost; "" if there are none."""
    errors, lost = found.errors, found.fate.lost
    if not errors.kept:
        return ""
    if errors.exact == errors.kept:
        return "The others do not change." if lost else "None of them changes."
    who = "The relative errors of the others" if lost else "Relative errors"
    return f"{who} are at most {errors.largest:.2g} (mean {errors.mean:.2g})."
