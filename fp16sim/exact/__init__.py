"""The slow truth: floating-point arithmetic on ints and Fractions. Every other module is judged by this one.

A value is a Fraction, or one of the floats that no Fraction can be: -0.0, inf, -inf and nan (quiet, or signaling: an
operation on that raises invalid). An operation is computed exactly, then rounded once:

    lift   x = n * 2^q, where 2^q is the quantum (the unit in the last place) of the binade that x lies in
    round  n to an integer k, by the mode
    lower  k * 2^q, unless that is beyond max_finite (overflow) or of a kind that the format flushes

It imports nothing but the standard library and `formats`, and shares no code with what it judges.
"""

from .codes import decode
from .integers import (
    frexp,
    modf,
    round_to_integral,
    scale_b,
    to_integer,
)
from .operations import (
    OPERATIONS,
    add,
    compute,
    divide,
    fma,
    fmod,
    ieee_remainder,
    log_b,
    multiply,
    operate,
    sqrt,
    sqrt_to_odd,
    subtract,
)
from .parsing import INF, MAX_DIGITS, MAX_LENGTH, NAN, REACH, Value, parse, parse_to_round
from .rounding import (
    DRAW_BITS,
    FLAGS,
    Result,
    chance_of_up,
    encode,
    is_odd,
    nan_value,
    quantum_exponent,
    round_integer,
    round_operand,
    round_result,
    round_to,
    without_input_flush,
)
from .values import SIGNALING_NAN, as_exact, exponent_of, is_finite, is_nan, is_negative, is_signaling, signed

__all__ = [
    "DRAW_BITS",
    "FLAGS",
    "INF",
    "MAX_DIGITS",
    "MAX_LENGTH",
    "NAN",
    "OPERATIONS",
    "REACH",
    "SIGNALING_NAN",
    "Result",
    "Value",
    "add",
    "as_exact",
    "chance_of_up",
    "compute",
    "decode",
    "divide",
    "encode",
    "exponent_of",
    "fma",
    "fmod",
    "frexp",
    "ieee_remainder",
    "is_finite",
    "is_nan",
    "is_negative",
    "is_odd",
    "is_signaling",
    "log_b",
    "modf",
    "multiply",
    "nan_value",
    "operate",
    "parse",
    "parse_to_round",
    "quantum_exponent",
    "round_integer",
    "round_operand",
    "round_result",
    "round_to",
    "round_to_integral",
    "scale_b",
    "signed",
    "sqrt",
    "sqrt_to_odd",
    "subtract",
    "to_integer",
    "without_input_flush",
]
