# %% [markdown]
# # The quiz
#
# | | |
# |---|---|
# | **Question** | What do developers get wrong about floating point, and what would you have answered? |
# | **Time** | 45 minutes |
# | **Needs** | [Arithmetic on paper](arithmetic.ipynb), [Rounding twice](rounding_twice.ipynb) (fma), [How wrong is it?](how_wrong.ipynb), [Sums](sums.ipynb) |
# | **You will be able to** | answer the eighteen questions that most people guess, and settle a nineteenth by running it |
#
# In 2018 Peter Dinda and Conor Hetland published a survey. They had asked people who develop scientific software
# yes-or-no questions about IEEE arithmetic. On the core questions the answers were hardly better than tossing a coin,
# and people did not notice. Here are questions of that kind, in our words, and a cell that answers each.
#
# Numbers are those of a format such as binary16, and all rounding is to nearest. "Always" means: for all numbers of the
# format, except NaN unless it is named. Say also how sure you are. At the end you will see where you were sure and wrong.

# %%
import dataclasses
import decimal

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

_ = np.seterr(all="ignore")

# %% [markdown]
# ## What you know already
#
# A puzzle from [Sixteen bits](sixteen_bits.ipynb). Several of the questions are about these codes.


# %%
@fs.teach.puzzle
def is_nan(code):
    """True if a code of binary16 is a NaN, of either sign; else False."""
    return ...


# %% [markdown]
# ## The laws of school

# %%
commutes = guess("1. Is a + b == b + a, always? (yes or no)")

# %% [markdown]
# The format e4m3_ieee has 8 bits and everything that IEEE 754 asks for: subnormals, infinities, NaN. So "always" can be
# tried out, with all pairs of its 242 numbers:


# %%
def same(x, y):
    return (x == y) | (np.isnan(x) & np.isnan(y))


values = fs.all_values("e4m3_ieee")
values = values[~np.isnan(values)]
a, b = values[:, None], values[None, :]
differ = ~same(fs.add(a, b, "e4m3_ieee"), fs.add(b, a, "e4m3_ieee"))
print("a + b is not b + a for", differ.sum(), "of", f"{differ.size:,}", "pairs")
commutes.compare(not differ.any())

# %% [markdown]
# The exact sum does not depend on the order, and only the exact sum is rounded. That argument is good for every format.
# [The explorer has a map of all sums](explorer.html#heatmap?small=e4m3_ieee&op=add): it is symmetric.

# %%
regroups = guess("2. Is (a + b) + c == a + (b + c), always? (yes or no)")
spreads = guess("3. Is a * (b + c) == a * b + a * c, always? (yes or no)")

# %% [markdown]
# With three numbers there are two roundings or three on each side. We take e3m2fn, a format of 6 bits without infinity
# and NaN, and all triples.

# %%
f = "e3m2fn"
v = fs.all_values(f)
a, b, c = v[:, None, None], v[None, :, None], v[None, None, :]
grouped = fs.add(fs.add(a, b, f), c, f) != fs.add(a, fs.add(b, c, f), f)
spread = fs.multiply(a, fs.add(b, c, f), f) != fs.add(fs.multiply(a, b, f), fs.multiply(a, c, f), f)
print(f"(a + b) + c differs in {grouped.mean():.1%}, a * (b + c) in {spread.mean():.1%} of {grouped.size:,} triples")
regroups.compare(not grouped.any())
spreads.compare(not spread.any())

# %% [markdown]
# So a compiler that regroups a sum changes its result. That is what options such as `-ffast-math` permit.

# %%
returns = guess("4. Is (a + b) - a == b, always? (yes or no)")

# %%
a = 4096.0
for b in (1.0, 2.0, 2.001953125, 3.0):  # <- change: try 4 and 6
    print(f"({a:g} + {b}) - {a:g} =", fs.subtract(fs.add(a, b), a))
returns.compare(bool(fs.subtract(fs.add(a, 1.0), a) == 1.0))

# %% [markdown]
# 1 and 2 are absorbed, and more than 2 becomes 4.
#
# ## Comparing

# %%
reflexive = guess("5. Is x == x, whatever x is? (yes or no)")
square = guess("6. Is x * x >= 0, always? (yes or no)")

# %%
x = fs.all_values("binary16")
unequal, negative = ~(x == x), ~(fs.multiply(x, x) >= 0)
print(f"x == x is false for {unequal.sum():,} of {x.size:,} codes; NaN: {np.isnan(x).sum():,}")
print(f"x * x >= 0 is false for {negative.sum():,}; others than NaN: {(negative & ~np.isnan(x)).sum()}")
reflexive.compare(not unequal.any())
square.compare(not (negative & ~np.isnan(x)).any())

# %% [markdown]
# Question 5 said "whatever x is", and NaN is not equal to itself. Question 6 leaves NaN out, and squares have a plus.

# %%
swallows = guess("7. Can x + 1 == x be true for a finite x? (yes or no)")

# %%
finite = x[np.isfinite(x)]
absorbing = fs.add(finite, 1) == finite
least = finite[absorbing & (finite > 0)].min()
print(f"x + 1 == x: {absorbing.sum():,} of {finite.size:,}, the least positive {least:g}")
swallows.compare(bool(absorbing.any()))

# %% [markdown]
# About one number in seven does not notice when 1 is added. Draw it: where the ulp is 2 or more, 1 is at most half an
# ulp.

# %%
fs.plots.ulp("binary16")
plt.show()

# %% [markdown]
# A counter that is kept in such a format stops there. A puzzle, for every format: where?


# %%
@fs.teach.puzzle
def first_lost(fmt):
    """The least positive integer n of a format for which n + 1, rounded to nearest, is n. first_lost("binary16") is 2048."""
    return 2 ** ...  # fs.get_format(fmt) has what you need


# %% [markdown]
# ## The edges

# %%
pole = guess("8. Is 1/0 a NaN? (yes or no)")
nothing = guess("9. Is 0/0 an infinity? (yes or no)")

# %%
one, zero = fs.divide(1, 0), fs.divide(0, 0)
print("1/0 is", one, "  -1/0 is", fs.divide(-1, 0), "  0/0 is", zero)
pole.compare(bool(np.isnan(one)))
nothing.compare(bool(np.isinf(zero)))

# %%
zeros = guess("10. Is -0 == 0? (yes or no)")

# %%
print("-0 == 0 is", -0.0 == 0.0, "  codes", hex(fs.encode(-0.0)), hex(fs.encode(0.0)), "  1/-0 is", fs.divide(1, -0.0))
zeros.compare(-0.0 == 0.0)

# %% [markdown]
# Equal, and yet one can tell them apart.

# %%
wraps = guess("11. When a sum of two large positive floats overflows, does it become negative? (yes or no)")

# %%
floats, integers = fs.add(60000, 60000), np.int16([30000]) + np.int16([30000])
print("60000 + 60000 in binary16:", floats, "  30000 + 30000 in 16-bit integers:", integers[0])
wraps.compare(bool(floats < 0))

# %%
fewer = guess("12. Can a subnormal have fewer significant bits than a normal number? (yes or no)")

# %%
for number in (2.0**-14, 2.0**-20, 2.0**-24):
    bits = int(np.log2(number / fs.ulp(number))) + 1
    print(f"2^{np.log2(number):.0f}: significant bits {bits}")
fewer.compare(bits < fs.BINARY16.precision)

# %%
stops = guess("13. Does 1/0 stop the program, by default, as the standard has it? (yes or no)")
known = guess("14. Can a program find out afterwards that some step was inexact? (yes or no)")

# %%
stopped = True
with fs.record_flags() as raised:
    print(fs.divide([1, 1, 1], [4, 0, 3]))
    stopped = False  # this line runs, or it does not
print("flags:", ", ".join(raised.names()))
stops.compare(stopped)
known.compare("inexact" in raised.names())

# %% [markdown]
# "Exception" is the standard's word, and it misleads people who know `try` and `except`. By default the result is
# delivered, a flag is raised, and the program goes on. (Python itself is stricter than the standard: its `1.0 / 0.0` does
# raise.)
#
# ## What compilers do

# %%
fused_is = guess("15. Is fma(a, b, c) the same as a * b + c, always? (yes or no)")

# %%
a = 1 + 2.0**-10
separate = fs.add(fs.multiply(a, a), -(1 + 2.0**-9))
fused = fs.fma(a, a, -(1 + 2.0**-9))
print("a * b + c =", separate, "  fma =", fused)
fused_is.compare(bool(separate == fused))

# %% [markdown]
# The fma rounds once. It sees the last bit of the product, which a * b has lost:
# [the same numbers in the explorer](explorer.html#arithmetic?op=fma&a=1.0009765625&b=1.0009765625&c=-1.001953125).

# %%
differences = guess("16. If x - y == 0 and both are finite, is x == y, always? (yes or no)")

# %% [markdown]
# All pairs of e4m3_ieee again. And once more with subnormals flushed to zero, which is *not* what the standard says, but
# what some compiler options switch on.

# %%
u, w = values[:, None], values[None, :]
wrong = (fs.subtract(u, w, "e4m3_ieee") == 0) & (u != w) & np.isfinite(u) & np.isfinite(w)
flushing = fs.subtract(u, w, dataclasses.replace(fs.E4M3, subnormals="flush_to_zero"))
normal = (np.abs(u) >= fs.E4M3.min_normal) & (np.abs(w) >= fs.E4M3.min_normal)
flushed = (flushing == 0) & (u != w) & normal
print(f"x - y == 0 and x != y: {wrong.sum()} pairs; with flushing {flushed.sum()}, of normal numbers alone")
differences.compare(not wrong.any())

# %%
tenths = guess("17. Is 0.1 + 0.2 == 0.3 false in every format? (yes or no)")

# %%
held = {}
for f in ("e4m3_ieee", "binary16", "bfloat16", "binary32", "binary64"):
    tenth, fifth, three_tenths = (fs.round_to(fs.parse(text), f) for text in ("0.1", "0.2", "0.3"))
    held[f] = bool(fs.add(tenth, fifth, f) == three_tenths)
    print(f"{f:9} {held[f]}")
tenths.compare(not any(held.values()))

# %% [markdown]
# Whether it holds is luck: it depends on how [three roundings](explorer.html#arithmetic?op=add&a=0.1&b=0.2) fall. It says
# nothing about how good a format is.

# %%
reciprocals = guess("18. Is x / 3 the same as x * (1/3), always? (yes or no)")

# %%
for n in (2, 3, 4, 5):  # <- change: 6, 7, 8
    differ = fs.divide(finite, n) != fs.multiply(finite, fs.divide(1, n))
    print(f"x / {n}: {differ.sum():6,} of {finite.size:,} differ")
reciprocals.compare(not (fs.divide(finite, 3) != fs.multiply(finite, fs.divide(1, 3))).any())

# %% [markdown]
# A puzzle: for which divisors is a compiler allowed to multiply instead?


# %%
@fs.teach.puzzle
def may_multiply(n):
    """True if x / n and x * (1/n) are the same for all finite x of binary16, for an integer n from 1 to 64."""
    return ...


# %% [markdown]
# ## The nineteenth
#
# Two roundings, one of them of a root. You could look for a proof. Or you can ask all numbers of binary16 whose square is
# finite and normal.

# %%
root = guess("19. Is sqrt(x * x) == abs(x), if x * x neither overflows nor underflows? (yes or no)")

# %%
squares = fs.multiply(finite, finite)
usual = np.isfinite(squares) & (squares >= fs.BINARY16.min_normal)
print((fs.sqrt(squares) != np.abs(finite))[usual].sum(), "of", f"{usual.sum():,}", "differ")
root.compare(bool((fs.sqrt(squares) == np.abs(finite))[usual].all()))

# %% [markdown]
# **Predict:** is that so in base 10, too? We take three decimal digits, and x from 1.00 to 9.99.

# %%
with decimal.localcontext() as context:
    context.prec = 3
    wrong_roots = [k for k in range(100, 1000) if (decimal.Decimal(k) ** 2).sqrt() != k]
print(len(wrong_roots), "of 900 differ, the first for x =", wrong_roots[0] / 100)

# %% [markdown]
# Rounding is no noise. It is a function, and some things about it can be proved: this one holds in base 2, whatever the
# precision. **Ask the definition, run it, and count.**
#
# There are more questions where these came from. `fp16sim quiz` asks them in a terminal, and `fs.teach.exercises` makes
# them in Python:

# %%
for question in fs.teach.exercises.generate("mixed", rng=14, n=3, level=1):  # <- change rng: other questions
    print(question.prompt, "\n   answer:", question.answer)

# %% [markdown]
# ## In short
#
# - Addition and multiplication do not care about the order of two operands. But where there are two roundings, the laws
#   of school fail: regrouping, multiplying out, adding and taking away, a reciprocal.
# - NaN is not equal to itself. -0 is equal to 0, and yet 1/-0 is not 1/0.
# - Overflow gives infinity, and never a wrong sign. By default nothing stops: flags are raised.
# - Because subnormals exist, x - y is 0 only if x is y.
# - An fma rounds once, a * b + c twice.
#
# A coin gets nine or ten of nineteen right. And you? Look at the row "sure" first:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/quiz.py`; you can also write here.


# %%
def holds(law, a, b, c):
    """Whether a law of school holds in binary16 for these three numbers, every step rounded."""
    raise NotImplementedError


fs.teach.check(holds)  # fs.teach.hint() helps

# %% [markdown]
# 1. `holds(law, a, b, c)`: whether a law holds in binary16 for these three numbers, every step rounded to nearest. `law`
#    is `"commute"` (question 1), `"associate"` (2), `"distribute"` (3) or `"cancel"` (4). Two NaNs count as the same here.
# 2. `may_replace(rewrite, c)`: a compiler wants to replace one expression by another, such as `"x + c -> x"` for c = 0. Is
#    that right for *all* x of binary16, infinities, NaN and the sign of zero included? Decide by experiment, over all
#    codes. The file lists the rewrites.
#
# ## Read next
#
# - P. Dinda and C. Hetland, "Do Developers Understand IEEE Floating Point?", IEEE International Parallel and Distributed
#   Processing Symposium (IPDPS), 2018: the survey.
# - S. Boldo, "Stupid is as stupid does: taking the square root of the square of a floating-point number", Electronic
#   Notes in Theoretical Computer Science 317 (2015): sqrt(x * x), proved.
# - D. Goldberg, "What Every Computer Scientist Should Know About Floating-Point Arithmetic", ACM Computing Surveys 23
#   (1991): read it once more. It has become an easy read.
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd edition, 2018: for everything else.
#
# This was the last lesson. You know more about 16 bits than almost everyone who trains models with them.
