"""A transformer that predicts the next character: blocks of attention and a small network, and a sum around each.

Read `attention`, `norms`, `embeddings`, `rotary` and `dropout` first: here they are put together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from ...conversion import Array
from ...wording import count, did_you_mean, quoted, yes_or_no
from ..precision import DEFAULT_PRODUCTS, Products
from ..records import names_unknown, refuse_unknown
from .attention import FORMS, MASKS, ROTARY, CausalAttention
from .dropout import Dropout, check_rate, dropout
from .embeddings import Embedding, LearnedPositions
from .in_force import layer_in_force
from .initialisers import Initialiser, for_sums
from .layers import ACTIVATIONS, Compound, Layer, Linear, call_part, check_sizes, linear
from .models import Chain
from .norms import NORMS
from .tensor import Tensor


@dataclass(frozen=True)
class FeedForward(Compound):
    """Two products with an activation between them, row by row; with "swiglu" a third one (Shazeer 2020).

    gelu: gelu(x @ up) @ down. swiglu: (silu(x @ gate) * (x @ up)) @ down. There are no biases.
    """

    width: int
    hidden: int
    activation: str = "gelu"
    output: Initialiser = for_sums

    def __post_init__(self) -> None:
        check_sizes(self, "width", "hidden")
        _check_choice("activation", self.activation)

    def parts(self) -> dict[str, Layer]:
        """The products."""
        names = ("gate", "up") if self.activation == "swiglu" else ("up",)
        into = {name: Linear(self.width, self.hidden, False, for_sums) for name in names}
        return {**into, "down": Linear(self.hidden, self.width, False, self.output)}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output."""
        *into, down = self.parts().items()
        first, *others = (call_part(*part, params, x, how) for part in into)
        hidden = first.silu() * others[0] if others else ACTIVATIONS[self.activation](first)
        return call_part(*down, params, hidden, how)


@dataclass(frozen=True)
class Block(Compound):
    """x + attention(norm(x)), and then x + network(norm(x)): (batch, time, width) to the same shape.

    Both sums, the residual stream, are rounded. Dropout is applied to what is added.
    """

    attention: CausalAttention
    network: FeedForward
    norm: str = "rmsnorm"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check_choice("norm", self.norm)
        check_rate(self.dropout)

    def parts(self) -> dict[str, Layer]:
        """Two norms, the attention and the network."""
        norm = NORMS[self.norm](self.attention.width)
        return {"norm1": norm, "attention": self.attention, "norm2": norm, "network": self.network}

    def __call__(self, params: Mapping[str, Tensor], x: Tensor, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The output."""
        parts = self.parts()
        for names in (("norm1", "attention"), ("norm2", "network")):
            y = x
            for name in names:
                y = call_part(name, parts[name], params, y, how)
            x = x + dropout(y, self.dropout)
        return x


# --- the language model ---------------------------------------------------------------------------------------------

CHOICES: dict[str, tuple[str, ...]] = {
    "positions": ("learned", *ROTARY, "none"),
    "norm": tuple(NORMS),
    "activation": ("gelu", "swiglu", "silu", "relu"),
    "attention": tuple(FORMS),
    "mask": MASKS,
}
"""The names that options of the language model take."""


def _check_choice(name: str, given: Any) -> None:
    if given not in CHOICES[name]:
        known = f"{did_you_mean(str(given), CHOICES[name])}use one of {', '.join(map(repr, CHOICES[name]))}"
        raise ValueError(f"{name}={quoted(given)} is unknown; {known}")


@names_unknown
@dataclass(frozen=True)
class GPTConfig:
    """The sizes and the parts of a language model. The defaults give 10^5 parameters.

    Parameters
    ----------
    context : int
        How many characters it sees at most.
    width : int
        The numbers of each position in the residual stream.
    heads : int
        The heads of each attention; the width must be a multiple.
    blocks : int
    hidden : int
        The hidden units of each block's network; 0 for 4 times the width.
    positions : {"learned", "rotary", "rotary-wide", "none"}
        See `LearnedPositions`, and for the angles of rotary ones `CausalAttention`.
    norm : {"rmsnorm", "layernorm"}
    activation : {"gelu", "swiglu", "silu", "relu"}
    attention : {"stable", "naive", "online"}
        See `attention`.
    tile : int
        How many keys "online" takes at a time.
    mask : {"-inf", "-1e9", "-65504"}
        What stands for the score of a later character.
    tie : bool
        Whether the embedding's rows are the weights of the output, too.
    dropout : float
        The probability with which numbers are set to 0 in training: after the embedding and in each block.
    vocabulary : str
        The characters that it knows, each once, in rising order. `train` takes them from the text.

    Examples
    --------
    >>> print(GPTConfig(width=32, blocks=1))
    1 block, width 32, 4 heads, context 64
    """

    context: int = 64
    width: int = 64
    heads: int = 4
    blocks: int = 2
    hidden: int = 0
    positions: str = "learned"
    norm: str = "rmsnorm"
    activation: str = "gelu"
    attention: str = "stable"
    tile: int = 16
    mask: str = "-inf"
    tie: bool = True
    dropout: float = 0.0
    vocabulary: str = ""

    def __post_init__(self) -> None:
        for name, least in SIZES.items():
            given = getattr(self, name)
            if isinstance(given, bool) or not hasattr(given, "__index__"):
                raise TypeError(f"{name}={quoted(given)} of a language model is not an integer")
            most = MOST_BLOCKS if name == "blocks" else MOST
            if not least <= given <= most:
                raise ValueError(f"{name}={quoted(given)} of a language model must be from {least} to {most:,}")
            object.__setattr__(self, name, int(given))
        for name in CHOICES:
            _check_choice(name, getattr(self, name))
        check_rate(self.dropout)
        object.__setattr__(self, "dropout", float(self.dropout))
        object.__setattr__(self, "tie", bool(self.tie))
        if not isinstance(self.vocabulary, str) or list(self.vocabulary) != sorted(set(self.vocabulary)):
            raise ValueError(
                f"vocabulary={quoted(self.vocabulary)} must have each character once, in rising order; leave it out, "
                "and the text gives it"
            )
        self.block()

    @classmethod
    def of(cls, given: GPTLike) -> GPTConfig:
        """From a GPTConfig, or a dict of its fields."""
        if isinstance(given, GPTConfig):
            return given
        if not isinstance(given, Mapping):
            raise TypeError(f"gpt={quoted(given)} is not a GPTConfig; give one, or a dict such as {{'width': 32}}")
        refuse_unknown(cls.__name__, given, [f.name for f in fields(cls)])
        return cls(**given)

    def __str__(self) -> str:
        usual = GPTConfig.__dataclass_fields__
        own = [name for name in fields_said() if getattr(self, name) != usual[name].default]
        words = [f"{name} {yes_or_no(getattr(self, name))}" for name in own]
        sizes = [count(self.blocks, "block"), f"width {self.width}", count(self.heads, "head")]
        return ", ".join([*sizes, f"context {self.context}", *words])

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain data."""
        return asdict(self)

    def block(self) -> Block:
        """One of its blocks. Outputs are drawn smaller the more of them are added up (Radford et al. 2019)."""

        def output(shape: tuple[int, ...], generator: np.random.Generator) -> Array:
            return for_sums(shape, generator) / math.sqrt(2 * self.blocks)

        turned = self.positions if self.positions in ROTARY else "none"
        attention = CausalAttention(self.width, self.heads, self.attention, turned, self.mask, self.tile, output)
        network = FeedForward(self.width, self.hidden or 4 * self.width, self.activation, output)
        return Block(attention, network, self.norm, self.dropout)


GPTLike: TypeAlias = GPTConfig | Mapping[str, Any]
"""A GPTConfig, or a dict of its fields."""

SIZES = {"context": 1, "width": 1, "heads": 1, "blocks": 0, "hidden": 0, "tile": 1}
"""The integers among the options, and the least of each."""

MOST, MOST_BLOCKS = 1 << 20, 1000
"""The largest integers: with larger ones no machine could train it, and a file that asks for more is damaged."""


def fields_said() -> list[str]:
    """The options that are said only where they are not the default."""
    return [f.name for f in fields(GPTConfig) if f.name not in ("context", "width", "heads", "blocks", "vocabulary")]


@dataclass(frozen=True)
class TiedChain(Chain):
    """Layers one after the other, and then the product with the transposed rows of the first one, an embedding."""

    __str__ = Chain.__str__

    def __call__(self, params: Mapping[str, Tensor], x: Any, how: Products = DEFAULT_PRODUCTS) -> Tensor:
        """The logits."""
        y, (embedding, _) = super().__call__(params, x, how), self.layers[0]
        with layer_in_force("head", how) as (_, own):
            return linear(y, params[f"{embedding}.weight"].T, None, own)


def GPT(vocabulary: int, config: GPTLike = GPTConfig()) -> Chain:
    """A language model: indices of characters of shape (batch, time) to logits of shape (batch, time, vocabulary).

    Parameters
    ----------
    vocabulary : int
        How many characters there are.
    config : GPTConfig or dict
        Its sizes and parts.

    Examples
    --------
    >>> model = GPT(65)
    >>> sum(x.size for x in model.init("bfloat16", rng=0).values())
    106880
    >>> [name for name, _ in model.layers]
    ['embedding', 'positions', 'block1', 'block2', 'norm']
    """
    config = GPTConfig.of(config)
    width, block = config.width, config.block()
    layers: list[tuple[str, Layer]] = [("embedding", Embedding(vocabulary, width))]
    layers += [("positions", LearnedPositions(config.context, width))] if config.positions == "learned" else []
    layers += [("dropout", Dropout(config.dropout))] if config.dropout else []
    layers += [(f"block{k}", block) for k in range(1, config.blocks + 1)]
    layers += [("norm", NORMS[config.norm](width))]
    head: list[tuple[str, Layer]] = [] if config.tie else [("head", Linear(width, vocabulary, False, for_sums))]
    return (TiedChain if config.tie else Chain)((*layers, *head))
