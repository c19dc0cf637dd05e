"""Published claims, computed again: what a paper says, our number with its interval, and whether it holds.

    >>> import fp16sim as fs
    >>> print(fs.papers.reproduce("harmonic", size="minute"))
    harmonic: reproduces at this size (minute)
    Higham, Pranesh (2019), Simulating low precision floating-point arithmetic
    <BLANKLINE>
    quantity         verdict  published    ours
    bfloat16: sum    holds       5.0625  5.0625
    bfloat16: terms  holds           65      65
    binary16: sum    holds       7.0859  7.0859
    binary16: terms  holds          513     513

`PAPERS` has all of them by name. Each is a sweep (`fs.sweeps`): a function of a few options, axes for two sizes, and a
judge of the results. `fp16sim reproduce NAME` runs one, and draws its picture.
"""

from .claims import SIZES, Paper, Quantity
from .reproduction import PAPERS, Reproduction, find, reproduce

__all__ = ["PAPERS", "SIZES", "Paper", "Quantity", "Reproduction", "find", "reproduce"]
