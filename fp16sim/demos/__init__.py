"""The numbers behind the pictures: each function computes one lesson, with every step rounded, and returns frozen data.

`fp16sim.plots` has a function of the same name that draws the data. `.lesson` of the data is the sentence above the
picture.

    >>> from fp16sim import demos
    >>> demos.harmonic("binary16").lesson
    'The harmonic series diverges; binary16 stops it after 512 terms'
"""

from .all_pairs import pairs
from .cancellation import derivative, one_minus_cos, polynomial, quadratic, variance
from .failures import failure, failures
from .learning import attention, digit_gradients, gradients, softmax, stochastic, stuck_weight
from .matrix_units import window
from .recurrences import logistic, muller, rump
from .refinement import refinement
from .spacing import TOY, number_line, relative_error, staircase, ulp
from .sums import accumulators, clock, harmonic, tenths

__all__ = [
    "TOY",
    "accumulators",
    "attention",
    "clock",
    "derivative",
    "digit_gradients",
    "failure",
    "failures",
    "gradients",
    "harmonic",
    "logistic",
    "muller",
    "number_line",
    "one_minus_cos",
    "pairs",
    "polynomial",
    "quadratic",
    "refinement",
    "relative_error",
    "rump",
    "softmax",
    "staircase",
    "stochastic",
    "stuck_weight",
    "tenths",
    "ulp",
    "variance",
    "window",
]
