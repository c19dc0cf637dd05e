"""What thousands of models give for one probe, at once: the same numbers as `Model.dot`, in float64.

A model is a row of integers. Terms of a probe span at most 50 bits, so that float64 adds them without an error.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..conversion import Array
from ..formats import BINARY16, Format, Rounding
from .model import CUTS, PATTERNS, ROUNDS, Model
from .probes import LONGEST, Probe

EXACT = 200
"""Fraction bits that no term of a probe reaches below: an exact sum."""
ABSENT = -8192
"""The exponent of what takes no part in an alignment."""

GROUPS = (*range(1, 33), 48, 64)
SCHEDULES: tuple[tuple[str, int], ...] = (
    *(("consecutive", group) for group in GROUPS),
    *(("even_odd", group) for group in (2, 4, 8, 16, 32)),
    *(("pairs", group) for group in (4, 8, 16, 32)),
)
"""Which products are added together: a pattern, and how many."""
CUT, MODE = tuple(CUTS), tuple(ROUNDS)


def _steps() -> Array:
    """For each schedule, the step that adds each product."""
    return np.array([[PATTERNS[pattern](k, group) for k in range(LONGEST)] for pattern, group in SCHEDULES])


STEPS = _steps()


@dataclass(frozen=True)
class Candidates:
    """Models that may be the right one: an array of numbers for each parameter."""

    factors: Format
    output: Format
    schedule: Array
    bits: Array
    cut: Array
    after: Array
    normalised: Array
    precision: Array
    mode: Array

    def __len__(self) -> int:
        return len(self.bits)

    def only(self, which: Any) -> Candidates:
        """Some of them."""
        return Candidates(self.factors, self.output, *(getattr(self, name)[which] for name in PARAMETERS))

    def model(self, k: int) -> Model:
        """One of them, as a model."""
        pattern, group = SCHEDULES[self.schedule[k]]
        bits = int(self.bits[k])
        return Model(
            self.factors,
            self.output,
            group,
            None if bits == EXACT else bits,
            pattern,
            CUT[self.cut[k]],
            "after" if self.after[k] else "with",
            bool(self.normalised[k]),
            None if self.precision[k] == self.output.precision else int(self.precision[k]),
            MODE[self.mode[k]],
        )

    def in_every_schedule(self) -> Candidates:
        """Each of them in every schedule."""
        n, m = len(self), len(SCHEDULES)
        columns = [np.tile(getattr(self, name), m) for name in PARAMETERS[1:]]
        return Candidates(self.factors, self.output, np.repeat(np.arange(m, dtype=np.int16), n), *columns)


PARAMETERS = tuple(field.name for field in fields(Candidates))[2:]


def numeric(factors: Format, output: Format) -> Candidates:
    """Every window and rounding, in one schedule."""
    precisions = range(output.precision, 3, -1)
    windows = [(bits, cut) for bits in range(4, 41) for cut in range(len(CUT))] + [(EXACT, 0)]
    rows = [
        (0, bits, cut, after, normalised, p, mode)
        for (bits, cut), after, p, mode in itertools.product(windows, (0, 1), precisions, range(len(MODE)))
        for normalised in ((0, 1) if bits != EXACT else (0,))
    ]
    columns = np.array(rows, np.int16).T
    return Candidates(factors, output, *map(np.ascontiguousarray, columns))


# --- what they give -------------------------------------------------------------------------------------------------


def answers(models: Candidates, probe: Probe) -> Array:
    """The number that each gives for a probe of few products."""
    total = np.full(len(models), probe.c)
    if not len(models):
        return total
    places = np.array([place for place, *_ in probe.terms], int)
    values = np.array([x * y for _, x, y in probe.terms])
    exponents = np.array([_stored(x, models.factors) + _stored(y, models.factors) for _, x, y in probe.terms])
    exponents = np.where(values == 0, ABSENT, exponents)
    with np.errstate(all="ignore"):
        for member, takes_part in _memberships(models.schedule, places, probe.length):
            found = _step(models, member, values, exponents, total)
            total = np.where(takes_part & np.isfinite(total), found, total)
    return np.asarray(total)


def _stored(x: float, fmt: Format) -> int:
    return max(int(np.frexp(x)[1]) - 1, fmt.emin)


def _memberships(schedule: Array, places: Array, length: int) -> list[tuple[Array, Array]]:
    """For each step in turn: which products of the probe each model adds in it, and whether it has such a step.

    A step that adds zeros only changes no sum that has passed one already. So one such step stands for many.
    """
    known, which = np.unique(schedule, return_inverse=True)
    lists = [_of_schedule(s, places, length) for s in known]
    most = max(map(len, lists))
    nothing = np.zeros(len(places), bool)
    members = np.array([one + [nothing] * (most - len(one)) for one in lists])
    count = np.array([len(one) for one in lists])
    return [(members[which, k], (k < count)[which]) for k in range(most)]


def _of_schedule(schedule: int, places: Array, length: int) -> list[Array]:
    steps = STEPS[schedule, :length]
    found: list[Array] = []
    for step in np.unique(steps):
        member = steps[places] == step
        if member.any() or not found or found[-1].any():
            found.append(member)
    return found


def _step(models: Candidates, member: Array, values: Array, exponents: Array, total: Array) -> Array:
    apart = models.after.astype(bool)
    start = np.where(apart, 0.0, total)
    kept = np.where(
        models.normalised.astype(bool),
        _one_by_one(models, member, values, exponents, start),
        _at_once(models, member, values, exponents, start),
    )
    part = _rounded(kept, models.precision, models.mode, models.output)
    joined = _rounded(total + part, models.precision, np.full_like(models.mode, NEAREST), models.output)
    return np.where(apart, joined, part)


NEAREST = MODE.index(Rounding.TIES_TO_EVEN)


def _of(total: Array, output: Format) -> Array:
    return np.where(total == 0, ABSENT, np.maximum(np.frexp(total)[1] - 1, output.emin))


def _at_once(models: Candidates, member: Array, values: Array, exponents: Array, total: Array) -> Array:
    present = np.where(member, exponents, ABSENT)
    top = np.maximum(_of(total, models.output), present.max(axis=1, initial=ABSENT))
    top[top == ABSENT] = 0
    terms = np.column_stack([np.where(member, values, 0.0), total])
    return _cut(terms, (models.bits - top)[:, None], models.cut[:, None]).sum(axis=1)


def _one_by_one(models: Candidates, member: Array, values: Array, exponents: Array, total: Array) -> Array:
    top = _of(total, models.output)
    kept = np.where(total == 0, 0.0, _cut(total, models.bits - top, models.cut))
    for k in range(len(values)):
        top = np.maximum(_of(kept, models.output), exponents[k])
        shift = models.bits - top
        found = _cut(kept, shift, models.cut) + _cut(np.full_like(kept, values[k]), shift, models.cut)
        kept = np.where(member[:, k] & (exponents[k] != ABSENT), found, kept)
    return kept


def _cut(x: Array, shift: Array, cut: Array) -> Array:
    """What is left of `x` in units of 2^-shift."""
    y = np.ldexp(x, shift.astype(np.int32))
    for k, pick in enumerate((np.trunc, np.floor, np.rint)):
        y = np.where(cut == k, pick(y), y)
    return np.ldexp(y, -shift.astype(np.int32))


def _rounded(x: Array, precision: Array, mode: Array, fmt: Format) -> Array:
    e = np.maximum(np.frexp(x)[1] - 1, fmt.emin)
    shift = (precision - 1 - e).astype(np.int32)
    y = np.ldexp(x, shift)
    for k, pick in enumerate((np.trunc, np.rint, np.floor, np.ceil)):
        y = np.where(mode == k, pick(y), y)
    y = np.ldexp(y, -shift)
    return np.where(np.abs(y) >= 2.0 ** (fmt.emax + 1), np.copysign(np.inf, x), y) + 0.0


# --- steps of other kinds -------------------------------------------------------------------------------------------


def others(factors: Format, output: Format) -> list[Model]:
    """Models of machines that do not add aligned terms in one step."""
    nearest: dict[str, Any] = {"mode": Rounding.TIES_TO_EVEN}
    found = [
        Model(factors, output, group, bits, step="in_halves", **nearest)
        for group in (8, 16, 32, 64)
        for bits in range(20, 31)
    ]
    if output == BINARY16:
        return found
    found += [
        Model(factors, output, group, None, step="pairwise", flushes=flushes, **nearest)
        for group in (2, 4, 8, 16, 32)
        for flushes in (False, True)
    ]
    return found + [
        Model(factors, output, group, bits, step=step, **nearest)
        for step in ("floored", "odd_even")
        for group in (2, 4, 8, 16, 32)
        for bits in range(21, 29)
    ]
