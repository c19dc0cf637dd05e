"""What a pickle of PyTorch says, without executing it: names and arguments, as data.

A pickle is a program, and unpickling runs it. Here its opcodes build lists, dicts and tuples only. A name in it, such
as `torch._utils._rebuild_tensor_v2`, is a text that is looked up in a table; it is never imported, and nothing is
called. So a pickle that wants to run a command has no way to, and one with a name that is not in the table is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ...wording import quoted

MOST_OPCODES = 1 << 22
"""A pickle with more of them is refused. A state dict has some 25 for a tensor."""


class Name(NamedTuple):
    """A name that the pickle mentions, such as "torch.FloatStorage"."""

    text: str


class Storage(NamedTuple):
    """A reference to a file in the archive: its key, its type and how many elements the pickle says it has."""

    type: str
    key: str
    elements: int


class StoredTensor(NamedTuple):
    """A view of a storage. `dtype` is "" where the storage says it. Numbers come from the file: nothing is checked."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str = ""


CONVERT = (
    "load the file where you trust it and save its tensors: "
    "safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')"
)


def read_pickle(content: bytes) -> Any:
    """The object of a pickle: dicts, lists, tuples, texts, numbers and StoredTensors.

    Raises
    ------
    ValueError
        If it is damaged, or has an opcode or a name that a state dict does not need.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count >= MOST_OPCODES:
                raise ValueError(f"its pickle has more than {MOST_OPCODES:,} operations")
            machine.step(opcode.name, argument)
        return machine.result()
    except _Refused as refused:
        raise ValueError(f"{refused}; {CONVERT}") from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, UnicodeError) as error:
        raise ValueError(f"its pickle is damaged ({quoted(' '.join(str(error).split()))})") from None


class _Refused(Exception):
    """A pickle that may be whole, but is not one of tensors."""


class _Machine:
    """The stack machine of pickle, with data alone."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.stopped = False

    def result(self) -> Any:
        """What is left on the stack at the end."""
        if not self.stopped or len(self.stack) != 1:
            raise ValueError("it was cut off")
        return self.stack[0]

    def step(self, name: str, argument: Any) -> None:
        """One opcode."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self.stack.append(argument)
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise _Refused(f"its pickle has the operation {name}, which a state dict does not need")

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("an operation lacks its operand")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        start = self.marks.pop()
        items, self.stack[start:] = self.stack[start:], []
        return items

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise ValueError("an operation has an operand of another type")
        return self.stack[-1]

    # --- one method for each kind of opcode -------------------------------------------------------------------------

    def mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def stop(self, _: Any) -> None:
        self.stopped = True

    def put(self, at: int) -> None:
        self.memo[at] = self.stack[-1]

    def get(self, at: int) -> None:
        self.stack.append(self.memo[at])

    def memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def append(self, _: Any) -> None:
        item = self.pop()
        self.top(list).append(item)

    def appends(self, _: Any) -> None:
        items = self.pop_to_mark()
        self.top(list).extend(items)

    def set_item(self, _: Any) -> None:
        value, key = self.pop(), self.pop()
        self.top(dict).update(_pairs([(key, value)]))

    def set_items(self, _: Any) -> None:
        items = self.pop_to_mark()
        self.top(dict).update(_pairs(zip(items[::2], items[1::2], strict=True)))

    def global_name(self, argument: str) -> None:
        self.stack.append(_known(argument.replace(" ", ".")))

    def stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        self.stack.append(_known(f"{module}.{name}"))

    def persistent(self, _: Any) -> None:
        kind, type_, key, _place, elements = self.pop()
        if kind != "storage" or not isinstance(type_, Name) or not isinstance(key, str):
            raise ValueError("a storage is not described as PyTorch does it")
        self.stack.append(Storage(type_.text, key, _count(elements)))

    def reduce(self, _: Any) -> None:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Name) or function.text not in _FUNCTIONS:
            raise ValueError("something is called that is no function")
        self.stack.append(_FUNCTIONS[function.text](*arguments))

    def build(self, _: Any) -> None:
        self.pop()  # attributes of an ordered dict, such as the versions of modules
        self.top(object)

    def tuple_to_mark(self, _: Any) -> None:
        self.stack.append(tuple(self.pop_to_mark()))

    def tuple_of(self, count: int) -> None:
        self.stack.append(tuple(reversed([self.pop() for _ in range(count)])))


_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"}
_LITERALS |= {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}

_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": _Machine.mark,
    "STOP": _Machine.stop,
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "MEMOIZE": _Machine.memoize,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.global_name,
    "STACK_GLOBAL": _Machine.stack_global,
    "BINPERSID": _Machine.persistent,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "TUPLE": _Machine.tuple_to_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
}


# --- the names ------------------------------------------------------------------------------------------------------


def _count(n: Any) -> int:
    """A count or a place, which is an integer and not negative."""
    if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n < 1 << 62:
        raise ValueError("a size is not a count")
    return n


def _pairs(items: Iterable[Any]) -> dict[Any, Any]:
    """A dict. Its keys are texts or integers: the hash of tuples in tuples could take for ever."""
    found = {}
    for key, value in items:
        if not isinstance(key, (str, int)):
            raise ValueError("a dict has a key that is neither a text nor an integer")
        found[key] = value
    return found


def _counts(sizes: Any) -> tuple[int, ...]:
    if not isinstance(sizes, (tuple, list)) or len(sizes) > 32:
        raise ValueError("a shape is not a tuple of up to 32 sizes")
    return tuple(map(_count, sizes))


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any, views: Any = None, *, dtype: str = ""
) -> StoredTensor:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor has no storage")
    if views:
        raise ValueError("a tensor is the conjugate or the negative of what is stored; save a copy")
    found = StoredTensor(storage, _count(offset), _counts(shape), _counts(strides), dtype)
    if len(found.shape) != len(found.strides):
        raise ValueError("a tensor has more sizes than strides, or fewer")
    return found


def _tensor_of_dtype(
    storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any, dtype: Any, views: Any = None
) -> StoredTensor:
    if not isinstance(dtype, Name):
        raise ValueError("a tensor has no dtype")
    return _tensor(storage, offset, shape, strides, grad, hooks, views, dtype=dtype.text)


def _parameter(tensor: Any, *others: Any) -> Any:
    if not isinstance(tensor, StoredTensor):
        raise ValueError("a parameter is not a tensor")
    return tensor


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": lambda items=(): _pairs(items),
    "torch.Size": lambda sizes: _counts(sizes),
    "torch._utils._rebuild_tensor": lambda storage, offset, shape, strides: _tensor(
        storage, offset, shape, strides, None, None
    ),
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
}
"""What the pickle of a state dict applies, by name; each makes data of data."""

DTYPE_OF = {
    "torch.DoubleStorage": "float64",
    "torch.FloatStorage": "float32",
    "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "int64",
    "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16",
    "torch.CharStorage": "int8",
    "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
    "torch.ComplexDoubleStorage": "complex128",
    "torch.ComplexFloatStorage": "complex64",
}
"""What a storage of each type holds."""
CODES = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2")
NEWER = ("uint16", "uint32", "uint64", *CODES)
"""Dtypes without a storage type of their own: the tensor says what it holds."""
_NAMES = {*_FUNCTIONS, *DTYPE_OF, "torch.storage.UntypedStorage"}
_NAMES |= {f"torch.{name}" for name in (*DTYPE_OF.values(), *NEWER)}


def _known(text: str) -> Name:
    if text not in _NAMES:
        raise _Refused(f"its pickle names {quoted(text)}, which is neither a tensor nor a dict, and is not opened")
    return Name(text)
