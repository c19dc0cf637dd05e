"""In what order a sum is taken, and in which format: found by probes, without looking at the code.

Three numbers do it. M is so large that adding it to the others loses them; -M takes M away again; every other term is
a unit u. Put M at place i and -M at place j. Whatever is added to M, or to a sum with M in it, before -M comes is lost,
and the rest survives. So the result counts the terms that lie outside the smallest subtree with both i and j: it tells
how large that subtree is. The sizes for one i and all j, and so on inside each group, give the whole tree (Xie et al.,
"FPRev: Revealing the order of floating-point summation", 2025).

The precision of partial sums shows in what 1 + 2^-q keeps. At last the tree is tried: random sums, computed along it
by fp16sim in that format, must be those of the function, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import arithmetic
from ..faults.roundings import differs, right
from ..formats import BFLOAT16, BINARY16, BINARY32, BINARY64, Format, Rounding, Subnormals
from ..wording import count
from .records import Order
from .subject import Array, Reduction

Tree: TypeAlias = Any
"""A place (an integer), or a tuple of the trees that are added at once."""
Sum: TypeAlias = Callable[[Array], float]

TERMS = 64
"""Terms of a tree; where one loop explains those, the function is tried on more, up to MOST."""
MOST = 512
ROWS = 40
"""Random sums that a tree must explain."""
ONES = 4096
INTERMEDIATES = (BFLOAT16, BINARY16, BINARY32, BINARY64)
NEAREST = Rounding.TIES_TO_EVEN


class Hidden(Exception):
    """The probes do not show an order; the text says why."""


class Probe(NamedTuple):
    """A large number and a unit of a format; the unit is lost beside the large one, if anything is."""

    large: float
    unit: float


def probe_of(fmt: Format, terms: int, mean: bool = False) -> Probe:
    """The widest probe whose sums of units are exact in the format: at most `terms` of them are ever added.

    >>> probe_of(BINARY16, 64) == (2.0**15, 2.0**-24)
    True
    """
    if terms > 2**fmt.precision:
        raise Hidden(f"{terms} units have no exact sum in {fmt.name}")
    if not fmt.signed:
        raise Hidden(f"{fmt.name} has no negative numbers, which the probe needs")
    least = fmt.quantum_exponent_min if fmt.subnormals is Subnormals.GRADUAL else fmt.emin
    low = max(least + (terms.bit_length() - 1) * mean, -100)  # a mean divides by `terms`
    return Probe(2.0 ** min(fmt.emax, 100), 2.0**low)


def reveal(total: Sum, fmt: Format, terms: int, mean: bool = False) -> Tree:
    """The tree of a sum of `terms` terms.

    >>> reveal(lambda x: float(np.float32(x[0] + x[1]) + np.float32(x[2] + x[3])), BINARY16, 4)
    ((0, 1), (2, 3))
    """
    large, unit = probe_of(fmt, terms, mean)

    def size(i: int, j: int) -> int:
        x = np.full(terms, unit)
        x[i], x[j] = large, -large
        left = total(x) / unit
        if not (left == int(left) and 0 <= left <= terms - 2):
            raise Hidden(f"a sum of units gives {left:g} units: not a sum of the terms one by one")
        return terms - int(left)

    if terms > 2 and all(size(0, j) == 2 for j in range(1, terms)):
        raise Hidden("no term is lost: partial sums have more digits than the probe shows")
    return _subtree(tuple(range(terms)), size)[0]


def _subtree(places: tuple[int, ...], size: Callable[[int, int], int]) -> tuple[Tree, int]:
    """The tree over these places, and how many places lie under its root."""
    first, *others = places
    if not others:
        return first, 1
    groups: dict[int, list[int]] = {}
    for j in others:
        groups.setdefault(size(first, j), []).append(j)
    tree: Tree = first
    for reach in sorted(groups):
        inner, own = _subtree(tuple(groups[reach]), size)
        many = isinstance(inner, tuple) and own == reach  # the group's root is this node: more than two at once
        tree = (tree, *inner) if many else (tree, inner)
    return tree, max(groups)


# --- the format of partial sums -------------------------------------------------------------------------------------


def first_added(tree: Tree) -> tuple[int, int, int]:
    """Two places that are added first, and one that is added to their sum right after, if there is one."""
    path = []
    while isinstance(tree, tuple):
        path.append(tree)
        tree = next((part for part in tree if isinstance(part, tuple)), tree[0])
    lowest = path[-1]
    if len(lowest) > 2:
        return lowest[0], lowest[1], lowest[2]
    other = next(part for part in path[-2] if part is not lowest) if len(path) > 1 else lowest[0]
    while isinstance(other, tuple):
        other = other[0]
    return lowest[0], lowest[1], other


def precision_of(total: Sum, fmt: Format, terms: int, tree: Tree, mean: bool = False) -> int:
    """How many digits the first partial sum keeps: the largest q + 1 for which 1 + 2^-q - 1 is not 0."""
    i, j, k = first_added(tree)
    one = 2.0 ** min(fmt.emax, 60)
    kept = 0
    for q in range(1, 120):
        small = one * 2.0**-q
        if small < float(fmt.min_subnormal) * (terms if mean else 1):
            break
        x = np.zeros(terms)
        x[i], x[j], x[k] = one, small, -one
        if total(x) != small:
            break
        kept = q
    return kept + 1


def evaluate(tree: Tree, columns: Array, fmt: Format) -> Array:
    """Sums of rows along a tree: every addition rounded to `fmt`; more than two at once are one after the other."""
    if not isinstance(tree, tuple):
        return np.asarray(columns[:, tree])
    found = [evaluate(part, columns, fmt) for part in tree]
    sum_so_far = found[0]
    for part in found[1:]:
        sum_so_far = (
            sum_so_far + part if fmt == BINARY64 else np.asarray(arithmetic.add(sum_so_far, part, fmt), np.float64)
        )
    return sum_so_far


# --- the tree as text -----------------------------------------------------------------------------------------------


def left_to_right(tree: Tree) -> bool:
    """Whether it is ((0 + 1) + 2) + 3 ..."""
    place = None
    while isinstance(tree, tuple):
        if len(tree) != 2 or isinstance(tree[1], tuple) or (place is not None and tree[1] != place - 1):
            return False
        tree, place = tree
    return tree == 0


def depth(tree: Tree) -> int:
    """How many additions lie on the longest way from a term to the result."""
    return 1 + max(map(depth, tree)) if isinstance(tree, tuple) else 0


def leaves(tree: Tree) -> list[int]:
    """Its places, from left to right."""
    return [place for part in tree for place in leaves(part)] if isinstance(tree, tuple) else [tree]


def kind_of(tree: Tree, terms: int) -> str:
    """A short description of an order."""
    if left_to_right(tree):
        return "one after the other"
    steps = depth(tree)
    if steps == terms - 1:
        return "one after the other, in another order"
    found = f"a tree of depth {steps}"
    if steps == (terms - 1).bit_length():
        found = "pairwise: a tree of the least depth"
    lanes = _lanes(tree)
    if not lanes:
        return found
    block = lanes * len(_chain_with_zero(tree))
    return f"{lanes} interleaved partial sums" + (f" in blocks of {block}" if _has_block(tree, block, terms) else "")


def _lanes(tree: Tree) -> int:
    """n if the terms i, i + n, i + 2n ... are added to each other first; 0 if no such n is."""
    chain = _chain_with_zero(tree)
    strides = {b - a for a, b in pairwise(chain)}
    return strides.pop() if len(strides) == 1 and min(strides) > 1 else 0


def _has_block(tree: Tree, block: int, terms: int) -> bool:
    """Whether the first terms, and not all, are added by themselves."""
    while isinstance(tree, tuple) and block < terms:
        if sorted(leaves(tree)) == list(range(block)):
            return True
        tree = next(part for part in tree if 0 in leaves(part))
    return False


def _chain_with_zero(tree: Tree) -> list[int]:
    """The terms that are added one by one to term 0."""
    path: list[Tree] = []
    while isinstance(tree, tuple):
        path.append(tree)
        tree = next(part for part in tree if 0 in leaves(part))
    chain = [0]
    for node in reversed(path):
        others = [part for part in node if 0 not in leaves(part)]
        if any(isinstance(part, tuple) for part in others):
            break
        chain += sorted(others)
    return chain


def drawn(tree: Tree, most: int = 40) -> str:
    """The tree as lines of text: each + adds what is below it; long chains on one line.

    >>> print(drawn(((((0, 1), 2), 3), (4, 5))))
    +
    |- x0 + x1 + x2 + x3
    `- x4 + x5
    """
    lines = _lines(tree)
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], f"... {len(lines) - most + 1} more lines"])


def _lines(tree: Tree) -> list[str]:
    flat = _flat(tree)
    if all(not isinstance(part, tuple) for part in flat):
        names = [f"x{place}" for place in flat]
        return [" + ".join([*names[:6], "...", names[-1]] if len(names) > 9 else names)]
    lines = ["+"]
    for n, part in enumerate(flat):
        last = n == len(flat) - 1
        inner = _lines(part)
        lines.append(("`- " if last else "|- ") + inner[0])
        lines += [("   " if last else "|  ") + line for line in inner[1:]]
    return lines


def _flat(tree: Tree) -> list[Tree]:
    """A chain of additions of single terms as one list: ((0 + 1) + 2) + 3 is [0, 1, 2, 3]."""
    if not isinstance(tree, tuple):
        return [tree]
    head, *rest = tree
    if all(not isinstance(part, tuple) for part in rest):
        inner = _flat(head)
        if all(not isinstance(part, tuple) for part in inner):
            return [*inner, *rest]
    return list(tree)


# --- one reduction --------------------------------------------------------------------------------------------------


def sum_of(reduction: Reduction) -> Sum:
    """The sum; of a mean, the mean times the number of terms, a power of two."""
    function = reduction.function

    def total(x: Array) -> float:
        with np.errstate(all="ignore"):
            return float(function(x)) * (x.size if reduction.mean else 1)

    return total


def examine(reduction: Reduction) -> Order:
    """The order and the intermediate format of a sum; what cannot be found is said in `failure`."""
    name, fmt, total = reduction.name, reduction.fmt, sum_of(reduction)
    start = time.perf_counter()
    try:
        ones = f"{total(np.ones(ONES)):g}"
        return _examined(reduction, ones, start)
    except Hidden as hidden:
        return Order(name, fmt.name, ones=ones, seconds=time.perf_counter() - start, failure=str(hidden))
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        return Order(name, fmt.name, failure=f"raised {type(error).__name__}: {text}")


def _examined(reduction: Reduction, ones: str, start: float) -> Order:
    fmt, total, mean = reduction.fmt, sum_of(reduction), reduction.mean
    terms = min(TERMS, 2**fmt.precision)
    tree = reveal(total, fmt, terms, mean)
    precision = precision_of(total, fmt, terms, tree, mean)
    found = next((one for one in (fmt, *INTERMEDIATES) if one.precision == precision), None)
    rows = _random_rows(fmt, terms)
    theirs = np.array([total(row) for row in rows])
    ours = right(evaluate(tree, rows, found), fmt, NEAREST) if found else np.full(ROWS, np.nan)
    widest = (tree, terms) if mean else _widest(total, fmt, tree, terms)
    return Order(
        reduction.name,
        fmt.name,
        kind_of(widest[0], widest[1]),
        found.name if found else f"{precision} digits",
        widest[1],
        drawn(widest[0]),
        int((~differs(theirs, ours)).sum()),
        ROWS,
        ones,
        time.perf_counter() - start,
    )


def _widest(total: Sum, fmt: Format, tree: Tree, terms: int) -> tuple[Tree, int]:
    """The tree of more terms where the format allows it: libraries change their order from some length on."""
    more = min(MOST, 2 ** (fmt.precision - 1))
    try:
        return (reveal(total, fmt, more), more) if more > terms else (tree, terms)
    except Hidden:
        return tree, terms


def _random_rows(fmt: Format, terms: int) -> Array:
    """Numbers of very different sizes and signs, so that the order shows."""
    rng = np.random.default_rng(754)
    scale = 2.0 ** rng.integers(-6, 4, (ROWS, terms))
    return right(rng.normal(size=(ROWS, terms)) * scale, fmt, NEAREST)


def described(order: Order) -> str:
    """One line about an order.

    >>> described(Order("sum", "binary16", "pairwise", "binary32", 64, "", 40, 40, "4096"))
    'pairwise, partial sums in binary32; 40 of 40 random sums are explained; 4,096 ones give 4096'
    """
    ones = f"; {count(ONES, 'one')} give {order.ones}" if order.ones else ""
    if order.failure:
        return f"not found: {order.failure}{ones}"
    explained = f"{order.explained} of {order.rows} random sums are explained"
    return f"{order.kind}, partial sums in {order.intermediate}; {explained}{ones}"
