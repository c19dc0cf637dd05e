"""Arithmetic and comparisons, with one rounding per operation.

`operations` are the public functions. `intermediates` compute exactly, or to odd, what is rounded once; `native` uses
the processor's own operations where that gives the same result; `comparisons` need no rounding.
"""

from .comparisons import (
    compare,
    equal,
    extremum,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    maximum_number,
    minimum,
    minimum_number,
    not_equal,
    total_order,
    unordered,
)
from .operations import (
    add,
    broadcast_shape,
    divide,
    fma,
    ieee_remainder,
    multiply,
    operate,
    sqrt,
    subtract,
)

__all__ = [
    "add",
    "broadcast_shape",
    "compare",
    "divide",
    "equal",
    "extremum",
    "fma",
    "greater",
    "greater_equal",
    "ieee_remainder",
    "less",
    "less_equal",
    "maximum",
    "maximum_number",
    "minimum",
    "minimum_number",
    "multiply",
    "not_equal",
    "operate",
    "sqrt",
    "subtract",
    "total_order",
    "unordered",
]
