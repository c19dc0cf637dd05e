"""Trace: where did my digits go?

Ordinary NumPy and Python code runs, unchanged, in an emulated format and beside a *shadow*: the same computation
without rounding, exact or in double-double. The report says which source line lost the digits.

    >>> import math
    >>> import fp16sim as fs
    >>> def naive(x):
    ...     return (1 - math.cos(x)) / x**2
    >>> run = fs.trace.wrap(naive, fmt="binary16")(0.03)
    >>> run.lines[0].expression, round(run.lines[0].blamed, 1)
    ('1 - math.cos(x)', 7.4)
    >>> round(run.error, 3), run.returned
    (0.085, FloatArray(0.5425, binary16))

`wrap(function, fmt, mode, accumulator)(*args)` returns a `Run`. Its `lines` are ranked, the line to blame first; each
`Line` has `file`, `line` (the number), `source` (the text), `blamed` (bits of the results that were lost there), `made`
and `inherited` (relative errors), `amplification`, `cancelled` (bits), `events` (absorbed, overflow, underflow,
subnormal, nan, branches, shadow_lost) and a `witness`. `run.results` are the numbers that the function returned, each
with its shadow; `run.error` is their worst relative error, and `run.norm_error` the error by norms. `run.escapes` are
the places where numbers left the trace.

What is kept and what is rounded:

- Float arguments are rounded to the format; what the format holds is their shadow. Integers stay integers.
- Floats in the source, and those that numpy and math give, are rounded where they are used; their shadow is the float,
  so what that rounding changes is an error of the line.
- A dtype of float64 stands for the traced format. np.float32 and np.float16 are kept where the code asks for them, so a
  cast to np.float32 is an island of binary32.
- Sums are added one term after the other, or by the accumulator.

`recording()` traces a block, `script(path)` a program (`fp16sim trace`), `training_step(recipe)` a step of the training
lab; `compare(run_a, run_b)` finds the first operation whose results differ. `run.cures` are changes that reduce the
error, each measured by running the program again; `print(run)` tells all of it, `run.to_html()` beside the source.

`pairs` and `pair_functions` are double-double arithmetic with a bound, `wide` that of scalars; `shadows` is the table
of operations on both, `corrections` does the same for large arrays. `traced` is the value with its shadow, `dispatch`
NumPy's functions on it. `sites`, `marks` and `recorder` measure, `ranking` says which line is to blame, `patterns` and
`cures` try what helps. `literals`, `proxies` and `rewriting` let unchanged code run; `running`, `recording`, `scripts`,
`comparing` and `training` are what one calls; `sentences`, `report` and `page` tell it.
"""

from .comparing import Divergence, compare
from .cures import Cure
from .ranking import Line, Result
from .recorder import Escape
from .recording import Recording, recording
from .running import Run, wrap
from .scripts import script
from .training import LayerOperation, TrainingStep, training_step

__all__ = [
    "Cure",
    "Divergence",
    "Escape",
    "LayerOperation",
    "Line",
    "Recording",
    "Result",
    "Run",
    "TrainingStep",
    "compare",
    "recording",
    "script",
    "training_step",
    "wrap",
]
