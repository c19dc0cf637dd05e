# %% [markdown]
# # How wrong is it?
#
# | | |
# |---|---|
# | **Question** | Every single operation is right to half an ulp. How can a result be wrong in every digit? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (the ulp), [At the edges](edges.ipynb) (flags), [Arithmetic on paper](arithmetic.ipynb) (correctly rounded), and derivatives from school |
# | **You will be able to** | measure errors in three ways, prove when a subtraction is exact, tell a hard problem from a bad formula, and rewrite formulas that cancel |

# %%
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Arithmetic on paper](arithmetic.ipynb). Mind the tie.


# %%
@fs.teach.puzzle
def product_vanishes(a, b):
    """True if the product of two positive numbers of binary16 is rounded to 0, else False."""
    return ...


# %% [markdown]
# ## Three rulers
#
# A map says that you stand five metres from where you are. In your kitchen that is a lot. On a flight to Tokyo it is
# nothing. So there are several rulers for an error. Let y be what was computed, and x what is right:
#
# - the **absolute error** is |y - x|: five metres;
# - the [**relative error**](glossary.md#relative-error) is |y - x| / |x|: five metres of ten thousand kilometres;
# - the error **in ulps** is |y - x| divided by the [ulp](glossary.md#ulp) at x: so many steps from one number of the
#   format to the next.
#
# `fs.ulp(x, fmt)` gives the ulp of a format at x. A puzzle:


# %%
@fs.teach.puzzle
def error_in_ulps(y, x):
    """How many ulps of binary16 (the ulp at x) a float y is away from x. error_in_ulps(2048.0, 2049.0) is 0.5."""
    return ...


# %% [markdown]
# Rounding to nearest moves a number by half an ulp at most. What is that as a *relative* error? The worst case is a tie
# just above a power of two, where the ulp is large beside the number.

# %%
half = guess("How large is half an ulp of binary16 just above 1, as a power of two?")

# %%
for x in (Fraction(2049, 2048), Fraction(4095, 2048), Fraction(1, 10)):
    off = abs(Fraction(fs.round_to(x, "binary16")) - x)
    ulps = off / Fraction(fs.ulp(x, "binary16"))
    print(f"{float(x):.6f}   in ulps {float(ulps):.2f}   relative {float(off / x):.6f}")
half.compare(fs.ulp(1.0, "binary16") / 2)

# %% [markdown]
# Half an ulp of 1 is 2^-11, or 0.000488: the largest relative error. It is the
# [**unit roundoff**](glossary.md#unit-roundoff) u of binary16, 0.05 %. One fact is enough for all that follows: for
# `+ - * /` and square roots, as long as nothing overflows or becomes subnormal,
#
#     computed = exact * (1 + d),   and |d| is at most u
#
# Each single operation is very good. So who is to blame when a result is bad?
#
# ## Suspect 1: the problem
#
# You lend 1000 euros for ten years, and your money grows by a factor x each year. In the end it is 1000 * x^10. But you
# know x only up to one percent.

# %%
interest = guess("x grows by 1 %. By about how many percent does x^10 grow?")

# %%
functions = {"sqrt(x)": (np.sqrt, 1.05), "x^10": (lambda x: x**10, 1.05), "log(x)": (np.log, 1.05)}
growth = {}
for name, (f, x) in functions.items():  # <- change: log(x) at 1.01, at 20
    growth[name] = 100 * (f(1.01 * x) / f(x) - 1)
    print(f"x = {x}: if x grows by 1 %, {name:7} grows by {growth[name]:6.2f} %")
interest.compare(round(growth["x^10"], 2), within=0.1)

# %% [markdown]
# 1 % of x became 10 % of x^10. This factor, 10, is the [**condition number**](glossary.md#condition-number) of the
# problem: relative change of the result, divided by relative change of x. For small changes it is |x * f'(x) / f(x)|: 1/2 for the square root, 10 for x^10, and
# 1 / log(x) for the logarithm, which is large near 1. It has nothing to do with computers. If it is 20, an error of u
# in x is an error of 20 u in the result, even if all is computed exactly. A good formula adds little to that.
#
# ## Suspect 2: subtraction
#
# Many people say that it is inaccurate to subtract two numbers that are close to each other. Is it?
#
# First a puzzle: when is a difference exact? `fs.subtract(x, y, fmt)` gives the rounded difference. Python's own x - y
# is exact for two numbers of binary16, because a float64 has digits enough.


# %%
@fs.teach.puzzle
def difference_is_exact(x, y):
    """True if x - y is a number of binary16, for two positive numbers x and y of binary16; else False."""
    return ...


# %% [markdown]
# Now we take a small format of eight bits, with five digits, and try all pairs of its positive numbers.

# %%
inexact = guess("Of all pairs with y/2 <= x <= 2y in a small format, for how many is x - y inexact?")

# %%
small = fs.Format("small", width=8, precision=5)
values = fs.all_values(small)
values = values[np.isfinite(values) & (values > 0)]
x, y = values[:, None], values[None, :]
close = (y / 2 <= x) & (x <= 2 * y)
rounded = fs.subtract(x, y, small) != x - y  # x - y in float64 is exact here
print(f"close pairs: {np.sum(close):5,}   inexact: {np.sum(close & rounded):5,}")
print(f"other pairs: {np.sum(~close):5,}   inexact: {np.sum(~close & rounded):5,}")
inexact.compare(np.sum(close & rounded))

# %% [markdown]
# Never. This is [**Sterbenz's lemma**](glossary.md#sterbenzs-lemma): if y/2 <= x <= 2y, then x - y is exact.
# [See 1.001 - 1 in the explorer](explorer.html#arithmetic?op=subtract&a=1.001&b=1): 1.001 is rounded when it is stored,
# and the subtraction rounds nothing.
#
# ### Why
#
# Let x be the larger one, so that y <= x <= 2y. (If not, exchange them: only the sign of the difference changes.) Look
# at two numbers with five digits, and write them so that the points stand below each other:
#
#     x          1.0011            x =  38 * q
#     y           .11011           y =  27 * q
#     x - y       .01011       x - y =  11 * q
#
# Let q be the value of the last digit of y, its ulp. There are three steps.
#
# 1. **y is an integer times q**, y = n * q. The integer n has five digits, as y has.
# 2. **x is an integer times q, too.** x is not smaller than y, so its last digit is worth q or more: a whole number of
#    q. So x - y is an integer times q: there is no digit behind the last digit of y.
# 3. **This integer is not larger than n**, because x - y <= 2y - y = y. An integer up to n has five digits or fewer.
#
# So x - y is an integer of at most five digits, times q. Such a number exists in the format, and rounding changes
# nothing. With p digits instead of five, the argument is the same. It holds for subnormal numbers, too.
#
# Now count in binary16: all y from 1 to 2, with all x from y/2 to 2y.

# %%
values = fs.all_values("binary16")
y = values[(values >= 1) & (values < 2)]
x = values[(values >= 0.5) & (values <= 4)][:, None]
close = (y / 2 <= x) & (x <= 2 * y)
rounded = fs.subtract(x, y, "binary16") != x - y
print(f"{np.sum(close):,} pairs, inexact: {np.sum(close & rounded)}")

# %% [markdown]
# ## Suspect 3: the formula
#
# To find the weight of a captain, weigh his ship with him and without him, and subtract. The subtraction is exact. But
# the scale for ships rounds to tons.
#
# In numbers: (1 - cos x) / x^2 is nearly 1/2 for small x. We compute it in binary16, every step rounded. cos 0.02 is
# 0.9998. The number just below 1 is 1 - 2^-11, which is 0.99951.

# %%
at_002 = guess("At x = 0.02, (1 - cos x) / x^2 should be 0.5. What does binary16 find?")

# %%
for x in (0.3, 0.1, 0.03, 0.02):  # <- change: put 0.04, 0.05 in front
    x = fs.round_to(x, "binary16")
    difference = fs.subtract(1, fs.cos(x, "binary16"), "binary16")
    result = fs.divide(difference, fs.multiply(x, x, "binary16"), "binary16")
    print(f"x = {x:.4f}   1 - cos x = {difference:.6f}   result {result:.4f}")
at_002.compare(result)

# %% [markdown]
# Wrong in every digit. At x = 0.03 it finds 0.5425. Which step is to blame? Ask the flags: *inexact* says that an
# operation had to round.

# %%
blame = guess(
    "In (1 - cos x) / x^2 at x = 0.03, which step changes the result most?",
    choices=("the cosine", "the subtraction", "the square", "the division"),
)

# %%
x = fs.round_to(0.03, "binary16")
with fs.record_flags(only=["inexact"]) as cosine:
    c = fs.cos(x, "binary16")
with fs.record_flags(only=["inexact"]) as subtraction:
    d = fs.subtract(1, c, "binary16")
print("the cosine was rounded:", bool(cosine.inexact), "  the subtraction was rounded:", bool(subtraction.inexact))
print(f"1 - cos x: computed {d:.6f}, true {1 - np.cos(x):.6f}, relative error {d / (1 - np.cos(x)) - 1:.1%}")
print(f"the cosine: computed {c:.6f}, true {np.cos(x):.6f}, relative error {c / np.cos(x) - 1:.4%}")
blame.compare("the cosine")

# %% [markdown]
# The cosine was rounded, by a tiny part of itself. The subtraction is exact, as Sterbenz promised. But it takes the
# leading digits away, which were right, and leaves the last ones, which were not. The same absolute error is now large
# beside a small number. [**Cancellation**](glossary.md#cancellation) **makes no errors. It uncovers them.**
#
# The problem itself is easy: the true result hardly changes near 0. So the formula is bad, and another one will do.
# From school you know 1 - cos x = 2 * sin(x/2)^2. There nothing is subtracted.

# %%
fs.plots.one_minus_cos("binary16")
plt.show()

# %% [markdown]
# ## Agreement is no proof
#
# "I computed it in float32 and in float64, and both agree. So it is right." Rump found a polynomial in a and b.
# Evaluate it at a = 77617, b = 33096: with the 24 digits of float32, the 53 of float64 and the 113 of float128 the
# result is 1.1726 each time.

# %%
positive = guess("Three precisions agree that Rump's polynomial is 1.1726. Is its true value positive? (yes or no)")

# %%
found = fs.demos.rump()
for bits in (24, 53, 113):
    print(f"{bits:3} bits: {found.values[list(found.precisions).index(bits)]:9.6f}")
print(f"exact   : {found.exact:9.6f}, found from {found.right_from} bits on")
positive.compare(found.exact > 0)

# %%
fs.plots.rump()
plt.show()

# %% [markdown]
# Not even the sign was right. The terms are so large that they cancel to exactly 0 in all these precisions, and a small
# rest, 1.1726, is left. More digits are no substitute for the question: does anything cancel here?
#
# ## Two disasters
#
# **A clock, 1991.** A Patriot missile defence system counted time in tenths of a second, and multiplied by 0.1. Its 0.1
# was cut off after 23 binary digits, so after 100 hours its clock was a third of a second late
# ([Everyday numbers](everyday_numbers.ipynb) computes it). It looked for a missile in the wrong place, and 28 people
# died. Had *all* parts of the program used the same wrong clock, the error would have cancelled in the difference of two
# times. But some parts had been given a better 0.1.
#
# **Money, 1982.** The index of the Vancouver stock exchange began at 1000. About 2800 times a day it was changed a
# little, and each time *cut off* to three decimals. After 22 months it stood at about 524, and should have been near
# 1099. We simulate a month of 20 days, with changes up and down alike.

# %%
points = guess("Each of 56,000 changes loses half a thousandth of a point on average. About how many points are lost?")

# %%
rng = np.random.default_rng(6)
changes = rng.integers(-5000, 5001, 20 * 2800)  # in millionths of a point
cut = nearest = true = 1000 * 10**6
for change in changes.tolist():
    true += change
    cut = (cut + change) // 1000 * 1000
    nearest = round(Fraction(nearest + change, 1000)) * 1000
print(f"exact {true / 1e6:.3f}   rounded to nearest {nearest / 1e6:.3f}   cut off {cut / 1e6:.3f}")
points.compare(round((true - cut) / 1e6, 1), within=0.1)

# %% [markdown]
# Rounding to nearest errs up and down, and its errors almost cancel. Cutting off errs in one direction, and its errors
# add up. No single step was wrong by more than a thousandth.
#
# ## In short
#
# - There are three rulers: absolute error, [relative error](glossary.md#relative-error), and ulps. One operation has a
#   relative error of at most [u](glossary.md#unit-roundoff), which is 2^-11 for binary16.
# - A problem can be hard: its [condition number](glossary.md#condition-number) says how much it enlarges an error of
#   its input. No formula can help.
# - A subtraction of close numbers is exact (Sterbenz): the difference is an integer number of ulps, and it is not too
#   long.
# - [Cancellation](glossary.md#cancellation) uncovers errors that were made before. If the problem is not hard, rewrite
#   the formula so that nothing cancels.
# - Two precisions that agree prove nothing.
# - Small errors in one direction add up.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/how_wrong.py`; you can also work right here.


# %%
def ulps_apart(a, b):
    """How many steps of next_up lead from the smaller to the larger of two finite numbers of binary16."""
    raise NotImplementedError


fs.teach.check(ulps_apart)  # fs.teach.hint() helps

# %% [markdown]
# 1. `ulps_apart(a, b)`: a ruler that works without knowing which one is right. `int(fs.encode(x))` is the code of x, and
#    codes count the positive numbers (see [Sixteen bits](sixteen_bits.ipynb)). Without `int` it is a NumPy integer of 16
#    bits, with which 1 - 2 is 65535. What about negative numbers, and the two zeros, which count as one place?
# 2. `small_root(b)`: x^2 - b x + 1 = 0 has the roots (b + s) / 2 and (b - s) / 2, where s = sqrt(b^2 - 4). Return the
#    one that is smaller in magnitude, in Python floats, for |b| >= 2. Which formula cancels, and when? (The product of
#    the roots is 1.) And b * b may overflow: rewrite s as well.
# 3. `versine_ratio(x)`: (1 - cos x) / x^2, right for every small x, also for 1e-300, whose square is 0 in floats, and
#    0.5 at x = 0. Compute in Python floats, and round to binary16 at the end.
#
# ## Read next
#
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM, 2002: chapter 1 is the best
#   introduction that there is.
# - P. H. Sterbenz, *Floating-Point Computation*, Prentice-Hall, 1974: the lemma.
# - E. Loh and G. W. Walster, "Rump's example revisited", Reliable Computing 8 (2002): why it fools every precision.
# - U.S. General Accounting Office, *Patriot Missile Defense: Software Problem Led to System Failure at Dhahran*,
#   GAO/IMTEC-92-26, 1992: the report on the clock.
#
# Next lesson: [Where did my digits go?](where_did_my_digits_go.ipynb) Which line of a program is to blame?
