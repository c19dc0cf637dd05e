"""Parts of a whole, as counts: they add up, and the part of nothing has no value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """`count` of `total`. Shares add up; the share of nothing, 0 of 0, was not measured and has no value."""

    count: int = 0
    total: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(self.count + other.count, self.total + other.total)

    @property
    def value(self) -> float | None:
        """The quotient; None if nothing was counted, which is not the same as 0."""
        return self.count / self.total if self.total else None
