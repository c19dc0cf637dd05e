"""Solutions of the lesson "How wrong is it?"."""

import math

import fp16sim as fs


def place(x):
    code = int(fs.encode(x))
    return code if code < 0x8000 else 0x8000 - code


def ulps_apart(a, b):
    return abs(place(a) - place(b))


def small_root(b):
    size = abs(b)
    s = math.sqrt(size - 2) * math.sqrt(size + 2)
    return math.copysign(1 / (size / 2 + s / 2), b)


def versine_ratio(x):
    if x == 0:
        return 0.5
    ratio = math.sin(x / 2) / (x / 2)
    return fs.round_to(0.5 * ratio * ratio, "binary16")
