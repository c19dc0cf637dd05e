"""Rounding: the one place where a number becomes a number of a format.

`round_to` is the public function. It rounds arrays by `dispatch`, and numbers that float64 does not hold by
`exact_numbers`. `dispatch` cuts arrays into `chunks`, which `threads` share, takes `random_bits`, chooses a path, and
notes the exceptions. There are two paths: `reference`, clear and general, and `kernels`, faster, each proved equal to
it. A single number is rounded by `scalars`, equal too, without an array.
"""

from .dispatch import CHUNK, round_array, round_without_flags
from .random_bits import draws_from
from .reference import exponent
from .round_to import round_if_needed, round_operand, round_to
from .scalars import plain_number, rounder

__all__ = [
    "CHUNK",
    "draws_from",
    "exponent",
    "plain_number",
    "round_array",
    "round_if_needed",
    "round_operand",
    "round_to",
    "round_without_flags",
    "rounder",
]
