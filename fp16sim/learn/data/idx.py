"""IDX, the file format of MNIST: a magic number, the sizes, and the elements, all with the high byte first.

byte 0, 1    zero
byte 2       what an element is: 8 means an unsigned byte, the only kind here
byte 3       the number of dimensions
then         each dimension as a 32-bit integer, and the elements, the last dimension running fastest
"""

from __future__ import annotations

import math
import struct

import numpy as np

from .dataset import Array

UNSIGNED_BYTE = 8


def read_idx(content: bytes, what: str, ndim: int | None = None) -> Array:
    """The array of unsigned bytes that an IDX file holds: exact, a view of `content`.

    Parameters
    ----------
    content : bytes
    what : str
        What to call it in errors: the file's name.
    ndim : int, optional
        The dimensions that it must have: 3 for images, 1 for labels.

    Raises
    ------
    ValueError
        For another magic number, another number of dimensions, or a length that is not what the sizes say.

    Examples
    --------
    >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]), "labels")
    array([7, 2, 1], dtype=uint8)
    """
    magic = content[:4]
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != UNSIGNED_BYTE or not magic[3]:
        raise ValueError(f"{what} starts with {magic.hex(' ') or 'nothing'}; an IDX file of bytes starts with 00 00 08")
    dimensions = magic[3]
    if ndim is not None and dimensions != ndim:
        kinds = {1: "labels have", 3: "images have"}
        rule = f"{kinds.get(ndim, 'it must have')} {ndim}"
        raise ValueError(
            f"{what} has {dimensions} dimensions (magic {magic.hex(' ')}), and {rule}; is it another file?"
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise ValueError(f"{what} ends within its header of {start} bytes; it was cut off")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) != start + math.prod(shape):
        raise ValueError(
            f"{what} has {len(content)} bytes; a header of {start} and shape={shape} make "
            f"{start + math.prod(shape)}: it was cut off or added to"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
