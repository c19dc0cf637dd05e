# %% [markdown]
# # Rounding twice
#
# | | |
# |---|---|
# | **Question** | When may you compute in float32 and round to float16 at the end, and when is that wrong? |
# | **Time** | 25 minutes |
# | **Needs** | [Rounding](rounding.ipynb), [Arithmetic on paper](arithmetic.ipynb) |
# | **You will be able to** | construct inputs on which a wider intermediate gives a wrong result, say when it is safe, and mend it with rounding to odd |
#
# Most machines compute with float16 by a detour: convert to float32, compute there, convert back. The result is rounded
# twice. Is that the same as rounding once?

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

_ = np.seterr(all="ignore")

# %% [markdown]
# ## You know it from school
#
# Round 3.49 to an integer: 3. Now round it to one decimal first, and then to an integer.
#
# **Predict:** what comes out? And for 3.51 and 3.44?

# %%
for x in (3.49, 3.51, 3.44):  # <- change: find a number that goes wrong downward (ties go to even!)
    print(f"{x}  once: {round(x)}  first {round(x, 1)}, then {round(round(x, 1))}")

# %% [markdown]
# 3.49 is below the middle. The first rounding moved it *onto* the middle, and the second one no longer knew from which
# side it came. This is **double rounding**. It takes a number that is very near to a tie, so it is rare, and so it
# survives all tests with ordinary numbers.
#
# ## Casts
#
# **Predict:** construct a number that goes wrong on the way from float64 over float32 to float16. A tie of binary16
# is 1 + 2^-11, half an ulp above 1. float32 has 24 bits. What must you add?

# %%
x = 1 + 2**-11 + 2**-40
print("once         ", fs.round_to(x, "binary16"))
print("via float32  ", fs.round_to(fs.round_to(x, "binary32"), "binary16"))
print("NumPy, once  ", float(np.float64(x).astype(np.float16)))
print("NumPy, twice ", float(np.float64(x).astype(np.float32).astype(np.float16)))

# %% [markdown]
# The tail 2^-40 is what decides, and float32 drops it. The same, explained:

# %%
print(fs.explain.convert(x, "binary16", source="binary32"))

# %% [markdown]
# **Predict:** of a million random float64 numbers, how many come out wrong through float32? float32 has 13 more bits
# than binary16. (How wide is the zone around a tie that float32 rounds onto the tie, compared with the distance of
# two ties? And how many of those then go the wrong way?)

# %%
rng = np.random.default_rng(5)
x = rng.uniform(1, 2, 1_000_000)
once = fs.round_to(x, "binary16")
twice = fs.round_to(x.astype(np.float32), "binary16")
print("wrong:", np.sum(once != twice), " of a million; 1,000,000 / 2^14 =", round(1e6 / 2**14))

# %% [markdown]
# The zone is 2^-13 of the distance, and half of what lies in it goes the wrong way: one in 2^14, by one ulp.
#
# ## Texts
#
# A program that reads `"1.0004882812500000000000001"` converts text to float64 first, and then to what it wants.
#
# **Predict:** this text is 1 + 2^-11 and a tiny bit. What does NumPy's float16 make of it, and what is right?

# %%
text = "1.0004882812500000000000001"
print("NumPy:", float(np.float16(text)), "  float first:", fs.round_to(float(text)), "  right:", fs.round_to(text))

# %% [markdown]
# `fs.round_to` reads texts exactly, as it does integers and fractions. `fs.parse(text)` gives the exact value.
#
# ## Fused multiply-add
#
# `fma(a, b, c)` is a * b + c, rounded once. Tensor cores and dot products are made of it.
#
# **Predict:** in binary16, 3 * 683 = 2049 is a tie between 2048 and 2050. What is fma(3, 683, 2^-24)? And what if it is
# computed in float32, where 2049 + 2^-24 has too many digits?

# %%
tail = 2.0**-24
print("once        ", fs.fma(3, 683, tail, "binary16"))
print("via float32 ", fs.round_to(fs.fma(3, 683, tail, "binary32"), "binary16"))
print("via float64 ", fs.round_to(fs.fma(3, 683, tail, "binary64"), "binary16"))
print(str(fs.explain.fma(3, 683, tail, "binary16")).split("remark\n")[1])

# %% [markdown]
# float64 is wide enough for *binary16*: a product that is a tie is below 2^16, for more would overflow, and c is a
# multiple of 2^-24, so their sum has at most 40 digits and float64 holds it. Numbers of bfloat16 go down to 2^-133:
#
# **Predict:** fma(9, 29, 2^-100) in bfloat16 (8 bits of precision): 9 * 29 = 261 is a tie between 260 and 262.

# %%
tail = 2.0**-100
print("once        ", fs.fma(9, 29, tail, "bfloat16"))
print("via float64 ", fs.round_to(fs.fma(9, 29, tail, "binary64"), "bfloat16"))

# %% [markdown]
# ## Where it is safe
#
# So casts, texts and fma are not safe. Are + - * / and square roots? We know a way to find out: a small p, all
# operands. Here are exact results as integers, made long enough, with a sticky bit at the end (see
# [Arithmetic on paper](arithmetic.ipynb)), of operands of 4 bits.


# %%
def round_bits(n, p):
    """The integer n rounded to p binary digits, ties to even."""
    drop = max(n.bit_length() - p, 0)
    kept, rest, half = n >> drop, n & ((1 << drop) - 1), 1 << drop >> 1
    return (kept + (rest > half or (rest == half > 0 and kept & 1))) << drop


digits = range(8, 16)  # integers of exactly 4 bits
pairs = [(a, b) for a in digits for b in digits]
results = {
    "add": [(a << k) + b for a, b in pairs for k in range(14)],
    "subtract": [abs((a << k) - b) for a, b in pairs for k in range(14)],
    "multiply": [a * b for a, b in pairs],
    "divide": [(a << 30) // b << 1 | ((a << 30) % b > 0) for a, b in pairs],
    "sqrt": [math.isqrt(a << k) << 1 | (math.isqrt(a << k) ** 2 != a << k) for a in digits for k in (40, 41)],
}

# %% [markdown]
# Now we round each to p' bits first, for p' = 5, 6, ... 11, and then to 4, and count how often that differs from
# rounding to 4 at once.
#
# **Predict:** will the numbers in each column reach 0? At which p', for which operation first?

# %%
print("p'  " + "  ".join(f"{name:>8}" for name in results))
for wide in range(5, 12):
    wrong = [sum(round_bits(round_bits(n, wide), 4) != round_bits(n, 4) for n in ns) for ns in results.values()]
    print(f"{wide:2}  " + "  ".join(f"{count:8}" for count in wrong))

# %% [markdown]
# From p' = 10 on there is not one wrong result. Square roots are the last; the others stop earlier. The theorem
# (Figueroa, 1995) says: for these operations, **p' >= 2p + 2** is always safe. Here 2 * 4 + 2 = 10, exactly what we
# found. Change 4 to 3 (and `digits` to `range(4, 8)`) to see the frontier move.
#
# **Predict:** is float32 (24 bits) wide enough for binary16 (11)? For bfloat16 (8)? Is float64 (53) for float32 (24)?
# With how many bits to spare?

# %%
for narrow, wide in (("binary16", "binary32"), ("bfloat16", "binary32"), ("binary32", "binary64")):
    p, q = fs.get_format(narrow).precision, fs.get_format(wide).precision
    print(f"{narrow} in {wide}: p' - (2p + 2) = {q} - {2 * p + 2} = {q - (2 * p + 2)}")

# %% [markdown]
# float32 is *just* wide enough for binary16, with nothing to spare. A quarter of a million quotients agree:

# %%
values = fs.all_values("binary16")
a = rng.choice(values[np.isfinite(values)], 250_000)
b = rng.choice(values[np.isfinite(values)], 250_000)
once = fs.divide(a, b, "binary16")
twice = fs.round_to(a.astype(np.float32) / b.astype(np.float32), "binary16")
print("wrong:", np.sum((once != twice) & ~np.isnan(once)))

# %% [markdown]
# Mind what the theorem does *not* say. It is about one operation on numbers that are themselves of p bits, and ties to
# even. A sum of three terms is two operations; other modes are other theorems.
#
# **Predict:** 1 + 2^-24, rounded toward positive in binary16, is the number after 1. What if the sum is first taken in
# float32, where hardware rounds to nearest?

# %%
print("once        ", fs.add(1, 2**-24, "binary16", "toward_positive"))
print("via float32 ", fs.round_to(np.float32(1) + np.float32(2**-24), "binary16", "toward_positive"))

# %% [markdown]
# ## The cure: round to odd
#
# What went wrong in the first rounding is that it can land on a tie. There is a mode that never makes that mistake:
# **to odd**. If the number exists, take it. If not, take that neighbour whose last bit is 1. The stairs of a four-bit
# format: numbers with an even last bit (0, 1, 2, 4) are reached by themselves alone.

# %%
fs.plots.staircase("e2m1fn", "to_odd")
plt.show()

# %% [markdown]
# **Predict:** a tie of the narrow format, seen in the wider one, has zeros behind the middle. Can a number rounded to
# odd become such a tie, unless it was one? And how many bits more than p does the intermediate need?

# %%
x = 1 + 2**-11 + 2**-40
middle = fs.round_to(x, "binary32", "to_odd")
print("to odd in float32:", fs.to_text(middle, "binary32", "bits"), "\nthen:", fs.round_to(middle, "binary16"))


def to_odd(n, p):
    drop = max(n.bit_length() - p, 0)
    return (n >> drop | (n & ((1 << drop) - 1) > 0)) << drop


# %%
print("p'  " + "  ".join(f"{name:>8}" for name in results))
for wide in (5, 6, 7):
    wrong = [sum(round_bits(to_odd(n, wide), 4) != round_bits(n, 4) for n in ns) for ns in results.values()]
    print(f"{wide:2}  " + "  ".join(f"{count:8}" for count in wrong))

# %% [markdown]
# Two bits more are enough, for every operation (Boldo and Melquiond, 2008). You have seen this before: the odd last bit
# *is* the sticky bit, and the two bits are guard and round. With it, the million casts come out right:

# %%
x = rng.uniform(1, 2, 1_000_000)
print("wrong:", np.sum(fs.round_to(fs.round_to(x, "binary32", "to_odd"), "binary16") != fs.round_to(x, "binary16")))

# %% [markdown]
# The library itself is built like this: an operation is exact, or rounded to odd in a wider format, and then rounded
# once.
#
# ## Exercises
#
# In `exercises/rounding_twice.py`. As shipped:


# %%
def my_fma(a, b, c):
    """a * b + c, rounded once to binary16, for all values of binary16."""
    raise NotImplementedError


print(fs.teach.grade.fma(my_fma))

# %% [markdown]
# This is what happens to the fma that "everybody" writes:


# %%
def fma_in_float32(a, b, c):
    return fs.round_to(np.float32(a) * np.float32(b) + np.float32(c), "binary16")


report = fs.teach.grade.fma(fma_in_float32)
print(report.verdict, "\nsimplest failure:", report.counterexample.shown)
print("it answers like a function that", report.misconception)

# %% [markdown]
# 1. `my_parse(text)`: the text rounded once to binary16. `Fraction("1.25e-3")` reads decimals exactly; "inf", "-inf",
#    "nan" and "-0" need care.
# 2. `to_odd_float32(x)`: the float64 x rounded to odd in float32. `np.float32(x)` is a neighbour of x; if it is not x
#    and ends in an even bit (`np.float32(...).view(np.uint32)` shows the code), the odd one is the neighbour on the
#    other side of x. `np.nextafter(np.float32(a), np.float32(b))` goes from a toward b. No finite x becomes infinite.
#    A trap: `np.float32(x) == x` rounds the float x to float32 before it compares; write `float(np.float32(x)) == x`.
# 3. `my_fma(a, b, c)`: with `Fraction`, or with float64 and a thought about why that is right. Mind the sign of zero:
#    a * b + c that is exactly 0 has the sign + unless a * b and c are both -0.
#
# ## Read next
#
# - S. A. Figueroa, "When is double rounding innocuous?", ACM SIGNUM Newsletter 30 (1995).
# - S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd",
#   IEEE Transactions on Computers 57 (2008).
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2018, the section on double roundings.
#
# Next lesson: [How wrong is it?](how_wrong.ipynb) A single rounding is harmless. When are many of them not?
