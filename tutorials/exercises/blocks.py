"""Exercises of the lesson "Blocks". Write the functions, then run: fp16sim grade exercises/blocks.py

Use math.frexp, math.ldexp and round, not fs.blocks. The elements of both are 0, 0.5, 1, 1.5, 2, 3, 4, 6 with the codes
0 to 7; a negative one has 8 more. Two codes share a byte, the first in its low four bits.
"""

TASKS = {
    "read_mxfp4": "read_mxfp4",
    "quantize_mxfp4": "mxfp4",
    "quantize_nvfp4": "nvfp4",
}


def read_mxfp4(scale_code, packed):
    """The values, a list of floats, of one block: element times 2^(scale_code - 127). The scale code 255 means NaN.

    read_mxfp4(127, [0x27]) is [6.0, 1.0], and read_mxfp4(126, [0x1C]) is [-1.0, 0.25].
    """
    raise NotImplementedError


def quantize_mxfp4(values, size):
    """The tuple (scale codes, bytes) of a list of floats: blocks of `size` elements, scales by the rule floor.

    Both are lists of integers, the second may be `bytes`. The exponent of a scale is floor(log2(amax)) - 2, from -127 to
    127, and its code is 127 more. Elements are rounded to nearest, ties to even, and saturate at 6.
    quantize_mxfp4([7.0, -0.5], 2) is ([127], [0x97]), and quantize_mxfp4([0.0, -0.0], 2) is ([0], [0x80]).
    """
    raise NotImplementedError


def quantize_nvfp4(values, size):
    """The tuple (tensor scale, scale codes, bytes) of a list of floats.

    The tensor scale is the largest magnitude of all blocks of finite numbers, divided by 2688 and rounded to float32; 1
    if it is 0, and at least 2^-149. The scale of a block is amax / 6 / (tensor scale), rounded to e4m3fn, ties to even,
    from 2^-9 to 448. Elements are as in MXFP4. quantize_nvfp4([2688.0, 0.0, 6.4, -1.0], 2) is
    (1.0, [126, 57], [0x07, 0xA7]).
    """
    raise NotImplementedError
