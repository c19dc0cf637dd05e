# %% [markdown]
# # Formats: sixteen bits, eight, four
#
# | | |
# |---|---|
# | **Question** | Given so many bits, how many should be exponent and how many significand? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties), [At the edges](edges.ipynb) (subnormals, overflow), [Sums](sums.ipynb) (small updates), [A network in 16 bits](mlp_in_16_bits.ipynb) (train) |
# | **You will be able to** | derive every fact of a format from two integers, choose between range and digits, and scale a block of numbers |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.learn import Config, Model, evaluate, load_digits, normalise, train
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [At the edges](edges.ipynb): how many digits are left among the subnormal numbers?


# %%
@fs.teach.puzzle
def digits_at(k):
    """How many bits the significand of binary16 has from 2^k up to 2^(k + 1), k from -24 to 15. digits_at(0) is 11."""
    return min(11, ...)


# %% [markdown]
# ## Two integers
#
# A letter scale shows single grams, up to 2 kg. A lorry scale goes up to 60 tonnes, in steps of 20 kg. Both have about
# as many marks, but one has spent them on small steps and the other one on a wide range. A number format makes the same
# choice, with bits.
#
# Two integers say it all: the **width** k, which is the number of all bits, and the
# [**precision**](glossary.md#precision) p, the digits of the significand. One bit is the sign. p - 1 digits are stored,
# because the first one is implied. The other k - p bits are the exponent. The [bias](glossary.md#bias) is
# `2^(k - p - 1) - 1`, and it is also the largest exponent.
#
# binary16 has k = 16 and p = 11. **bfloat16**, the other format of 16 bits, has p = 8.

# %%
largest = guess("About how large is the largest number of bfloat16?")
step = guess("What is the ulp of 1 in bfloat16?")

# %% [markdown]
# `fs.get_format(name)` is the format of that name, with all its facts.

# %%
for name in ("binary16", "bfloat16"):
    fmt = fs.get_format(name)
    print(f"{name}: exponent bits {fmt.width - fmt.precision}  bias {fmt.bias}")
    print(f"    largest {fmt.max_finite:.4g}  smallest normal {fmt.min_normal:.4g}  ulp of 1 {fs.ulp(1, fmt)}")
largest.compare(float(fs.BFLOAT16.max_finite), within=0.15)
step.compare(fs.ulp(1, "bfloat16"))

# %% [markdown]
# bfloat16 took three bits from the significand and gave them to the exponent. That makes 8 exponent bits, as many as
# binary32 has. So bfloat16 is binary32 without its last 16 bits (rounded):

# %%
print(f"pi in binary32  {fs.encode(np.pi, 'binary32'):032b}")
print(f"pi in bfloat16  {fs.encode(np.pi, 'bfloat16'):016b}")

# %% [markdown]
# A puzzle: derive the largest number from the two integers. Its exponent is the bias. Its significand has p ones,
# 1.11...1 in binary, which is `2 - 2^(1 - p)`.


# %%
@fs.teach.puzzle
def largest_number(width, precision):
    """The largest number, a float, of an IEEE format with so many bits. largest_number(16, 11) is 65504.0."""
    bias = ...
    return (2 - 2.0 ** (1 - precision)) * 2.0**bias


# %% [markdown]
# **Predict:** which digits of pi = 3.14159265 survive in binary16, in bfloat16, and in formats of 8 bits? The explorer
# shows one number in all formats:

# %%
fs.page.show("formats?x=3.14159265", height=700)

# %% [markdown]
# ## Digits against range
#
# Here is the whole choice in one picture: how many digits has a number of this size? Higher is more exact, and wider is
# more range. The two formats of 8 bits, e4m3fn and e5m2, have their names from their bits: 4 for the exponent and 3
# stored digits (m), 5 and 2.
#
# **Predict:** draw the lines of binary16 and bfloat16 first. How high is each, and how wide?

# %%
lines = {"binary16": "-", "bfloat16": "--", "e4m3fn": "-.", "e5m2": ":"}  # <- change: add "tf32": "-"
fig, ax = plt.subplots(figsize=(10, 4), layout="constrained")
for name, line in lines.items():
    fmt = fs.get_format(name)
    exponents = np.arange(round(np.log2(fmt.min_subnormal)), fmt.emax + 1)
    digits = exponents - np.log2(fs.ulp(2.0**exponents, fmt)) + 1
    ax.plot(exponents, digits, label=f"{name}: {digits.max():.0f} digits", linestyle=line, linewidth=2.5)
ax.set(xlabel="exponent of x", ylabel="digits", ylim=(0, 12), title="Digits cost range, and range costs digits")
ax.legend()
plt.show()

# %% [markdown]
# binary16 has 3 digits more than bfloat16: in the middle, bfloat16 is 8 times as coarse. But it goes on where binary16
# has ended. On the left each line slopes down. These are the [subnormal numbers](glossary.md#subnormal), which lose
# digits.
#
# ## What each is bad at
#
# A large number and a small one, in both formats of 16 bits:

# %%
with np.errstate(over="ignore"):  # without this line, overflow warns, as it does in NumPy
    for name in ("binary16", "bfloat16"):
        for x in (100000, 1e-7):
            y = float(fs.round_to(x, name))
            print(f"{name}: {x:<8} becomes {y:<12.6g} {abs(y - x) / x:6.1%} off")

# %% [markdown]
# "inf% off" is an overflow. And 1e-7 is subnormal in binary16, with one or two digits left.
#
# Training a network needs both range and digits. The weights need digits, because they get many small updates. In
# [Sums](sums.ipynb) a weight of 1 in bfloat16 got 0.001 a thousand times, and stayed 1. On paper it ends at 2. Now do
# the same in binary16, whose ulp of 1 is 2^-10 = 0.0009765625.

# %%
weight = guess("A weight of 1 in binary16 gets +0.001 a thousand times, to nearest. Where does it end?")

# %%
for name in ("bfloat16", "binary16"):
    print(f"{name}: {fs.sum([1.0] + [0.001] * 1000, name)}")
weight.compare(fs.sum([1.0] + [0.001] * 1000, "binary16"))

# %% [markdown]
# 0.001 is rounded to one ulp, a little less than 0.001, so the weight ends a little below 2.
#
# Gradients need range, because many are small. The picture has the gradients of one backward pass of a network that
# reads digits, all of them: those of the weights, and those of each intermediate result for each of 256 pictures. Its
# background is binary16.
#
# **Predict:** how would it look with the window of bfloat16, whose smallest number is 2^-133?

# %%
fs.plots.gradients("binary16", scales=(1.0,))  # <- change: "bfloat16", "e5m2", "e4m3fn"
plt.show()

# %% [markdown]
# A part of them falls out on the left and becomes 0. (A table that counts only the gradients of the *weights* shows
# less, because those are sums over many pictures, and larger.) In bfloat16 nothing falls out.
#
# ## Eight bits
#
# With eight bits you cannot have both. So there are two formats: e5m2 with more range, for gradients, and e4m3fn with
# more digits, for weights. `fn` means *finite*, with NaN: it has no infinity. Of 256 codes, IEEE 754 would use 16 for
# infinities and NaN. In e4m3fn only two codes are NaN, one of each sign. All the others are numbers.
#
# By the rules of IEEE 754, a format with 4 and 3 bits would end at 1.111 (binary) * 2^7 = 240. e4m3fn has one more
# binade, from 2^8 on. There, 1.111 * 2^8 is NaN, and all others are numbers.

# %%
end = guess("What is the largest number of e4m3fn?")
beyond = guess("What does 465 become in e4m3fn?")

# %%
for name in ("e4m3_ieee", "e4m3fn", "e5m2"):
    fmt, values = fs.get_format(name), fs.all_values(name)
    counts = f"finite {np.isfinite(values).sum()}  infinite {np.isinf(values).sum()}  NaN {np.isnan(values).sum()}"
    print(f"{name:9}  largest {float(fmt.max_finite):7}  smallest {float(fmt.min_subnormal):<18}  {counts}")
end.compare(float(fs.E4M3FN.max_finite))
with np.errstate(over="ignore"):
    for x in (449, 464, 465, 1000):
        print(x, "->", fs.round_to(x, "e4m3fn"), "  saturating ->", fs.round_to(x, "e4m3fn", saturate=True))
    beyond.compare(fs.round_to(465, "e4m3fn"))

# %% [markdown]
# The largest number is 1.110 * 2^8 = 448. The next one would be 480. The middle of the two, 464, is a tie and goes to
# 448, whose last bit is 0. Beyond it is NaN, because there is no infinity. With `saturate=True` everything beyond the
# end becomes the largest number instead. Most hardware does that with 8 bits. On
# [this line](explorer.html#line?x=448&format=e4m3fn&beside=e5m2) e4m3fn (above) ends at 448, and e5m2 (below) goes on.
#
# ## How few bits does a trained network need?
#
# You know `train` from [A network in 16 bits](mlp_in_16_bits.ipynb). We train one in binary32. `Model` puts its weights
# and the shape of the pictures together. `evaluate(model, digits, formats)` rounds the weights, and all that the
# network computes from them, to each format, and counts the right answers. (Sums are kept in binary32, as in
# [Dot products](dot_products.ipynb).)

# %%
eight = guess("A network trained in binary32 and rounded to e4m3fn: is it above 90% right? (yes or no)")
four = guess("A network trained in binary32 and rounded to 4 bits, e2m1fn: is it above 90% right? (yes or no)")

# %%
run = train(Config("binary32"), epochs=5)
digits = normalise(load_digits(), "unit")
model = Model(run.config, run.params, digits.image_shape, 10)
names = ("binary32", "binary16", "bfloat16", "e4m3fn", "e5m2", "e3m2fn", "e2m3fn", "e2m1fn")
right = {}
for e in evaluate(model, digits, names):
    right[str(e.fmt)] = e.accuracy
    print(f"{e.fmt:9} {e.accuracy:6.1%} right   {e.agreement:6.1%} as before   {e.lost_weights:5.1%} of weights are 0")
eight.compare(bool(right["e4m3fn"] > 0.9))
four.compare(bool(right["e2m1fn"] > 0.9))

# %% [markdown]
# Sixteen bits change (nearly) nothing, and eight little. The two formats of six bits differ by four pictures of 359,
# and that decides nothing. "As before" counts the answers that are those of binary32, right or wrong. With four bits
# more than half of the weights are 0, and many answers change.
#
# Which of the two is missing in four bits, range or digits? We take them away one at a time.
# `fs.Format(name, width, precision)` makes a format of your own.

# %%
one = guess("The same network with 8 exponent bits and a single stored digit: is it above 90% right? (yes or no)")

# %%
for precision in (8, 6, 4, 3, 2):
    fmt = fs.Format(f"e8p{precision}", width=8 + precision, precision=precision)
    right[precision] = evaluate(model, digits, [fmt])[0].accuracy
    print(f"8 exponent bits, stored digits {precision - 1}: {right[precision]:.1%}")
for bits in (8, 5, 4, 3, 2):
    fmt = fs.Format(f"e{bits}p4", width=bits + 4, precision=4)
    print(f"{bits} exponent bits, stored digits 3: {evaluate(model, digits, [fmt])[0].accuracy:.1%}")
one.compare(bool(right[2] > 0.9))

# %% [markdown]
# Neither alone brings it below 90%. (The first loop ends at one stored digit, because `fs.Format` makes none with less.
# So we do not know where the limit is, only that it is below.) A network that is *used* needs few digits. This does not
# mean that it can be *trained* so: an update is a small difference, and small differences need digits.
#
# ## Scaling by blocks
#
# e2m1fn has the numbers 0, 0.5, 1, 1.5, 2, 3, 4, 6, and their negatives. The weights of a network are often about 0.05.

# %%
zeros = guess("Normal random numbers of size 0.05, rounded to e2m1fn: about how many percent become 0?")

# %% [markdown]
# A newspaper prints "in millions of euros" above a column of numbers, once, and then the numbers have few digits. Here
# it is the same: one **shared scale** for a block of 32 numbers. Multiply them by a power of two that brings the
# largest between 3 and 6, round them, and keep the power (8 bits). Whoever reads them divides by it.


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
zeros.compare(round(100 * np.mean(fs.round_to(x, "e2m1fn") == 0), 1), within=0.05)

# %% [markdown]
# Everything up to 0.25 becomes 0, so without a scale all is lost. See 0.05
# [in all formats](explorer.html#formats?x=0.05). The scale makes four bits usable. It is an exponent that 32 numbers
# share. What does it cost?


# %%
@fs.teach.puzzle
def bits_each(element, scale, block):
    """Bits a number, if a block of numbers of `element` bits shares one `scale`. bits_each(4, 8, 32) is 4.25."""
    return ...


# %% [markdown]
# ## In short
#
# | you have | use | because |
# |---|---|---|
# | products with wide sums, values near 1 | binary16 | 11 digits; range does not matter |
# | gradients, unknown range, no wish to scale | bfloat16 | the exponents of binary32 |
# | a trained network to be used, not trained | 8 bits, or 4 with block scales | few digits are enough |
# | sums, weights with small updates | binary32 | small differences need digits |
#
# - Width k and precision p are all that an IEEE format needs: k - p exponent bits, and a bias of `2^(k - p - 1) - 1`.
# - bfloat16 has the range of binary32, and rounds 8 times as coarsely as binary16.
# - Formats of 8 bits come in pairs: e5m2 for range, e4m3fn for digits. e4m3fn has no infinity: beyond 464 it is NaN, or
#   448 if it saturates.
# - A network that is used needs few digits. One that is trained needs more, for its updates.
# - With four bits, a block of numbers shares a scale. For blocks of 32 that costs a quarter of a bit each.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/formats.py`. Write them without `fs.round_to`. Begin here:


# %%
def facts(width, precision):
    """Of an IEEE format: the tuple (bias, largest number, smallest normal, smallest subnormal)."""
    raise NotImplementedError


fs.teach.check(facts)  # fs.teach.hint() helps

# %% [markdown]
# 1. `facts(width, precision)`: the tuple (bias, largest number, smallest normal, smallest subnormal). The smallest
#    exponent of normal numbers is 1 - bias. The smallest subnormal is the ulp there.
# 2. `block_scale(values, top)`: the largest power of two s such that no |value * s| is above `top`; 1.0 if all are 0.
# 3. `to_e4m3fn(x)`: the float x rounded to e4m3fn, ties to even. Begin with your `round_to_half` from
#    [Rounding](rounding.ipynb): there are 3 stored digits, and the ulp below 2^-6 is 2^-9. Beyond 464 it is NaN, and so
#    is infinity. The sign of a zero stays.
#
# ## Read next
#
# - P. Micikevicius et al., "FP8 formats for deep learning", arXiv:2209.05433, 2022: why two formats, and no infinity.
# - D. Kalamkar et al., "A study of BFLOAT16 for deep learning training", arXiv:1905.12322, 2019.
# - B. D. Rouhani et al., "Microscaling data formats for deep learning", arXiv:2310.10537, 2023: shared scales.
#
# Next lesson: [Blocks](blocks.ipynb). How four bits hold the weights of a network: MXFP4 and NVFP4, by hand.
