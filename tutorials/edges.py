# %% [markdown]
# # At the edges
#
# | | |
# |---|---|
# | **Question** | What happens where numbers become too small, too large, or no numbers at all? |
# | **Time** | 25 minutes |
# | **Needs** | [Sixteen bits](sixteen_bits.ipynb), [Rounding](rounding.ipynb) |
# | **You will be able to** | say what subnormals are good for, predict every result with zeros, infinities and NaN, and read the five flags |
#
# Overflow and its relatives make NumPy warn, and they make `fp16sim` warn, too. Here we want to look at results, so we
# silence the warnings once for the whole lesson.

# %%
import dataclasses
import math
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

_ = np.seterr(all="ignore")

# %% [markdown]
# ## How small can it get?
#
# The smallest normal number of binary16 is 2^-14. Its exponent field E is 1, the smallest that ordinary numbers have.
#
# **Predict:** start from 1 and halve, again and again, rounding to binary16. After how many halvings is it 0?

# %%
x, halvings = 1.0, 0
while x > 0:
    x, halvings = fs.divide(x, 2, "binary16"), halvings + 1
print(halvings, "halvings")
print("the last number above 0 is", fs.next_up(0, "binary16"), "= 2^-24:", fs.next_up(0, "binary16") == 2**-24)

# %% [markdown]
# Below 2^-14 come ten more binades: the **subnormal** numbers. They have E = 0 and no implicit 1, so leading digits may
# be 0, and each halving costs one digit of precision. This is **gradual underflow**.
#
# The 25th halving gave 2^-25. That is the middle between 0 and 2^-24: a tie.
#
# **Predict:** what becomes of 2^-25, and of a number just a little larger?

# %%
print(fs.round_to(2**-25), fs.round_to(Fraction(1, 2**25) + Fraction(1, 2**1000)))
print(fs.explain.rounding(0.75 * 2**-23, "binary16"))  # <- change: 0.25 * 2**-23, 0.2 * 2**-23

# %% [markdown]
# ## What are subnormals good for?
#
# Some processors have no subnormals: they **flush** such results to zero. A `Format` can do that, too. Take two numbers
# x and y that are not equal.
#
# **Predict:** can the computed x - y be 0? Try to think of an example, with flushing and without.

# %%
flushing = dataclasses.replace(fs.BINARY16, subnormals="flush_to_zero")
x, y = 1.5 * 2**-14, 1.25 * 2**-14  # both normal
print("gradual ", fs.subtract(x, y, "binary16"))
print("flushing", fs.subtract(x, y, flushing))

# %% [markdown]
# So `if x != y: z = 1 / (x - y)` divides by zero on the flushing machine. How often? We try all pairs of normal numbers
# of an 8-bit format, e4m3 (4 bits of exponent, 3 of trailing significand).
#
# **Predict:** with gradual underflow, in how many of the 50,000 pairs with x != y is x - y rounded to 0?

# %%
small = fs.E4M3
values = fs.all_values(small)
normal = values[np.isfinite(values) & (np.abs(values) >= small.min_normal)]
x, y = normal[:, None], normal[None, :]
for fmt in (small, dataclasses.replace(small, subnormals="flush_to_zero")):
    lost = (fs.subtract(x, y, fmt) == 0) & (x != y)
    print(f"{fmt.subnormals.value:14} {np.sum(lost)} of {np.sum(x != y):,} pairs")

# %% [markdown]
# Never, with gradual underflow. The reason: x and y are both integer multiples of the smallest subnormal, so their
# difference is, too. It is 0 or at least that number. Sums and differences never even *round* down there.
#
# **Predict:** subnormals have fewer digits. Rounding 1/3 has a relative error below 2^-11, as any normal number. What
# is the relative error of rounding 2^-22 / 3?

# %%
for x in (Fraction(1, 3), Fraction(1, 3 * 2**22)):
    rounded = Fraction(fs.round_to(x, "binary16"))
    print(f"{float(x):.3e} becomes {float(rounded):.3e}, relative error {float(abs(rounded - x) / x):.1e}")

# %% [markdown]
# A quarter! The *absolute* error is still tiny. In the picture of a small format the hatched part is subnormal:

# %%
fs.plots.relative_error("e4m3fn")
plt.show()

# %% [markdown]
# ## How large can it get?
#
# In [Rounding](rounding.ipynb) we saw that everything from 65520 on becomes infinity when ties go to even.
#
# **Predict:** what do the other modes make of 70000 and of -70000? Two of them never reach infinity from a finite
# number. Which?

# %%
for mode in ("ties_to_even", "ties_to_away", "toward_zero", "toward_positive", "toward_negative", "to_odd"):
    print(f"{mode:16} {fs.round_to(70000, 'binary16', mode):8} {fs.round_to(-70000, 'binary16', mode):8}")
print("saturating      ", fs.round_to(70000, "binary16", saturate=True))

# %% [markdown]
# A result can be harmless while something on the way to it overflows. `fs.array` makes arrays (or single numbers) whose
# operators round every result.
#
# **Predict:** x = 300 in binary16. What are x * x / x, x * (x / x), and the length of the vector (300, 400), computed
# as sqrt(x*x + y*y)?

# %%
x, y = fs.array(300.0, "binary16"), fs.array(400.0, "binary16")
print(x * x / x, " ", x * (x / x), " ", np.sqrt(x * x + y * y))
print("scaled first:", y * np.sqrt((x / y) * (x / y) + 1), " fs.hypot:", fs.hypot(300, 400, "binary16"))

# %% [markdown]
# The cure is to divide by the largest, and multiply at the end. You will meet it again as the loss scale of
# [Why the run died](why_the_run_died.ipynb) and the shifted softmax.
#
# Change 300 and 400 to 3e-4 and 4e-4: the same cure works at the other end.
#
# ## Infinity
#
# Infinity is a value like others. It says: larger than all finite numbers.
#
# **Predict** each: 1/0, -1/0, inf + 1, 1/inf, inf - inf, 0 * inf, inf / inf, 0/0, sqrt(-1).

# %%
inf, divide, multiply, subtract = math.inf, fs.divide, fs.multiply, fs.subtract
print("1/0", divide(1, 0), " -1/0", divide(-1, 0), " inf + 1", fs.add(inf, 1), " 1/inf", divide(1, inf))
print("inf - inf", subtract(inf, inf), " 0 * inf", multiply(0, inf), " inf/inf", divide(inf, inf))
print("0/0", divide(0, 0), " sqrt(-1)", fs.sqrt(-1))

# %% [markdown]
# Where the limit is clear, you get it. Where it depends on how you get there (0/0 may be anything), you get **NaN**,
# not a number.
#
# ## NaN
#
# **Predict:** is NaN == NaN? Is NaN < 1? Is NaN >= 1? What is the smaller one of 1 and NaN? And does a NaN in the
# middle of a calculation ever go away: what is 0 * NaN, and what NaN to the power 0?

# %%
nan = fs.divide(0, 0)
print("NaN == NaN", nan == nan, " NaN != NaN", nan != nan, " NaN < 1", nan < 1, " NaN >= 1", nan >= 1)
print("minimum", fs.minimum(1, nan), " minimum_number", fs.minimum_number(1, nan))
print("Python's min depends on the order:", min(1.0, nan), min(nan, 1.0))
print("0 * NaN", fs.multiply(0, nan), " NaN ** 0", fs.power(nan, 0))

# %% [markdown]
# A NaN is unequal to everything, itself included: `x != x` is how one finds it. So `not (x < 1)` is not the same as
# `x >= 1`, and a NaN makes "if the error is large, stop" never stop.
#
# **Predict:** write a loop that runs `while error > 0.001` and make error NaN. How often does it run? And what if you
# write `while not (error <= 0.001)`?

# %%
error = float("nan")
print("error > 0.001 is", error > 0.001, "so the loop ends at once, as if all were well")
print("not (error <= 0.001) is", not (error <= 0.001), "so the loop goes on, and you notice")

# %% [markdown]
# ## Two zeros
#
# +0 has code 0x0000 and -0 has 0x8000. The sign of a zero remembers from which side a result came.
#
# **Predict:** is -0 == 0? What are 1 / -0, 0 + -0, -0 + -0, sqrt(-0), 1 - 1, and 1 - 1 rounded toward negative? What
# becomes of -1e-30?

# %%
print("-0 == 0", -0.0 == 0.0, "  1 / -0", divide(1, -0.0), "  -1e-30 becomes", fs.round_to(-1e-30))
print("0 + -0", fs.add(0.0, -0.0), "  -0 + -0", fs.add(-0.0, -0.0), "  sqrt(-0)", fs.sqrt(-0.0))
print("1 - 1", subtract(1, 1), "  toward negative", subtract(1, 1, "binary16", "toward_negative"))

# %% [markdown]
# So x + 0 can change x (-0 + 0 is +0), while x - 0 and x + -0 never do. And two numbers that are `==` may still behave
# differently. That is why this course compares *codes*.
#
# ## Five flags
#
# IEEE 754 calls these events **exceptions**, but nothing stops. The machine gives a sensible result and raises a
# **flag** that stays up until you take it down.
#
# | flag | raised when | result |
# |---|---|---|
# | invalid | no sensible answer: 0/0, inf - inf, sqrt(-1) | NaN |
# | divide by zero | finite / 0, log 0 | exact infinity |
# | overflow | rounded, it is beyond the largest number | infinity or the largest, by mode |
# | underflow | below the smallest normal number, and inexact | subnormal or zero |
# | inexact | it had to be rounded | the rounded number |
#
# **Predict:** which flags does each of these raise: 1/3, 1/4, 1/0, 60000 * 2, 2^-14 / 2, 2^-24 / 2?

# %%
for text, a, b in (("1/3", 1, 3), ("1/4", 1, 4), ("1/0", 1, 0), ("60000/0.5", 60000, 0.5)):
    with fs.record_flags() as raised:
        result = fs.divide(a, b, "binary16")
    print(f"{text:10} {result:<22} {', '.join(raised.names()) or 'none'}")
for k in (14, 24):
    with fs.record_flags() as raised:
        result = fs.divide(2.0**-k, 2, "binary16")
    print(f"2^-{k}/2    {result:<22} {', '.join(raised.names()) or 'none'}")

# %% [markdown]
# 2^-15 is subnormal but exact: no underflow. Flags tell you, in a long calculation, *that* and *where* it went wrong:

# %%
with fs.record_flags() as raised:
    fs.divide([1.0, 6.0, 2.0**-14, -6.0], [4.0, 0.0, 3.0, 0.0], "binary16")
for flag in ("divide_by_zero", "underflow", "overflow"):
    found = getattr(raised, flag)
    print(f"{flag:15} raised by {found.count} of 4, first at {found.index}" if found else f"{flag:15} not raised")

# %% [markdown]
# ## Exercises
#
# In `exercises/edges.py`. Think in codes: you know from [Sixteen bits](sixteen_bits.ipynb) that the neighbour of a
# positive number is its code plus 1. `fs.encode(x)` and `fs.decode(code)` may be used. As shipped:


# %%
def my_next_up(x):
    """The least value of binary16 that is greater than x, a value of binary16."""
    raise NotImplementedError


print(fs.teach.grade.next_up(my_next_up))

# %% [markdown]
# A tempting answer is "the code plus 1". The grader has an opinion:


# %%
def code_plus_one(x):
    return fs.decode((int(fs.encode(x)) + 1) % 2**16)


report = fs.teach.grade.next_up(code_plus_one)
print(report.verdict, "\nmissing:", ", ".join(report.missing), "\nsimplest failure:", report.counterexample.shown)

# %% [markdown]
# 1. `same(a, b)`: whether two floats are the same in every respect: NaN is the same as NaN, and +0 is not the same as
#    -0. (Your own tests will need it.)
# 2. `my_next_up(x)`: the next value up. From -2^-24 it goes to -0, from either zero to 2^-24, from 65504 to infinity,
#    from -infinity to -65504; infinity and NaN stay.
# 3. `my_ulp(x)`: the distance of numbers in the binade of x: 2^-24 for zeros and subnormals, infinity at an infinity,
#    NaN at NaN.
# 4. `mean(a, b)`: (a + b) / 2 of two finite Python floats (binary64), but never infinite: a + b may overflow. And where
#    a + b does not overflow, halving first would lose the last digit of a subnormal: mind both ends.
#
# ## Read next
#
# - W. Kahan, "Lecture Notes on the Status of IEEE Standard 754 for Binary Floating-Point Arithmetic", 1997: why
#   infinity, NaN and signed zeros are as they are, by their main author.
# - D. Goldberg (1991), section "Special quantities".
# - IEEE 754-2019, sections 6 and 7: infinity, NaN, signs, and the default handling of exceptions.
#
# Next lesson: [Arithmetic on paper](arithmetic.ipynb). How two numbers are added, with pencil and paper.
