"""NumPy's functions on traced values: FloatArray computes the values, the tables of `shadows` the shadows.

A function is of one of five kinds: it computes (ufuncs, sums, products), it moves elements (an array of indices is
moved the same way and says where each one came from), it answers with integers or booleans, it writes to its first
argument, or FloatArray does not support it. The last kind is computed in float64, and listed as an escape.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arrays import FloatArray
from ..arrays import numpy_functions as supported
from ..arrays import ufuncs as supported_ufuncs
from ..conversion import Array
from ..flags import record_flags
from . import marks, pairs, shadows
from .corrections import LEAST_SIZE, Operand, corrected, rule_for
from .marks import CLEAN, Marks
from .pairs import Pair
from .recorder import Measured, Recorder
from .traced import Traced, adopt, cast, common_format, entered, format_of, leaves


def _named(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


COMPARISONS = _named("less less_equal greater greater_equal equal not_equal")
ANSWERS = frozenset(
    ["isnan", "isfinite", "isinf", "signbit", "logical_and", "logical_or", "logical_xor", "logical_not"]
)
REDUCED = {
    ("add", "reduce"): "sum", ("multiply", "reduce"): "prod", ("maximum", "reduce"): "max", ("fmax", "reduce"): "max",
    ("minimum", "reduce"): "min", ("fmin", "reduce"): "min", ("add", "accumulate"): "cumsum",
    ("multiply", "accumulate"): "cumprod",
}  # fmt: skip
"""Methods of ufuncs that are functions of NumPy."""
WITH_ACCUMULATOR = _named("sum mean var std norm cumsum dot matmul trace")
"""Methods of FloatArray that take an accumulator."""


# --- ufuncs ---------------------------------------------------------------------------------------------------------


def call_ufunc(
    recorder: Recorder, ufunc: np.ufunc, method: str, inputs: Sequence[Any], out: Any, keywords: dict[str, Any]
) -> Any:
    """A ufunc or one of its methods."""
    name = ufunc.__name__
    if any(map(_is_complex, inputs)):  # formats have real numbers alone
        y = escaped(recorder, getattr(ufunc, method), inputs, keywords, "complex arithmetic")
    elif method == "__call__" and out and isinstance(out[0], Traced) and set(keywords) == {"where"}:
        return _some_elements(recorder, ufunc, inputs, out[0], keywords["where"])
    elif method == "__call__" and not _beyond(keywords):
        y = _elementwise(recorder, ufunc, inputs, keywords)
    elif (name, method) in REDUCED and not keywords.get("where") is not None:
        y = _call_reduced(recorder, name, method, inputs, keywords)
    elif method == "outer" and len(inputs) == 2:
        a, b = (adopt(recorder, x) for x in inputs)
        y = ufunc(a.reshape(*a.shape, *(1,) * b.ndim), b)
    else:
        y = escaped(recorder, getattr(ufunc, method), inputs, keywords)
    return _written(y, out[0]) if out and out[0] is not None else y


def _some_elements(recorder: Recorder, ufunc: np.ufunc, inputs: Sequence[Any], out: Traced, where: Any) -> Traced:
    """np.divide(x, y, out=z, where=y != 0): the other elements are not computed, and `out` keeps its own."""
    chosen = np.broadcast_to(np.asarray(where), out.shape)
    out[chosen] = ufunc(*(np.broadcast_to(adopt(recorder, x), out.shape)[chosen] for x in inputs))
    return out


def _is_complex(x: Any) -> bool:
    return type(x) is not Traced and np.iscomplexobj(x)


def _beyond(keywords: dict[str, Any]) -> bool:
    return any(
        keywords.get(k) is not None and keywords.get(k) is not True for k in ("where", "axes", "axis", "signature")
    )


def _call_reduced(recorder: Recorder, name: str, method: str, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    keywords = {k: x for k, x in keywords.items() if k in ("axis", "keepdims", "dtype", "initial") and x is not None}
    keywords.setdefault("axis", 0)
    return call_function(recorder, getattr(np, REDUCED[name, method]), tuple(inputs), keywords)


def _written(y: Any, out: Any) -> Any:
    if isinstance(out, Traced):
        out[...] = y
    else:
        out[...] = np.asarray(y)
    return out


def _elementwise(recorder: Recorder, ufunc: np.ufunc, inputs: Sequence[Any], keywords: dict[str, Any]) -> Any:
    name = ufunc.__name__
    fmt = common_format(recorder, inputs)
    if keywords.get("dtype") is not None:
        fmt = format_of(recorder, keywords["dtype"]) or fmt
    integers = supported_ufuncs.INTEGERS.get(name)
    operands = [np.asarray(x) if k == integers else cast(adopt(recorder, x, fmt), fmt) for k, x in enumerate(inputs)]
    traced = [x for x in operands if isinstance(x, Traced)]
    if name in COMPARISONS or name in ANSWERS:
        return _answer(recorder, name, ufunc, traced)
    if name not in shadows.ELEMENTWISE:
        return escaped(recorder, ufunc, inputs, {})
    if recorder.rewrite is not None and (cured := recorder.rewrite(recorder, name, traced, {})) is not None:
        return cured
    values: list[Any] = [x.value if isinstance(x, Traced) else x for x in operands]
    if name == "matmul" and (accumulator := recorder.accumulator_here()) is not None:
        computed: Any = values[0].matmul(values[1], accumulator=accumulator)
    else:
        computed = ufunc(*values)
    return _result(recorder, name, computed, traced, shadows.ELEMENTWISE[name], operands)


def _result(
    recorder: Recorder, name: str, computed: FloatArray, traced: list[Traced], shade: Any, operands: Sequence[Any]
) -> Traced:
    """The traced result of an elementwise operation or a product of matrices."""
    if computed.size >= LEAST_SIZE and (y := _by_correction(recorder, name, computed, traced)) is not None:
        return y
    exact, shadow = _shaded(shade, operands, traced)
    carried = _carried(name, traced)
    return finished(recorder, name, computed, exact, shadow, traced, carried)


def _by_correction(recorder: Recorder, name: str, computed: FloatArray, traced: list[Traced]) -> Traced | None:
    """The same for a large array, if its corrections are known by a rule and all is finite."""
    rule = rule_for(name, computed.fmt)
    if rule is None:
        return None
    y = Traced(recorder, computed, None, island=recorder.format_here() is not None)
    operands = [_flat(x, computed.shape) for x in traced]
    with np.errstate(all="ignore"):
        found = corrected(rule, name, computed.values.reshape(-1), operands, computed.fmt)
    if not (np.isfinite(found.worst) and np.isfinite(found.largest)) or found.doubtful:
        return None
    y._correction = found.correction.reshape(y.shape), found.radius.reshape(y.shape)
    y.origin = recorder.measure_corrected(name, y, traced, found)
    if recorder.changed or recorder.log is not None or recorder.unused is not None:
        _kept(recorder, y, Measured(name, y.plain, NOTHING, NOTHING, traced, CLEAN))
    return y


NOTHING = Pair(np.zeros(0))


def _flat(x: Traced, shape: tuple[int, ...]) -> Operand:
    """An operand as arrays of one dimension, broadcast to a shape; a scalar stays one."""
    if not x.ndim:
        return Operand(float(x.plain), *x.correction)
    parts = (x.value.values, *x.correction)
    return Operand(*(part if type(part) is float else np.broadcast_to(part, shape).reshape(-1) for part in parts))


def _shaded(shade: Any, operands: Sequence[Any], traced: list[Traced], **how: Any) -> tuple[Any, Any]:
    """The operation on the emulated operands, without rounding, and on their shadows."""
    with np.errstate(all="ignore"):
        shadow = shadows.settled(shade(*(x.shadow if isinstance(x, Traced) else x for x in operands), **how))
        if all(x.is_exact for x in traced):
            return shadow, shadow
        own = (shadows.exactly(x.plain) if isinstance(x, Traced) else x for x in operands)
        return shadows.settled(shade(*own, **how)), shadow


def _carried(name: str, traced: list[Traced]) -> Marks:
    if all(x.marks.clean for x in traced):
        return CLEAN
    if len(traced) == 1:
        return traced[0].marks
    a, b = traced[:2]
    if name == "matmul":
        return marks.of_product(a.marks, b.marks, a.plain, b.plain)
    return marks.of_two(name, a.marks, b.marks, a.plain, b.plain)


def finished(
    recorder: Recorder,
    name: str,
    computed: FloatArray,
    exact: Any,
    shadow: Any,
    traced: Sequence[Traced],
    carried: Marks,
) -> Traced:
    """A result with its marks."""
    y = Traced(recorder, computed, shadow, island=recorder.format_here() is not None)
    step = Measured(name, y.plain, exact, shadow, traced, carried)
    y.marks, y.origin = recorder.measure(step, computed.fmt)
    _kept(recorder, y, step)
    return y


def _kept(recorder: Recorder, y: Traced, step: Measured) -> None:
    """Remember what a value is made of, where somebody asks for it."""
    if recorder.rewrite is not None:
        y.made_of = step.name, tuple(step.operands)
    if recorder.log is not None:
        recorder.log.append((y.origin, step))
    if recorder.unused is not None:
        recorder.unused[id(y)] = weakref.ref(y)


def _answer(recorder: Recorder, name: str, ufunc: np.ufunc, traced: list[Traced]) -> Any:
    """A comparison or a question: on the emulated values; where the shadow answers otherwise, that is a branch."""
    answer = ufunc(*(x.value for x in traced))
    if name in COMPARISONS:
        with np.errstate(all="ignore"):
            truth = shadows.compared(name, traced[0].shadow, traced[1].shadow)
        recorder.branch(name, int(np.count_nonzero(np.asarray(answer) != truth)))
    return answer


# --- functions ------------------------------------------------------------------------------------------------------


def call_function(recorder: Recorder, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """A function of NumPy."""
    name = function.__name__
    out = keywords.get("out")
    keywords = {
        k: x for k, x in keywords.items() if x is not None and k not in ("out", "order") and x is not np._NoValue
    }
    try:
        y = _find(name, function)(recorder, name, function, args, keywords)
    except (_Unsupported, supported_ufuncs.Unsupported):
        y = escaped(recorder, function, args, keywords)
    return _written(y, out) if out is not None else y


class _Unsupported(Exception):
    """The function, called like this, is not traced."""


def _find(name: str, function: Any) -> Callable[..., Any]:
    special = SPECIAL.get(name)
    if special is not None and function is not np.linalg.norm:
        return special
    if function in supported.FUNCTIONS and (name in shadows.FUNCTIONS):
        return _computing
    if name in VIEWS:
        return _viewing
    if name in QUESTIONS:
        return _asking
    if name in WRITING:
        return _writing
    if function in supported.FUNCTIONS and function not in (np.where,) and name not in VALUE_DEPENDENT:
        return _moving
    return special or _escaping


def _escaping(recorder: Recorder, name: str, function: Any, args: Any, keywords: Any) -> Any:
    raise _Unsupported


def _computing(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Sums, products, extremes."""
    if keywords.get("where") is not None or "weights" in keywords:
        raise _Unsupported
    given = _positioned(function, args, keywords)
    count = 2 if name in TWO else 1
    fmt = common_format(recorder, args[:count])
    if given.get("dtype") is not None:
        fmt = format_of(recorder, given.pop("dtype")) or fmt
    traced = [cast(adopt(recorder, x, fmt), fmt) for x in list(given.values())[:count]]
    how = dict(list(given.items())[count:])
    initial = how.pop("initial", None)
    if recorder.rewrite is not None and (cured := recorder.rewrite(recorder, name, traced, how)) is not None:
        return cured
    with record_flags(only=["absorbed"]) as raised:
        computed = _by_method(recorder, name, function, traced, how)
    linear = name in ("sum", "mean") and traced[0].size >= LEAST_SIZE and bool(np.isfinite(computed.values).all())
    shaded = _shaded_sum if linear else _shaded
    exact, shadow = shaded(shadows.FUNCTIONS[name], traced, traced, **_of_shadow(how))
    carried = _carried_by_function(name, traced, how)
    y = finished(recorder, name, computed, exact, shadow, traced, carried)
    if raised.absorbed:
        recorder.sites[y.origin].events["absorbed"] += raised.absorbed.count
    return y if initial is None else _with_initial(name, y, initial)


def _shaded_sum(shade: Any, operands: Sequence[Any], traced: list[Traced], **how: Any) -> tuple[Any, Any]:
    """A sum or mean of a large array: the sum of the values, and beside it that of the corrections."""
    exact = shade(shadows.exactly(traced[0].plain), **how)
    correction, radius = traced[0].correction
    if type(correction) is float:
        exact = shadows.settled(exact)
        return exact, exact
    off, slip, size = (np.sum(part, **how) for part in (correction, radius, np.abs(correction)))
    count = traced[0].size / max(exact.hi.size, 1)
    divisor = count if shade is shadows.mean else 1.0
    whole = pairs.add(
        exact, Pair(np.asarray(off / divisor), 0.0, np.asarray((slip + count * 2.0**-52 * size) / divisor))
    )
    return shadows.settled(exact), shadows.settled(whole)


POSITIONS = {
    "dot": "a b out",
    "vdot": "a b",
    "inner": "a b",
    "where": "condition x y",
    "concatenate": "arrays axis out",
}
"""The parameters of NumPy's functions in C."""

TWO = _named("dot vdot inner outer tensordot")


def _positioned(function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name, in the order of the function's parameters."""
    try:
        given = dict(inspect.signature(function).bind(*args, **keywords).arguments)
    except ValueError:  # functions in C have no signature before NumPy 2.4
        given = dict(zip(POSITIONS[function.__name__].split(), args, strict=False)) | keywords
    return {k: x for k, x in given.items() if x is not None and x is not np._NoValue and k != "out"}


def _by_method(recorder: Recorder, name: str, function: Any, traced: list[Traced], how: dict[str, Any]) -> Any:
    values = [x.value for x in traced]
    accumulator = recorder.accumulator_here()
    if accumulator is not None and name in WITH_ACCUMULATOR:
        return getattr(values[0], name)(*values[1:], **_for_method(how), accumulator=accumulator)
    return function(*values, **how)


def _for_method(how: dict[str, Any]) -> dict[str, Any]:
    return {k: x for k, x in how.items() if k in ("axis", "keepdims", "ddof")}


def _of_shadow(how: dict[str, Any]) -> dict[str, Any]:
    return {k: x for k, x in how.items() if k in ("axis", "keepdims", "ddof", "correction", "n", "axes")}


def _with_initial(name: str, y: Traced, initial: Any) -> Any:
    return {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}[name](initial, y)


def _carried_by_function(name: str, traced: list[Traced], how: dict[str, Any]) -> Marks:
    if all(x.marks.clean for x in traced):
        return CLEAN
    if len(traced) == 2:
        a, b = traced
        if name == "dot" and a.ndim == b.ndim == 2:
            return marks.of_product(a.marks, b.marks, a.plain, b.plain)
        if name == "outer":
            return _carried_by_outer(a, b)
        return marks.of_two("add", marks.worst(a.marks, a.shape), marks.worst(b.marks, b.shape), a.plain, b.plain)
    x, axis = traced[0], how.get("axis")
    if name in ("cumsum", "cumprod", "diff") or isinstance(axis, tuple):
        return marks.worst(x.marks, x.shape)
    return marks.along(x.marks, x.shape, axis, bool(how.get("keepdims", False)))


def _carried_by_outer(a: Traced, b: Traced) -> Marks:
    left, right = a.marks.solid(a.shape), b.marks.solid(b.shape)
    column, row = left.moved(lambda part: part.reshape(-1, 1)), right.moved(lambda part: part.reshape(1, -1))
    return marks.of_two("multiply", column, row, a.plain.reshape(-1, 1), b.plain.reshape(1, -1))


# --- moving ---------------------------------------------------------------------------------------------------------

VIEWS = _named(
    "reshape ravel transpose permute_dims matrix_transpose swapaxes moveaxis rollaxis squeeze expand_dims",
    "broadcast_to diagonal flip fliplr flipud rot90",
)
QUESTIONS = _named(
    "argmax argmin nanargmax nanargmin argsort argpartition lexsort any all count_nonzero nonzero flatnonzero argwhere",
    "isposinf isneginf isreal iscomplex isrealobj iscomplexobj shape ndim size may_share_memory shares_memory",
    "searchsorted digitize array_equal array_equiv isin isclose allclose array_repr array_str array2string",
)
WRITING = _named("copyto fill_diagonal put place putmask put_along_axis")
VALUE_DEPENDENT = _named(
    "partition unique trim_zeros nanmax nanmin intersect1d union1d setdiff1d setxor1d arange linspace pad"
)


def _viewing(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    x = adopt(recorder, args[0])
    return x._view(lambda part: function(part, *args[1:], **keywords))


def _asking(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    """Integers and booleans, from the emulated values; a choice that the shadow makes otherwise is a branch."""
    answer = function(*(_values(x) for x in args), **{k: _values(x) for k, x in keywords.items()})
    if name in ("argmax", "argmin") and isinstance(args[0], Traced):
        truth = function(shadows.as_array(args[0].shadow).hi, *args[1:], **keywords)
        recorder.branch(name, int(np.count_nonzero(np.asarray(answer) != truth)))
    return answer


def _values(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(map(_values, x))
    return x.value if isinstance(x, Traced) else x


class _Sources:
    """The traced values that a moving function is given, side by side, and their elements' numbers."""

    def __init__(self, recorder: Recorder, fmt: Any) -> None:
        self.recorder, self.fmt, self.count = recorder, fmt, 0
        self.parts: list[Traced] = []

    def indices(self, x: Any) -> Array:
        """The numbers of the elements of one more value."""
        x = cast(adopt(self.recorder, x, self.fmt), self.fmt)
        index = self.count + np.arange(x.size).reshape(x.shape)
        self.parts.append(x)
        self.count += x.size
        return index

    def gathered(self, index: Array) -> Traced:
        """The elements of these numbers, as a traced value."""
        index = np.asarray(index)
        values = np.concatenate([x.value.values.reshape(-1) for x in self.parts])[index]
        pairs = [shadows.as_array(x.shadow).moved(np.ravel) for x in self.parts]
        shadow = Pair(
            *(_side_by_side([getattr(p, k) for p in pairs], self.parts, index) for k in ("hi", "lo", "radius"))
        )
        kept = CLEAN
        if not all(x.marks.clean for x in self.parts):
            solid = [x.marks.solid(x.shape) for x in self.parts]
            columns = zip(*(m.parts() for m in solid), strict=True)
            kept = Marks(*(np.concatenate([part.reshape(-1) for part in column])[index] for column in columns))
        value = self.parts[0].value._like(np.asarray(values))
        origin = self.parts[0].origin
        return Traced(self.recorder, value, shadows.settled(shadow), kept, origin, self.parts[0].island)


def _side_by_side(columns: list[Any], parts: list[Traced], index: Array) -> Any:
    if all(type(c) is float for c in columns):
        return 0.0
    full = [np.broadcast_to(c, x.size) for c, x in zip(columns, parts, strict=True)]
    return np.asarray(np.concatenate(full)[index])


def _moving(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    entry = supported.FUNCTIONS[function]
    keywords = {k: x for k, x in keywords.items() if k not in ("dtype", "casting")}
    sources = _Sources(recorder, common_format(recorder, leaves([args, list(keywords.values())])))
    given = [_indexed(sources, x, k in entry.numbers) for k, x in enumerate(args)]
    named = {k: _indexed(sources, x, k in entry.numbers) for k, x in keywords.items()}
    return _gathered(sources, function(*given, **named))


def _indexed(sources: _Sources, x: Any, number: bool) -> Any:
    if isinstance(x, (list, tuple)) and (number or any(isinstance(leaf, Traced) for leaf in leaves(x))):
        return type(x)(_indexed(sources, part, True) for part in x)
    if isinstance(x, Traced) or (number and x is not None):
        return sources.indices(x)
    return x


def _gathered(sources: _Sources, y: Any) -> Any:
    if isinstance(y, (list, tuple)):
        return type(y)(_gathered(sources, part) for part in y)
    return sources.gathered(y)


def _writing(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> None:
    target = args[0]
    if not isinstance(target, Traced):
        function(*(np.asarray(x) if isinstance(x, Traced) else x for x in args), **keywords)
        return
    entry = supported.FUNCTIONS[function]
    sources = _Sources(recorder, target.value.fmt)
    index = sources.indices(target)
    given = [_indexed(sources, x, k in entry.numbers) for k, x in enumerate(args[1:], 1)]
    function(index, *given, **{k: _indexed(sources, x, k in entry.numbers) for k, x in keywords.items()})
    target[...] = sources.gathered(index)


# --- special cases --------------------------------------------------------------------------------------------------


def _where(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    condition: Any = np.not_equal(args[0], 0) if isinstance(args[0], Traced) else np.asarray(args[0])
    if len(args) == 1:
        return np.nonzero(condition)
    sources = _Sources(recorder, common_format(recorder, args[1:]))
    return sources.gathered(np.where(condition, *(sources.indices(x) for x in args[1:])))


def _clip(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    x, *bounds = args
    low = bounds[0] if bounds else keywords.get("a_min", keywords.get("min"))
    high = bounds[1] if len(bounds) > 1 else keywords.get("a_max", keywords.get("max"))
    y = x if low is None else np.maximum(x, low)
    return y if high is None else np.minimum(y, high)


def _sort(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    axis = args[1] if len(args) > 1 else keywords.get("axis", -1)
    x = adopt(recorder, args[0])
    return np.take_along_axis(x, np.argsort(x.plain, axis=axis, kind="stable"), axis)


def _round(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    if any(args[1:]) or keywords.get("decimals"):
        raise _Unsupported
    return np.rint(args[0])


def _filled(number: Any) -> Callable[..., Any]:
    def run(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
        x = args[0]
        shape = keywords.get("shape", x.shape)
        value = number if number is not None else args[1] if len(args) > 1 else keywords["fill_value"]
        if "dtype" in keywords and format_of(recorder, keywords["dtype"]) is None:
            return np.full(shape, value, keywords["dtype"])
        fmt = format_of(recorder, keywords["dtype"]) if "dtype" in keywords else x.value.fmt
        return np.broadcast_to(adopt(recorder, value, fmt), shape).copy()

    return run


def _average(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    weights = keywords.get("weights")
    if weights is None:
        return np.mean(args[0], **{k: x for k, x in keywords.items() if k in ("axis", "keepdims")})
    if keywords.get("returned") or np.shape(weights) != args[0].shape:
        raise _Unsupported
    how = {k: x for k, x in keywords.items() if k in ("axis", "keepdims")}
    weights = adopt(recorder, weights)
    return np.sum(args[0] * weights, **how) / np.sum(weights, **how)


def _trace(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    return np.sum(np.diagonal(*args, **keywords), axis=-1)


def _nan_to_num(recorder: Recorder, name: str, function: Any, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
    x = args[0]
    computed = np.nan_to_num(x.value, **{k: v for k, v in keywords.items() if k != "copy"})
    index = np.isfinite(x.plain)
    return np.where(index, x, entered(recorder, np.asarray(computed.values, np.float64), x.value.fmt))


SPECIAL: dict[str, Callable[..., Any]] = {
    "where": _where,
    "clip": _clip,
    "sort": _sort,
    "round": _round,
    "around": _round,
    "zeros_like": _filled(0.0),
    "empty_like": _filled(0.0),
    "ones_like": _filled(1.0),
    "full_like": _filled(None),
    "average": _average,
    "trace": _trace,
    "nan_to_num": _nan_to_num,
}


# --- escapes --------------------------------------------------------------------------------------------------------


def escaped(
    recorder: Recorder, function: Any, args: Sequence[Any], keywords: dict[str, Any], what: str | None = None
) -> Any:
    """A function that is not traced: computed in float64; its results come back as new numbers."""
    name = getattr(function, "__name__", str(function))
    if isinstance(ufunc := getattr(function, "__self__", None), np.ufunc):
        name = f"{ufunc.__name__}.{name}"
    module = getattr(function, "__module__", None) or "numpy"
    recorder.escape(what or f"{module}.{name}: computed in float64")
    plain = [_to_float64(x) for x in args]
    y = function(*plain, **{k: _to_float64(x) for k, x in keywords.items()})
    for x, after in zip(args, plain, strict=True):  # np.add.at and shuffle write to an argument
        if type(x) is Traced and x.ndim and not np.array_equal(after, x.plain, equal_nan=True):
            x[...] = entered(recorder, after, x.value.fmt)
    return returned(recorder, y)


def _to_float64(x: Any) -> Any:
    if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
        return type(x)(map(_to_float64, x))
    return np.array(x.plain) if isinstance(x, Traced) and x.ndim else float(x.plain) if isinstance(x, Traced) else x


def returned(recorder: Recorder, y: Any, fmt: Any = None) -> Any:
    """Floats as new traced numbers, also those in tuples and lists; everything else as it is."""
    if isinstance(y, tuple) and hasattr(y, "_fields"):
        return type(y)(*(returned(recorder, part, fmt) for part in y))
    if isinstance(y, (list, tuple)):
        return type(y)(returned(recorder, part, fmt) for part in y)
    if type(y) is not Traced and isinstance(y, (np.ndarray, np.floating, float)) and np.asarray(y).dtype.kind == "f":
        return entered(recorder, np.asarray(y), fmt or recorder.fmt)
    return y
