"""Which model explains a matrix unit: probes are asked until no other model of the family is left.

Each answer rules models out. The next probe is the one that divides those that are left into the smallest parts. At the
end random probes check the model on what it was not made from.
"""

from __future__ import annotations

import math
import numbers
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..accumulators.machines import DATAPATHS, Datapath
from ..conversion import Array
from ..formats import BINARY16, BINARY32, TF32, Format, FormatLike, get_format
from ..wording import quoted
from .answers import read_answers
from .family import Candidates, answers, numeric, others
from .model import Model, model_of
from .probes import MOST, Probe, probes
from .script import script
from .sentences import fit_data, report, what_is_open

Ask: TypeAlias = Callable[[list[float], list[float], float], float]
"""a, b, c -> c + the sum of a * b, as the machine computes it."""

SAMPLE = 256
"""Models by which the next probe is chosen."""
ZEROS = (None, -126)
"""Exponents that a zero may have in the alignment."""
FEW = 12
"""The same for models that are computed one by one."""
PATIENCE = 3
"""How often some of them may give no probe that divides them."""
MOST_VARIED = 64
"""Models of which variants are compared with extreme probes."""
MOST_KEPT = 256
"""Models that are compared with random probes, if more than that are left."""


@dataclass(frozen=True)
class Fit:
    """What was found out about a matrix unit.

    Attributes
    ----------
    factors, output : Format
    model : Model or None
        A model that gives the machine's answer to every probe; None if none of the family does.
    candidates : tuple of Model
        All models that do; the first is `model`. No probe asked tells them apart.
    rows : tuple of Datapath
        The rows of the table that do.
    asked : tuple of (Probe, float)
        The probes, each with the machine's answer.
    unexplained : tuple of (Probe, float) or None
        The first probe after which no model was left.

    Examples
    --------
    >>> from fp16sim.accumulators import TensorCore
    >>> found = fit(TensorCore("volta").dot)
    >>> found.model.group, found.model.bits, found.model.mode.value
    (4, 23, 'toward_zero')
    """

    factors: Format
    output: Format
    model: Model | None
    candidates: tuple[Model, ...]
    rows: tuple[Datapath, ...]
    asked: tuple[tuple[Probe, float], ...]
    unexplained: tuple[Probe, float] | None = None

    @property
    def probes(self) -> int:
        """How many probes the machine was asked."""
        return len(self.asked)

    @property
    def undetermined(self) -> dict[str, tuple[Any, ...]]:
        """The parameters of which several values explain every answer."""
        return what_is_open(self.candidates)

    def script(self) -> str:
        """A program that asks a GPU the same probes, and needs no fp16sim; `fit` reads what it writes."""
        return script(self.factors, self.output)

    def to_dict(self) -> dict[str, Any]:
        """The model and what is open, ready for JSON."""
        return fit_data(self)

    def __str__(self) -> str:
        return report(self)


def fit(probe: Ask | str | Path, factors: FormatLike = "binary16", output: FormatLike | None = None) -> Fit:
    """Find the model of a matrix unit from at most 200 of its dot products; it explains every answer, or none is given.

    The family: groups of 1 to 32, 48 or 64 products, neighbours or every other one (or pair); a window of 4 to 40
    fraction bits, or none; cut off toward zero, down or to nearest; the sum so far aligned with the products or added
    afterwards; terms added one by one or all at once; any precision and four rounding modes; the steps of AMD's units;
    zeros and subnormals that do or do not count.

    Parameters
    ----------
    probe : callable, str or Path
        A function of lists a and b and a number c that returns one number, the machine's c + sum of a * b. Or the file
        that the program of `script` wrote.
    factors : Format, str or dtype
        The format of a and b; a file says it itself.
    output : {"binary32", "binary16"}, optional
        The format of c and of the result; a probe finds it out if None.

    Returns
    -------
    Fit
        `print` shows it.

    Raises
    ------
    TypeError, ValueError
        For a probe that cannot be called, an answer that is not a number, and a file of another kind.

    Examples
    --------
    >>> from fp16sim.accumulators import TensorCore
    >>> print(fit(TensorCore("ampere", factors="tf32").dot, "tf32"))  # doctest: +ELLIPSIS
    products added at once  4, neighbours
    window                  24 fraction bits below the largest exponent, cut off toward zero
    sum so far              aligned with the products
    rounding                24 significant bits, toward_zero
    ...
    """
    if isinstance(probe, (str, Path)):
        given = read_answers(probe)
        return Search(given.ask, given.factors, given.output, tuple(given.values), knows_all=True).found()
    if not callable(probe):
        raise TypeError(f"probe={quoted(probe)} is not a function of a, b and c, nor a file that the script wrote")
    fmt = get_format(factors)
    if not fmt.fits_in(TF32):
        raise ValueError(f"factors={fmt.name} does not fit in tf32; use binary16, bfloat16, tf32 or an 8-bit format")
    asked = Machine(probe)
    out = _output_of(asked, output)
    return Search(asked, fmt, out, probes(fmt, out)).found()


class Machine:
    """The function of a user: what it returns must be one number, and the same number each time."""

    def __init__(self, ask: Ask) -> None:
        self.function = ask

    def __call__(self, probe: Probe) -> float:
        a, b = probe.factors()
        answer = self.function(a, b, probe.c)
        try:
            if isinstance(answer, numbers.Number) or np.ndim(answer) == 0:
                return float(answer)
        except (TypeError, ValueError):
            pass
        raise TypeError(f"probe(a, b, c) returned {quoted(answer)}; return one number, c + the sum of a * b")


def _output_of(ask: Machine, output: FormatLike | None) -> Format:
    """The format of the sums: binary32 if 2^-30 passes through."""
    if output is None:
        return BINARY32 if ask(Probe("single", ((0, 0.0, 0.0),), 2.0**-30, 1)) == 2.0**-30 else BINARY16
    fmt = get_format(output)
    if fmt not in (BINARY16, BINARY32):
        raise ValueError(f"output={fmt.name}: matrix units give binary32 or binary16 here; use one of them")
    return fmt


class Search:
    """The models that are left, and what was asked."""

    def __init__(
        self,
        ask: Callable[[Probe], float],
        factors: Format,
        output: Format,
        pool: Sequence[Probe],
        knows_all: bool = False,
    ) -> None:
        self.ask, self.factors, self.output, self.pool, self.knows_all = ask, factors, output, pool, knows_all
        self.asked: dict[Probe, float] = {}
        self.left = numeric(factors, output)
        self.others = others(factors, output)
        self.unexplained: tuple[Probe, float] | None = None
        self.rng = np.random.default_rng(0)

    def found(self) -> Fit:
        """Ask, rule out, check, and say what is left."""
        self._ask_while_models_differ("single")
        self.left = self.left.in_every_schedule()
        self._ask_while_models_differ("single", "sparse")
        models = self._ask_while_others_differ([*self.others, *self._some_models()])
        models = self._checked(models, ("single", "sparse", "dense") if self.knows_all else ("dense",))
        models = self._with_extremes(models)
        self._ask_again()
        if self.unexplained:
            models = []
        rows = tuple(row for row in DATAPATHS if self._is_of(row) and self._explains(model_of(row), self.asked))
        return Fit(
            self.factors,
            self.output,
            models[0] if models else None,
            tuple(models),
            rows if models else (),
            tuple(self.asked.items()),
            self.unexplained,
        )

    def _is_of(self, row: Datapath) -> bool:
        return not row.scales and row.output == self.output and get_format(row.factors) == self.factors

    def answer(self, probe: Probe) -> float:
        """What the machine says, which is asked once."""
        if probe not in self.asked:
            self.asked[probe] = self.ask(probe)
        return self.asked[probe]

    def _unasked(self, kinds: Iterable[str]) -> list[Probe]:
        return [probe for probe in self.pool if probe.kind in kinds and probe not in self.asked]

    # --- elimination ---

    def _ask_while_models_differ(self, *kinds: str) -> None:
        sample, table, pool = self._sample(kinds)
        while len(self.left):
            best = _divides_best(table, [probe in self.asked for probe in pool])
            if best is None:
                if len(sample) == len(self.left):
                    return
                sample, table, pool = self._sample(kinds)
                if _divides_best(table, [False] * len(pool)) is None:
                    return
                continue
            answer = self._keep(pool[best])
            kept = _same(table[best], answer)
            sample, table = sample[kept], table[:, kept]
            if len(sample) < 2:
                sample, table, pool = self._sample(kinds)

    def _sample(self, kinds: Sequence[str]) -> tuple[Array, Array, list[Probe]]:
        """Some of the models that are left, and what each gives for each probe that was not asked."""
        n, pool = len(self.left), self._unasked(kinds)
        which = np.arange(n) if n <= SAMPLE else self.rng.choice(n, SAMPLE, replace=False)
        some = self.left.only(which)
        table = np.array([answers(some, probe) for probe in pool]) if n and pool else np.zeros((len(pool), len(which)))
        return which, table, pool

    def _keep(self, probe: Probe) -> float:
        """Ask, and keep the models that give the answer."""
        answer = self.answer(probe)
        self.left = self.left.only(_same(answers(self.left, probe), answer))
        self.others = [model for model in self.others if _gives(model, probe, answer)]
        if not len(self.left) and not self.others and not self.unexplained:
            self.unexplained = (probe, answer)
        return answer

    def _ask_while_others_differ(self, models: list[Model]) -> list[Model]:
        """The same for models of all kinds, which are computed one by one: some of them choose, all of them answer."""
        in_vain = 0
        while len(models) > 1 and in_vain < PATIENCE:
            pool = self._unasked(("single", "sparse", "dense"))
            some = list(models)
            if len(models) > FEW:
                pool = [pool[k] for k in self.rng.permutation(len(pool))[: 3 * FEW]]
                some = [models[k] for k in self.rng.permutation(len(models))[:FEW]]
            table = np.array([[_dot(model, probe) for model in some] for probe in pool])
            best = _divides_best(table, [False] * len(pool))
            in_vain = PATIENCE if best is None and len(some) == len(models) else in_vain + (best is None)
            while best is not None:
                models = self._those_that_give(models, pool[best])
                table = table[:, _same(table[best], self.asked[pool[best]])]
                best = _divides_best(table, [probe in self.asked for probe in pool])
        return models

    def _some_models(self) -> list[Model]:
        """Those that are left, the simplest first."""
        which = sorted(range(len(self.left)), key=lambda k: _complexity(self.left, k))[:MOST_KEPT]
        return [self.left.model(k) for k in which]

    # --- the checks ---

    def _checked(self, models: list[Model], kinds: Sequence[str]) -> list[Model]:
        """Those that explain the random probes, too, or all that a file has answers to."""
        for probe in self._unasked(kinds):
            if not models:
                break
            models = self._those_that_give(models, probe)
        return models

    def _those_that_give(self, models: list[Model], probe: Probe) -> list[Model]:
        answer = self.answer(probe)
        found = [model for model in models if _gives(model, probe, answer)]
        if not found and not self.unexplained:
            self.unexplained = (probe, answer)
        return found

    def _with_extremes(self, models: list[Model]) -> list[Model]:
        """Zeros, subnormals and a least exponent: parameters that only extreme probes show."""
        pool = self._unasked(("extreme",))[: MOST - len(self.asked) - 3]
        if not models:
            return []
        few = len(models) <= FEW
        found = [variant for model in models[:MOST_VARIED] for variant in _variants(model, few)]
        for probe in pool:
            found = self._those_that_give(found, probe)
        settings = list(dict.fromkeys((m.zero, m.least, m.flushes) for m in found))
        for model in models[MOST_VARIED:]:
            for zero, least, flushes in settings:
                one = replace(model, zero=zero, least=least, flushes=flushes)
                if all(_gives(one, probe, self.asked[probe]) for probe in pool):
                    found.append(one)
        return [model for model in dict.fromkeys(found) if self._explains(model, self.asked)]

    def _explains(self, model: Model, asked: dict[Probe, float]) -> bool:
        return all(_gives(model, probe, answer) for probe, answer in asked.items())

    def _ask_again(self) -> None:
        """A machine that gives another number the second time has no model."""
        for probe in list(self.asked)[-2:]:
            again = self.ask(probe)
            if not _same(np.array([again]), self.asked[probe]).all():
                self.unexplained = (probe, again)


def _variants(model: Model, few: bool) -> list[Model]:
    """The model with every choice for zeros, subnormals and a least exponent that could change a result."""
    factors, output = model.factors, model.output
    aligns = model.bits is not None and model.step in ("aligned", "in_halves", "floored", "odd_even")
    lowest = min(2 * factors.emin, output.emin)
    zeros = ZEROS if aligns and ZEROS[-1] + factors.emax > lowest else (model.zero,)
    below = range(lowest if output == BINARY16 else lowest // 2 - 24, output.emin)
    leasts = (None, *below) if few and aligns and lowest < output.emin and model.step != "floored" else (None,)
    return [
        replace(model, zero=zero, least=least, flushes=flushes)
        for zero, least, flushes in product(zeros, leasts, (model.flushes, not model.flushes))
        if zero is None or least is None or least > zero  # the zeros of a group already reach that far
    ]


def _complexity(left: Candidates, k: int) -> tuple[int, ...]:
    """A key that sorts simple models first."""
    columns = (left.normalised, left.after, left.cut, left.schedule, left.bits, -left.precision, left.mode)
    return tuple(int(column[k]) for column in columns)


def _dot(model: Model, probe: Probe) -> float:
    """What a model gives. One step of zeros after the products stands for all that follow it."""
    last, block = probe.terms[-1][0], 2 * model.group
    a, b = probe.factors()
    n = (last // block + 2) * block
    return model.dot(a[:n], b[:n], probe.c)


def _gives(model: Model, probe: Probe, answer: float) -> bool:
    given = _dot(model, probe)
    return given == answer or (math.isnan(given) and math.isnan(answer))


def _same(given: Array, answer: float) -> Array:
    return np.asarray((given == answer) | (np.isnan(given) & np.isnan(answer)))


def _divides_best(table: Array, is_asked: list[bool]) -> int | None:
    """The probe for which the most frequent answer of the models is rarest; None if all give the same for each."""
    best, least = None, table.shape[1] if table.ndim == 2 else 0
    for k, row in enumerate(table):
        if is_asked[k]:
            continue
        most = max(Counter(row.tolist()).values(), default=0)
        if most < least:
            best, least = k, most
    return best
