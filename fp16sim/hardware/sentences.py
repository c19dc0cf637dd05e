"""What a fit says: a model as a few lines, what is open, and what was not explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..accumulators.machines import Datapath
from ..wording import count, joined
from .model import Model

PARAMETERS = (
    "group",
    "pattern",
    "bits",
    "cut",
    "joins",
    "normalised",
    "precision",
    "mode",
    "step",
    "zero",
    "least",
    "flushes",
)
"""Of a model, in the order in which they are told."""

ORDERS = {"consecutive": "neighbours", "even_odd": "every other one", "pairs": "every other pair"}
CUT_WORDS = {"toward_zero": "cut off toward zero", "down": "rounded down", "nearest": "rounded to nearest"}
JOINS = {"with": "aligned with the products", "after": "added afterwards, to nearest"}
NONE = {"bits": "none, exact", "zero": "none, zeros take no part", "least": "none", "precision": "the format's"}
"""What None means for a parameter."""


def lines_of(model: Model) -> list[tuple[str, str]]:
    """Labels and texts."""
    rows = [("products added at once", f"{model.group}, {ORDERS[model.pattern]}")]
    if model.step != "aligned":
        rows.append(("step", model.step))
    if model.bits is not None:
        text = f"{model.bits} fraction bits below the largest exponent, {CUT_WORDS[model.cut]}"
        rows.append(("window", text + (", anew for each sum" if model.normalised else "")))
    elif model.step != "pairwise":
        rows.append(("window", "none: the sum of a group is exact"))
    if model.step == "aligned":
        rows.append(("sum so far", JOINS[model.joins]))
    rows.append(("rounding", f"{model.significant} significant bits, {model.mode.value}"))
    if model.zero is not None:
        rows.append(("zeros", f"count as 2^{model.zero} in the alignment"))
    if model.least is not None:
        rows.append(("least exponent", f"terms are aligned to 2^{model.least} or more"))
    if model.flushes:
        rows.append(("subnormals", "count as zero"))
    return rows


def what_is_open(models: Sequence[Model]) -> dict[str, tuple[Any, ...]]:
    """The parameters of which several values are left."""
    values = {name: tuple(dict.fromkeys(getattr(m, name) for m in models)) for name in PARAMETERS}
    return {name: found for name, found in values.items() if len(found) > 1}


def name_of(row: Datapath) -> str:
    """A row in a few words."""
    return f"{row.machine} {row.factors} to {row.output.name} ({row.model})"


def report(found: Any) -> str:
    """Everything about a fit as text."""
    asked = count(found.probes, "probe")
    if found.model is None:
        probe, answer = found.unexplained
        c, terms = probe.c, ", ".join(f"{x!r} * {y!r} at {k}" for k, x, y in probe.terms[:4])
        more = f" and {len(probe.terms) - 4} more" if len(probe.terms) > 4 else ""
        return (
            f"No model of the family explains this machine ({asked}).\n"
            f"After this probe none was left: c = {c!r}, products {terms}{more}; the machine gave {answer!r}."
        )
    rows = lines_of(found.model)
    for name, values in found.undetermined.items():
        rows.append(("undetermined", f"{name}: {_values(name, values)}"))
    if not found.undetermined:
        rows.append(("undetermined", "nothing of the family"))
    names = list(dict.fromkeys(map(name_of, found.rows)))
    rows += [("in the table" if k == 0 else "", name) for k, name in enumerate(names or ["no row"])]
    rows.append(("asked", f"{asked}; the model explains all of them"))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {text}" for label, text in rows)


def _values(name: str, values: tuple[Any, ...]) -> str:
    texts = [NONE[name] if v is None else str(getattr(v, "value", v)) for v in values]
    shown = texts if len(texts) <= 6 else [*texts[:3], "...", texts[-1]]
    return joined(shown, "or")


def fit_data(found: Any) -> dict[str, Any]:
    """A fit, ready for JSON."""
    model = found.model
    return {
        "factors": found.factors.name,
        "output": found.output.name,
        "probes": found.probes,
        "model": None if model is None else {name: _plain(getattr(model, name)) for name in PARAMETERS},
        "undetermined": {name: [_plain(v) for v in values] for name, values in found.undetermined.items()},
        "rows": [name_of(row) for row in found.rows],
        "unexplained": None if found.unexplained is None else _probe_data(*found.unexplained),
    }


def _probe_data(probe: Any, answer: float) -> dict[str, Any]:
    return {"c": probe.c, "terms": [list(term) for term in probe.terms], "length": probe.length, "answer": answer}


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)
