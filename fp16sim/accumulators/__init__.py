"""How a sum of many terms is taken: each accumulator is a loop over `add` and `fma`, and equals it bit for bit.

`fs.sum(x, fmt, accumulator=...)` and its sisters take one; each also has `.sum(x)` and `.dot(a, b, c)` of its own.
"""

from .base import Accumulator
from .blas import Blas
from .exactly import Exact
from .loops import Blocked, Fused, Kahan, Pairwise
from .sequential import Sequential
from .tensorcore import GENERATIONS, TensorCore

__all__ = [
    "GENERATIONS",
    "Accumulator",
    "Blas",
    "Blocked",
    "Exact",
    "Fused",
    "Kahan",
    "Pairwise",
    "Sequential",
    "TensorCore",
]
