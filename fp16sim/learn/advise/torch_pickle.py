"""What a pickle of PyTorch says, without executing it: names and arguments, as data.

A pickle is a program, and unpickling runs it. Here its opcodes build lists, dicts and tuples only. A name in it, such
as `torch._utils._rebuild_tensor_v2`, is a text that is looked up in a table; it is never imported, and nothing is
called. So a pickle that wants to run a command has no way to, and one with a name that is not in the table is refused.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from typing import IO, Any, NamedTuple

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
    machine, stream = _Machine(), io.BytesIO(content)
    try:
        for _ in range(MOST_OPCODES):
            code = stream.read(1)
            if code == b".":
                return machine.result()
            if code not in _OPCODES:
                raise _Refused(f"its pickle has the operation {quoted(code)}, which a state dict does not need")
            read, step = _OPCODES[code]
            step(machine, read(stream))
        raise ValueError(f"its pickle has more than {MOST_OPCODES:,} operations")
    except _Refused as refused:
        raise ValueError(f"{refused}; {CONVERT}") from None
    except (ValueError, LookupError, TypeError, OverflowError, struct.error) as error:
        raise ValueError(f"its pickle is damaged ({quoted(' '.join(str(error).split()))})") from None


class _Refused(Exception):
    """A pickle that may be whole, but is not one of tensors."""


class _Machine:
    """The stack machine of pickle, with data alone."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        """What is left on the stack at the end."""
        if len(self.stack) != 1:
            raise ValueError("something is left over")
        return self.stack[0]

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
        self.stack.append(_known(argument))

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


def _nothing(stream: IO[bytes]) -> None:
    """The argument of an opcode without one."""


def _exactly(count: int, stream: IO[bytes]) -> bytes:
    """Some bytes; a file that is too short has no room for more than it has."""
    found = stream.read(count)
    if len(found) < count:
        raise ValueError("it was cut off")
    return found


def _packed(layout: str) -> Callable[[IO[bytes]], Any]:
    """A number of `struct`."""
    return lambda stream: struct.unpack(layout, _exactly(struct.calcsize(layout), stream))[0]


def _counted(layout: str) -> Callable[[IO[bytes]], bytes]:
    """A count, and so many bytes."""
    size = _packed(layout)
    return lambda stream: _exactly(size(stream), stream)


def _text(layout: str) -> Callable[[IO[bytes]], str]:
    content = _counted(layout)
    return lambda stream: content(stream).decode("utf-8", "surrogatepass")


def _long(layout: str) -> Callable[[IO[bytes]], int]:
    content = _counted(layout)
    return lambda stream: int.from_bytes(content(stream), "little", signed=True)


def _two_lines(stream: IO[bytes]) -> str:
    """A module and a name in it."""
    lines = [stream.readline(), stream.readline()]
    if not all(line.endswith(b"\n") for line in lines):
        raise ValueError("it was cut off")
    return ".".join(line[:-1].decode() for line in lines)


def _push(machine: _Machine, x: Any) -> None:
    machine.stack.append(x)


def _pushes(make: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(make())


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.tuple_of(count)


def _skip(machine: _Machine, _: Any) -> None:
    """The version of the protocol, and how many bytes follow."""


_OPCODES: dict[bytes, tuple[Callable[[IO[bytes]], Any], Callable[[_Machine, Any], None]]] = {
    b"\x80": (_packed("<B"), _skip),
    b"\x95": (_packed("<Q"), _skip),
    b"N": (_nothing, _pushes(lambda: None)),
    b"\x88": (_nothing, _pushes(lambda: True)),
    b"\x89": (_nothing, _pushes(lambda: False)),
    b")": (_nothing, _pushes(tuple)),
    b"}": (_nothing, _pushes(dict)),
    b"]": (_nothing, _pushes(list)),
    b"J": (_packed("<i"), _push),
    b"K": (_packed("<B"), _push),
    b"M": (_packed("<H"), _push),
    b"\x8a": (_long("<B"), _push),
    b"\x8b": (_long("<I"), _push),
    b"G": (_packed(">d"), _push),
    b"X": (_text("<I"), _push),
    b"\x8c": (_text("<B"), _push),
    b"\x8d": (_text("<Q"), _push),
    b"(": (_nothing, _Machine.mark),
    b"q": (_packed("<B"), _Machine.put),
    b"r": (_packed("<I"), _Machine.put),
    b"h": (_packed("<B"), _Machine.get),
    b"j": (_packed("<I"), _Machine.get),
    b"\x94": (_nothing, _Machine.memoize),
    b"a": (_nothing, _Machine.append),
    b"e": (_nothing, _Machine.appends),
    b"s": (_nothing, _Machine.set_item),
    b"u": (_nothing, _Machine.set_items),
    b"t": (_nothing, _Machine.tuple_to_mark),
    b"\x85": (_nothing, _tuple(1)),
    b"\x86": (_nothing, _tuple(2)),
    b"\x87": (_nothing, _tuple(3)),
    b"c": (_two_lines, _Machine.global_name),
    b"\x93": (_nothing, _Machine.stack_global),
    b"Q": (_nothing, _Machine.persistent),
    b"R": (_nothing, _Machine.reduce),
    b"b": (_nothing, _Machine.build),
}
"""What a state dict needs, in versions 2 to 5 of the protocol: how the argument is read, and what is done with it."""


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
