"""Twenty classic computations that lose their digits in 16 bits, written as people write them.

>>> from fp16sim.demos.classics import CLASSICS
>>> CLASSICS[5].title, CLASSICS[5].line, CLASSICS[5].cure
('norm', 'squares = x * x + y * y', 'hypot')

`unstable` has the twenty functions, `cures` the same quantities by better formulas where there are any, and `table`
what there is to say about each. The lines were written down before `fp16sim.trace`, which has to find them: `measure`
says where it ranks a line, and what the cure does to the error.
"""

from .measured import Measured, measure
from .table import CLASSICS, Classic

__all__ = ["CLASSICS", "Classic", "Measured", "measure"]
