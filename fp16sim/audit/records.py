"""What an audit found: plain, frozen data, which travels from the child process as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Example:
    """The simplest input of a cause: what was given, what came, what is right, and the line that computes it."""

    given: str
    got: str
    right: str
    line: str
    """One line of Python that gives the right answer, after `import fp16sim as fs`."""
    why: str


@dataclass(frozen=True)
class Cause:
    """Wrong answers of one kind; `name` is a name of the table of faults, or "" if no known fault gives them."""

    name: str
    words: str
    count: int
    example: Example


@dataclass(frozen=True)
class Verdict:
    """One comparison.

    Attributes
    ----------
    name, task, fmt, mode : str
        Of the check; the format with the overflow that the library documents.
    compared, wrong : int
        Answers, and those that are not what IEEE 754 or the library's documentation says.
    by_convention : int
        Right answers that differ from those of the plain format: documented saturation, and the like.
    convention : str
        What is documented, and where.
    causes : tuple of Cause
        The first explains the most.
    worst : float
        The largest error of a finite wrong answer, in ulp of the right one.
    beyond : str
        What 1,000, or a number beyond a larger format, becomes: libraries differ there.
    seconds : float
        The time that the calls took.
    failure : str
        Why there is no comparison: an exception, a crash or a time limit; "" otherwise.
    """

    name: str
    task: str
    fmt: str
    mode: str
    compared: int = 0
    wrong: int = 0
    by_convention: int = 0
    convention: str = ""
    causes: tuple[Cause, ...] = ()
    worst: float = 0.0
    beyond: str = ""
    seconds: float = 0.0
    failure: str = ""

    @property
    def several(self) -> bool:
        """Whether more than one cause is needed."""
        return len(self.causes) > 1


@dataclass(frozen=True)
class Order:
    """In what order a sum is taken, and in which format, found by probes.

    Attributes
    ----------
    name, fmt : str
        The reduction, and the format of its numbers.
    kind : str
        A short name of the order: "one after the other", "pairwise", ...
    intermediate : str
        The format of partial sums.
    terms : int
        How many terms the tree has.
    tree : str
        The tree, drawn with characters.
    explained : int
        How many of `rows` random sums the tree and the format give, bit for bit.
    rows : int
        Random sums that were compared.
    ones : str
        What a sum of 4,096 ones gives.
    seconds : float
        The time of all calls.
    failure : str
        Why the order is not known; "" otherwise.
    """

    name: str
    fmt: str
    kind: str = ""
    intermediate: str = ""
    terms: int = 0
    tree: str = ""
    explained: int = 0
    rows: int = 0
    ones: str = ""
    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Measured:
    """The error of a function that has no single right answer: the worst and the typical one, in ulp."""

    name: str
    fmt: str
    rows: int = 0
    worst: float = 0.0
    median: float = 0.0
    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Findings:
    """All about one subject.

    `skipped` says why it was not audited, such as that it is not installed; `failure` what ended its process.
    """

    name: str
    version: str = ""
    verdicts: tuple[Verdict, ...] = ()
    orders: tuple[Order, ...] = ()
    measured: tuple[Measured, ...] = ()
    import_seconds: float = 0.0
    seconds: float = 0.0
    skipped: str = ""
    failure: str = ""

    @property
    def compared(self) -> int:
        """All answers that were compared."""
        return sum(verdict.compared for verdict in self.verdicts)

    @property
    def wrong(self) -> int:
        """All wrong answers."""
        return sum(verdict.wrong for verdict in self.verdicts)

    @property
    def by_convention(self) -> int:
        """All answers that differ from the plain format as documented."""
        return sum(verdict.by_convention for verdict in self.verdicts)

    @property
    def failures(self) -> tuple[str, ...]:
        """What could not be compared, one line each."""
        parts: tuple[Verdict | Order | Measured, ...] = (*self.verdicts, *self.orders, *self.measured)
        own = (self.failure,) if self.failure else ()
        return (*own, *(f"{part.name}: {part.failure}" for part in parts if part.failure))


@dataclass(frozen=True)
class Audit:
    """The findings of a run, and of which machine."""

    subjects: tuple[Findings, ...]
    machine: dict[str, str]

    @property
    def clean(self) -> bool:
        """Whether no subject is wrong anywhere or failed."""
        return not any(subject.wrong or subject.failures for subject in self.subjects)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON, with the totals."""
        rows = (
            asdict(one) | {"compared": one.compared, "wrong": one.wrong, "by_convention": one.by_convention}
            for one in self.subjects
        )
        return {"machine": self.machine, "subjects": list(rows)}


def verdict_from(data: dict[str, Any]) -> Verdict:
    """A verdict from plain data."""
    causes = tuple(Cause(**(cause | {"example": Example(**cause["example"])})) for cause in data["causes"])
    return Verdict(**(data | {"causes": causes}))
