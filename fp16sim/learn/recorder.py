"""Records a training run elsewhere, in one file without dependencies: copy it to the machine where you train.

    from recorder import Recorder

    recorder = Recorder("run.jsonl")
    recorder.watch(model, optimizer)           # a module of PyTorch
    for x, y in batches:
        ...                                    # forward, backward, optimizer.step(), scaler.update()
        recorder.step(loss, scaler=scaler)     # before optimizer.zero_grad()

Other frameworks give tensors by name, step by step: NumPy arrays, or anything that numpy.asarray takes.

        recorder.record("fc1.weight", gradient, "weight gradient")
        recorder.step(loss, loss_scale=scale, skipped=False)

In every step it finds the largest magnitude of each tensor, and so the first one that is not finite. In the first step
and in every 50th after it, it counts the exponents of all tensors. The log has a line of JSON for each of these facts.
It stays small, and it is whole after every line: a run that is killed loses none of it.

Where fp16sim is installed, `fp16sim diagnose run.jsonl` says what went wrong, in which step and in which tensor.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

SCHEMA = "fp16sim.recorder.1"

RECENT = 16
"""Of what is first not finite, the largest magnitudes in so many steps before are written."""
MOST_EVENTS = 100
"""Steps with something not finite of which it is written what that was; of later ones there is a shorter line."""
LAYOUTS = {"float32": (23, 255, 127), "float64": (52, 2047, 1023)}
"""Bits of the trailing significand, mask of the exponent field, bias."""


class Recorder:
    """Writes what the tensors of a run show.

    It never stops a run: if the log cannot be written, or a tensor cannot be read, it says so once and gives up.

    Parameters
    ----------
    path : str
        The log. It is appended to. If the environment variable RANK is above 0, its name gets that number.
    every : int
        The exponents are counted in the first step and in every `every`-th after it.
    max_bytes : int
        A log that is longer becomes `path.1`, which replaces an older one, and a new log begins.
    first_step : int
        The number of the first step, for a run that goes on.

    Examples
    --------
    >>> import tempfile, numpy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recorder = Recorder(f"{folder}/run.jsonl")
    ...     recorder.record("w", numpy.float16([0.5, 0.75, 3.0]), "weight gradient")
    ...     recorder.step(loss=2.5)
    ...     with open(f"{folder}/run.jsonl") as file:
    ...         header, step, row = map(json.loads, file)
    >>> row["lowest"], row["counts"]
    (-1, [2, 0, 1])
    """

    def __init__(self, path: str | os.PathLike[str], every: int = 50, max_bytes: int = 1 << 26, first_step: int = 1):
        if every < 1 or max_bytes < 1 << 16:
            raise ValueError(f"every={every}, max_bytes={max_bytes}: use 1 or more, and 65536 or more")
        rank, (stem, ending) = os.environ.get("RANK", "0"), os.path.splitext(os.fspath(path))
        self.path = stem + ending if rank in ("", "0") else f"{stem}.rank{rank}{ending}"
        self.every, self.max_bytes, self.first, self.number = every, max_bytes, first_step, first_step
        self.alive, self.events, self._begun = True, 0, False
        self._about: dict[str, Any] = {"parameters": {}, "optimizer": {}}
        self._seen: list[_Seen] = []
        self._recent: list[tuple[int, dict[tuple[str, str], float]]] = []
        self._scale: float | None = None
        self._next_scale: float | None = None
        self._last: Any = None
        self._parameters: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._handles: list[Any] = []

    # --- what is recorded -------------------------------------------------------------------------------------------

    def watch(self, model: Any, optimizer: Any = None) -> Recorder:
        """Look at the outputs of all modules, their gradients, and the gradients and values of all parameters.

        With the optimizer, also at its updates: how many of them are too small to change their weight.
        """
        for name, module in model.named_modules():
            self._handles.append(module.register_forward_hook(partial(self._safely, self._forward, name or "model")))
        self._parameters = dict(model.named_parameters())
        self._about["parameters"] = {name: [_dtype(p), _size(p)] for name, p in self._parameters.items()}
        if optimizer is not None:
            self._about["optimizer"] = _settings(optimizer)
        if hasattr(optimizer, "register_step_post_hook"):  # PyTorch 2
            self._handles.append(optimizer.register_step_pre_hook(partial(self._safely, self._before_update)))
            self._handles.append(optimizer.register_step_post_hook(partial(self._safely, self._after_update)))
        return self

    def record(self, name: str, tensor: Any, kind: str = "activation", operation: str = "") -> None:
        """Look at a tensor of the current step.

        `kind` is "activation", "activation gradient", "weight gradient" or "weight", or a word of your own; `operation`
        says what computed it.
        """
        self._safely(self._look, kind, name, operation, (), tensor)

    def step(
        self, loss: Any = None, scaler: Any = None, loss_scale: float | None = None, skipped: bool | None = None
    ) -> None:
        """End a step: write what it showed.

        Parameters
        ----------
        loss : number or tensor, optional
        scaler : torch.amp.GradScaler, optional
            After its `update`: it says the loss scale, and whether the step was skipped.
        loss_scale, skipped : float and bool, optional
            The same, said by you.
        """
        self._safely(self._end, loss, scaler, loss_scale, skipped)

    def close(self) -> None:
        """Take the hooks off the model."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    # --- hooks ------------------------------------------------------------------------------------------------------

    @property
    def _examines(self) -> bool:
        """Whether the exponents of this step are counted."""
        return (self.number - self.first) % self.every == 0

    def _forward(self, name: str, module: Any, inputs: Any, output: Any) -> None:
        if not sys.modules["torch"].is_grad_enabled():  # validation
            return
        tensors, has_parts = list(_tensors(output)), any(True for _ in module.children())
        for k, x in enumerate(tensors):
            if x is self._last:
                continue  # the output of a module is often that of its last part
            self._last = x
            own = name if len(tensors) == 1 else f"{name}[{k}]"
            operands = () if has_parts else tuple(_tensors(inputs))
            self._look("activation", own, type(module).__name__, operands, x)
            if x.requires_grad:
                x.register_hook(partial(self._safely, self._look, "activation gradient", own, "", ()))

    def _before_update(self, *_: Any) -> None:
        if self._examines:
            moved = {name: p for name, p in self._parameters.items() if p.grad is not None}
            self._before = {name: p.detach().clone() for name, p in moved.items() if not _is_sparse(p.grad)}

    def _after_update(self, *_: Any) -> None:
        for name, before in self._before.items():
            p = self._parameters[name]
            moving = p.grad != 0
            counts = (moving.sum(), ((p.detach() == before) & moving).sum())
            self._seen.append(_Seen("update", name, p, True, updates=counts))
        self._before = {}

    def _look(self, kind: str, name: str, operation: str, operands: Sequence[Any], x: Any) -> None:
        x = x if hasattr(x, "detach") else _array(x)
        if _is_sparse(x):
            x = x.coalesce().values()
        if next(_tensors(x), None) is not None and _size(x):
            self._seen.append(_Seen(kind, name, x, self._examines, operation, operands))

    # --- the end of a step ------------------------------------------------------------------------------------------

    def _end(self, loss: Any, scaler: Any, loss_scale: float | None, skipped: bool | None) -> None:
        for kind, of in (("weight gradient", "grad"), ("weight", "data")):
            for name, p in self._parameters.items():
                if getattr(p, of) is not None:
                    self._look(kind, name, "", (), getattr(p, of))
        seen, self._seen, self._last = self._seen, [], None
        scale, skipped = self._scale_and_skip(scaler, loss_scale, skipped)
        loss = None if loss is None else float(loss.detach() if hasattr(loss, "detach") else loss)
        _fetch(seen)
        self._write_step(seen, loss, scale, skipped)
        amax = {(one.kind, one.name): one.amax for one in seen if not one.updates}
        self._recent = [*self._recent, (self.number, amax)][-RECENT:]
        self._scale, self.number = scale, self.number + 1

    def _scale_and_skip(self, scaler: Any, scale: float | None, skipped: bool | None) -> tuple[float | None, bool]:
        """The loss scale of the step that ends. A scaler has already made it smaller if the step was skipped."""
        if scaler is None:
            return (None if scale is None else float(scale)), bool(skipped)
        now = float(scaler.get_scale())
        used = self._next_scale or float(getattr(scaler, "_init_scale", now) or now)
        self._next_scale = now
        return used, now < used if skipped is None else bool(skipped)

    def _write_step(self, seen: list[_Seen], loss: float | None, scale: float | None, skipped: bool) -> None:
        wrong = [one for one in seen if not math.isfinite(one.amax)]
        bad = bool(wrong) or not math.isfinite(loss or 0.0)
        if self._examines or bad or skipped or scale != self._scale:
            finite = not any(one.kind == "weight" for one in wrong)
            line = {"loss": loss, "scale": scale, "skipped": skipped, "finite_weights": finite}
            self._write({"step": self.number, **line})
        for one in seen:
            if one.examined:
                self._write({"step": self.number, **one.row()})
        self.events += bad
        if bad and self.events <= MOST_EVENTS:
            self._write({"step": self.number, "event": self._event(seen, wrong, loss)})

    def _event(self, seen: list[_Seen], wrong: list[_Seen], loss: float | None) -> dict[str, Any]:
        """What was first not finite. The loss comes after the outputs of modules, and before all gradients."""
        event: dict[str, Any] = {"kind": "loss", "name": "loss", "value": loss, "operation": "", "dtype": ""}
        event.update(elements=1, operands=[], weights={}, before=None, recent=[])
        if not wrong or (wrong[0].kind != "activation" and not math.isfinite(loss or 0.0)):
            return event
        first = wrong[0]
        before = [one for one in seen[: seen.index(first)] if one.kind == first.kind]
        weights = self._recent[-1][1] if self._recent else {}
        own = {name: x for (kind, name), x in weights.items() if kind == "weight" and name.startswith(f"{first.name}.")}
        event.update(kind=first.kind, name=first.name, value=first.amax, operation=first.operation, dtype=first.dtype)
        event.update(elements=first.size, operands=first.magnitudes[1:], weights=own)
        event["before"] = [before[-1].name, before[-1].amax] if before else None
        if self.events == 1:
            known = ((step, amax.get((first.kind, first.name))) for step, amax in self._recent)
            event["recent"] = [[step, x] for step, x in known if x is not None]
        return event

    # --- the log ----------------------------------------------------------------------------------------------------

    def _header(self) -> dict[str, Any]:
        torch = getattr(sys.modules.get("torch"), "__version__", None)
        versions = {"python": sys.version.split()[0], "torch": None if torch is None else str(torch)}
        return {"schema": SCHEMA, "time": time.time(), "every": self.every, **versions, **self._about}

    def _write(self, line: dict[str, Any]) -> None:
        """Append a line; the first one follows a header."""
        try:
            if not self._begun:
                self._begun = True
                self._append(self._ended() + _as_line(self._header()))
            text = _as_line(line)
            if os.path.getsize(self.path) + len(text) > self.max_bytes:
                os.replace(self.path, f"{self.path}.1")
                self._append(_as_line(self._header()))
            self._append(text)
        except OSError as error:
            self._give_up(error)

    def _append(self, text: bytes) -> None:
        """One call of the system for each line, so that a crash leaves whole lines."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        try:
            os.write(handle, text)
        finally:
            os.close(handle)

    def _ended(self) -> bytes:
        """What ends the last line of an older log: nothing, unless its run was killed while it wrote."""
        if not os.path.exists(self.path) or not os.path.getsize(self.path):
            return b""
        with open(self.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return b"" if file.read(1) == b"\n" else b"\n"

    def _safely(self, function: Callable[..., None], *arguments: Any) -> None:
        if self.alive:
            try:
                function(*arguments)
            except Exception as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.alive = False
        sys.stderr.write(f"recorder: nothing more is recorded, because of {type(error).__name__}: {error}\n")


# --- tensors --------------------------------------------------------------------------------------------------------


class _Seen:
    """One tensor in one step. On a GPU its numbers are computed there, and fetched at the end of the step."""

    def __init__(
        self,
        kind: str,
        name: str,
        x: Any,
        examined: bool,
        operation: str = "",
        operands: Sequence[Any] = (),
        updates: tuple[Any, ...] = (),
    ) -> None:
        self.kind, self.name, self.operation, self.updates = kind, name, operation, updates
        self.dtype, self.size, self.examined = _dtype(x), _size(x), examined
        self.magnitudes: list[Any] = [0.0] if updates else [_amax(x), *(_amax(y) for y in operands if _size(y))]
        self.counts: Any = _counts(x) if examined and not updates else None

    @property
    def amax(self) -> float:
        """The largest magnitude, once it is fetched."""
        found: float = self.magnitudes[0]
        return found

    def row(self) -> dict[str, Any]:
        """What is written of it."""
        about = {"kind": self.kind, "name": self.name, "dtype": self.dtype, "total": self.size}
        if self.updates:
            return {**about, "moving": int(self.updates[0]), "unchanged": int(self.updates[1])}
        counted, zeros, infinities, bias = self.counts
        fields, zeros, infinities = [int(n) for n in counted], int(zeros), int(infinities)
        fields[0] -= zeros  # subnormal numbers of the wide type
        used = [e for e, n in enumerate(fields[:-1]) if n]
        counts = fields[used[0] : used[-1] + 1] if used else []
        about.update(zeros=zeros, infinities=infinities, nans=fields[-1] - infinities, amax=self.amax)
        return {**about, "lowest": used[0] - bias if used else 0, "counts": counts}


def _tensors(value: Any) -> Iterator[Any]:
    """The tensors of floats in a value, or in a tuple, list or dict of values."""
    if hasattr(value, "dtype"):
        if "float" in str(value.dtype):
            yield value
    elif isinstance(value, (list, tuple, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _tensors(one)


def _is_sparse(x: Any) -> bool:
    return bool(getattr(x, "is_sparse", False))


def _dtype(x: Any) -> str:
    return str(x.dtype).replace("torch.", "")


def _size(x: Any) -> int:
    return int(x.numel() if hasattr(x, "numel") else x.size)


def _array(x: Any) -> Any:
    """A NumPy array of floats; NumPy is there if its user has arrays."""
    import numpy

    x = numpy.asarray(x)
    return x if "float" in str(x.dtype) else x.astype(numpy.float64)


def _wide(x: Any) -> Any:
    """The tensor in float32, or in float64 if it was that: both hold all numbers of the narrower types."""
    if not hasattr(x, "detach"):
        return x if str(x.dtype) in LAYOUTS else x.astype("float32")
    x = x.detach()
    return x if _dtype(x) in LAYOUTS else x.float()


def _amax(x: Any) -> Any:
    """The largest magnitude, infinity or NaN if one is there; of a tensor the smallest and the largest number."""
    if not hasattr(x, "detach"):
        return float(abs(_wide(x)).max())
    x = x.detach()
    try:
        return tuple(sys.modules["torch"].aminmax(x))
    except RuntimeError:  # a type or a device without this operation
        largest = x.float().abs().max()
        return -largest, largest


def _counts(x: Any) -> tuple[Any, Any, Any, int]:
    """How many numbers have each exponent field; zeros; infinities; the bias of the fields."""
    x = _wide(x)
    bits, mask, bias = LAYOUTS[_dtype(x)]
    if hasattr(x, "detach"):
        torch = sys.modules["torch"]
        words = x.contiguous().reshape(-1).view(torch.int32 if bits == 23 else torch.int64)
        fields = torch.bincount((words >> bits) & mask, minlength=mask + 1)
        return fields, x.numel() - torch.count_nonzero(x), torch.isinf(x).sum(), bias
    import numpy

    words = numpy.ascontiguousarray(x).reshape(-1).view("u4" if bits == 23 else "u8")
    fields = numpy.bincount(((words >> bits) & mask).astype("i8"), minlength=mask + 1)
    return fields, (x == 0).sum(), numpy.isinf(x).sum(), bias


def _fetch(seen: list[_Seen]) -> None:
    """Bring all largest magnitudes here, those of one device and type in one transfer."""
    waiting: dict[tuple[Any, Any], list[tuple[list[Any], int]]] = {}
    for one in seen:
        for k, ends in enumerate(one.magnitudes):
            if isinstance(ends, tuple):
                waiting.setdefault((ends[0].device, ends[0].dtype), []).append((one.magnitudes, k))
    for places in waiting.values():
        stacked = sys.modules["torch"].stack([x for magnitudes, k in places for x in magnitudes[k]])
        numbers = stacked.tolist()
        for i, (magnitudes, k) in enumerate(places):
            magnitudes[k] = max(-numbers[2 * i], numbers[2 * i + 1]) + 0.0  # no -0


def _settings(optimizer: Any) -> dict[str, Any]:
    """The name of an optimizer, and what it was given for its first group of parameters."""
    group: dict[str, Any] = optimizer.param_groups[0]
    found: dict[str, Any] = {"name": type(optimizer).__name__}
    for name in ("lr", "eps", "momentum", "weight_decay"):
        if isinstance(group.get(name), (int, float)):
            found[name] = float(group[name])
    return {**found, "betas": [float(beta) for beta in group["betas"]]} if "betas" in group else found


def _as_line(line: dict[str, Any]) -> bytes:
    return (json.dumps(_plain(line), allow_nan=False) + "\n").encode()


def _plain(x: Any) -> Any:
    """The same for JSON, which has no infinity and no NaN: these are texts."""
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)
    if isinstance(x, dict):
        return {str(name): _plain(value) for name, value in x.items()}
    return [_plain(one) for one in x] if isinstance(x, (list, tuple)) else x
