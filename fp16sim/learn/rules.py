"""Rules by name: which layers, parameters and operations have another precision than the rest of a run.

A key is PATTERN, PATTERN/OPERATION, or either with :PART. Patterns are those of the shell (`fnmatch`), and are compared
with the names that reports print: layers such as "norm1", parameters such as "norm1.scale". "*" also matches dots.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..wording import did_you_mean, joined, quoted

PARTS = ("compute", "param", "operand", "cotangent", "accumulator")
"""What a rule can set alone, by the names that they have in a Policy. Without a part: compute and param."""

OF_OPERATIONS = ("compute", "accumulator")
"""What a rule for operations can set."""


class Rule(NamedTuple):
    """What has another precision: layers and parameters, or operations in layers; and which part of it."""

    pattern: str
    operation: str
    part: str
    value: Any

    @property
    def key(self) -> str:
        """As it is given.

        >>> Rule("norm*", "softmax", "", None).key, Rule("*.weight", "", "param", None).key
        ('norm*/softmax', '*.weight:param')
        """
        return f"{self.pattern}{self.operation and '/'}{self.operation}{self.part and ':'}{self.part}"

    @property
    def text(self) -> str:
        """The same in the text of a policy, where some words are parts, or could be misspelt parts.

        >>> Rule("norm", "", "", None).text, Rule("output", "", "", None).text
        ('norm', '[o]utput')
        """
        return self.key if is_pattern(self.key) else f"[{self.key[0]}]{self.key[1:]}"

    def is_for_layer(self, layer: str) -> bool:
        """Whether it is about all that a layer computes."""
        return not self.operation and self.part != "param" and fnmatchcase(layer, self.pattern)

    def is_for_operation(self, layer: str, operation: str) -> bool:
        """Whether it is about one operation of a layer."""
        named = bool(self.operation) and fnmatchcase(operation, self.operation)
        return named and fnmatchcase(layer, self.pattern)

    def is_for_parameter(self, name: str) -> bool:
        """Whether it is about a parameter, by its own name or that of its layer."""
        names = (name, layer_of(name))
        return not self.operation and self.part in ("", "param") and any(fnmatchcase(x, self.pattern) for x in names)


def layer_of(name: str) -> str:
    """The layer of a parameter: its name up to the last dot; "model" for a name without.

    >>> layer_of("block1.norm1.scale"), layer_of("w")
    ('block1.norm1', 'model')
    """
    return name.rpartition(".")[0] or "model"


def split_key(key: str) -> tuple[str, str, str]:
    """The pattern, the operation and the part of a rule's key.

    >>> split_key("norm*/softmax:accumulator")
    ('norm*', 'softmax', 'accumulator')
    """
    if not isinstance(key, str):
        raise TypeError(f"rules has the key {quoted(key)}, which is not text; use a pattern of names, such as 'norm*'")
    names, colon, part = key.partition(":")
    pattern, slash, operation = names.partition("/")
    if not pattern or (slash and not operation) or any(c.isspace() or c in ",=" for c in names):
        raise ValueError(
            f"rules has the key {quoted(key)}, which is not PATTERN or PATTERN/OPERATION without spaces; use a pattern "
            "of names, such as 'norm*' or '*/softmax'"
        )
    known = OF_OPERATIONS if operation else PARTS
    if (colon or part) and part not in known:
        similar = did_you_mean(part, known)
        raise ValueError(f"rules has the key {quoted(key)}: {similar}after ':' comes one of {', '.join(known)}")
    return pattern, operation, part


PARTS_OF_POLICY = (
    "compute",
    "param",
    "output",
    "loss",
    "gradient",
    "state",
    "master",
    "operand",
    "cotangent",
    "accumulator",
)
"""What the text of a policy sets by name, beside rules."""


ALSO_PARTS = ("weight", "weights", "activation", "activations", "grad", "grads", "moments", "optimizer", "logits")
"""Words that people use for parts; they are not taken for layers."""


def is_pattern(text: str) -> bool:
    """Whether a text in a policy is a pattern of names: it is no part, no misspelt one, and no other word for one.

    >>> is_pattern("norm*"), is_pattern("head"), is_pattern("mastr")
    (True, True, False)
    """
    if text in (*PARTS_OF_POLICY, *ALSO_PARTS):
        return False
    return any(c in "*?[./" or c.isdigit() for c in text) or not did_you_mean(text, PARTS_OF_POLICY)


def refuse_unmatched(rules: Iterable[Rule], computed: Iterable[tuple[str, str]], parameters: Iterable[str]) -> None:
    """ValueError for a rule that is about none of the names that there are.

    Parameters
    ----------
    rules : iterable of Rule
    computed : iterable of (str, str)
        Each layer with each of its operations.
    parameters : iterable of str
    """
    computed, parameters = list(computed), list(parameters)
    layers = list(dict.fromkeys(layer for layer, _ in computed))
    for rule in rules:
        if rule.operation:
            found = any(rule.is_for_operation(*pair) for pair in computed)
            known = [f"the operations are {_listed([f'{layer}/{operation}' for layer, operation in computed])}"]
        else:
            found = any(map(rule.is_for_layer, layers)) or any(map(rule.is_for_parameter, parameters))
            known = [] if rule.part == "param" else [f"the layers are {_listed(layers)}"]
            known += [f"the parameters are {_listed(parameters)}"] if rule.part in ("", "param") else []
        if not found:
            raise ValueError(f"rules has the pattern {quoted(rule.key)}, which matches no name; {'; '.join(known)}")


MOST = 40
"""No more names are listed."""


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - MOST} more"] if len(names) > MOST else []
    return joined([*names[:MOST], *more])
