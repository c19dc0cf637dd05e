"""Blocks that share a scale: MX, NVFP4 and any block of your own, exact, and equal to a definition on Fractions.

`block` says what a block is and names the scale rules; `definition` states everything on ints and Fractions; `scales`
and `quantization` do the same for arrays; `blockarray` is the result, and `packing` its bytes.
"""

from .block import BLOCKS, DECIDED, INT8, SCALE_RULES, Block, FixedPoint, get_block
from .blockarray import BlockArray, dequantize
from .definition import DefinedBlock, quantize_block, tensor_scale
from .packing import Packed
from .quantization import from_codes, quantize, unpack

__all__ = [
    "BLOCKS",
    "DECIDED",
    "INT8",
    "SCALE_RULES",
    "Block",
    "BlockArray",
    "DefinedBlock",
    "FixedPoint",
    "Packed",
    "dequantize",
    "from_codes",
    "get_block",
    "quantize",
    "quantize_block",
    "tensor_scale",
    "unpack",
]
