# %% [markdown]
# # The quiz
#
# | | |
# |---|---|
# | **Question** | What do developers get wrong about floating point, and what would you have answered? |
# | **Time** | 25 minutes |
# | **Needs** | [Arithmetic on paper](arithmetic.ipynb), [Rounding twice](rounding_twice.ipynb), [How wrong is it?](how_wrong.ipynb), [Sums](sums.ipynb) |
# | **You will be able to** | answer the eighteen questions that most people guess, and settle the nineteenth by running it |
#
# In 2018 Peter Dinda and Conor Hetland published a survey: they had asked people who develop scientific software yes-or-no
# questions about IEEE arithmetic. On the core questions the answers were hardly better than tossing a coin, and people
# did not notice. Here are questions of that kind, in our words, and a cell that answers each.
#
# **Predict:** answer all of them *before* you go on, one letter each: y or n. Numbers are those of a format such as
# binary16, all rounding is to nearest, and "always" means: for all numbers of the format, NaN left out unless it is named.
#
# | | question | | question |
# |---|---|---|---|
# | 1 | Is a + b == b + a, always? | 10 | Is -0 == 0? |
# | 2 | Is (a + b) + c == a + (b + c), always? | 11 | When a sum of two large positive numbers overflows, does it become negative? |
# | 3 | Is a * (b + c) == a * b + a * c, always? | 12 | Can a subnormal have fewer significant bits than a normal number? |
# | 4 | Is (a + b) - a == b, always? | 13 | Does 1/0 stop the program, by default? |
# | 5 | Is x == x, whatever x is? | 14 | Can a program find out afterwards that a step was inexact? |
# | 6 | Is x * x >= 0, always? | 15 | Is fma(a, b, c) the same as a * b + c, always? |
# | 7 | Can x + 1 == x be true for a finite x? | 16 | If x - y == 0 and both are finite, is x == y? |
# | 8 | Is 1/0 a NaN? | 17 | Is 0.1 + 0.2 == 0.3 in every format? |
# | 9 | Is 0/0 an infinity? | 18 | Is x / 3 the same as x * (1/3), always? |

# %%
import dataclasses
import decimal

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

np.seterr(all="ignore")
mine = "??????????????????"  # <- change: your 18 letters, such as "ynny..."
truth = {}  # the answers that the cells below find

# %% [markdown]
# ## The laws of school
#
# Format e4m3 has 8 bits and all that IEEE 754 asks for: subnormals, infinities, NaN. So "always" can be tried out: all
# pairs of its 242 numbers.
#
# **Predict** (1): in how many of the pairs does the order of a and b matter for the sum?


# %%
def same(x, y):
    return (x == y) | (np.isnan(x) & np.isnan(y))


values = fs.all_values("e4m3")
values = values[~np.isnan(values)]
a, b = values[:, None], values[None, :]
differ = ~same(fs.add(a, b, "e4m3"), fs.add(b, a, "e4m3"))
print(differ.sum(), "of", differ.size, "pairs")
truth[1] = not differ.any()

# %% [markdown]
# The exact sum does not depend on the order, and only the exact sum is rounded. That argument works for every format.
#
# **Predict** (2, 3): with three numbers there are two roundings. Take a format of 6 bits, e3m2fn, which has no infinity
# or NaN, and all triples: in what part of them do the two sides differ? One in a thousand, or more?

# %%
f = "e3m2fn"
v = fs.all_values(f)
a, b, c = v[:, None, None], v[None, :, None], v[None, None, :]
grouped = fs.add(fs.add(a, b, f), c, f) != fs.add(a, fs.add(b, c, f), f)
spread = fs.multiply(a, fs.add(b, c, f), f) != fs.add(fs.multiply(a, b, f), fs.multiply(a, c, f), f)
print(f"(a + b) + c differs in {grouped.mean():.1%}, a * (b + c) in {spread.mean():.1%} of {grouped.size:,} triples")
truth[2], truth[3] = not grouped.any(), not spread.any()

# %% [markdown]
# So a compiler that regroups sums changes results. That is what flags such as `-ffast-math` permit.
#
# **Predict** (4): find numbers of binary16 for which (a + b) - a is 0 and b is not. How large can the b be that is lost?

# %%
a = 4096.0
for b in (1.0, 2.0, 2.001953125, 3.0):  # <- change
    back = fs.subtract(fs.add(a, b), a)
    print(f"({a:g} + {b}) - {a:g} = {back:g}")
truth[4] = bool(fs.subtract(fs.add(a, 1.0), a) == 1.0)

# %% [markdown]
# ## Comparing
#
# **Predict** (5, 6, 7): among the 65,536 codes of binary16, for how many is x == x false? x * x >= 0 false? And x + 1 == x
# true, for finite x: for none, a few, or many?

# %%
x = fs.all_values("binary16")
finite = x[np.isfinite(x)]
unequal, negative = ~(x == x), ~(fs.multiply(x, x) >= 0)
absorbing = fs.add(finite, 1) == finite
print(f"x == x false: {unequal.sum():,}, x * x >= 0 false: {negative.sum():,}, both only for NaN:", end=" ")
print(bool(np.all(np.isnan(x[unequal | negative]))))
print(
    f"x + 1 == x: {absorbing.sum():,} of {finite.size:,}, the least positive {finite[absorbing & (finite > 0)].min():g}"
)
truth[5], truth[6], truth[7] = not unequal.any(), bool(np.all(np.isnan(x[negative]))), bool(absorbing.any())

# %% [markdown]
# About one number in seven does not notice when 1 is added. Draw it: where the ulp is 2 or more, 1 is at most half an ulp.

# %%
fs.plots.ulp("binary16")
plt.show()

# %% [markdown]
# ## The edges
#
# **Predict** (8, 9, 10): what do 1/0, -1/0 and 0/0 give? And is -0 == 0, although the codes differ?

# %%
one, zero = fs.divide(1, 0), fs.divide(0, 0)
print("1/0", one, " -1/0", fs.divide(-1, 0), " 0/0", zero)
print("-0 == 0", -0.0 == 0.0, " codes", hex(fs.encode(-0.0)), hex(fs.encode(0.0)))
truth[8], truth[9], truth[10] = bool(np.isnan(one)), bool(np.isinf(zero)), -0.0 == 0.0

# %% [markdown]
# **Predict** (11): 60000 + 60000, in binary16 and in 16-bit integers with a sign (30000 + 30000).

# %%
floats, integers = fs.add(60000, 60000), np.int16([30000]) + np.int16([30000])
print("binary16", floats, "  int16", integers[0])
truth[11] = bool(floats < 0)

# %% [markdown]
# **Predict** (12): 2^-14 is the smallest normal number of binary16. How many significant bits has a number near 2^-20?

# %%
for x in (2.0**-14, 2.0**-20, 2.0**-24):
    bits = int(np.log2(x / fs.ulp(x))) + 1
    print(f"2^{np.log2(x):.0f}: significand bits {bits}")
truth[12] = bits < fs.BINARY16.precision

# %% [markdown]
# **Predict** (13, 14): a list of divisions contains a 1/0 and a 1/3. Does the next line run? What is known afterwards?

# %%
stopped = True
with fs.record_flags() as raised:
    print(fs.divide([1, 1, 1], [4, 0, 3]))
    stopped = False  # this line runs, or it does not
print("flags:", ", ".join(raised.names()))
truth[13], truth[14] = stopped, "inexact" in raised.names()

# %% [markdown]
# "Exception" is the standard's word, and it misleads people who know `try` and `except`. By default the result is
# delivered, a flag is raised, and all goes on. (Python itself is stricter than the standard: its `1.0 / 0.0` does raise.)
#
# ## What compilers do
#
# **Predict** (15): which one rounds less often, fma(a, b, c) or a * b + c? Choose a, b, c so that one result is 0.

# %%
a = 1 + 2.0**-10
separate = fs.add(fs.multiply(a, a), -(1 + 2.0**-9))
fused = fs.fma(a, a, -(1 + 2.0**-9))
print("a * b + c =", separate, "  fma =", fused)
truth[15] = bool(separate == fused)

# %% [markdown]
# **Predict** (16): all pairs of e4m3 again. How often is x - y == 0 with x != y? What if subnormals were flushed to zero,
# which is *not* what the standard says, but what some compiler flags switch on?

# %%
x, y = values[:, None], values[None, :]
wrong = (fs.subtract(x, y, "e4m3") == 0) & (x != y) & np.isfinite(x) & np.isfinite(y)
flushing = fs.subtract(x, y, dataclasses.replace(fs.E4M3, subnormals="flush_to_zero"))
normal = (np.abs(x) >= fs.E4M3.min_normal) & (np.abs(y) >= fs.E4M3.min_normal)
flushed = (flushing == 0) & (x != y) & normal
print(f"gradual underflow: {wrong.sum()} pairs; with flushing: {flushed.sum()}, of normal numbers alone")
truth[16] = not wrong.any()

# %% [markdown]
# **Predict** (17): the famous 0.1 + 0.2 == 0.3 is false in binary64. In which of these formats is it true?

# %%
held = {}
for f in ("e4m3", "binary16", "bfloat16", "binary32", "binary64"):
    tenth, fifth, three_tenths = (fs.round_to(fs.parse(text), f) for text in ("0.1", "0.2", "0.3"))
    held[f] = bool(fs.add(tenth, fifth, f) == three_tenths)
    print(f"{f:9} {held[f]}")
truth[17] = all(held.values())

# %% [markdown]
# Whether it holds is luck: it depends on how three roundings fall. It says nothing about how good a format is.
#
# **Predict** (18): x / 2 and x * 0.5; x / 3 and x * (1/3). For how many of the finite numbers of binary16 do they differ?

# %%
for n in (2, 3, 4, 5):  # <- change: 6, 7, 8
    differ = fs.divide(finite, n) != fs.multiply(finite, fs.divide(1, n))
    print(f"x / {n}: {differ.sum():6,} of {finite.size:,} differ")
    if n == 3:
        truth[18] = not differ.any()

# %% [markdown]
# For powers of two, the reciprocal is held exactly, and the replacement is safe. For others it rounds twice.
#
# ## Your score
#
# **Predict:** how many did you get right? And how many would a coin?

# %%
print("answers:", "  ".join(f"{k} {'ny'[truth[k]]}" for k in sorted(truth)))
right = [k for k in truth if mine[k - 1 : k] == "ny"[truth[k]]]
missed = [k for k in truth if mine[k - 1 : k] in ("y", "n") and k not in right]
print(f"you: {len(right)} of {len(truth)} right; wrong: {missed or 'none'}; a coin: {len(truth) // 2}")

# %% [markdown]
# ## Three that learners ask
#
# **Predict:** is round-half-to-even a bug? Round the ties 0.5, 1.5, 2.5, ..., 99.5 to integers, half up and half to even,
# and sum. The exact sum is 5000.

# %%
ties = np.arange(100) + 0.5
print("half up", np.floor(ties + 0.5).sum(), "  half to even", np.rint(ties).sum(), "  exact", ties.sum())

# %% [markdown]
# **Predict:** NumPy writes float16(-32767) as -32770. Which number is really stored? Why does it write another one?

# %%
stored = fs.round_to(-32767)
print("stored", stored, "  neighbours", fs.next_down(stored), fs.next_up(stored))
print("printed", np.format_float_positional(np.float16(-32767)), "  read again", fs.round_to(fs.parse("-32770")))

# %% [markdown]
# It writes the fewest *digits* that are read as the same number, and then fills up with zeros. All numbers between the
# two ties beside -32768 are read as it.
#
# **Predict:** is sqrt(x * x) == abs(x)? It has two roundings, so surely not... Try all x for which x * x is finite and
# normal.

# %%
square = fs.multiply(finite, finite)
usual = np.isfinite(square) & (square >= fs.BINARY16.min_normal)
print((fs.sqrt(square) != np.abs(finite))[usual].sum(), "of", usual.sum(), "differ")

# %% [markdown]
# None. **Predict:** is that so in base 10, too? We take three decimal digits, and x from 1.00 to 9.99.

# %%
with decimal.localcontext() as context:
    context.prec = 3
    wrong = [k for k in range(100, 1000) if (decimal.Decimal(k) ** 2).sqrt() != k]
print(len(wrong), "of 900 differ, the first for x =", wrong[0] / 100)

# %% [markdown]
# Rounding is not noise. It is a function, and some things about it can be proved: this one holds in base 2, whatever the
# precision. That is the moral of the course. Do not guess, and do not be afraid either: **ask the definition, run it, and
# count.**
#
# There are more questions where these came from; `fp16sim quiz` asks them in a terminal.

# %%
for question in fs.teach.exercises.generate("mixed", rng=14, n=3, level=1):  # <- change rng: other questions
    print(question.prompt, "\n   answer:", question.answer)

# %% [markdown]
# ## Exercises
#
# In `exercises/quiz.py`. As shipped:


# %%
def first_lost(fmt):
    """The least positive integer n of a format for which n + 1, rounded to nearest, is n again."""
    raise NotImplementedError


print(fs.teach.grade.cases(first_lost, [(("binary16",), 2048), (("bfloat16",), 256)]))

# %% [markdown]
# 1. `first_lost(fmt)`: where counting stops, for any format. `fs.get_format(fmt)` has what you need.
# 2. `holds(law, a, b, c)`: whether a law of school holds in binary16 for these three numbers, every step rounded. Two NaNs
#    count as the same here.
# 3. `may_replace(rewrite, c)`: a compiler wants to replace one expression by another, such as `"x + c -> x"` for c = 0. Is
#    that right for *all* x of binary16, infinities, NaN and the sign of zero included? Decide by experiment, over all
#    codes.
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
