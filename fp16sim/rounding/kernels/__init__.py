"""Fast ways to round. Deleting this package would change no result, only the time it takes.

`find` returns the kernel for a format and a mode. A kernel rounds by one of two methods: on the `bits` or by `scaling`.
`representable` tells quickly that an array needs no rounding. `buffers` are the memory of all of them.
"""

from .find import FEW, Kernel, OnOverflow, find
from .representable import all_representable

__all__ = ["FEW", "Kernel", "OnOverflow", "all_representable", "find"]
