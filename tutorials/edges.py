# %% [markdown]
# # At the edges
#
# | | |
# |---|---|
# | **Question** | What happens where numbers become too small, too large, or no numbers at all? |
# | **Time** | 45 minutes |
# | **Needs** | [Sixteen bits](sixteen_bits.ipynb) (the table of E and T, the ulp), [Rounding](rounding.ipynb) (modes, 65520) |
# | **You will be able to** | say what subnormals are good for, predict every result with zeros, infinities and NaN, and read the five flags |

# %%
import math
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Sixteen bits](sixteen_bits.ipynb). You will meet these numbers again below.


# %%
@fs.teach.puzzle
def is_nan(code):
    """True if a code of binary16 is a NaN, of either sign; else False."""
    return ...


# %% [markdown]
# ## How small can it get?
#
# Dim a lamp to half of its light, again and again. The brightness is stored in binary16 and begins at 1. Each half is
# rounded. In a real room a little light is always left. And here?

# %%
lamp = guess("Start at 1 and halve again and again in binary16. After how many halvings is it 0?")

# %% [markdown]
# `fs.divide(a, b, fmt)` is a / b, rounded once to the format. `fs.add`, `fs.subtract` and `fs.multiply` work
# in the same way.

# %%
x, halvings = 1.0, 0
while x > 0:
    last, x, halvings = x, fs.divide(x, 2, "binary16"), halvings + 1
print(halvings, "halvings; the last number above 0 was", last, "= 2^-24:", last == 2**-24)
lamp.compare(halvings)

# %% [markdown]
# The smallest normal number is 2^-14. Below it come ten more binades: the [**subnormal**](glossary.md#subnormal)
# numbers. They have E = 0 and no implicit 1. All of them are multiples of 2^-24, and so they have fewer digits the
# smaller they are: ten bits just below 2^-14, one bit at the end. This is called
# [**gradual underflow**](glossary.md#gradual-underflow).
#
# This is the smallest one. Press "+ 1 ulp" a few times, and look at the bits:

# %%
fs.page.show("number?x=2^-24", height=700)

# %% [markdown]
# Rounding is the same as always, with the ulp 2^-24.
#
# **Predict:** which multiples of 2^-24 do these numbers become?

# %%
for factor in (0.5, 0.50001, 1.5, 2.5):  # <- change: try 0.4, 3.5
    print(f"{factor} * 2^-24 becomes {fs.round_to(factor * 2**-24, 'binary16') / 2**-24} * 2^-24")

# %% [markdown]
# Ties go to the even multiple, also down here; and half of the smallest number goes to 0, which is even.
#
# A puzzle: how many digits are left? Normal numbers have eleven bits. A subnormal number is an integer times 2^-24:
# 2^-24 itself is 1 times that, with one bit; 2^-23 is 2 times that, 10 in base two, with two bits.


# %%
@fs.teach.puzzle
def digits_at(k):
    """How many bits the significand of binary16 has from 2^k up to 2^(k + 1), k from -24 to 15. digits_at(0) is 11."""
    return min(11, ...)


# %% [markdown]
# ## What are subnormals good for?
#
# A program measures a speed: the distance, divided by the time between two readings of a clock. The two times must not
# be equal:
#
#     if t1 != t2:
#         speed = distance / (t2 - t1)
#
# Is that safe? Some processors have no subnormals: they **flush** such results to zero. A format can do that here, too:

# %%
FLUSHING = "binary16,subnormals=flush_to_zero"
t1, t2 = 1.25 * 2**-14, 1.5 * 2**-14  # both normal, and different
for name in ("binary16", FLUSHING):
    difference = fs.subtract(t2, t1, name)
    print(f"{name:34} t2 - t1 = {difference}")

# %% [markdown]
# When results are flushed, t2 - t1 is 0 although t1 != t2, and the program divides by zero. How often does this happen?
# We take every pair of different numbers from 2^-14 up to 2^-13, the lowest binade of normal numbers.

# %%
flushed = guess(
    "How many pairs of different numbers from 2^-14 to 2^-13 have the difference 0 if results are flushed?",
    choices=("about one in a thousand", "about half", "all"),
)

# %%
numbers = fs.decode(np.arange(0x0400, 0x0800), "binary16")
x, y = numbers[:, None], numbers[None, :]
for name in ("binary16", FLUSHING):
    zero = (fs.subtract(x, y, name) == 0) & (x != y)
    print(f"{name:34} {np.sum(zero):9,} of {np.sum(x != y):,} pairs")
flushed.compare("all")

# %% [markdown]
# All of them, against none. The reason is short:
#
# 1. Every number of binary16 is an integer times 2^-24, as all larger ulps are multiples of 2^-24. So x - y is an
#    integer times 2^-24, too.
# 2. If |x - y| is below 2^-14, that integer is below 1024. Then x - y *is* a number of binary16: it needs no rounding.
# 3. So a small x - y is exact, and it is 0 only if x = y. The same holds for x + y.
#
# Subnormals cannot keep all digits. Rounding a normal number changes it by less than 0.05 %. Now take 2^-22 / 3.
# It is 4/3 of the smallest number.

# %%
loss = guess("2^-22 / 3 is 4/3 of the smallest number. By how many percent is it wrong, after rounding?")

# %%
for text, x in (("1/3", Fraction(1, 3)), ("2^-22/3", Fraction(1, 3 * 2**22))):
    rounded = Fraction(fs.round_to(x, "binary16"))
    percent = 100 * abs(rounded - x) / x
    print(f"{text:8} becomes {float(rounded):<24} it is wrong by {float(percent):.3f} %")
loss.compare(percent)

# %% [markdown]
# 25 % of very little. In the picture, the hatched part is subnormal. The lines get longer and longer to the left, far
# beyond the top of the picture.

# %%
fs.plots.relative_error("binary16")
plt.show()

# %% [markdown]
# ## How large can it get?
#
# From here on numbers overflow, and NumPy and `fs` warn of that. We want to look at the results, so we turn the
# warnings off.

# %%
before = np.seterr(all="ignore")  # np.seterr(**before) turns them on again

# %% [markdown]
# A price of 70,000 yen does not fit: 65504 is the largest number, and from 65520 on ties-to-even gives infinity. The
# other modes may give something else.
#
# **Predict:** two of the six modes below never make infinity of a finite number. Which?

# %%
for mode in ("ties_to_even", "ties_to_away", "toward_zero", "toward_positive", "toward_negative", "to_odd"):
    print(f"{mode:16} {fs.round_to(70_000, 'binary16', mode):8} {fs.round_to(-70_000, 'binary16', mode):8}")
print("saturating      ", fs.round_to(70_000, "binary16", saturate=True), " (hardware can be told to do so)")

# %% [markdown]
# `toward_zero` and `to_odd` never go from a finite number to infinity.
# [The explorer has all modes in one table](explorer.html#arithmetic?op=round&a=70000).
#
# Worse is a result that fits, while something on the way to it does not. The mean of two prices:

# %%
price = guess("In binary16, step by step: what is (40000 + 40000) / 2?")

# %% [markdown]
# `fs.array(x, fmt)` makes a number, or an array, whose operators round every result. We also try the length of an arrow
# that goes 300 to the right and 400 up. It is 500 long.

# %%
a, b = fs.array(40_000, "binary16"), fs.array(40_000, "binary16")
print("mean", (a + b) / 2, "  halved first", a / 2 + b / 2)
x, y = fs.array(300, "binary16"), fs.array(400, "binary16")  # <- change: 3e-4 and 4e-4
print("length", np.sqrt(x * x + y * y), "  scaled first", y * np.sqrt((x / y) * (x / y) + 1))
price.compare((a + b) / 2)

# %% [markdown]
# The cure is to make the numbers smaller first, and larger again at the end. Change 300 and 400 to 3e-4 and 4e-4:
# without the cure the squares have hardly any digits left, and with it the length is right again, to all digits.
#
# ## Infinity
#
# Infinity is a value like others. It says: *larger than all finite numbers*. You can compute with it.

# %%
limits = guess("What are 1/0, 1/inf, inf - inf and 0/0 in binary16? (four numbers)")

# %%
inf, divide, subtract = math.inf, fs.divide, fs.subtract  # shorter names; the format is binary16 if none is named
print("1/0", divide(1, 0), "  -1/0", divide(-1, 0), "  1/inf", divide(1, inf), "  inf + 1", fs.add(inf, 1))
print("inf - inf", subtract(inf, inf), "  inf/inf", divide(inf, inf), "  0 * inf", fs.multiply(0, inf))
print("0/0", divide(0, 0), "  sqrt(-1)", fs.sqrt(-1))
limits.compare([divide(1, 0), divide(1, inf), subtract(inf, inf), divide(0, 0)])

# %% [markdown]
# Where every way to the limit gives the same, you get that. Where it depends on the way (0/0 may be anything), you get
# [**NaN**](glossary.md#nan), *not a number*. In the explorer:
# [1/0](explorer.html#arithmetic?op=divide&a=1&b=0), [0/0](explorer.html#arithmetic?op=divide&a=0&b=0).
#
# ## NaN
#
# A heater works like this. Then its sensor breaks, and the temperature is NaN.
#
#     if temperature < 20:
#         turn_on()

# %%
cold = guess("The temperature is NaN. Does the heater turn on? (yes or no)")

# %%
nan = fs.divide(0, 0)
print("NaN < 20 is", nan < 20, "  NaN >= 20 is", nan >= 20)
print("NaN == NaN is", nan == nan, "  NaN != NaN is", nan != nan)
cold.compare(bool(nan < 20))

# %% [markdown]
# It does not, and the house gets cold. Every comparison with NaN is false, except `!=`, which is true. So `x != x`
# finds a NaN; `np.isnan` does the same. And `not (x < 20)` is not the same as `x >= 20`.
#
# A NaN also stays. In a spreadsheet, one bad cell makes the sum at the bottom NaN. A few functions, however, drop it:

# %%
print("1 + NaN", fs.add(1, nan), "  0 * NaN", fs.multiply(0, nan), "  the sum of 1, 2, NaN:", fs.sum([1, 2, nan]))
print("NaN to the power 0:", fs.power(nan, 0), " (since every number to the power 0 is 1)")
print("minimum(1, NaN)", fs.minimum(1, nan), "  minimum_number(1, NaN)", fs.minimum_number(1, nan))
print("Python's min depends on the order:", min(1.0, nan), "and", min(nan, 1.0))

# %% [markdown]
# A puzzle: a program improves its result until the error is small, in a loop `while keep_going(error)`. Written as
# `error > 0.001`, a NaN would end the loop at once, as if all were well. Write it so that a NaN goes on.


# %%
@fs.teach.puzzle
def keep_going(error):
    """False if the float error is known to be at most 0.001; else True, also for NaN."""
    return ...


# %% [markdown]
# ## Two zeros
#
# Weather reports for pilots write a temperature of -0.3 degrees as M00, *minus zero*: it rounds to zero, and the minus
# says from which side. Floats do the same. +0 has the code 0x0000, and -0 has 0x8000.

# %%
pole = guess("What is 1 / -0 in binary16?")

# %%
print("-1e-30 becomes", fs.round_to(-1e-30, "binary16"), "  -0 == 0 is", -0.0 == 0.0)
print("1 / 0", divide(1, 0.0), "  1 / -0", divide(1, -0.0), "  sqrt(-0)", fs.sqrt(-0.0))
pole.compare(divide(1, -0.0))

# %% [markdown]
# Two numbers that are `==` may still give different results. That is why this course compares *codes*.
#
# May a compiler leave out `x + 0`, or `x - 0`? That depends on the mode.
#
# **Predict:** x is 0 or -0. Which of x + 0, x - 0 and x + -0 can change the sign of x, with ties to even? And toward
# negative?

# %%
for mode in ("ties_to_even", "toward_negative"):
    for x in (0.0, -0.0):
        a, b, c = fs.add(x, 0.0, mode=mode), fs.subtract(x, 0.0, mode=mode), fs.add(x, -0.0, mode=mode)
        print(f"{mode:16} x = {x:4}   x + 0 = {a:4}   x - 0 = {b:4}   x + -0 = {c:4}")
print("1 - 1 =", subtract(1, 1), " and toward negative", subtract(1, 1, mode="toward_negative"))

# %% [markdown]
# A sum of two zeros with different signs is +0, except toward negative, where it is -0. The same holds for 1 - 1. So
# with ties to even, x - 0 and x + -0 never change x, but x + 0 makes +0 of -0. Toward negative it is the other way
# around: x + 0 never changes x, and the other two make -0 of +0.
#
# ## Five flags
#
# IEEE 754 calls these events [**exceptions**](glossary.md#exception-and-flag), but nothing stops. The machine gives a
# sensible result and raises a **flag**. The flag stays up until somebody takes it down.
#
# | flag | raised when | result |
# |---|---|---|
# | invalid | there is no sensible answer: 0/0, inf - inf, sqrt(-1) | NaN |
# | divide by zero | finite / 0, log 0 | exact infinity |
# | overflow | after rounding, it is beyond the largest number | infinity or the largest, by mode |
# | underflow | it is below the smallest normal number, *and* it had to be rounded | subnormal or zero |
# | inexact | it had to be rounded | the rounded number |

# %%
half = guess("How many of the five flags does 2^-14 / 2 raise in binary16?")

# %% [markdown]
# `with fs.record_flags() as raised:` collects the flags of what is computed inside it.

# %%
for text, a, b in (
    ("1 / 4", 1, 4),
    ("1 / 3", 1, 3),
    ("1 / 0", 1, 0),
    ("60000 / 0.5", 60_000, 0.5),
    ("2^-24 / 2", 2**-24, 2),
    ("2^-14 / 2", 2**-14, 2),
):
    with fs.record_flags() as raised:
        result = fs.divide(a, b, "binary16")
    print(f"{text:12} {result:<22} {', '.join(raised.names()) or 'none'}")
half.compare(len(raised.names()))  # of the last one

# %% [markdown]
# 2^-25 became 0: underflow and inexact. But 2^-15 is subnormal and exact: no digit was lost, so there is
# [no underflow](explorer.html#arithmetic?op=divide&a=2^-14&b=2).
#
# In a long calculation, flags tell you *that* and *where* it went wrong:

# %%
with fs.record_flags() as raised:
    fs.divide([1.0, 6.0, 2.0**-14, -6.0], [4.0, 0.0, 3.0, 0.0], "binary16")
for flag in ("divide_by_zero", "underflow", "overflow"):
    found = getattr(raised, flag)
    print(f"{flag:15} raised by {found.count} of 4, first at {found.index}" if found else f"{flag:15} not raised")

# %% [markdown]
# ## In short
#
# - Below 2^-14 the numbers are the multiples of 2^-24, with fewer and fewer digits: gradual underflow. Half of 2^-24
#   becomes 0.
# - Thanks to them, x - y is 0 only if x = y. Where small results are flushed to zero, that fails.
# - Beyond 65504 the mode decides between infinity and 65504. Look out for steps that overflow on the way to a result
#   that fits: make the numbers smaller first.
# - Where a limit is clear, infinity gives it: 1/0 = inf, 1/inf = 0. Where none is, the result is NaN: 0/0, inf - inf,
#   0 * inf.
# - Every comparison with NaN is false, except `!=`. NaN stays in sums and products.
# - -0 == 0, and yet 1 / -0 is -inf. The sign says from which side a zero came.
# - Nothing stops: five flags tell what happened. Underflow is raised only if a digit was lost, too.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/edges.py`. Think in codes: the neighbour of a positive number is its code plus 1.
# `fs.encode(x)` and `fs.decode(code)` may be used. You can write one right here:


# %%
def my_next_up(x):
    """The least value of binary16 that is greater than x, a value of binary16."""
    raise NotImplementedError


fs.teach.check(my_next_up)  # fs.teach.hint() helps

# %% [markdown]
# 1. `same(a, b)`: whether two floats are the same in every respect: NaN is the same as NaN, and +0 is not the same as
#    -0. (Your own tests will need it. `math.copysign(1, x)` reads the sign of x.)
# 2. `my_next_up(x)`: the next value up. From -2^-24 it goes to -0, from either zero to 2^-24, from 65504 to infinity,
#    from -infinity to -65504; infinity and NaN stay.
# 3. `my_ulp(x)`: your `ulp_of` from [Rounding](rounding.ipynb), now at the edges, too: 2^-24 for zeros and subnormals,
#    infinity at an infinity, NaN at NaN.
# 4. An extra, for ten minutes more: `mean(a, b)`, (a + b) / 2 of two finite Python floats (binary64), but never
#    infinite, although a + b may overflow. Halving first is not always right: it loses the last digit of a subnormal.
#    Mind both ends.
#
# ## Read next
#
# - W. Kahan, "Lecture Notes on the Status of IEEE Standard 754 for Binary Floating-Point Arithmetic", 1997: why
#   infinity, NaN and signed zeros are as they are, by their main author.
# - D. Goldberg (1991), section "Special quantities".
# - IEEE 754-2019, sections 6 and 7: infinity, NaN, signs, and the default handling of exceptions.
#
# Next lesson: [Arithmetic on paper](arithmetic.ipynb). How two numbers are added, with pencil and paper.
