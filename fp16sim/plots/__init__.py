"""Pictures: each function draws data that others computed, on `ax` if given, and returns the Axes.

The pictures that teach have names of their own, and so have the numbers behind them in `fp16sim.demos`:

    import fp16sim as fs
    fs.plots.ulp()                                  # the formats of the lesson
    fs.plots.ulp(fmt=("binary16", "e5m2"), ax=ax)   # yours, on your Axes
    fs.plots.PICTURES                               # all of them, each with the sentence that it shows

`training` and `cost` draw a run and a measurement.
"""

from .all_pairs import pairs
from .cancellation import derivative, one_minus_cos, polynomial, quadratic, variance
from .gallery import PICTURES, Picture, figure_of, find, write, write_all
from .learning import gradients, softmax, stochastic, stuck_weight
from .recurrences import logistic, muller, rump
from .runs import cost, cost_figure, training, training_figure
from .spacing import number_line, relative_error, staircase, ulp
from .style import save
from .sums import accumulators, clock, harmonic, tenths

__all__ = [
    "PICTURES",
    "Picture",
    "accumulators",
    "clock",
    "cost",
    "cost_figure",
    "derivative",
    "figure_of",
    "find",
    "gradients",
    "harmonic",
    "logistic",
    "muller",
    "number_line",
    "one_minus_cos",
    "pairs",
    "polynomial",
    "quadratic",
    "relative_error",
    "rump",
    "save",
    "softmax",
    "staircase",
    "stochastic",
    "stuck_weight",
    "tenths",
    "training",
    "training_figure",
    "ulp",
    "variance",
    "write",
    "write_all",
]
