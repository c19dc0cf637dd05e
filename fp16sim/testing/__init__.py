"""Assertions for tests of low-precision code: bit for bit, or within a bound that is derived, never guessed::

    import fp16sim as fs

    fs.testing.assert_rounded(my_cast(x), x, "bfloat16")
    fs.testing.assert_operation(my_divide(a, b), "divide", a, b, fmt="binary16")
    fs.testing.assert_explained(my_matmul(a, b), "matmul", a, b, fmt="bfloat16", accumulators="binary32")

Results and operands may be NumPy arrays (also of ml_dtypes), FloatArrays, JAX arrays or torch tensors; no framework is
imported. `exactly` compares bit for bit. `explained` tries the permitted accumulators and orders; if none fits, it asks
`bounds` for a bound, which `kernels` derives from the errors of sums (`sums`) and of single operations (`balls`).
`rows` makes data that is hard for a kernel, `differences` measures in ulp, `planted` shows what is found, and
`fixtures` is for pytest: a project imports it.
"""

from .bounds import Bound, bound
from .differences import ulp_difference, within_ulps
from .exactly import assert_operation, assert_rounded
from .explained import Evidence, assert_explained
from .rows import ROWS, hard_rows

__all__ = [
    "ROWS",
    "Bound",
    "Evidence",
    "assert_explained",
    "assert_operation",
    "assert_rounded",
    "bound",
    "hard_rows",
    "ulp_difference",
    "within_ulps",
]
