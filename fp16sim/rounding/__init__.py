"""Rounding: the one place where a number becomes a number of a format.

`reference` is the clear general path, for every format and mode. `kernels` are faster paths, each proved equal to it.
`dispatch` chooses between them and notes the exceptions; `exact_numbers` goes through the exact layer; `round_to` is
the public function. `chunks` and `random_bits` serve `dispatch`.
"""

from .dispatch import CHUNK, round_array, round_without_flags
from .exact_numbers import note_exact
from .reference import exponent
from .round_to import held, round_to

__all__ = ["CHUNK", "exponent", "held", "note_exact", "round_array", "round_to", "round_without_flags"]
