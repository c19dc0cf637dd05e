"""Pictures: each function draws data that others computed, on `ax` if given, and returns the Axes.

The pictures that teach are listed in `PICTURES`. For the numbers behind each, `fp16sim.demos` has a function of the
same name:

    import fp16sim as fs
    fs.plots.ulp()                                  # the formats of the lesson
    fs.plots.ulp(fmt=("binary16", "e5m2"), ax=ax)   # yours, on your Axes
    fs.plots.PICTURES                               # every picture, with the sentence that it shows

`training` draws runs, `sweep` many of them, `cost` what the benchmark measured, `window` a step of a matrix unit, and
`trace` the errors of a traced run.
"""

from types import ModuleType as _ModuleType

# The pictures, in the order of the lessons: importing one registers it. "x as x" tells type checkers that x is public.
# isort: off
from .spacing import number_line as number_line, ulp as ulp, staircase as staircase, relative_error as relative_error
from .sums import harmonic as harmonic, tenths as tenths, clock as clock, accumulators as accumulators
from .cancellation import one_minus_cos as one_minus_cos, quadratic as quadratic, polynomial as polynomial
from .cancellation import derivative as derivative, variance as variance
from .recurrences import logistic as logistic, muller as muller, rump as rump
from .learning import softmax as softmax, attention as attention, gradients as gradients
from .learning import stuck_weight as stuck_weight, stochastic as stochastic
from .all_pairs import pairs as pairs
from .refinement import refinement as refinement

from .gallery import PICTURES as PICTURES, Picture as Picture, find as find, figure_of as figure_of
from .gallery import write as write, write_all as write_all, write_sheet as write_sheet
from .runs import cost as cost, cost_figure as cost_figure, training as training, training_figure as training_figure
from .style import save as save
from .sweeps import sweep as sweep, sweep_figure as sweep_figure
from .papers import paper_figure as paper_figure
from .matrix_units import window as window
from .traces import trace as trace, trace_figure as trace_figure
# isort: on

# What was imported above. Not a literal list, which would repeat every name; and mypy takes no other.
globals()["__all__"] = sorted(k for k, v in globals().items() if not k.startswith("_") and type(v) is not _ModuleType)
