"""Why a result is what it is: every step of an operation, computed from exact integers, as frozen data.

>>> import fp16sim as fs
>>> why = fs.explain.add(2048, 1, "binary16")
>>> why.rounding.rule, float(why.result.value)
('tie_to_even', 2048.0)

The path of an expression: `decoding` reads the operands, `exact_step` computes without rounding, `rounding_step` rounds
once, and `basic_operations` puts the steps together as an `Explanation`. Records know nothing of how they are shown:
`layouts` registers a function for each type of record that makes a `document` of it, and `rendering` turns that into
text or HTML. Each module is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what MODULES says, for type checkers and editors
    from .alignment import AlignedGroup, AlignedTerm, Alignment, OrderResult
    from .alternatives import Detour, ModeResult, Outcome
    from .basic_operations import add, convert, divide, fma, multiply, parse, rounding, sqrt, subtract
    from .block_scaling import BlockElement, BlockExplanation, RuleResult, block
    from .dot_product import DotExplanation, Step, dot, total
    from .explanation import Explanation
    from .functions import ComparisonExplanation, FunctionExplanation, comparison, function
    from .number_parts import Part, PartsExplanation, parts
    from .records import ExactStep, Neighbour, Number, Operand, RoundingStep, Term
    from .reductions import mean, norm, sum
    from .softmax_steps import SoftmaxExplanation, softmax
    from .stored_number import Anatomy, Comparison, anatomy, compare

__all__ = [
    "AlignedGroup",
    "AlignedTerm",
    "Alignment",
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
    "OrderResult",
    "Outcome",
    "Part",
    "PartsExplanation",
    "RoundingStep",
    "RuleResult",
    "SoftmaxExplanation",
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
    "mean",
    "multiply",
    "norm",
    "parse",
    "parts",
    "rounding",
    "softmax",
    "sqrt",
    "subtract",
    "sum",
    "total",
]

MODULES = {
    "alignment": "AlignedGroup AlignedTerm Alignment OrderResult",
    "alternatives": "Detour ModeResult Outcome",
    "basic_operations": "add convert divide fma multiply parse rounding sqrt subtract",
    "block_scaling": "BlockElement BlockExplanation RuleResult block",
    "dot_product": "DotExplanation Step dot total",
    "explanation": "Explanation",
    "functions": "ComparisonExplanation FunctionExplanation comparison function",
    "number_parts": "Part PartsExplanation parts",
    "records": "ExactStep Neighbour Number Operand RoundingStep Term",
    "reductions": "mean norm sum",
    "softmax_steps": "SoftmaxExplanation softmax",
    "stored_number": "Anatomy Comparison anatomy compare",
}
"""The public names by module. A module is loaded when one of its names is first used."""
HOMES = {name: module for module, names in MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__
