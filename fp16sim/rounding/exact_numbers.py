"""Numbers that float64 does not hold are rounded one by one in the exact layer."""

from __future__ import annotations

import numpy as np

from .. import exact, flags
from ..conversion import Array, Generator
from ..formats import Format, Rounding


def round_objects(x: Array, fmt: Format, mode: Rounding, rng: Generator, out: Array, operation: str) -> Array:
    """Round an array of objects into `out`, element by element, and report the flags of `operation`."""
    tally = flags.Tally(flags.current_listeners())
    draws = rng.integers(0, 2**32, x.size, dtype=np.uint32) if rng is not None else np.zeros(x.size, np.uint32)
    values = np.empty(x.size, np.float64)
    for i, (item, draw) in enumerate(zip(x.flat, draws, strict=True)):
        number = exact.as_exact(item)
        result = exact.round_operand(number, fmt, mode, int(draw))
        # An overflow's NaN has the sign of the number, as in arrays of floats; the exact layer has NaN without sign.
        values[i] = -np.nan if exact.is_nan(result.value) and number < 0 else result.value
        note_exact(tally, result, i)
        if "before" in tally.listeners.tininess:
            before = exact.round_operand(number, fmt, mode, int(draw), "before")
            note_exact(tally, before, i, "before")
    out[...] = values.reshape(x.shape)
    tally.report(operation, out.shape)
    return out


def note_exact(tally: flags.Tally, result: exact.Result, index: int, tininess: str = "after") -> None:
    """Add the flags of one result of the exact layer; with "before", only its underflow."""
    for name in sorted(result.flags):
        if name == "underflow":
            tally.note_element(name, index, tininess)
        elif tininess == "after":
            tally.note_element(name, index)
