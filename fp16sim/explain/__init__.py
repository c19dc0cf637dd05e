"""Why a result is what it is: every step of an operation, computed from exact integers, as frozen data.

>>> import fp16sim as fs
>>> why = fs.explain.add(2048, 1, "binary16")
>>> why.rounding.rule, float(why.result.value)
('tie_to_even', 2048.0)
"""

from .alternatives import Detour, ModeResult, Outcome
from .anatomy import Anatomy, Comparison, anatomy, compare
from .converting import convert, parse
from .dots import DotExplanation, dot
from .explanation import Explanation
from .loops import Step
from .operations import add, divide, fma, multiply, rounding, sqrt, subtract
from .records import ExactStep, Neighbour, Number, Operand, RoundingStep, Term

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
