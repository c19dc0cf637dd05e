"""Which differences between accuracies are more than chance: intervals and tests for counts of right answers.

Test images are a sample: with others a model would have had another accuracy. Two questions follow.

How good is one model? Its accuracy has an interval, that of Wilson (1927, J. Am. Stat. Assoc. 22, 209-212). It is
right near 100 % too, where the usual p +- 1.96 sqrt(p (1 - p) / n) is too narrow (Brown, Cai and DasGupta 2001,
Statistical Science 16, 101-133).

Is one of two models better? Both answered the same images, so images that both got right, or both wrong, say nothing.
Let only the first be wrong on b images, and only the second on c. If both were equally good, each of these b + c images
would go either way like a coin: the exact test of McNemar (1947, Psychometrika 12, 153-157; for classifiers see
Dietterich 1998, Neural Computation 10, 1895-1923). It finds more than a comparison of intervals does, because images
that are hard for both do not count.

Another seed is another matter: two runs of one recipe differ too. `fp16sim.learn.table` shows that spread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..wording import joined

LEVEL = 0.05
"""A difference is called one if it would be as large or larger by chance in less than 5 % of cases. If several pairs
are compared, these 5 % are divided among them (Bonferroni), so that they hold for all pairs together."""

_Z = 1.959963984540054
"""95 % of the standard normal distribution lie between -z and z."""


class Interval(NamedTuple):
    """From where to where an accuracy may be, as parts of 1."""

    low: float
    high: float


def wilson(right: int, total: int) -> Interval:
    """The 95 % interval of Wilson for `right` of `total`.

    >>> low, high = wilson(353, 359)
    >>> print(f"{low:.3f} to {high:.3f}")
    0.964 to 0.992
    """
    p, z2 = right / total, _Z**2 / total
    middle, half = p + z2 / 2, _Z * math.sqrt(p * (1 - p) / total + z2 / (4 * total))
    # Rounding must not leave a bound beside 0 or 1 where it is exactly that.
    low, high = (middle - half) / (1 + z2), (middle + half) / (1 + z2)
    return Interval(0.0 if right == 0 else low, 1.0 if right == total else high)


def mcnemar(first_only: int, second_only: int) -> float:
    """How probable so large a difference or a larger one is, if both models are equally good: exact, two-sided.

    Of n images that only one model got wrong, k or fewer fall on one given side with the probability
    (C(n, 0) + ... + C(n, k)) / 2^n.

    Parameters
    ----------
    first_only, second_only : int
        How many images only the first, and only the second model got wrong.

    Examples
    --------
    >>> mcnemar(2, 4), mcnemar(0, 6), mcnemar(0, 0)
    (0.6875, 0.03125, 1.0)
    """
    n, term, total = first_only + second_only, 1, 0
    for k in range(min(first_only, second_only) + 1):
        total += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * total / 2**n)


@dataclass(frozen=True)
class Answers:
    """How many test images a model was given, and which of them it got wrong, in rising order."""

    images: int
    wrong: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.images < 1 or list(self.wrong) != sorted({*self.wrong} & {*range(self.images)}):
            raise ValueError(f"wrong={self.wrong} must rise, from 0 to images - 1 at most, where images={self.images}")

    @classmethod
    def of(cls, right: npt.ArrayLike) -> Answers:
        """From the truth of each answer.

        >>> Answers.of([True, False, True])
        Answers(images=3, wrong=(1,))
        """
        found = np.asarray(right, bool)
        return cls(found.size, tuple(np.flatnonzero(~found).tolist()))

    @property
    def accuracy(self) -> float:
        """The part that is right."""
        return (self.images - len(self.wrong)) / self.images

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return wilson(self.images - len(self.wrong), self.images)

    def chance(self, other: Answers) -> float:
        """How probable so large a difference is by chance; see `mcnemar`. ValueError for other images."""
        if self.images != other.images:
            raise ValueError(f"{self.images} and {other.images} images differ; compare answers to the same images")
        mine, theirs = set(self.wrong), set(other.wrong)
        return mcnemar(len(mine - theirs), len(theirs - mine))


@dataclass(frozen=True)
class Ranking:
    """What the answers of several models to the same images say about who is better.

    Attributes
    ----------
    beyond : tuple of (str, str)
        The pairs (better, worse) whose difference is more than chance.
    names : tuple of str
        All models.
    """

    names: tuple[str, ...]
    beyond: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, answers: Mapping[str, Answers]) -> Ranking:
        """Compare every pair.

        >>> few, many = Answers(100, (1, 2)), Answers(100, tuple(range(30)))
        >>> print(Ranking.of({"a": few, "b": many, "c": Answers(100, (1, 2, 3))}))
        a and c are better than b. All other differences are within chance.
        """
        pairs = list(combinations(answers, 2))
        found = [pair for pair in pairs if answers[pair[0]].chance(answers[pair[1]]) < LEVEL / len(pairs)]
        ranked = [sorted(pair, key=lambda name: -answers[name].accuracy) for pair in found]
        return cls(tuple(answers), tuple((better, worse) for better, worse in ranked))

    @property
    def best(self) -> str | None:
        """The model that is better than each of the others; None if there is none."""
        beaten = {name: {worse for better, worse in self.beyond if better == name} for name in self.names}
        return next((name for name in self.names if len(beaten[name]) == len(self.names) - 1 > 0), None)

    def __str__(self) -> str:
        return self.said("within chance")

    def said(self, within: str) -> str:
        """In sentences: who is better than whom, and that all other differences are `within` something.

        >>> Ranking(("a", "b", "c"), (("a", "c"), ("b", "c"))).said("within the spread")
        'a and b are better than c. All other differences are within the spread.'
        """
        if not self.beyond:
            return f"{_all(len(self.names))} {within}."
        worse_than: dict[tuple[str, ...], list[str]] = {}
        for worse in dict.fromkeys(worse for _, worse in self.beyond):
            better = tuple(name for name, other in self.beyond if other == worse)
            worse_than.setdefault(better, []).append(worse)
        said = [f"{_are(better)} better than {joined(worse)}." for better, worse in worse_than.items()]
        rest = math.comb(len(self.names), 2) - len(self.beyond)
        return " ".join([*said, *([f"All other differences are {within}."] if rest else [])])


def _all(models: int) -> str:
    return "The difference is" if models == 2 else "All differences are"


def _are(names: Sequence[str]) -> str:
    return f"{joined(names)} {'is' if len(names) == 1 else 'are'}"
