"""Why a result is what it is: every step of an operation, computed from exact integers, as frozen data.

>>> import fp16sim as fs
>>> why = fs.explain.add(2048, 1, "binary16")
>>> why.rounding.rule, float(why.result.value)
('tie_to_even', 2048.0)

The path of an expression: `decoding` reads the operands, `exact_step` computes without rounding, `rounding_step` rounds
once, and `basic_operations` puts the steps together as an `Explanation`. Records know nothing of how they are shown:
`layouts` registers a function for each type of record that makes a `document` of it, and `rendering` turns that into
text or HTML.
"""

from . import layouts as layouts
from .alternatives import Detour, ModeResult, Outcome
from .basic_operations import add, convert, divide, fma, multiply, parse, rounding, sqrt, subtract
from .block import BlockElement, BlockExplanation, RuleResult, block
from .dot_product import DotExplanation, Step, dot, total
from .explanation import Explanation
from .functions import ComparisonExplanation, FunctionExplanation, comparison, function
from .parts import Part, PartsExplanation, parts
from .records import ExactStep, Neighbour, Number, Operand, RoundingStep, Term
from .stored_number import Anatomy, Comparison, anatomy, compare

__all__ = [
    "Anatomy",
    "BlockElement",
    "BlockExplanation",
    "Comparison",
    "ComparisonExplanation",
    "Detour",
    "DotExplanation",
    "ExactStep",
    "Explanation",
    "FunctionExplanation",
    "ModeResult",
    "Neighbour",
    "Number",
    "Operand",
    "Outcome",
    "Part",
    "PartsExplanation",
    "RoundingStep",
    "RuleResult",
    "Step",
    "Term",
    "add",
    "anatomy",
    "block",
    "compare",
    "comparison",
    "convert",
    "divide",
    "dot",
    "fma",
    "function",
    "multiply",
    "parse",
    "parts",
    "rounding",
    "sqrt",
    "subtract",
    "total",
]
