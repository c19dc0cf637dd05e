"""torch, JAX and torchao, on the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...formats import BFLOAT16, BINARY16, Format, get_format
from ..subject import Accuracy, Array, BlockCheck, Check, Reduction, Subject
from .common import FIVE, PYTHON_OPERATORS, arithmetic, casts, documented, functions, values_of

NAMES = "exp exp2 expm1 log log2 log10 log1p sin cos tan tanh sinh cosh sigmoid"
FUNCTIONS = {name: name for name in NAMES.split()}
FLOAT8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")


def softmax(x: Array) -> Array:
    """softmax of each row, in float64."""
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def layer_norm(x: Array) -> Array:
    """Layer norm of each row, in float64, with the usual 1e-5."""
    centred = x - x.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5))


# --- torch ----------------------------------------------------------------------------------------------------------


def torch(module: Any) -> Subject:
    """half, bfloat16 and float8: casts; arithmetic, functions and reductions of the two wider ones; layers."""
    module.set_num_threads(1)
    checks: list[Check] = []
    for name in ("float16", "bfloat16", *(name for name in FLOAT8 if hasattr(module, name))):
        checks += _torch_casts(module, name)
    accuracies: list[Accuracy] = []
    reductions: list[Reduction] = []
    for fmt, dtype in ((BINARY16, module.float16), (BFLOAT16, module.bfloat16)):
        give = _giver(module, dtype)
        checks += arithmetic(fmt, _torch_operation(module, give), FIVE)
        checks += functions(fmt, _torch_function(module, give), FUNCTIONS)
        checks.append(Check(f"{fmt.name} from int64", "integer", fmt, _torch_integers(module, dtype, fmt)))
        reductions += _torch_sums(module, fmt, give)
        accuracies += _torch_layers(module, fmt, give)
    return Subject("torch", str(module.__version__), tuple(checks), (), tuple(reductions), tuple(accuracies))


def _giver(module: Any, dtype: Any) -> Callable[[Array], Any]:
    return lambda x: module.from_numpy(np.ascontiguousarray(x)).to(dtype)


def _torch_codes(module: Any, t: Any, fmt: Format) -> Array:
    raw = module.uint8 if fmt.width == 8 else module.int16
    codes = t.contiguous().view(raw).numpy()
    return values_of(codes.view(np.uint16) if fmt.width == 16 else codes, fmt)


def _torch_casts(module: Any, name: str) -> Iterator[Check]:
    dtype = getattr(module, name)
    plain = get_format(name)
    fmt, where = documented(plain, "pytorch")

    def cast(source: Any) -> Callable[[Array], Array]:
        return lambda x: _torch_codes(module, module.from_numpy(x).to(source).to(dtype), fmt)

    sources = {"binary64": module.float64, "binary32": module.float32}
    if name != "float16":
        sources["binary16"] = module.float16
    if name != "bfloat16":
        sources["bfloat16"] = module.bfloat16
    yield from casts(fmt, {source: cast(which) for source, which in sources.items()}, where)

    def decode(codes: Array) -> Any:
        signed = codes.view(np.int16) if plain.width == 16 else codes
        return module.from_numpy(signed).view(dtype).to(module.float32).numpy()

    yield Check(f"{plain.name} codes to float32", "decode", plain, decode)


def _torch_operation(module: Any, give: Callable[[Array], Any]) -> Callable[[str, tuple[Array, ...]], Any]:
    def operation(name: str, columns: tuple[Array, ...]) -> Any:
        given = [give(x) for x in columns]
        result = module.sqrt(*given) if name == "sqrt" else PYTHON_OPERATORS[name](*given)
        return result.to(module.float64).numpy()

    return operation


def _torch_function(module: Any, give: Callable[[Array], Any]) -> Callable[[str, Array], Any]:
    return lambda name, x: getattr(module, name)(give(x)).to(module.float64).numpy()


def _torch_integers(module: Any, dtype: Any, fmt: Format) -> Callable[[Any], Any]:
    return lambda x: _torch_codes(module, module.tensor(list(x), dtype=module.int64).to(dtype), fmt)


def _torch_sums(module: Any, fmt: Format, give: Callable[[Array], Any]) -> Iterator[Reduction]:
    yield Reduction("torch.sum", fmt, lambda x: float(give(x).sum()))
    yield Reduction("torch.cumsum", fmt, lambda x: float(give(x).cumsum(0)[-1]))
    yield Reduction("torch.dot", fmt, lambda x: float(module.dot(give(x), give(np.ones(x.size)))))
    yield Reduction("torch.matmul", fmt, lambda x: float(give(x)[None] @ give(np.ones((x.size, 1)))))
    yield Reduction("torch.mean", fmt, lambda x: float(give(x).mean()), mean=True)


def _torch_layers(module: Any, fmt: Format, give: Callable[[Array], Any]) -> Iterator[Accuracy]:
    def softmax_of(x: Array) -> Any:
        return module.softmax(give(x), dim=1).to(module.float64).numpy()

    def layer_norm_of(x: Array) -> Any:
        return module.nn.functional.layer_norm(give(x), x.shape[1:]).to(module.float64).numpy()

    yield Accuracy("softmax", fmt, softmax_of, softmax)
    yield Accuracy("layer_norm", fmt, layer_norm_of, layer_norm)


# --- JAX ------------------------------------------------------------------------------------------------------------


FLUSHES = "JAX, The Sharp Bits: subnormal numbers may be replaced by zeros"


def jax(module: Any, jnp: Any) -> Subject:
    """float16, bfloat16 and float8: casts from float64 and float32; arithmetic, functions, reductions, softmax."""
    module.config.update("jax_enable_x64", True)
    checks: list[Check] = []
    for name in ("float16", "bfloat16", *(name for name in FLOAT8 if hasattr(jnp, name))):
        checks += _jax_casts(jnp, name)
    reductions: list[Reduction] = []
    accuracies: list[Accuracy] = []
    for fmt, dtype in ((BINARY16, jnp.float16), (BFLOAT16, jnp.bfloat16)):
        give = _jax_giver(jnp, dtype)
        checks += arithmetic(fmt, _jax_operation(jnp, give), FIVE)
        checks += functions(fmt, _jax_function(module, jnp, give), FUNCTIONS)
        reductions += _jax_sums(jnp, fmt, give)
        accuracies.append(Accuracy("softmax", fmt, _jax_softmax(module, give), softmax))
    checks = [replace(check, flushes=True, documented=check.documented or FLUSHES) for check in checks]
    return Subject("jax", str(module.__version__), tuple(checks), (), tuple(reductions), tuple(accuracies))


def _jax_giver(jnp: Any, dtype: Any) -> Callable[[Array], Any]:
    """Numbers of the format reach JAX without a rounding of its own: by way of float32, which holds them."""
    return lambda x: jnp.asarray(x.astype(np.float32)).astype(dtype)


def _jax_casts(jnp: Any, name: str) -> Iterator[Check]:
    dtype = getattr(jnp, name)
    plain = get_format(name)
    fmt, where = documented(plain, "ml_dtypes")  # XLA overflows as ml_dtypes does
    raw = np.uint8 if fmt.width == 8 else np.uint16

    def cast(source: Any) -> Callable[[Array], Array]:
        return lambda x: values_of(np.asarray(jnp.asarray(x.astype(source)).astype(dtype)).view(raw), fmt)

    yield from casts(fmt, {"binary64": cast(np.float64), "binary32": cast(np.float32)}, where)


def _jax_operation(jnp: Any, give: Callable[[Array], Any]) -> Callable[[str, tuple[Array, ...]], Any]:
    def operation(name: str, columns: tuple[Array, ...]) -> Any:
        given = [give(x) for x in columns]
        result = jnp.sqrt(*given) if name == "sqrt" else PYTHON_OPERATORS[name](*given)
        return np.asarray(result).astype(np.float64)

    return operation


def _jax_function(module: Any, jnp: Any, give: Callable[[Array], Any]) -> Callable[[str, Array], Any]:
    def evaluate(name: str, x: Array) -> Any:
        function = module.nn.sigmoid if name == "sigmoid" else getattr(jnp, name)
        return np.asarray(function(give(x))).astype(np.float64)

    return evaluate


def _jax_sums(jnp: Any, fmt: Format, give: Callable[[Array], Any]) -> Iterator[Reduction]:
    yield Reduction("jnp.sum", fmt, lambda x: float(jnp.sum(give(x))))
    yield Reduction("jnp.dot", fmt, lambda x: float(jnp.dot(give(x), give(np.ones(x.size)))))
    yield Reduction("jnp.mean", fmt, lambda x: float(jnp.mean(give(x))), mean=True)


def _jax_softmax(module: Any, give: Callable[[Array], Any]) -> Callable[[Array], Any]:
    return lambda x: np.asarray(module.nn.softmax(give(x), axis=1)).astype(np.float64)


# --- torchao --------------------------------------------------------------------------------------------------------

RULES = ("floor", "ceil", "even", "rceil")


def torchao(package: Any, module: Any, mx: Any, nvfp4: Any) -> Subject:
    """MX blocks by the four scale rules, and NVFP4 by torchao's own order of operations."""
    elements = {
        "mxfp8": module.float8_e4m3fn,
        "mxfp8_e5m2": module.float8_e5m2,
        "mxfp6": getattr(mx, "DTYPE_FP6_E2M3", None),
        "mxfp6_e3m2": getattr(mx, "DTYPE_FP6_E3M2", None),
        "mxfp4": getattr(module, "float4_e2m1fn_x2", None),
    }
    blocks = [
        BlockCheck(f"{name} by {rule}", name, rule, _mx(module, mx, name, dtype, rule))
        for name, dtype in elements.items()
        for rule in RULES
        if dtype is not None
    ]
    blocks.append(BlockCheck("nvfp4 by torchao", "nvfp4", "torchao", _nvfp4(module, nvfp4)))
    return Subject("torchao", str(package.__version__), (), tuple(blocks))


def _mx(module: Any, mx: Any, name: str, dtype: Any, rule: str) -> Callable[[Array], tuple[Array, Array]]:
    def quantize(x: Array) -> tuple[Array, Array]:
        scales, codes = mx.to_mx(module.from_numpy(x), dtype, 32, mx.ScaleCalculationMode[rule.upper()])
        return _unpacked(codes.view(module.uint8).numpy(), x.shape, name == "mxfp4"), _scales(module, scales, len(x))

    return quantize


def _nvfp4(module: Any, nvfp4: Any) -> Callable[[Array], tuple[Array, Array]]:
    def quantize(x: Array) -> tuple[Array, Array]:
        given = module.from_numpy(x)
        tensor = nvfp4.per_tensor_amax_to_scale(given.abs().max())
        scales, codes = nvfp4.nvfp4_quantize(given, 16, tensor)
        return _unpacked(codes.view(module.uint8).numpy(), x.shape, True), _scales(module, scales, len(x))

    return quantize


def _unpacked(codes: Array, shape: tuple[int, ...], by_two: bool) -> Array:
    """Codes of elements; two of 4 bits are in one byte, the first in the low half."""
    codes = codes.reshape(shape[0], -1)
    return np.stack([codes & 15, codes >> 4], axis=-1).reshape(shape) if by_two else codes


def _scales(module: Any, scales: Any, rows: int) -> Array:
    return np.asarray(scales.view(module.uint8).numpy().reshape(rows))
