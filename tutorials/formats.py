# %% [markdown]
# # Formats: sixteen bits, eight, four
#
# | | |
# |---|---|
# | **Question** | Given so many bits, how many should be exponent and how many significand? |
# | **Time** | 30 minutes |
# | **Needs** | [Rounding](rounding.ipynb), [At the edges](edges.ipynb), [Dot products](dot_products.ipynb) (accumulators) |
# | **You will be able to** | derive every fact of a format from two integers, and choose between range and precision |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

np.seterr(all="ignore")

# %% [markdown]
# ## Two integers
#
# A format of width k and precision p has one sign bit, p - 1 stored digits, and k - p bits of exponent. The bias is
# 2^(k - p - 1) - 1. All the rest follows. bfloat16, the other 16-bit format, has k = 16 and p = 8.
#
# **Predict:** for bfloat16, what are the largest number, the smallest normal number, and the ulp of 1? Compare them
# with those of binary16: 65504, 2^-14 and 2^-10.

# %%
for name in ("binary16", "bfloat16"):
    fmt = fs.get_format(name)
    print(f"{name}: exponent bits {fmt.width - fmt.precision}  bias {fmt.bias}")
    print(f"    largest {fmt.max_finite:.4g}  smallest normal {fmt.min_normal:.4g}  ulp(1) {fs.ulp(1, fmt)}")

# %% [markdown]
# bfloat16 took three bits from the significand and gave them to the exponent. It has the exponent of binary32, so it
# is binary32 with its last 16 bits missing:

# %%
bits32 = np.float32(np.pi).view(np.uint32)
print(f"pi in binary32  {bits32:032b}")
print(f"pi in bfloat16  {fs.encode(np.pi, 'bfloat16'):016b}")

# %% [markdown]
# ## The same number, five ways
#
# **Predict:** how many decimal digits of pi survive in binary16, in bfloat16, and in the two 8-bit formats?

# %%
print(fs.explain.compare(3.14159265, formats=("binary32", "binary16", "bfloat16", "e4m3fn", "e5m2")))

# %% [markdown]
# One picture holds the whole trade. Up is worse: a larger gap beside the number. Left and right is range.
#
# **Predict:** where do the lines of binary16 and bfloat16 lie: which is higher, which longer? By what factor?

# %%
fs.plots.ulp(fmt=("binary16", "bfloat16", "e4m3fn", "e5m2"))
plt.show()

# %% [markdown]
# In the middle, bfloat16 is 8 times as coarse as binary16. But it goes on where binary16 has ended.
#
# **Predict:** 256 + 1 in bfloat16? And 100000 and 1e-7: which of the two formats stores each, and how well?

# %%
for name in ("binary16", "bfloat16"):  # <- change: add "tf32": the exponents of one, the digits of the other
    stored = [float(fs.round_to(x, name)) for x in (100000, 1e-7)]
    errors = ", ".join(f"{y:.6g} ({abs(y - x) / x:.1%} off)" for x, y in zip((100000, 1e-7), stored, strict=True))
    print(f"{name}: 256 + 1 = {fs.add(256, 1, name)}, 1e5 and 1e-7 become {errors}")

# %% [markdown]
# (An error of "inf" is an overflow, and 1e-7 is subnormal in binary16: it has one or two digits left.)
#
# ## What each is bad at
#
# A training run needs both. Gradients are small: they need range. Weights get many small updates: they need digits. A
# weight of 1 gets an update of 0.001, a thousand times; on paper it ends at 2.
#
# **Predict:** where does it end in bfloat16? (The ulp of 1 is 2^-7.) In binary16, whose ulp of 1 is 2^-10?

# %%
for name in ("bfloat16", "binary16"):
    weight = fs.array(1.0, name)
    for _ in range(1000):
        weight = weight + 0.001
    print(f"{name}: 1 + 1000 * 0.001 = {float(weight.values)}")

# %% [markdown]
# bfloat16 did not move at all; binary16 moved one whole ulp each time, 0.00098 instead of 0.001. This picture shows
# the two cures of [Sums](sums.ipynb) at work on the bfloat16 weight:

# %%
fs.plots.stuck_weight()
plt.show()

# %% [markdown]
# And here are the gradients of a small network on handwritten digits, over the window of binary16.
#
# **Predict:** what would the window of bfloat16 look like under the same bars? (Its smallest subnormal is 2^-133.)

# %%
fs.plots.gradients("binary16", scales=(1.0,))  # <- change: "bfloat16", "e5m2", "e4m3fn"
plt.show()

# %% [markdown]
# A part of them falls out on the left. The lesson [Why the run died](why_the_run_died.ipynb) will slide them into the
# window; with bfloat16 there is no need.
#
# ## Eight bits
#
# With eight bits nobody can have both. So there are two formats: **e5m2** (5 exponent bits, 2 stored digits) for
# gradients, and **e4m3fn** (4 and 3) for weights and activations. `fn` says: finite numbers and NaN, no infinities. In
# a format with 256 codes, 16 for infinities and NaN would be a waste.
#
# **Predict:** by the rules of IEEE 754 an e4m3 would end at 240. With only one NaN of each sign and no infinity, where
# does e4m3fn end? (The codes above 240 are now numbers: T = 0 to 6 in the last binade, 2^8.)

# %%
for name in ("e4m3", "e4m3fn", "e5m2"):
    fmt, values = fs.get_format(name), fs.all_values(name)
    print(
        f"{name:6}  largest {fmt.max_finite:7}  smallest {fmt.min_subnormal}  ",
        f"finite {np.isfinite(values).sum()}  infinite {np.isinf(values).sum()}  NaN {np.isnan(values).sum()}",
    )

# %% [markdown]
# **Predict:** what happens to 449, 464, 465 and 1000 in e4m3fn, which has no infinity? (The number after 448 would be
# 480.) And with `saturate=True`?

# %%
for x in (449, 464, 465, 1000):
    print(x, "->", fs.round_to(x, "e4m3fn"), " saturating", fs.round_to(x, "e4m3fn", saturate=True))

# %% [markdown]
# The relative error of rounding to e4m3fn: a sawtooth. Among normal numbers it never passes the dashed line, u = 2^-p;
# among subnormal ones it climbs far above it.

# %%
fs.plots.relative_error("e4m3fn")
plt.show()

# %% [markdown]
# ## How few bits does a trained network need?
#
# We train a small network on 8 x 8 pictures of digits in binary32 and then round its weights and all its activations to
# each format. Sums are in binary32 ([Dot products](dot_products.ipynb)). You need not know yet how it is trained; that
# is the lesson [Backpropagation](backpropagation.ipynb).
#
# **Predict:** it starts from about 96 %. What is left in binary16, bfloat16, with eight bits, with six, with four? (10
# % is guessing.)

# %%
history = fs.learn.train("pure-binary32", layers=(32,), lr=1e-2, epochs=4)
digits = fs.learn.normalise(fs.learn.load_digits(), "unit")
model = fs.learn.Model(history.config, history.params, digits.image_shape, 10)
names = ("binary32", "binary16", "bfloat16", "e4m3fn", "e5m2", "e3m2fn", "e2m3fn", "e2m1fn")
for e in fs.learn.evaluate(model, digits, names):
    print(f"{e.fmt:9} {e.accuracy:6.1%} right   {e.agreement:6.1%} as before   {e.lost_weights:5.1%} of weights are 0")

# %% [markdown]
# Sixteen bits change (nearly) nothing, eight little. Accuracy may even go up by a few pictures: 359 test images make
# steps of 0.3 %, and to change an answer that was wrong costs nothing. Look at "as before" too: it counts every
# change. Compare the two 6-bit formats: e3m2fn has more range, e2m3fn more digits. Here range won: see how many
# weights became 0.
#
# What if we keep the eight exponent bits of bfloat16 and take away digits only?
#
# **Predict:** how many of the 8 significand bits does this network need to stay above 90 %?

# %%
for precision in (8, 6, 4, 3, 2):
    fmt = fs.Format(f"e8p{precision}", width=8 + precision, precision=precision)
    print(precision, f"{fs.learn.evaluate(model, digits, [fmt])[0].accuracy:.1%}")

# %% [markdown]
# Two: the implicit one and a single stored digit. For *using* a trained network, range counts, digits hardly. This
# does not mean that it can be *trained* so: an update is a small difference, and small differences need digits.
#
# ## Scaling by blocks
#
# Four bits, e2m1fn, hold 0, 0.5, 1, 1.5, 2, 3, 4, 6 and no more. Weights of 0.05 all become 0. The cure is a **shared
# scale**: multiply a block of 32 numbers by a power of two that puts the largest near 6, store the power once (8
# bits), and divide afterwards. That costs 8 / 32 of a bit for each number.
#
# **Predict:** for normal random numbers of size 0.05, what is the mean error in e2m1fn without a scale, as a part of
# their mean size? And with one scale for each 32 numbers?


# %%
def by_blocks(x, fmt, block=32):
    x = x.reshape(-1, block)
    top = float(fs.get_format(fmt).max_finite)
    scale = 2.0 ** np.floor(np.log2(top / np.abs(x).max(axis=1, keepdims=True)))
    return (fs.round_to(x * scale, fmt) / scale).ravel()


x = 0.05 * np.random.default_rng(9).normal(size=4096)
for name in ("e2m1fn", "e4m3fn"):
    for how, y in (("plain", fs.round_to(x, name)), ("blocks", by_blocks(x, name))):
        error = np.mean(np.abs(y - x)) / np.mean(np.abs(x))
        print(f"{name} {how:7} mean error {error:6.1%}   zeros {np.mean(y == 0):6.1%}")

# %% [markdown]
# The scale is what makes four bits usable. It is the same idea as a floating-point exponent, shared by 32 numbers.
#
# ## So which?
#
# | you have | use | because |
# |---|---|---|
# | products with wide sums, values near 1 | binary16 | 11 bits; range does not matter |
# | gradients, unknown range, no wish to scale | bfloat16 | the exponents of binary32 |
# | a trained network to be used, not trained | 8 bits, or 4 with block scales | range counts, digits hardly |
# | sums, weights that get small updates, optimizer states | binary32 | many small differences |
#
# ## Exercises
#
# In `exercises/formats.py`. As shipped:


# %%
def to_bfloat16(x):
    """The float x rounded to bfloat16, ties to even, once."""
    raise NotImplementedError


print(fs.teach.grade.rounding(to_bfloat16, "bfloat16"))

# %% [markdown]
# On float32 bits there is a famous trick: add 0x7fff and the last kept bit, and cut off the lower 16 bits. Does it
# round a Python float, which is binary64?


# %%
def famous_trick(x):
    bits = int(np.float32(x).view(np.uint32))
    if not np.isfinite(x):
        return x
    return np.uint32((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)


report = fs.teach.grade.rounding(famous_trick, "bfloat16")
print(report.verdict, "\nsimplest failure:", report.counterexample.shown, "\nit", report.misconception)

# %% [markdown]
# 1. `facts(width, precision)`: of an IEEE format: the tuple (bias, largest, smallest normal, smallest subnormal).
# 2. `to_bfloat16(x)`: the float x (binary64!) rounded to bfloat16 once, ties to even.
# 3. `to_e4m3fn(x)`: rounded to e4m3fn, ties to even: beyond 464 it is NaN, and so is infinity.
# 4. `block_scale(values, top)`: the largest power of two s such that no |value * s| is above `top`; 1.0 if all are 0.
#
# ## Read next
#
# - P. Micikevicius et al., "FP8 formats for deep learning", arXiv:2209.05433, 2022: why two formats, and no infinity.
# - D. Kalamkar et al., "A study of BFLOAT16 for deep learning training", arXiv:1905.12322, 2019.
# - B. D. Rouhani et al., "Microscaling data formats for deep learning", arXiv:2310.10537, 2023: shared scales.
#
# Next lesson: [Backpropagation](backpropagation.ipynb). We train a network ourselves, and round every step of it.
