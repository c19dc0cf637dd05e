"""Fast ways to round. Deleting this package would change no result, only the time it takes.

`find` returns the kernel for a format and a mode. A kernel rounds by a `method`, of which there are two: on the `bits`
and by `scaling`; `sums` has a faster way for sums. `representable` quickly tells that an array needs no rounding. All
of them work in `buffers`.
"""

from .find import FEW, Kernel, OnOverflow, find
from .representable import all_representable
from .sums import find_for_sums, split

__all__ = ["FEW", "Kernel", "OnOverflow", "all_representable", "find", "find_for_sums", "split"]
