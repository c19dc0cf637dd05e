"""Conformance vectors: operands and right answers for whoever builds an implementation, and a judge of what they got.

    make(fmt, mode)     the vectors, as data for JSON
    check(results)      how many answers are wrong, and which known fault gives them

>>> import fp16sim as fs
>>> vectors = fs.vectors.make("e4m3fn")
>>> vectors["sections"][1]["name"], len(vectors["sections"][1]["expected"])
('rounding', 1537)
"""

from .checking import Cause, Judgement, SectionResult, check
from .making import SCHEMA, make

__all__ = ["SCHEMA", "Cause", "Judgement", "SectionResult", "check", "make"]
