"""The twenty, as a frozen table: arguments that show the trouble, the line that an analyst names, why, and the cure."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..common import frozen
from . import cures, unstable


@dataclass(frozen=True)
class Classic:
    """A computation that loses its digits in 16 bits.

    Attributes
    ----------
    name : str
        Of the function in `unstable`, and of its cure in `cures`.
    title : str
        As people call it.
    fmt : str
        The format in which `arguments` show the trouble.
    arguments : tuple
        What the function takes.
    line : str
        The text of the line that a numerical analyst names.
    why : str
        One sentence.
    cure : str or None
        The name of the cure; None if the problem itself, or the method, is unstable.
    suggestion : str or None
        What the trace calls the cure that it suggests first.
    """

    name: str
    title: str
    fmt: str
    arguments: tuple[Any, ...]
    line: str
    why: str
    cure: str | None
    suggestion: str | None

    @property
    def function(self) -> Callable[..., Any]:
        """The unstable computation."""
        return getattr(unstable, self.name)

    @property
    def cured(self) -> Callable[..., Any] | None:
        """The same quantity by the cure."""
        return getattr(cures, self.name) if self.cure else None

    @property
    def line_number(self) -> int:
        """Where `line` stands in the file of the function."""
        lines, first = inspect.getsourcelines(self.function)
        return first + [text.strip() for text in lines].index(self.line)


def _random(seed: int, count: int, size: float = 1.0) -> Any:
    return np.random.default_rng(seed).normal(0, size, count)


_ACTIVATIONS = _random(1, 256)
_ACTIVATIONS[17] = 300.0
_VECTOR = _random(3, 512)

CLASSICS = (
    Classic(
        "quadratic_formula",
        "quadratic formula",
        "binary16",
        (1.0, 50.0, 1.0),
        "return (-b + root) / (2 * a)",
        "The root is nearly b: their difference consists of the rounding error of the root.",
        "the stable quadratic formula: add numbers of one sign, and take the other root from the product of both",
        "stable quadratic formula",
    ),
    Classic(
        "one_pass_variance",
        "variance in one pass",
        "binary16",
        (frozen(30 + _random(0, 16)),),
        "return mean_of_squares - mean * mean",
        "Both terms are near 900 and the variance is near 1: the difference consists of their rounding errors.",
        "two passes: subtract the mean before squaring",
        "two passes",
    ),
    Classic(
        "one_minus_cosine",
        "(1 - cos x) / x^2",
        "binary16",
        (0.03,),
        "return (1 - math.cos(x)) / x**2",
        "cos x is nearly 1: what the subtraction leaves is the rounding error of the cosine.",
        "1 - cos x is 2 sin(x/2)^2",
        "half angle",
    ),
    Classic(
        "softmax",
        "softmax",
        "binary16",
        (frozen(np.array([12.0, 11.0, 9.0, 4.0])),),
        "weights = np.exp(logits)",
        "exp overflows binary16 above 11.09; infinity divided by infinity is NaN.",
        "subtract the largest logit first",
        "softmax, shifted",
    ),
    Classic(
        "logsumexp",
        "logsumexp",
        "binary16",
        ([12.0, 11.5, 3.0],),
        "total += math.exp(value)",
        "exp overflows binary16 above 11.09, though the logarithm of the sum is a small number.",
        "logsumexp with the largest number taken out",
        "logsumexp, loop",
    ),
    Classic(
        "norm",
        "norm",
        "binary16",
        (300.0, 400.0),
        "squares = x * x + y * y",
        "The squares of numbers above 255 overflow binary16, though the norm is 500.",
        "hypot",
        "hypot",
    ),
    Classic(
        "expanded_polynomial",
        "polynomial near a root",
        "binary16",
        (1.03125,),
        "return x**3 - 3 * x**2 + 3 * x - 1",
        "Terms near 3 cancel to 0.00003: their rounding errors are larger than the value.",
        "the factored form",
        "binary32 island",
    ),
    Classic(
        "gram_schmidt",
        "Gram-Schmidt",
        "binary16",
        ([frozen(np.array([1, *row])) for row in 0.01 * np.eye(3)],),
        "rest = rest - np.dot(q, vector) * q",
        "The vectors are nearly parallel: the subtraction cancels, and later projections do not see what it lost.",
        "modified Gram-Schmidt: project what is left of the vector, not the vector",
        "modified Gram-Schmidt",
    ),
    Classic(
        "muller",
        "Muller's recurrence",
        "binary16",
        (2.0, -4.0, 12),
        "before, now = now, 111 - 1130 / now + 3000 / (now * before)",
        "Its limit 6 repels and its limit 100 attracts: the first rounding error grows until the limit is 100.",
        None,
        None,
    ),
    Classic(
        "continued_subtraction",
        "continued subtraction",
        "binary16",
        (100.0, 0.1, 200),
        "left = left - share",
        "Each difference is rounded to a multiple of up to 1/16, always to the same side: the errors add up.",
        "Kahan's compensation: keep what each subtraction lost",
        "Kahan",
    ),
    Classic(
        "horner",
        "Horner's rule at a double root",
        "binary16",
        ([1.0, -6.0, 13.0, -12.0, 4.0], 1.05),
        "value = value * x + coefficient",
        "At the double root 1 the last steps cancel: the rounding errors before them are as large as the value.",
        "a binary32 island: evaluate in binary32, round the value",
        "binary32 island",
    ),
    Classic(
        "rms_norm",
        "square of RMSNorm",
        "binary16",
        (frozen(_ACTIVATIONS), frozen(np.ones(256))),
        "mean_square = np.mean(x * x)",
        "One activation of 300 has a square beyond binary16: the mean is infinite, and every output is 0.",
        "a binary32 island: square and add in binary32",
        "scaling before squaring",
    ),
    Classic(
        "layer_norm",
        "variance of LayerNorm",
        "binary16",
        (frozen(_random(2, 128, 300.0)),),
        "variance = np.mean(centred**2)",
        "The squares of numbers above 255 overflow binary16: the variance is infinite, and every output is 0.",
        "scaling before squaring",
        "scaling before squaring",
    ),
    Classic(
        "cosine_similarity",
        "cosine similarity",
        "binary16",
        (frozen(_VECTOR), frozen(_VECTOR + _random(4, 512, 0.5))),
        "squared_norms = np.dot(a, a) * np.dot(b, b)",
        "The product of the two squared norms overflows binary16: the cosine becomes 0.",
        "divide by one norm after the other",
        "one root at a time",
    ),
    Classic(
        "rotary_angles",
        "rotary angle at position 1857",
        "binary16",
        (1857.0, 16),
        "angle = position * frequency",
        "Above 1024, binary16 has whole numbers only: the angle in radians is off by up to 1/2.",
        "a binary32 island: compute frequency and angle in binary32",
        "rotary_angles in binary32",
    ),
    Classic(
        "moving_average",
        "moving average with 0.999",
        "binary16",
        (1.0, [1.05] * 60),
        "average = 0.999 * average + 0.001 * value",
        "The change of 0.00005 is less than half an ulp of the average: it never moves.",
        "Kahan's compensation: keep what each addition lost",
        "moving average",
    ),
    Classic(
        "adam",
        "Adam with epsilon 1e-8",
        "binary16",
        (frozen(np.array([1.0, -2.0, 0.5])), frozen(np.array([0.0, 0.5, -0.25])), 0.001),
        "return weight - rate * moment / (np.sqrt(second_moment) + 1e-8)",
        "1e-8 is 0 in binary16: a gradient of 0 gives 0/0, and the weight becomes NaN.",
        "an epsilon that the format holds, such as 1e-4",
        "other constant",
    ),
    Classic(
        "attention_mask",
        "naive attention mask",
        "binary16",
        (frozen(np.array([1.0, 2.0, 3.0])), frozen(np.array([1.0, 1.0, 0.0]))),
        "masked = scores - 1e10 * (1 - mask)",
        "1e10 is infinity in binary16, and infinity times 0 is NaN.",
        "np.where, with -infinity where the mask is 0",
        "other constant",
    ),
    Classic(
        "log_of_softmax",
        "logarithm of a softmax",
        "binary16",
        (frozen(np.array([0.0, 18.0, 5.0])),),
        "return np.log(probabilities)",
        "A probability of 1.5e-8 is 0 in binary16, which does little harm until its logarithm is -infinity.",
        "log_softmax: subtract the logarithm of the sum, take no logarithm of a quotient",
        "log_softmax",
    ),
    Classic(
        "clip_gradient",
        "gradient clipping",
        "binary16",
        (frozen(np.array([300.0, 40.0, -2.0])), 1.0),
        "norm = np.sqrt(np.sum(gradient**2))",
        "The square of 300 overflows binary16: the norm is infinite, and every gradient becomes 0.",
        "scaling before squaring",
        "scaling before squaring",
    ),
)
"""The twenty, in the order of `unstable`."""
