"""Many runs of one function: every combination of options, on any number of processes, in a table that grows.

    >>> import fp16sim as fs
    >>> def error(fmt, n):
    ...     return abs(float(fs.sum([0.1] * n, fmt)) - n / 10)
    >>> found = fs.sweeps.run(error, {"fmt": ["binary16", "bfloat16"], "n": [100, 1000]})
    >>> print(found)
    fmt          n  cells     value
    binary16   100      1  0.078125
    binary16  1000      1    5.1875
    bfloat16   100      1    0.0625
    bfloat16  1000      1        68

`fs.sweeps.run(function, axes, base=..., cells=..., table="x.jsonl", workers=2)` calls `function(**options)` for every
cell and returns `Results`: `found.rows` has every cell with its `place` (values of the axes) and `result`;
`found.where(fmt="binary16")` those with some values; `found.groups` the cells that differ in the seed alone, with
`group.spread("value")`: mean, half the 95 % interval, values. `fs.learn.sweep(axes, **options)` is the same for
training. With `table`, a finished cell is never computed again; `workers=2` runs cells in two processes, and
`scheduler="tcp://host:8786"` on a Dask cluster: then the function must be at the top of a module.

Where data flows::

    plans      a TOML file -> function, axes, base          cells      axes -> cells, each with a key
    work       one cell -> its outcome                      runners, cluster   where cells run
    table      outcomes <-> lines of a file                 sweep      run what is left
    student    values -> mean and interval                  results    groups, causes, text
"""

from .cells import Cell
from .plans import Plan, read_plan
from .results import Group, Results, Row
from .student import Spread
from .sweep import Progress, run
from .table import Record
from .work import Failure

__all__ = ["Cell", "Failure", "Group", "Plan", "Progress", "Record", "Results", "Row", "Spread", "read_plan", "run"]
