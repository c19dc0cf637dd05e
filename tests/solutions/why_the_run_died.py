"""Solutions of the lesson "Why the run died"."""

import math

import fp16sim as fs


def first_second_moment(g):
    return fs.multiply(fs.subtract(1.0, fs.round_to(0.999, "binary16")), fs.multiply(g, g))


def absorbed(weight, step, fmt):
    return bool(step != 0 and fs.add(weight, step, fmt) == weight)


def kahan_update(weight, lost, step):
    y = fs.subtract(step, lost, "bfloat16")
    moved = fs.add(weight, y, "bfloat16")
    return moved, fs.subtract(fs.subtract(moved, weight, "bfloat16"), y, "bfloat16")


def dynamic_step(gradients, scale, good, interval):
    if not all(map(math.isfinite, gradients)):
        return False, scale / 2, 0
    return (True, scale * 2, 0) if good + 1 == interval else (True, scale, good + 1)
