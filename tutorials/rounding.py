# %% [markdown]
# # Rounding
#
# | | |
# |---|---|
# | **Question** | Which number is stored when the one that you want does not exist? |
# | **Time** | 45 minutes |
# | **Needs** | [Sixteen bits](sixteen_bits.ipynb) (fields, codes, the ulp) |
# | **You will be able to** | round any number by hand in any mode, say why ties go to even, and write a rounder that survives the grader |

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
# A puzzle from [Sixteen bits](sixteen_bits.ipynb), before anything new. Do you still know how it goes, without looking?


# %%
@fs.teach.puzzle
def value_of_normal(code):
    """The value of a code of binary16 with sign 0 whose E is from 1 to 30. value_of_normal(0x3C00) is 1.0."""
    return 2.0 ** (...) * (1 + ...)


# %% [markdown]
# ## Between two numbers
#
# From 2048 to 4096 binary16 holds the even integers only. An odd one lies exactly in the middle between two of them:
# it is a [**tie**](glossary.md#tie).
#
# Guess before you look: type an answer, and say how sure you are. (Enter skips the question. Your guesses stay on your
# machine, in `guesses.json`.)

# %%
ties = guess("What do 2049, 2049.5 and 2051 become in binary16? (three numbers)")

# %%
for x in (2048.5, 2049, 2049.5, 2050, 2051):  # <- change: try 2053, -2049, 4097, 4098
    print(f"{x:7} becomes {fs.round_to(x, 'binary16')}")
ties.compare(fs.round_to([2049, 2049.5, 2051], "binary16"))

# %% [markdown]
# `fs.round_to(x, fmt)` rounds x to a format. 2049 went down to 2048, and 2051 went up to 2052. NumPy's own float16 does
# the same:

# %%
print(float(np.float16(2049)), float(np.float16(2051)))

# %% [markdown]
# A puzzle: which numbers between 2048 and 4096 are ties?


# %%
@fs.teach.puzzle
def is_tie(x):
    """True if a float x from 2048 up to 4096 is exactly in the middle of two neighbours of binary16, else False."""
    return ...


# %% [markdown]
# 2049 going down is no bug. The rule is called **ties to even**: to the nearer of the two neighbours; from the very
# middle to the one whose last bit is 0. Of two neighbours exactly one ends in 0, so the rule always decides. Here it
# is, step by step:

# %%
print(fs.explain.rounding(2051, "binary16"))

# %% [markdown]
# The explorer shows the same number on the line between its neighbours. Move it a little, and watch where it goes:

# %%
fs.page.show("number?x=2051&format=binary16", height=700)

# %% [markdown]
# ## Why even?
#
# At school a half goes up. Let us average a lot of halves. The list below holds 0.5, 1.5, 2.5, ... 999.5; its mean is
# 500. We round each to an integer, and take the mean again. There are three ways: half up, half to even, and cut off.
#
# **Predict:** which of the three means is off, in which direction?

# %%
mean = guess("What is the mean of 0.5, 1.5, ... 999.5 if each is rounded half up first?")

# %%
halves = np.arange(1000) + 0.5
print("exact       ", halves.mean())
print("half up     ", np.floor(halves + 0.5).mean())
print("half to even", np.rint(halves).mean())
print("cut off     ", np.floor(halves).mean())
mean.compare(np.floor(halves + 0.5).mean())

# %% [markdown]
# Half up adds half a unit to every tie. Half to even goes up and down equally often, and its errors cancel on average.
# It has another advantage. Add and take away the same number again and again:
#
# Start from x = 2050 in binary16, where the [ulp](glossary.md#ulp) is 2. Replace x by (x + 1) - 1 five times, and round
# each sum and each difference. Where does x go with ties to even? And where if ties go away from zero, as at school?

# %%
drift = guess("With ties away from zero: where is x = 2050 after five times (x + 1) - 1 in binary16?")

# %%
for mode in ("ties_to_even", "ties_to_away"):
    x, walk = 2050.0, [2050.0]
    for _ in range(5):
        x = fs.subtract(fs.add(x, 1, "binary16", mode), 1, "binary16", mode)
        walk.append(float(x))
    print(f"{mode:13}", walk)
drift.compare(x)  # of the last mode

# %% [markdown]
# Ties to even moves once and then stays. The rule from school drifts for ever.
#
# ### Money
#
# Banks round half to even for the same reason: over many accounts it favours nobody.

# %%
cents = guess("Python rounds half to even, too. What is round(2.675, 2)?")

# %%
print("round(2.5) =", round(2.5), "  round(3.5) =", round(3.5), "  round(2.675, 2) =", round(2.675, 2))
print("the number behind 2.675 is", fs.to_text(2.675, "binary64", "exact"))
cents.compare(round(2.675, 2))

# %% [markdown]
# 2.5 is a tie. 2.675 is none: no float64 has this value, and the nearest one is a little less. So no rule for ties was
# needed. If you need exact cents, count in cents, as integers, or use `decimal`.
#
# ## How to round: lift, round, put back
#
# Every number of a binade is an integer multiple of its ulp. So: divide by the ulp, round to an *integer*, multiply
# back. Dividing by a power of two loses nothing, so only one step rounds. All of this library is built on that one
# idea.
#
# Take x = 0.1, between 2^-4 and 2^-3, in binary16, with its ten digits after the first.

# %%
ulp_there = guess("What is the ulp of binary16 at 0.1?")
integer = guess("About which integer is 0.1 divided by that ulp?")

# %%
x = 0.1
ulp = 2.0**-4 / 2**10
lifted = x / ulp
print("ulp", ulp, " lifted", lifted, " rounded", round(lifted), " put back", round(lifted) * ulp)
assert round(lifted) * ulp == fs.round_to(0.1, "binary16")
ulp_there.compare(ulp)
integer.compare(round(lifted), within=0.01)

# %% [markdown]
# Python's `round` takes ties to even, and so does `np.rint`. A puzzle: do it where the ulp is 2.


# %%
@fs.teach.puzzle
def nearest_even_integer(x):
    """A float x from 2048 up to 4096, rounded to binary16, ties to even. nearest_even_integer(2051.5) is 2052.0."""
    return ...


# %% [markdown]
# Three questions remain: how to find the exponent of x, what happens when x is too small for ten digits, what when it
# is too large. Here is a first try that most people would write:


# %%
def first_try(x):
    if x == 0:
        return 0.0
    ulp = 2.0 ** math.floor(math.log2(abs(x))) / 2**10
    return math.floor(x / ulp + 0.5) * ulp


print([first_try(x) for x in (0.1, 1 / 3, 3.14159, 1000.3)])
print([float(fs.round_to(x)) for x in (0.1, 1 / 3, 3.14159, 1000.3)])

# %% [markdown]
# It agrees. Is it right?
#
# **Predict:** name at least three kinds of x for which `first_try` is wrong. Then let the grader break it.

# %%
report = fs.teach.grade.rounding(first_try, "binary16", "ties_to_even")
print(report.verdict, "\nmissing:", ", ".join(report.missing))
print("simplest failure:", report.counterexample.shown)
print("  right", report.counterexample.expected_text, "\n  yours", report.counterexample.got_text)

# %% [markdown]
# The counterexample is always the *simplest* that it found: mend that one, grade again, and the next one appears. The
# grader also knows common mistakes by name. The next rounder is careful about everything but the ties:


# %%
def at_school(x):
    return fs.round_to(x, "binary16", "ties_to_away")


report = fs.teach.grade.rounding(at_school)
print(report.counterexample.shown, "->", report.counterexample.got_text)
print("it answers like a function that", report.misconception)

# %% [markdown]
# ## Three traps
#
# **The exponent.** `floor(log2(x))` looks right. The largest float64 below 8 is 7.999999999999999.

# %%
floor = guess("What is floor(log2(7.999999999999999)) in Python?")

# %%
x = math.nextafter(8, 0)
print(x, "log2:", math.log2(x), " floor:", math.floor(math.log2(x)), " but x < 8 is", x < 8)
print("frexp:", math.frexp(x), " meaning", math.frexp(x)[0], "* 2 **", math.frexp(x)[1])
floor.compare(math.floor(math.log2(x)))

# %% [markdown]
# The logarithm itself was rounded, up to 3. Rounding to nearest is still right, since x goes to 8 with either ulp.
# Cutting off is not: with twice the ulp it cuts off twice as much.


# %%
def cut_off(x):
    ulp = 2.0 ** math.floor(math.log2(x)) / 2**10
    return math.floor(x / ulp) * ulp


print("with log2:", cut_off(x), "  right:", fs.round_to(x, "binary16", "toward_zero"))

# %% [markdown]
# `math.frexp` does not compute: it reads the exponent field of the float. It gives a fraction m with 0.5 <= m < 1, so
# the exponent in our sense is one less than what it returns.
#
# **The half.** Is `floor(x + 0.5)` "round half up", at least?
#
# The largest float64 below 0.5 is 0.49999999999999994.

# %%
half = guess("What is floor(0.49999999999999994 + 0.5) in Python?")

# %%
x = math.nextafter(0.5, 0)
print(x, "+ 0.5 =", x + 0.5, " floor:", math.floor(x + 0.5), " but rint:", np.rint(x))
half.compare(math.floor(x + 0.5))

# %% [markdown]
# The sum had no room for its last digit and was rounded up to 1.
#
# **The top.** The largest number is 65504. One ulp further, there would be 65536, if there were one more exponent.
#
# What becomes of 65505? Of 65519?

# %%
top = guess("From which number on does binary16 round to infinity?")

# %%
with np.errstate(over="ignore"):  # without this line, overflow warns, as it does in NumPy
    for x in (65504, 65505, 65519, 65519.99, 65520, 65536):
        print(f"{x:9} becomes {fs.round_to(x, 'binary16')}")
top.compare(65520)

# %% [markdown]
# The rule: round as if there were no largest exponent. If the result is beyond the largest number, it is infinity. The
# middle between 65504 and 65536 is 65520, a tie; the last bit of 65504 is 1, odd, so the tie goes up, and out.


# %%
@fs.teach.puzzle
def overflows(x):
    """True if a float x from 1 on becomes infinity when it is rounded to binary16, else False."""
    return ...


# %% [markdown]
# At the bottom the ulp stops shrinking: below 2^-14 it is 2^-24 for all numbers. The lesson [At the edges](edges.ipynb)
# goes there. In code: the exponent used for the ulp is never below -14.
#
# ## Other directions
#
# IEEE 754 has five **modes**; hardware and papers add two. `fs` has them all:
#
# | mode | goes to |
# |---|---|
# | `ties_to_even` | the nearest; a tie to the even neighbour |
# | `ties_to_away` | the nearest; a tie away from zero |
# | `toward_zero` | the neighbour nearer to zero: cut off |
# | `toward_positive`, `toward_negative` | the neighbour above, the neighbour below |
# | `to_odd` | the number itself if it exists, else the neighbour with an odd last bit (useful, see [Rounding twice](rounding_twice.ipynb)) |
# | `stochastic` | one of the two by chance, the nearer one more often (see [Sums](sums.ipynb)) |
#
# Write a table on paper, for 2049, -2049 and 2050.5, in the first five modes and `to_odd`. Then the next cell asks for
# three of its entries.

# %%
negative = guess("What does -2049 become in toward_negative, toward_zero and to_odd? (three numbers)")

# %%
modes = ("ties_to_even", "ties_to_away", "toward_zero", "toward_positive", "toward_negative", "to_odd")
for mode in modes:
    print(f"{mode:16}", *(f"{fs.round_to(x, 'binary16', mode):8}" for x in (2049, -2049, 2050.5)))
negative.compare([fs.round_to(-2049, "binary16", mode) for mode in ("toward_negative", "toward_zero", "to_odd")])

# %% [markdown]
# A rounding mode is a staircase. This is one of a format with four bits; a filled diamond shows where a tie goes.

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
fs.plots.staircase("e2m1fn", "ties_to_even", ax=axes[0])
fs.plots.staircase("e2m1fn", "toward_negative", ax=axes[1])  # <- change: "to_odd", "stochastic"
plt.show()

# %% [markdown]
# ## Round once, from the exact number
#
# `fs.round_to` takes integers, fractions and texts, too, and rounds what they *are*, not what a float64 would make of
# them first.
#
# 2^53 + 1 is an integer that float64 cannot hold: as a float it is 2^53. bfloat16 has 8 digits only.

# %%
difference = guess("Rounded upward to bfloat16, do the integer 2^53 + 1 and the float give the same? (yes or no)")

# %%
print(fs.round_to(2**53 + 1, "bfloat16", "toward_positive"), "from the integer")
print(fs.round_to(float(2**53 + 1), "bfloat16", "toward_positive"), "from the float64")
print(fs.round_to(Fraction(1, 3), "binary64", "toward_positive"), "from the fraction")
print(fs.round_to(1 / 3, "binary64", "toward_positive"), "from the float64")
as_integer, as_float = (fs.round_to(x, "bfloat16", "toward_positive") for x in (2**53 + 1, float(2**53 + 1)))
difference.compare(bool(as_integer == as_float))

# %% [markdown]
# ## In short
#
# - A number that a format does not hold becomes one of its two neighbours there. The **mode** says which.
# - The usual mode is ties to even: the nearer neighbour; from the very middle the one whose last bit is 0. It has no
#   preference for up or down, so errors cancel on average, and sums do not drift.
# - To round: divide by the [ulp](glossary.md#ulp), round to an integer, multiply back. Powers of two cost nothing, so
#   only one step rounds.
# - Below 2^-14 the ulp of binary16 stays 2^-24. From 65520 on the nearest is infinity.
# - Take the exponent from `frexp`, not from a logarithm, and a half from `round` or `rint`, not from `floor(x + 0.5)`:
#   these steps round, too.
# - Round once, from the exact number. [Rounding twice](rounding_twice.ipynb) shows what happens otherwise.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/rounding.py`. Write them without `fs.round_to`: with `math.frexp`, `math.floor`,
# `round`, powers of two. A float64 divided by a power of two is exact here, so you need no fractions.


# %%
def round_to_half(x):
    """The number of binary16 nearest to the float x; of two equally near, the one whose last bit is 0."""
    raise NotImplementedError


fs.teach.check(round_to_half)  # fs.teach.hint() helps

# %% [markdown]
# 1. `ulp_of(x)`: the ulp of binary16 at a finite float x: 2^(e - 10), where 2^e <= |x| < 2^(e + 1) and e is never taken
#    below -14. It is the key to the others. (At 0 it is 2^-24, too, but `math.frexp(0)` is (0, 0).)
# 2. `round_to_half(x)`: ties to even. Infinity and NaN stay what they are, and so does the sign of a zero, also when a
#    small negative x becomes zero. `math.copysign` helps.
# 3. `round_up_half(x)`: toward positive. What happens just above 65504? And just below -65504? The rule is the same: if
#    the number that you would go to does not exist, see which of the format's values lies in that direction.
# 4. For those who want more: `truncate_to_bf16(x)`: toward zero, in bfloat16: 8 digits of precision, exponents from
#    -126 to 127, largest number 2^127 * (2 - 2^-7). Cutting off never leaves the finite numbers. (`math.ldexp(m, e)` is
#    m * 2^e.)
#
# ## Read next
#
# - IEEE 754-2019, section 4.3: the modes, in half a page.
# - D. Goldberg (1991), section "Guard digits" and the discussion of round to even in "Exactly rounded operations".
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2018, chapter 2.2 on rounding.
#
# Next lesson: [At the edges](edges.ipynb). The smallest numbers, the largest, two zeros, and NaN.
