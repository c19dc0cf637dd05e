"""Hypothesis strategies for numbers of a format: for people who test half-precision code, theirs or ours::

    from hypothesis import given
    from fp16sim.teach import strategies as fst

    @given(fst.floats("binary16", allow_nan=False), fst.floats("binary16", allow_nan=False))
    def test_addition_commutes(a, b):
        assert my_add(a, b) == my_add(b, a)

Numbers are drawn evenly over the codes of the format. Infinities, NaN, subnormals, powers of two and their neighbours
come at least once in a hundred draws each, and hardly any number comes twice. A failing number shrinks to few bits and
a small exponent. Values are Python floats that the format has (Fractions where binary64 does not have them); use them
as `np.float16(x)`, as `torch.tensor(x, dtype=torch.bfloat16)`, or unchanged.

===================================  ======================================================================
to test                              draw
===================================  ======================================================================
a rounder, a cast, a parser          `reals(fmt)`, `ties(fmt)`, `near_overflow(fmt)`, `near_underflow(fmt)`
an operation                         `floats(fmt)`, `cancelling_pairs(fmt)`, `absorbing_pairs(fmt)`
encode and decode                    `codes(fmt)`
sums and products of matrices        `arrays(fmt, shape)`
code that takes a format and a mode  `formats()`, `modes()`; `formats(unusual=True)` also without sign, and the like
a quantizer of MX or NVFP4 blocks    `blocks(block)`
a sum, softmax, normalisation        `rows(fmt)`: rows that cancel, overflow on the way, depend on the order, ...
a product of matrices                `matrix_pairs(fmt)`: of such rows and columns, with shapes that fit
===================================  ======================================================================
"""

from .block_elements import blocks
from .floats import floats
from .kernels import matrix_pairs, rows
from .operands import absorbing_pairs, arrays, cancelling_pairs, codes, formats, modes
from .roundable import near_overflow, near_underflow, reals, ties

__all__ = [
    "absorbing_pairs",
    "arrays",
    "blocks",
    "cancelling_pairs",
    "codes",
    "floats",
    "formats",
    "matrix_pairs",
    "modes",
    "near_overflow",
    "near_underflow",
    "reals",
    "rows",
    "ties",
]
