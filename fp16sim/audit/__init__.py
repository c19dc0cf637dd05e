"""What the numerics that are installed here really do: every answer compared, every kind of fault named.

    >>> import fp16sim as fs
    >>> import numpy as np
    >>> found = fs.audit.check(lambda x: x.astype(np.float32).astype(np.float16), "binary16")
    >>> found.wrong, found.causes[0].words
    (63488, 'rounds twice: to float32 first')
    >>> print(found.causes[0].example.line)
    fs.round_to(1.0004882812500002, 'binary16')

Where data flows::

    subjects     a library -> a Subject: data, with the functions to compare
    inputs       the probe: what a function is given         expected     what is right
    judge        a Check -> a Verdict: wrong answers, and their causes by the table of faults
    block_probe  block quantizers                            summation    in what order a sum is taken
    auditing     one loop over all parts of a subject
    child, process     each subject in a process of its own
    report, page       the findings as text and Markdown, and as HTML

IEEE 754 is the measure, and what a library documents: saturation, or overflow to NaN, is by convention and not wrong.
The order of a sum is free, so it is shown and not judged.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

from ..conversion import Array as Array
from ..formats import FormatLike, Rounding, get_format, get_rounding
from ..version import __version__
from ..wording import did_you_mean, quoted
from .judge import judge
from .page import to_html
from .process import OnPart, audit_in_process
from .records import Audit, Cause, Example, Findings, Measured, Order, Verdict
from .report import to_markdown, to_text
from .subject import Check, Reduction, Subject
from .subjects import SUBJECTS
from .subjects.own import Function, check_of, checked
from .summation import examine

__all__ = [
    "SUBJECTS",
    "Audit",
    "Cause",
    "Check",
    "Example",
    "Findings",
    "Function",
    "Measured",
    "Order",
    "Reduction",
    "Subject",
    "Verdict",
    "check",
    "order",
    "run",
    "to_html",
    "to_markdown",
    "to_text",
]

TIME_LIMIT = 120.0
"""Seconds for one part of an audit."""


def run(
    subjects: Sequence[str] | None = None,
    *,
    function: Function | None = None,
    time_limit: float = TIME_LIMIT,
    on_subject: Callable[[str], OnPart | None] | None = None,
) -> Audit:
    """Audit libraries, or one function of the user; every comparison is exact, each input is an example's own.

    Parameters
    ----------
    subjects : sequence of str, optional
        Names in `fp16sim.audit.SUBJECTS`, such as "numpy"; all by default. One that is not installed is skipped.
    function : Function, optional
        Instead of libraries: a function that a module has, as `Function("package.module:function", "bfloat16")`.
    time_limit : float
        Seconds for one comparison; one that takes longer is ended, and the next begins.
    on_subject : callable, optional
        Called with the name of each subject; gives what is called with (part, done, of how many), or None.

    Returns
    -------
    Audit
        Findings in the order of the subjects. `to_text`, `to_markdown` and `to_html` show them.

    Raises
    ------
    ValueError
        For an unknown subject, or a task, format or mode that is unknown.

    Examples
    --------
    >>> from fp16sim import audit
    >>> (found,) = audit.run(["struct"]).subjects
    >>> found.wrong, found.compared > 500_000
    (0, True)
    """
    requests: dict[str, dict[str, Any]]
    if function is not None:
        own = checked(function)
        requests = {own.spec: {"own": list(own)}}
    else:
        requests = {name: {"subject": name} for name in _known(subjects)}
    if not time_limit > 0:
        raise ValueError(f"time_limit={quoted(time_limit)} is not a positive number of seconds")
    found = []
    for name, request in requests.items():
        on_part = on_subject(name) if on_subject else None
        found.append(audit_in_process(name, request, time_limit, on_part))
    return Audit(tuple(found), machine())


def _known(names: Sequence[str] | None) -> list[str]:
    if isinstance(names, str):
        names = [names]
    for name in names or ():
        if name not in SUBJECTS:
            known = ", ".join(SUBJECTS)
            raise ValueError(f"subject={quoted(name)} is unknown; {did_you_mean(name, SUBJECTS)}use one of {known}")
    return list(dict.fromkeys(names or SUBJECTS))


def machine() -> dict[str, str]:
    """What a report says about where it was made."""
    return {
        "fp16sim": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def check(
    function: Callable[..., Any],
    fmt: FormatLike = "binary16",
    mode: Rounding | str = "ties_to_even",
    *,
    task: str = "rounding",
    source: FormatLike = "binary64",
    codes: bool = False,
) -> Verdict:
    """Compare one function with what is right, in this process; exact, for all inputs of the probe.

    Parameters
    ----------
    function : callable
        It takes arrays, or numbers; it returns numbers, or their codes if `codes` is true.
    fmt, mode
        As for `round_to`: the format of the results, with the overflow that is intended, and the rounding mode.
    task : str
        "rounding" (a cast), "parse" (of texts), "integer", "decode" (of codes), "add", "subtract", "multiply",
        "divide", "sqrt", "fma", or the name of an elementary function, such as "exp".
    source : Format, str or dtype
        What a cast is given: "binary64", "binary32" or "binary16".
    codes : bool
        Whether it returns codes.

    Raises
    ------
    ValueError
        For an unknown task, format, mode or source.

    Examples
    --------
    >>> from fp16sim import audit
    >>> audit.check(lambda x: x, "e4m3fn").causes[0].words
    'does not round at all'
    """
    if not callable(function):
        raise TypeError(f"function={quoted(function)} cannot be called; give a function")
    own = checked(
        Function("given:function", "binary16", get_rounding(mode).value, task, get_format(source).name, codes)
    )
    return judge(check_of(function, own, get_format(fmt)))


def order(function: Callable[[Array], float], fmt: FormatLike = "binary16", *, mean: bool = False) -> Order:
    """In what order a sum is taken, and the format of its partial sums: found by probes, tried on random sums.

    Parameters
    ----------
    function : callable
        It takes numbers of the format, as one float64 array, and gives their sum; or their mean, if `mean` is true.
    fmt
        As for `round_to`.
    mean : bool
        Whether it divides by the number of terms.

    Examples
    --------
    >>> import numpy as np
    >>> from fp16sim import audit
    >>> found = audit.order(lambda x: np.cumsum(x.astype(np.float16))[-1])
    >>> found.kind, found.intermediate, found.ones
    ('one after the other', 'binary16', '2048')
    """
    return examine(Reduction("sum", get_format(fmt), function, mean))
