"""Arithmetic and comparisons, with one rounding per operation.

`operations` and `integers` are the public functions. `intermediates` compute exactly, or to odd, what is rounded once;
`native` uses the processor's own operations where that gives the same result, and `scalars` Python's own for single
numbers; `absorption` finds addends that changed nothing; `comparisons` need no rounding.
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
    maximum_magnitude,
    maximum_magnitude_number,
    maximum_number,
    minimum,
    minimum_magnitude,
    minimum_magnitude_number,
    minimum_number,
    not_equal,
    total_order,
    unordered,
)
from .integers import frexp, modf, round_to_integral, scale_b, to_integer
from .operations import (
    add,
    broadcast_shape,
    divide,
    fma,
    fmod,
    ieee_remainder,
    log_b,
    multiply,
    operate,
    round_exact,
    sqrt,
    subtract,
)
from .scalars import scalar_operation

__all__ = [
    "add",
    "broadcast_shape",
    "compare",
    "divide",
    "equal",
    "extremum",
    "fma",
    "fmod",
    "frexp",
    "greater",
    "greater_equal",
    "ieee_remainder",
    "less",
    "less_equal",
    "log_b",
    "maximum",
    "maximum_magnitude",
    "maximum_magnitude_number",
    "maximum_number",
    "minimum",
    "minimum_magnitude",
    "minimum_magnitude_number",
    "minimum_number",
    "modf",
    "multiply",
    "not_equal",
    "operate",
    "round_exact",
    "round_to_integral",
    "scalar_operation",
    "scale_b",
    "sqrt",
    "subtract",
    "to_integer",
    "total_order",
    "unordered",
]
