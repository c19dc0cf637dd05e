"""Why a result is what it is: every step of an operation, computed from exact integers, as frozen data.

>>> import fp16sim as fs
>>> why = fs.explain.add(2048, 1, "binary16")
>>> why.rounding.rule, float(why.result.value)
('tie_to_even', 2048.0)

Records are computed first, and know nothing of how they are shown. `layouts` turns them into documents, which become
text or HTML; importing it registers a layout for each record.
"""

from . import layouts as layouts
from .alternatives import Detour, ModeResult, Outcome
from .basic_operations import add, convert, divide, fma, multiply, parse, rounding, sqrt, subtract
from .dot_product import DotExplanation, Step, dot
from .explanation import Explanation
from .records import ExactStep, Neighbour, Number, Operand, RoundingStep, Term
from .stored_number import Anatomy, Comparison, anatomy, compare

__all__ = [
    "Anatomy",
    "Comparison",
    "Detour",
    "DotExplanation",
    "ExactStep",
    "Explanation",
    "ModeResult",
    "Neighbour",
    "Number",
    "Operand",
    "Outcome",
    "RoundingStep",
    "Step",
    "Term",
    "add",
    "anatomy",
    "compare",
    "convert",
    "divide",
    "dot",
    "fma",
    "multiply",
    "parse",
    "rounding",
    "sqrt",
    "subtract",
]
