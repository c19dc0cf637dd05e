"""What goes wrong in a result and in all that it was computed from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...formats import BINARY32, get_format
from ...wording import quoted
from ..model.tensor import Tensor
from ..observe.findings import PATTERNS, Finding, findings
from ..precision import Policy, Precision
from ..rules import Rule
from .advice import Advice


def examine(result: Tensor) -> tuple[Advice, ...]:
    """The known troubles in the graph of a Tensor: empty rows of masks, squares that overflow, angles too coarse, ...

    Every operation is looked at as it was rounded; each matrix product is computed once more in binary64, to see
    whether its errors point one way. A trouble that no pattern describes is not found. Training runs are examined in
    the same way, but for the products; `diagnose` says what was found.

    Parameters
    ----------
    result : Tensor
        An output or a loss.

    Returns
    -------
    tuple of Advice
        In the order in which the operations were computed; empty if nothing is known to be wrong.

    Raises
    ------
    TypeError
        If the result is not a Tensor: only a Tensor remembers how it was computed.

    Examples
    --------
    >>> import numpy as np
    >>> import fp16sim as fs
    >>> from fp16sim.learn import Tensor, examine
    >>> x = Tensor(fs.array([300.0, 2.0], "binary16"))
    >>> with np.errstate(over="ignore"):
    ...     root = (x * x).mean().sqrt()
    >>> [advice.topic for advice in examine(root)]
    ['squares']
    >>> print(examine(root)[0].text.partition(".")[0])
    1 of 2 squares of multiply are infinite in binary16, the largest that of 300
    """
    if not isinstance(result, Tensor):
        raise TypeError(f"result={quoted(result)} is not a Tensor, which remembers how it was computed; give a Tensor")
    return tuple(map(as_advice, findings(result, thorough=True)))


IN_BINARY32 = ("squares", "lost squares", "sums", "angles")
"""Patterns that a layer has no more if all of it is computed in binary32, and that leave its results small."""


def as_advice(found: Finding, policy: Policy | None = None) -> Advice:
    """A finding as advice: its sentences, and its numbers as evidence.

    With the policy of a run also what would help: a rule by which the layer computes in binary32.
    """
    evidence = {"count": found.count, "total": found.total, "value": found.value}
    change: dict[str, Any] = {}
    if policy is not None and found.pattern in IN_BINARY32 and found.layer and _is_narrow(found.fmt):
        rule = Rule(found.layer, "", "", Precision(BINARY32))
        change = {"policy": replace(policy, rules=(*policy.rules, rule))}
    return Advice(PATTERNS[found.pattern].topic, str(found), change, evidence)


def _is_narrow(fmt: str) -> bool:
    """Whether a format has fewer digits or less range than binary32."""
    return get_format(fmt).fits_in(BINARY32) and fmt != BINARY32.name
