"""Blocks that share a scale: MX, NVFP4 and any block of your own, exact, and equal to a definition on Fractions.

`block` says what a block is and names the scale rules; `definition` states everything on ints and Fractions; `scales`
and `quantization` do the same for arrays; `blockarray` is the result, and `packing` its bytes. `statistics` says what
blocks did to an array, and `hadamard` spreads what is large before they do it.
"""

from .block import BLOCKS, DECIDED, INT8, SCALE_RULES, Block, FixedPoint, get_block
from .blockarray import BlockArray, dequantize
from .definition import DefinedBlock, quantize_block, tensor_scale
from .hadamard import hadamard, random_signs
from .packing import Packed
from .quantization import from_codes, quantize, unpack
from .statistics import BlockStatistics, statistics

__all__ = [
    "BLOCKS",
    "DECIDED",
    "INT8",
    "SCALE_RULES",
    "Block",
    "BlockArray",
    "BlockStatistics",
    "DefinedBlock",
    "FixedPoint",
    "Packed",
    "dequantize",
    "from_codes",
    "get_block",
    "hadamard",
    "quantize",
    "quantize_block",
    "random_signs",
    "statistics",
    "tensor_scale",
    "unpack",
]
