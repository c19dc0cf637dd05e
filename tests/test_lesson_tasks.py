"""The exercises of the lessons: right answers are right, and no answer that knows nothing passes any task."""

import ast
import itertools
import math
from collections import Counter

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import exact
from fp16sim.formats import BINARY16, Rounding
from fp16sim.teach import answers, grade
from fp16sim.teach.grade import EXERCISES, TASKS
from fp16sim.teach.grading import puzzles
from fp16sim.teach.grading.plain import plain
from fp16sim.teach.grading.results import READERS, same
from fp16sim.teach.grading.running import rows_of
from fp16sim.teach.grading.tasks import prepared

TOY = fs.Format("toy", width=6, precision=3)
EVEN = Rounding.TIES_TO_EVEN

INF, NAN = math.inf, math.nan
LARGEST, SMALLEST = 1.7976931348623157e308, 5e-324  # of Python's floats

BY_HAND = {
    # sixteen bits
    "numbers_in_binade": [
        ((0,), 1024),
        ((10,), 1024),
        ((15,), 1024),
        ((16,), 0),
        ((-14,), 1024),
        ((-15,), 512),
        ((-20,), 16),
        ((-24,), 1),
        ((-25,), 0),
        ((40,), 0),
        ((-40,), 0),
    ],
    # rounding
    "ulp_of": [
        ((1.0,), 2.0**-10),
        ((1.5,), 2.0**-10),
        ((-2.0,), 2.0**-9),
        ((0.9999999999999999,), 2.0**-11),
        ((7.999999999999999,), 2.0**-8),
        ((65504.0,), 32.0),
        ((65536.0,), 64.0),
        ((0.1,), 2.0**-14),
        ((2.0**-14,), 2.0**-24),
        ((2.0**-15,), 2.0**-24),
        ((2.0**-30,), 2.0**-24),
        ((0.0,), 2.0**-24),
    ],
    # edges
    "same": [
        ((1.0, 1.0), True),
        ((1.0, 2.0), False),
        ((0.0, 0.0), True),
        ((-0.0, -0.0), True),
        ((0.0, -0.0), False),
        ((-0.0, 0.0), False),
        ((NAN, NAN), True),
        ((NAN, 1.0), False),
        ((1.0, NAN), False),
        ((NAN, 0.0), False),
        ((INF, INF), True),
        ((INF, -INF), False),
    ],
    # edges
    "mean": [
        ((1.0, 2.0), 1.5),
        ((-1.0, 1.0), 0.0),
        ((LARGEST, LARGEST), LARGEST),
        ((-LARGEST, -LARGEST), -LARGEST),
        ((LARGEST, -LARGEST), 0.0),
        ((2.0**1023, 2.0**1023 * 1.5), 2.0**1023 * 1.25),
        ((SMALLEST, SMALLEST), SMALLEST),
        ((3 * SMALLEST, SMALLEST), 2 * SMALLEST),
        ((2.0**-1022, 2.0**-1022), 2.0**-1022),
    ],
    # arithmetic
    "shift_right_round": [
        ((8, 3), 1),
        ((11, 3), 1),
        ((12, 3), 2),
        ((13, 3), 2),
        ((4, 3), 0),
        ((5, 3), 1),
        ((20, 3), 2),
        ((21, 3), 3),
        ((28, 3), 4),
        ((7, 0), 7),
        ((1, 1), 0),
        ((3, 1), 2),
        ((1, 10), 0),
        ((0, 5), 0),
        ((2**100 + 2**89, 90), 2**10),
        ((2**100 + 2**89 + 1, 90), 2**10 + 1),
    ],
    # how wrong
    "ulps_apart": [
        ((1.0, 1.0), 0),
        ((1.0, 1.0009765625), 1),
        ((1.0009765625, 1.0), 1),
        ((1.0, 2.0), 1024),
        ((-1.0, -2.0), 1024),
        ((0.0, -0.0), 0),
        ((0.0, 2.0**-24), 1),
        ((-0.0, 2.0**-24), 1),
        ((-(2.0**-24), 2.0**-24), 2),
        ((-(2.0**-24), 0.0), 1),
        ((-65504.0, 65504.0), 2 * 31743),
        ((2048.0, 2050.0), 1),
    ],
    # how wrong
    "small_root": [
        ((2.0,), 1.0),
        ((-2.0,), -1.0),
        ((2.5,), 0.5),
        ((4.25,), 0.25),
        ((-4.25,), -0.25),
        ((2.0**30,), 2.0**-30),
        ((-(2.0**40),), -(2.0**-40)),
        ((2.0**100,), 2.0**-100),
        ((2.0**600,), 2.0**-600),
        ((-(2.0**1000),), -(2.0**-1000)),
    ],
    # how wrong
    "versine_ratio": [
        ((0.0,), 0.5),
        ((2.0**-27,), 0.5),
        ((2.0**-30,), 0.5),
        ((-(2.0**-40),), 0.5),
        ((1e-9,), 0.5),
        ((1e-100,), 0.5),
        ((1e-300,), 0.5),
        ((1.0,), 0.459716796875),
        ((3.0,), 0.2210693359375),
    ],
    # dot products
    "aligned_sum": [
        (([1.0, 2.0**-24, 2.0**-24, 2.0**-24, 2.0**-24], 23), 1.0),
        (([1.0, 2.0**-24, 2.0**-24, 2.0**-24, 2.0**-24], 24), 1.0 + 2.0**-22),
        (([0.5, 2.0**-24, 2.0**-24], 23), 0.5 + 2.0**-23),
        (([8.0, 1.75, -1.75], 3), 8.0),
        (([8.0, 1.75], 4), 9.5),
        (([8.0, -1.75], 4), 6.5),
        (([8.0, -1.75], 3), 7.0),
        (([-8.0, -1.75], 3), -9.0),
        (([3.0, 3.0], 0), 4.0),
        (([0.0, 0.75], 1), 0.75),
        (([0.0, 0.0], 5), 0.0),
        (([2.0**-30, 2.0**-31], 2), 2.0**-30 + 2.0**-31),
    ],
    # dot products
    "longest_exact": [
        ((1, 11), 2048),
        ((4, 11), 9),
        ((4, 24), 74565),
        ((8, 24), 258),
        ((8, 16), 1),
        ((8, 15), 0),
        ((11, 53), 2149582337),
    ],
    # linear systems
    "upper_solve": [
        (([[2.0, 1.0], [0.0, 4.0]], [5.0, 4.0]), [2.0, 1.0]),
        (([[3.0]], [1.0]), [0.333251953125]),
        (([[1.0, 1.0], [0.0, 3.0]], [1.0, 1.0]), [0.6669921875, 0.333251953125]),
        (([[2.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 4.0]], [8.0, 4.0, 4.0]), [2.0, 3.0, 1.0]),
    ],
    "corrections": [
        ((3, 4, 24), 7),
        ((3, 24, 24), 0),
        ((10, 0, 24), 3),
        ((1, 8, 11), 3),
        ((5, 4, 24), 4),
        ((2, 24, 8), 0),
    ],
    # where did my digits go
    "first_difference": [
        (([1.0, 2.0, 3.0], [1.0, 2.5, 3.0]), 1),
        (([1.0, 2.0], [1.0, 2.0]), -1),
        (([], []), -1),
        (([1.0, 0.0], [1.0, -0.0]), 1),
        (([NAN, 1.0], [NAN, 2.0]), 1),
        (([NAN], [NAN]), -1),
        (([NAN], [1.0]), 0),
        (([1.0, 2.0], [1.0]), 1),
        (([], [5.0]), 0),
        (([-INF], [INF]), 0),
    ],
    "scaled_rms": [
        (([300.0, -300.0],), 300.0),
        (([0.0],), 0.0),
        (([-0.0, 0.0],), 0.0),
        (([3.0],), 3.0),
        (([65504.0, -65504.0, 65504.0],), 65504.0),
        (([4.0, 0.0, 0.0, 0.0],), 2.0),
        (([2.0**-24, 0.0],), 2.0**-24),
        (([300.0, 0.0, 0.0, 0.0],), 150.0),
    ],
    # formats
    "facts": [
        ((16, 11), (15, 65504.0, 2.0**-14, 2.0**-24)),
        ((16, 8), (127, 2.0**128 - 2.0**120, 2.0**-126, 2.0**-133)),
        ((32, 24), (127, 2.0**128 - 2.0**104, 2.0**-126, 2.0**-149)),
        ((8, 3), (15, 57344.0, 2.0**-14, 2.0**-16)),
        ((8, 4), (7, 240.0, 2.0**-6, 2.0**-9)),
        ((6, 3), (3, 14.0, 0.25, 0.0625)),
        ((5, 3), (1, 3.5, 1.0, 0.25)),
    ],
    # formats
    "block_scale": [
        (([0.05, -0.04], 6.0), 64.0),
        (([3.0, 1.0], 6.0), 2.0),
        (([6.0], 6.0), 1.0),
        (([6.5], 6.0), 0.5),
        (([0.1, -100.0], 448.0), 4.0),
        (([2.0**-40], 6.0), 2.0**42),
        (([0.0, 0.0], 6.0), 1.0),
        (([0.0, 1e6], 448.0), 2.0**-12),
    ],
    # blocks
    "read_mxfp4": [
        ((127, [0x27]), [6.0, 1.0]),
        ((126, [0x1C]), [-1.0, 0.25]),
        ((128, [0x01]), [1.0, 0.0]),
        ((127, [0x98, 0x5F]), [-0.0, -0.5, -6.0, 3.0]),
        ((255, [0x27]), [NAN, NAN]),
        ((0, [0x07]), [6 * 2.0**-127, 0.0]),
        ((254, [0x70]), [0.0, 6 * 2.0**127]),
    ],
    # a network in 16 bits
    "largest_scale": [
        (([],), 32768.0),
        (([0.0],), 32768.0),
        (([1.0],), 32768.0),
        (([1.99],), 32768.0),
        (([2.0],), 16384.0),
        (([-3.0, 1e-9],), 16384.0),
        (([65519.0],), 1.0),
        (([65520.0 / 1024],), 512.0),
        (([-64.0, 65504.0],), 1.0),
        (([0.1, -0.2, 0.3],), 32768.0),
        (([255.0, 256.0],), 128.0),
    ],
    # a network in 16 bits
    "one_weight": [
        ((1.0, 1.0, 2.0, 0.5, 0), 1.0),
        ((1.0, 1.0, 2.0, 0.5, 1), 1.5),
        ((1.0, 1.0, 2.0, 0.5, 2), 1.75),
        ((2.0, 3.0, 6.0, 0.5, 9), 2.0),
        ((-1.0, 2.0, 2.0, 0.125, 1), 0.0),
        ((1.0, 1.0, 2.0, 2.0**-11, 1), 1.0),
        ((1.0, 1.0, 2.0, 2.0**-10, 1), 1.0009765625),
        ((1.0, 1.0, 2.0, 2.0**-12, 100), 1.0),
    ],
    # backpropagation
    "line_gradients": [
        ((1.0, 0.0, [2.0, 3.0], [1.0, 5.0]), (-8.0, -2.0)),
        ((1.0, 0.0, [2.0], [1.0]), (4.0, 2.0)),
        ((0.0, 1.0, [1.0, 1.0], [0.0, 0.0]), (4.0, 4.0)),
        ((2.0, -1.0, [1.0, -1.0], [0.0, 1.0]), (10.0, -6.0)),
        ((3.0, 0.0, [2.0], [10.0]), (-16.0, -8.0)),
    ],
    # gradients in 16 bits
    "tanh_vjp": [
        ((1.0, 0.0), 1.0),
        ((2.0, 0.5), 1.5),
        ((1.0, 1.0), 0.0),
        ((1.0, -0.99951171875), 2.0**-10),
        ((3.0, 0.9892578125), 0.064453125),
        ((2.0, 0.8251953125), 0.6376953125),
        ((2.0**-15, 0.99951171875), 0.0),
        ((2.0**-14, 0.99951171875), 2.0**-24),
    ],
    # backpropagation
    "divide_vjp": [
        ((1.0, 1.0, 2.0), (0.5, -0.25)),
        ((3.0, 8.0, 4.0), (0.75, -1.5)),
        ((1.0, -1.0, 0.5), (2.0, 4.0)),
        ((2.0**-14, 2.0**-12, 2.0**-2), (2.0**-12, -(2.0**-22))),
        ((2.0**-14, 2.0**-12, 2.0**2), (2.0**-16, -0.0)),
    ],
    # gradients in 16 bits
    "product_gradients": [
        (([3.0],), [1.0]),
        (([2.0, 3.0],), [3.0, 2.0]),
        (([2.0, 3.0, 5.0],), [15.0, 10.0, 6.0]),
        (([1.0, 2.0**13, 2.0**-14, 2.0**-12],), [0.0, 0.0, 2.0, 0.5]),
        (([2.0**-14, 2.0**-12, 2.0**13],), [2.0, 0.5, 0.0]),
        (([2049.0 - 1.0, 3.0, 0.5, 0.25],), [0.375, 256.0, 1536.0, 3072.0]),
    ],
    # why the run died
    "first_not_finite": [
        (([],), ("", -1)),
        (([("sum", [1.0, 2.0])],), ("", -1)),
        (([("sum", [1.0]), ("exp", [0.5, INF])],), ("exp", 1)),
        (([("sum", [NAN, 1.0]), ("exp", [INF, INF])],), ("sum", 0)),
        (([("a", []), ("b", [0.0, -INF, NAN])],), ("b", 1)),
    ],
    # why the run died
    "first_second_moment": [
        ((1.0,), 2.0**-10),
        ((32.0,), 1.0),
        ((-(2.0**-7),), 2.0**-24),
        ((2.0**-8,), 0.0),
        ((0.0,), 0.0),
        ((128.0,), 16.0),
        ((256.0,), INF),
    ],
    # mixed precision
    "absorbed": [
        ((1.0, 0.001, "bfloat16"), True),
        ((1.0, 0.001, "binary16"), False),
        ((1.0, 2.0**-8, "bfloat16"), True),
        ((1.0, -(2.0**-8), "bfloat16"), False),
        ((1.0, -(2.0**-9), "bfloat16"), True),
        ((1.0, 0.0, "bfloat16"), False),
        ((0.0, 2.0**-130, "bfloat16"), False),
        ((2048.0, 1.0, "binary16"), True),
        ((2050.0, 1.0, "binary16"), False),
    ],
    # mixed precision
    "kahan_update": [
        ((1.0, 0.0, 2.0**-7), (1.0 + 2.0**-7, 0.0)),
        ((1.0, 0.0, 2.0**-9), (1.0, -(2.0**-9))),
        ((1.0, -(2.0**-9), 2.0**-9), (1.0, -(2.0**-8))),
        ((1.0, -(2.0**-8), 2.0**-9), (1.0 + 2.0**-7, 2.0**-9)),
        ((256.0, 0.0, 1.0), (256.0, -1.0)),
        ((256.0, -1.0, 1.0), (258.0, 0.0)),
    ],
    # loss scaling
    "fate_of": [
        (([0.0, 1e-8, -3.0], 0), (1, 0)),
        (([0.0, 1e-8, -3.0], 10), (0, 0)),
        (([0.0, 1e-8, -3.0], 15), (0, 1)),
        (([2.0**-25, -(2.0**-25), 2.0**-24], 0), (2, 0)),
        (([65520.0, -65504.0, 1e5], 0), (0, 2)),
        (([-0.0, 0.0], 3), (0, 0)),
    ],
    # loss scaling
    "count_skipped": [
        (([65519.0, 65520.0], 1.0, 3), 1),
        (([3.0, 3.0, 3.0], 65536.0, 1), 2),
        (([1.0, 1.0, 1.0], 32768.0, 1), 1),
        (([1.0, 1.0, 1.0], 32768.0, 4), 0),
        (([3.0, 3.0, 3.0], 16384.0, 1), 1),
        (([65520.0, 65504.0], 1.0, 2), 1),
        (([65520.0, 65504.0, 65504.0, 65504.0], 1.0, 2), 1),
        (([], 1.0, 1), 0),
    ],
    # loss scaling
    "dynamic_step": [
        (([1.0, -2.0], 8.0, 0, 2), (True, 8.0, 1)),
        (([1.0, -2.0], 8.0, 1, 2), (True, 16.0, 0)),
        (([1.0, INF], 8.0, 1, 2), (False, 4.0, 0)),
        (([NAN, 0.0], 1024.0, 5, 2000), (False, 512.0, 0)),
        (([-INF], 1.0, 0, 1), (False, 0.5, 0)),
        (([0.0], 1.0, 0, 1), (True, 2.0, 0)),
    ],
    # mixed precision
    "memory": [
        ((1000, 0, False), 8000),
        ((1000, 0, True), 18000),
        ((1000, 5000, False), 18000),
        ((1000, 5000, True), 28000),
        ((0, 7, True), 14),
    ],
    # the article
    "f1": [
        (([0, 0, 1, 1], [0, 0, 1, 1], 1), 1.0),
        (([0, 0, 1, 1], [0, 0, 0, 0], 1), 0.0),
        (([0, 1, 1, 1], [1, 1, 0, 0], 1), 0.4),
        (([2, 2, 1, 0], [2, 1, 1, 2], 2), 0.5),
        (([0, 0], [0, 0], 1), 0.0),
    ],
    # the article
    "first_step": [
        ((1.0, 0.5, 0.75, True), 1.0),
        ((1.0, 0.5, 0.75, False), 1.0),
        ((-4.0, 0.5, 0.75, True), -1.0),
        ((2.0, 0.75, 0.75, False), 0.5),
        ((2.0, 0.5, 0.9375, False), 2.0),
        ((-2.0, 0.5, 0.9375, True), -1.0),
    ],
    # why the run died
    "survives": [
        ((1e-8,), False),
        ((2.0**-25,), False),
        ((3e-8,), True),
        ((1e-7,), True),
        ((1e-4,), True),
        ((0.0,), False),
    ],
    # everyday numbers
    "narrowest": [
        ((100.0, 1.0), "binary16"),
        ((2048.0, 2.0), "binary16"),
        ((2048.0, 1.0), "binary32"),
        ((2047.0, 1.0), "binary16"),
        ((65504.0, 32.0), "binary16"),
        ((70000.0, 1000.0), "bfloat16"),
        ((65505.0, 256.0), "bfloat16"),
        ((65505.0, 255.0), "binary32"),
        ((1767225600.0, 128.0), "binary32"),
        ((1767225600.0, 0.001), "binary64"),
        ((1e16, 0.01), "none"),
        ((1e300, 1e285), "binary64"),
    ],
    # everyday numbers
    "total_cents": [
        (([],), 0),
        ((["0.29"],), 29),
        ((["7"],), 700),
        ((["0.5", "0.05"],), 55),
        ((["12.30", "0.5", "-1.05"],), 1175),
        ((["-0.05"],), -5),
        ((["1.10"] * 3,), 330),
        ((["90071992547409.93"],), 9007199254740993),
        ((["123456789012345678.91", "-123456789012345678.90"],), 1),
    ],
    # the article
    "changed": [
        ((2047, 2050, "binary16"), 1),
        ((-3, 3, "binary16"), 0),
        ((2049, 2049, "binary16"), 1),
        ((-2051, -2048, "binary16"), 2),
        ((256, 263, "bfloat16"), 4),
        ((16, 19, "e4m3fn"), 2),
    ],
    # property tests
    "broken_laws": [
        ((2049.0, -2049.0, 2048.0, -2048.0), []),
        ((2049.0, -2049.0, 2050.0, -2048.0), ["mirror"]),
        ((2049.0, 2049.0, 2048.0, 2050.0), ["order"]),
        ((2049.0, 2049.0, 2050.0, 2048.0), ["order"]),
        ((1.0, 2049.0, 1.0, 2049.0), ["format"]),
        ((1.0, 1.5, 1.0, 1.0), ["half an ulp"]),
        ((0.1, 0.2, 0.1, 0.0), ["format", "half an ulp", "order"]),
        ((65519.0, 70000.0, 65504.0, 65504.0), []),
        ((65504.0, 1.0, 65472.0, 1.0), ["half an ulp"]),
        ((70000.0, -70000.0, INF, -65504.0), ["mirror"]),
        ((0.0, 0.0, -0.0, 0.0), []),
        ((INF, -INF, INF, -INF), []),
        ((1.0, INF, 1.0, 0.0), ["order"]),
    ],
    # property tests
    "shrink": [
        (([101], 100), [101]),
        (([500], 100), [101]),
        (([5, 90, 7, 30], 100), [71, 30]),
        (([60, 60, 60], 100), [41, 60]),
        (([1, 1, 1], 2), [1, 1, 1]),
        (([1, 2, 3, 4], 3), [4]),
        (([7, 7], 0), [1]),
        (([50, 0, 51], 100), [50, 51]),
        (([1, 2, 3], 10), [1, 2, 3]),
    ],
    # quiz
    "holds": [
        (("commute", 1.0, 2048.0, 0.0), True),
        (("commute", INF, -INF, 0.0), True),
        (("associate", 1.0, 2.0, 3.0), True),
        (("associate", 2048.0, 1.0, 1.0), False),
        (("associate", 65504.0, 65504.0, -65504.0), False),
        (("associate", INF, -INF, 1.0), True),
        (("distribute", 2.0, 3.0, 4.0), True),
        (("distribute", 65504.0, 1.0, -1.0), True),
        (("distribute", 65504.0, 2.0, -1.0), False),
        (("distribute", INF, 1.0, -1.0), True),
        (("distribute", INF, 2.0, -1.0), False),
        (("cancel", 1.0, 0.5, 0.0), True),
        (("cancel", 2048.0, 1.0, 0.0), False),
        (("cancel", INF, 1.0, 0.0), False),
    ],
    # quiz
    "may_replace": [
        (("x / c -> x * (1 / c)", 2.0), True),
        (("x / c -> x * (1 / c)", 3.0), False),
        (("x + c -> x", 0.0), False),
        (("x + c -> x", -0.0), True),
        (("x - c -> x", 0.0), True),
        (("x * c -> x", 1.0), True),
        (("(x + c) - c -> x", 1.0), False),
        (("x + x -> x * c", 2.0), True),
        (("(x * c) / c -> x", 2.0), False),
        (("(x * c) / c -> x", -1.0), True),
        (("x * c -> c * x", NAN), True),
        (("c - x -> -(x - c)", 0.0), False),
    ],
}
"""Answers worked out by hand."""


def given(task, fmt=BINARY16):
    """The arguments of every case of a task, and the right answers."""
    cases = prepared(task, fmt, EVEN, False)
    return rows_of(cases.columns), list(cases.expected)


# --- right answers are right ----------------------------------------------------------------------------------------


def truth(name, *arguments):
    """The right answer of an exercise for one case."""
    with np.errstate(all="ignore"):
        return EXERCISES[name].truth(tuple([x] for x in arguments), BINARY16, EVEN, False)[0]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answers_of_an_exercise_are_those_by_hand(name):
    for arguments, answer in BY_HAND[name]:
        found = truth(name, *arguments)
        assert same(READERS["anything"](plain(answer)), found), (arguments, found)


ROOTS = {
    "with two roots": lambda b: math.copysign(1 / (abs(b) / 2 + math.sqrt(abs(b) - 2) * math.sqrt(abs(b) + 2) / 2), b),
    "by the larger root": lambda b: 2 / (b + math.copysign(math.sqrt(b * b - 4), b)) if abs(b) < 1e150 else 1 / b,
    "by halves": lambda b: (
        1 / (b / 2 + math.copysign(math.sqrt((b / 2 - 1) * (b / 2 + 1)), b)) if abs(b) < 1e150 else 1 / b
    ),
}
"""Good ways to compute the smaller root of x^2 - b x + 1."""


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_every_good_way_to_compute_the_small_root_passes(root):
    assert grade.run(root, "small_root").passed


def test_the_naive_small_root_and_the_reciprocal_fail():
    assert not grade.run(lambda b: (b - math.copysign(math.sqrt(b * b - 4), b)) / 2, "small_root").passed
    assert not grade.run(lambda b: 1 / b, "small_root").passed


def test_no_versine_ratio_is_so_near_to_a_tie_that_a_good_computation_could_fail():
    for (x,), right in zip(*given(EXERCISES["versine_ratio"]), strict=True):
        ratio = 0.5 if x == 0 else 0.5 * (math.sin(x / 2) / (x / 2)) ** 2
        for error in (-1e-12, 1e-12):
            assert float(fs.round_to(ratio * (1 + error))) == right, x


def test_the_first_integer_that_is_lost_is_found_by_counting():
    for (name,), right in zip(*given(answers.puzzle_tasks()["first_lost"]), strict=True):
        if right <= 2048:
            lost = (n for n in itertools.count(1) if exact.round_to(n + 1, name) == n)
            assert next(lost) == right, name


# --- answers that know nothing --------------------------------------------------------------------------------------


def most_common(answers):
    """The answer that is right most often."""
    counts = Counter(map(repr, answers))
    return max(answers, key=lambda answer: counts[repr(answer)])


def lazy_answers(rows, expected, thorough):
    """Functions that compute nothing."""
    guess = most_common(expected)
    table = dict(zip(map(repr, rows[:12]), expected, strict=False))
    yield "a guess", lambda *x: guess
    yield "the first argument", lambda *x: x[0]
    yield "a table of the first cases", lambda *x: table.get(repr(x), guess)
    for answer in (True, False):
        yield f"always {answer}", lambda *x, answer=answer: answer
    if thorough:
        for answer in (0, 0.0, -0.0, 1, 1.0, INF, NAN, None, "", "zero", (), []):
            yield f"always {answer!r}", lambda *x, answer=answer: answer
        yield "the last argument", lambda *x: x[-1]
        yield "all arguments", lambda *x: x
        yield "a list of the first argument", lambda *x: [x[0]]


thoroughly = pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.exhaustive)])


@thoroughly
@pytest.mark.parametrize("name", [name for name in TASKS if name != "tests"])
def test_no_lazy_answer_passes_a_task(name, thorough):
    for what, function in lazy_answers(*given(TASKS[name], TOY), thorough):
        report = grade.run(function, name, TOY)
        assert not report.passed, what
        assert report.score < 100, what


@thoroughly
@pytest.mark.parametrize("name", [*EXERCISES, *answers.puzzles()])
def test_no_lazy_answer_passes_an_exercise_or_a_puzzle(name, thorough):
    task = EXERCISES.get(name) or answers.puzzle_tasks()[name]
    for what, function in lazy_answers(*given(task), thorough):
        report = grade.run(function, name)
        assert not report.passed, what
        assert report.score < 100, what


@pytest.mark.parametrize("name", EXERCISES)
def test_a_table_of_everything_that_a_page_ever_showed_does_not_pass(name):
    table = {repr(arguments): answer for arguments, answer in BY_HAND[name]}
    guess = most_common([answer for _, answer in BY_HAND[name]])
    report = grade.run(lambda *x: table.get(repr(x), guess), name)
    assert not report.passed


@pytest.mark.parametrize("name", answers.puzzles())
def test_the_examples_of_a_puzzle_are_right_and_a_table_of_them_does_not_pass(name):
    puzzle = answers.puzzles()[name]
    assert len(puzzle.examples) >= 4, f"{name}: work out at least four examples by hand"
    for case, result in puzzle.examples:
        assert same(READERS["anything"](plain(puzzle.right(*puzzles.arguments(case)))), result), (name, case)
    table = {repr(puzzles.arguments(case)): result for case, result in puzzle.examples}
    guess = most_common([result for _, result in puzzle.examples])
    assert not grade.run(lambda *x: table.get(repr(x), guess), name).passed


CALLS = itertools.count()


def from_the_second(rounder):
    assert next(CALLS) == 0


def every_second(rounder):
    assert next(CALLS) % 2 == 0


def refuses(rounder):
    raise AssertionError


def fails(rounder):
    return 1 / 0


def one_number(rounder):
    assert rounder(1.0) == 1.0


@pytest.mark.parametrize("test", [lambda rounder: None, refuses, fails, from_the_second, every_second, one_number])
def test_no_lazy_test_of_a_rounder_passes(test):
    report = grade.tests(test)
    assert not report.passed
    assert report.score < 50


# --- one comparison is wrong by one ---------------------------------------------------------------------------------

SWAPPED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}

HARMLESS = {
    ("round_to_half", "abs(x) < 2.0 ** 17"): "2^17 is infinite in both ways",
    ("round_up_half", "x < -65504"): "-65504 is itself in both ways",
    ("truncate_to_bf16", "abs(x) > largest"): "the largest number is itself in both ways",
    ("my_next_up", "x > 0"): "0 was dealt with before",
    ("my_add", "math.copysign(1, a) < 0"): "1 or -1",
    ("my_add", "math.copysign(1, b) < 0"): "1 or -1",
    ("my_stochastic", "abs(x) >= 65536"): "65536 is infinite in both ways",
    ("to_e4m3fn", "abs(x) < 480"): "480 is NaN in both ways",
    ("is_changed", "n > 2048"): "2048 is even",
    ("element_code", "size < 2"): "2 is a multiple of both steps",
    ("element_code", "size < 4"): "4 is a multiple of both steps",
    ("element_code", "math.copysign(1, x) < 0"): "1 or -1",
    ("weight_is_zero", "math.exp(-gap) <= 2.0 ** (-25)"): "no float has the exponential 2^-25",
    ("square_vanishes", "g * g <= 2.0 ** (-25)"): "no number of binary16 has the square 2^-25",
}
"""Comparisons in solutions where it does not matter whether both sides may be equal, and why."""


def mutants():
    """(graded function, function, comparison, source) of each solution with one comparison wrong by one."""
    seen = set()
    for name in answers.everything():
        tree = ast.parse(answers.worked(name).code)
        for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
            for node in ast.walk(function):
                for i, operator in enumerate(node.ops if isinstance(node, ast.Compare) else ()):
                    comparison = ast.unparse(node)
                    if type(operator) in SWAPPED and (function.name, comparison, i) not in seen:
                        seen.add((function.name, comparison, i))
                        node.ops[i] = SWAPPED[type(operator)]()
                        yield name, function.name, comparison, ast.unparse(tree)
                        node.ops[i] = operator


MUTANTS = [
    pytest.param(
        *mutant, id=f"{mutant[1]}: {mutant[2]}", marks=pytest.mark.exhaustive if mutant[1:3] in HARMLESS else ()
    )
    for mutant in mutants()
]


def graded(name, source, budget=3.0):
    """The report on a function of a source, graded as the course asks."""
    module = {}
    exec(source, module)
    one = answers.asked(name)
    return grade.run(module[name], one.task, one.fmt, one.mode, budget=budget)


@pytest.mark.parametrize(("name", "function", "comparison", "source"), MUTANTS)
def test_a_solution_with_one_comparison_wrong_by_one_fails_unless_that_is_harmless(name, function, comparison, source):
    report = graded(name, source, budget=20)
    assert report.passed == ((function, comparison) in HARMLESS), f"\n{report}"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("ulp_of", "math.frexp(x)[1] - 1 if x", "math.floor(math.log2(abs(x))) if x"),
        ("my_stochastic", "abs(x) >= 65536", "abs(x) >= 65535"),
        ("aligned_sum", "if x != 0", "if x != -1"),
        ("versine_ratio", "0.5 * ratio * ratio", "0.5"),
    ],
)
def test_a_wrong_solution_that_once_passed_fails(name, right, wrong):
    source = answers.worked(name).code
    assert right in source
    assert not graded(name, source.replace(right, wrong)).passed


def test_there_are_comparisons_to_get_wrong():
    assert len(MUTANTS) > 20
    assert set(HARMLESS) <= {mutant.values[1:3] for mutant in MUTANTS}
