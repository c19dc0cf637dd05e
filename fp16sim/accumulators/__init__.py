"""How a sum of many terms is computed: each accumulator is a loop over `add` and `fma`, and equals it bit for bit.

`fs.sum(x, fmt, accumulator=...)` and its sisters take one, or its name (`parse`): `accumulator="kahan"`. Each also has
`.sum(x)` and `.dot(a, b, c)` of its own.
"""

from .base import Accumulator
from .blas import Blas
from .blocked import Blocked, Pairwise
from .compensated import Kahan
from .exact_sum import Exact
from .machines import MACHINES
from .parse import NAMES, AccumulatorLike, parse, resolve, unit_for_blocks
from .sequential import Fused, Sequential
from .tensorcore import TensorCore

__all__ = [
    "MACHINES",
    "NAMES",
    "Accumulator",
    "AccumulatorLike",
    "Blas",
    "Blocked",
    "Exact",
    "Fused",
    "Kahan",
    "Pairwise",
    "Sequential",
    "TensorCore",
    "parse",
    "resolve",
    "unit_for_blocks",
]
