"""What matrix units of GPUs do, one row for each machine, format of the factors and format of the sums.

No vendor publishes it. A row says by which `step` a machine adds a group of products to the sum so far, with which
numbers, who found that out, and with what evidence. Where sources disagree there are several rows: the one with the
most evidence comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..formats import BINARY16, BINARY32, Format, Rounding

E8M13 = Format("e8m13", width=22, precision=14)
"""What Ada and Hopper keep of a sum of 8-bit products: 14 significant bits, in the range of binary32."""

SOURCES = {
    "measured": "outputs of GPUs, published with Khattak and Mikaitis, Accurate models of NVIDIA tensor cores "
    "(arXiv:2512.07004, 2025)",
    "fasi": "Fasi, Higham, Mikaitis and Pranesh, Numerical behavior of NVIDIA tensor cores, PeerJ Computer Science "
    "7:e330 (2021)",
    "mma_sim": "Xie, Wang, Yang and Yang, MMA-Sim: bit-accurate reference model of tensor cores and matrix cores "
    "(arXiv:2511.10909, 2025)",
    "khattak_mikaitis": "Khattak and Mikaitis, Accurate models of NVIDIA tensor cores (arXiv:2512.07004, 2025)",
    "hypothetical": "nobody: the machine's numbers for 16-bit factors, applied to others",
}
"""The models by name, and where each comes from."""

STEPS = {
    "aligned": "all products and the sum so far are aligned to the largest exponent, cut off, and added",
    "in_halves": "as binary16: products 0, 1, 4, 5, ... from zero, then 2, 3, 6, 7, ..., then the sum so far is added",
    "pairwise": "products are added in pairs in binary32, then to the sum so far",
    "floored": "products are aligned, cut off and added; that and the sum so far are aligned, rounded down and added",
    "odd_even": "as floored, but products 0, 2, 4, ... and 1, 3, 5, ... are aligned apart",
    "exact": "the exact sum of the products and the sum so far is rounded once",
    "blocks": "16 products are added exactly and scaled; these sums are aligned by their scales, cut off and added",
}
"""How a group of products is added to the sum so far."""


@dataclass(frozen=True)
class Datapath:
    """How one machine adds products of factors of one format to a sum of another."""

    machine: str
    factors: str
    output: Format
    step: str
    """One of STEPS."""
    group: int
    """Products that are added at once."""
    bits: int = 0
    """Fraction bits that alignment keeps below the largest exponent."""
    scales: str = ""
    """The format of block scales; empty if the factors have none."""
    keeps: Format | None = None
    """What a sum is rounded to; None: the output's format."""
    zero: int | None = None
    """The exponent of a zero in the alignment; None: zeros take no part."""
    least: int | None = None
    """The least exponent that terms are aligned to; None: there is no limit."""
    flushes: bool = False
    """Whether subnormal factors and sums count as zero."""
    model: str = "measured"
    """One of SOURCES."""
    evidence: str = ""

    @property
    def rounds_to(self) -> Format:
        """What a sum is rounded to."""
        return self.keeps or self.output

    @property
    def scale_size(self) -> int:
        """Elements that share a scale."""
        return 16 if self.scales == "e4m3fn" else 32

    @property
    def mode(self) -> Rounding:
        """How the sum is rounded: NVIDIA's machines truncate a binary32 sum of aligned terms."""
        truncates = self.step in ("aligned", "blocks") and self.output == BINARY32
        return Rounding.TOWARD_ZERO if truncates else Rounding.TIES_TO_EVEN


F16, BF16, TF32 = ("binary16",), ("bfloat16",), ("tf32",)
FP8 = ("e4m3fn", "e5m2")
SMALL = (*FP8, "e2m3fn", "e3m2fn", "e2m1fn")
WIDE, NARROW = (BINARY32,), (BINARY16,)
ZERO = -126
"""The exponent that MMA-Sim gives a zero of any format."""


def _rows(
    machine: str, factors: tuple[str, ...], outputs: tuple[Format, ...], *numbers: Any, **more: Any
) -> list[Datapath]:
    """A row for each format of the factors and each of the sums."""
    return [Datapath(machine, f, o, *numbers, **more) for f in factors for o in outputs]


def _nvidia(machine: str, group: int, bits: int, least: tuple[int | None, int], seen: str) -> list[Datapath]:
    """The rows of one machine for factors of 16 bits and tf32: as measured, and with the other sources' details."""
    rows = _rows(machine, F16, (*WIDE, *NARROW), "aligned", group, bits, evidence=seen)
    if machine != "volta":
        rows += _rows(machine, BF16, WIDE, "aligned", group, bits, evidence=seen)
        rows += _rows(machine, TF32, WIDE, "aligned", group // 2, bits, evidence=seen)
    simulated = [replace(row, zero=ZERO, **SIMULATED) for row in rows]
    limits = dict(zip((BINARY32, BINARY16), least, strict=True))
    modelled = [replace(row, least=limits[row.output], model="khattak_mikaitis", evidence="model") for row in rows]
    return [*rows, *simulated, *modelled]


SIMULATED: dict[str, Any] = {"model": "mma_sim", "evidence": "simulator"}
ALIGNED: dict[str, Any] = {"zero": ZERO, **SIMULATED}

DATAPATHS: tuple[Datapath, ...] = (
    *_nvidia("volta", 4, 23, (None, -19), "5,000 rows of a V100"),
    *_rows("turing", F16, (*WIDE, *NARROW), "aligned", 4, 24, model="fasi", evidence="experiments on a T4"),
    *_rows("turing", F16, (*WIDE, *NARROW), "aligned", 8, 24, **ALIGNED),
    *_nvidia("ampere", 8, 24, (-132, -20), "5,000 rows each of an A100 and an A2"),
    *_nvidia("ada", 8, 24, (-132, -20), "5,000 rows each of two machines"),
    *_rows("ada", FP8, WIDE, "aligned", 16, 13, keeps=E8M13, evidence="5,000 rows each of two machines"),
    *_rows("ada", FP8, NARROW, "aligned", 16, 13, evidence="5,000 rows of one machine"),
    *_rows("ada", FP8, WIDE, "aligned", 16, 13, keeps=E8M13, **ALIGNED),
    *_rows("ada", FP8, NARROW, "aligned", 16, 13, **ALIGNED),
    *_nvidia("hopper", 16, 25, (-133, -21), "5,000 rows each of an H100 and an H200; tf32 in groups of 4 only"),
    *_rows(
        "hopper", FP8, WIDE, "aligned", 32, 13, keeps=E8M13, evidence="5,000 rows each of an H100 and an H200, c = 0"
    ),
    *_rows("hopper", FP8, NARROW, "in_halves", 32, 25, evidence="5,000 rows each of an H100 and an H200"),
    *_rows("hopper", FP8, WIDE, "aligned", 32, 13, keeps=E8M13, **ALIGNED),
    *_rows("hopper", FP8, NARROW, "aligned", 32, 13, **ALIGNED),
    *_nvidia("blackwell", 16, 25, (-133, -21), "5,000 rows of a B200; tf32 in groups of 4 only"),
    *_rows("blackwell", FP8, (*WIDE, *NARROW), "in_halves", 32, 25, evidence="5,000 rows of a B200"),
    *_rows("blackwell", SMALL, (*WIDE, *NARROW), "aligned", 32, 25, **ALIGNED),
    *_rows("blackwell", ("e2m1fn",), WIDE, "blocks", 64, 35, scales="e8m0fnu", zero=ZERO, **SIMULATED),
    *_rows("blackwell", ("e2m1fn",), WIDE, "blocks", 64, 35, scales="e4m3fn", zero=ZERO, **SIMULATED),
    *_rows("blackwell", SMALL, WIDE, "aligned", 32, 25, scales="e8m0fnu", **ALIGNED),
    *_rows("cdna1", F16, WIDE, "pairwise", 4, **SIMULATED),
    *_rows("cdna1", BF16, WIDE, "pairwise", 2, **SIMULATED),
    *_rows("cdna1", F16, WIDE, "exact", 4, model="khattak_mikaitis", evidence="model"),
    *_rows("cdna1", BF16, WIDE, "exact", 2, model="khattak_mikaitis", evidence="model"),
    *_rows("cdna2", (*F16, *BF16), WIDE, "pairwise", 4, flushes=True, **SIMULATED),
    *_rows("cdna3", (*F16, *BF16), WIDE, "floored", 8, 24, zero=ZERO, **SIMULATED),
    *_rows("cdna3", TF32, WIDE, "floored", 4, 24, zero=ZERO, **SIMULATED),
    *_rows("cdna3", ("e4m3fnuz", "e5m2fnuz"), WIDE, "odd_even", 16, 24, zero=ZERO, **SIMULATED),
)
"""Every row, those with the most evidence first."""

MACHINES = tuple(dict.fromkeys(path.machine for path in DATAPATHS))
"""The machines by name, oldest first."""


def rows_for(machine: str, output: Format, model: str | None = None) -> list[Datapath]:
    """The rows of a machine for sums of a format; of one model, if it is named."""
    return [
        path for path in DATAPATHS if (path.machine, path.output) == (machine, output) and model in (None, path.model)
    ]


def hypothetical_row(machine: str, factors: Format, output: Format) -> Datapath:
    """The machine's row for binary16, applied to factors that nobody has measured."""
    path = (rows_for(machine, output) or rows_for(machine, BINARY32))[0]  # the first row is that for binary16
    return replace(path, factors=factors.name, output=output, model="hypothetical", evidence="none")
