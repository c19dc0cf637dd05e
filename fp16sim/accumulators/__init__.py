"""How a sum of many terms is computed: each accumulator is a loop over `add` and `fma`, and equals it bit for bit.

`fs.sum(x, fmt, accumulator=...)` and its sisters take one, or its name (`parse`): `accumulator="kahan"`. Each also has
`.sum(x)` and `.dot(a, b, c)` of its own.
"""

from .base import Accumulator
from .blas import Blas
from .blocked import Blocked, Pairwise
from .compensated import Kahan
from .exact_sum import Exact
from .parse import NAMES, AccumulatorLike, parse, resolve
from .sequential import Fused, Sequential
from .tensorcore import GENERATIONS, TensorCore

__all__ = [
    "GENERATIONS",
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
]
