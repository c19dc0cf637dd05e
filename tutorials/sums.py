# %% [markdown]
# # Sums
#
# | | |
# |---|---|
# | **Question** | Why does a sum in sixteen bits stand still, and what can you do about it? |
# | **Time** | 30 minutes |
# | **Needs** | [Rounding](rounding.ipynb), [Arithmetic on paper](arithmetic.ipynb) (absorption) |
# | **You will be able to** | predict where a sum stalls, and choose between pairwise, compensated, stochastic and wider summation |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

_ = np.seterr(all="ignore")

# %% [markdown]
# ## Counting to ten thousand
#
# `fs.cumsum` adds one term after the other, rounds each partial sum, and gives them all.
#
# **Predict:** add 1 ten thousand times in binary16. What is the sum? And in bfloat16, with 8 digits? Where does it
# stop?

# %%
for fmt in ("binary16", "bfloat16"):
    sums = fs.cumsum(np.ones(10_000), fmt)
    print(f"{fmt}: {sums[-1]:.0f}, reached after {1 + np.argmax(sums == sums[-1])} terms")

# %% [markdown]
# At 2048 the ulp is 2. Half an ulp is 1, so 2048 + 1 is a tie and goes back to 2048: for ever. The term is
# **absorbed**, the sum **stagnates**.
#
# **Predict:** add 0.1 ten thousand times in binary16. It stalls where half an ulp is larger than 0.1. At which sum is
# that? And is the sum too small or too large *before* it stalls: what does each step from 128 to 256 add, where the
# ulp is 1/8?

# %%
sums = fs.cumsum(np.full(10_000, fs.round_to(0.1, "binary16")), "binary16")
for n in (10, 100, 1000, 1280, 2000, 2207, 3000, 10_000):  # <- change the term 0.1 above, to 0.11 or 0.3
    print(f"{n:6} terms: {sums[n - 1]:8.3f}   exact {n / 10:7.1f}")

# %% [markdown]
# Above 128 a step of 0.1 becomes a step of 0.125, so the sum runs too fast, and then it stands still at 256.
#
# **Predict:** the harmonic series 1 + 1/2 + 1/3 + ... grows without bound. Does it in binary16? Draw what you expect.

# %%
fs.plots.harmonic()
plt.show()

# %% [markdown]
# ## The order matters
#
# Addition does not obey (a + b) + c = a + (b + c). So a sum has as many values as there are orders.
#
# **Predict:** the number 2048 and a thousand ones, in binary16. What is the sum if 2048 comes first? If it comes last?

# %%
ones = np.ones(1000)
print("large first:", fs.sum(np.concatenate([[2048], ones]), "binary16"))
print("large last: ", fs.sum(np.concatenate([ones, [2048]]), "binary16"))

# %% [markdown]
# Small numbers first is better, but it needs sorting, and when the terms are all alike it does not help. A better
# idea: add numbers of *like size*. Add neighbours in pairs, then the sums in pairs, and so on, like a tournament:
# **pairwise summation**. An `accumulator` says how to add up.
#
# **Predict:** what does that give for 10,000 ones? And if you add in blocks of 8, or of 64, each one after the other,
# and then the sums of the blocks one after the other: what for 65,504 ones?

# %%
A = fs.accumulators
print("pairwise, 10,000 ones:", fs.sum(np.ones(10_000), "binary16", accumulator=A.Pairwise("binary16")))
for block in (1, 8, 64):
    print(f"blocks of {block:2}, 65,504 ones:", fs.sum(np.ones(65_504), accumulator=A.Blocked("binary16", block)))

# %% [markdown]
# ## How wrong?
#
# Each addition multiplies the exact result by a factor 1 + d, where |d| is at most the unit roundoff u = 2^-11 (half an
# ulp of 1). In a sum one after the other, the first term goes through n - 1 additions; so for positive terms the
# relative error is at most about (n - 1) u. In pairs each term goes through log2(n) additions only.
#
# **Predict:** u is 0.0005. Sum n random numbers between 0 and 1, for n = 16, 256, 4096, 16384. From which n on do you
# expect errors above 1 %, one after the other? And in pairs?

# %%
rng = np.random.default_rng(7)
methods = {"sequential": A.Sequential, "pairwise": A.Pairwise, "Kahan": A.Kahan}
print("     n  " + "  ".join(f"{name:>10}" for name in methods) + "   (n - 1) u")
for n in (16, 256, 4096, 16384):
    x = fs.round_to(rng.random((n, 8)), "binary16")
    exact = x.sum(axis=0)  # float64 has bits enough for this
    errors = [np.max(np.abs(fs.sum(x, axis=0, accumulator=m("binary16")) / exact - 1)) for m in methods.values()]
    print(f"{n:6}  " + "  ".join(f"{e:10.2%}" for e in errors) + f"   {(n - 1) * 2**-11:.2%}")

# %% [markdown]
# At 16,384 terms most of the sum is missing. In pairs the error stays at the rounding of the last few additions.
#
# ## Kahan's trick
#
# The third column is better still. When s + y is rounded, what is lost can be *computed*: t = s + y, then (t - s) - y
# is exactly the error, as long as |s| >= |y|. Kahan (1965) takes it off the next term:
#
#     lost = 0
#     for each further term x:
#         y = x - lost
#         t = s + y
#         lost = (t - s) - y
#         s = t
#
# **Predict:** go through it by hand for s = 2048 and the terms 1, 1, 1, 1, in binary16. When does s move?

# %%
add, subtract = fs.add, fs.subtract  # binary16, ties to even
s, lost = 2048.0, 0.0
for x in (1.0, 1.0, 1.0, 1.0):
    y = subtract(x, lost)
    t = add(s, y)
    lost = subtract(subtract(t, s), y)
    s = t
    print(f"y = {y}   s = {s}   lost = {lost}")

# %% [markdown]
# What the first step lost (1, written as -1, for s is too small) is added to the second.
#
# **Predict:** ten thousand times 0.1 (0.1 in binary16 is 0.09998): what do pairs give, and Kahan?

# %%
fs.plots.tenths("binary16")
plt.show()

# %% [markdown]
# **Predict:** does Kahan's trick always save the sum? Try 10000 + 1 - 10000.

# %%
terms = [10000, 1, -10000]
for name, accumulator in (("Kahan", A.Kahan("binary16")), ("exact, rounded once", A.Exact())):
    print(f"{name:20}", fs.sum(terms, "binary16", accumulator=accumulator))
print("condition: sum of |x| / |sum of x| =", sum(map(abs, terms)) / abs(sum(terms)))

# %% [markdown]
# No. At 10000 the ulp is 8; the 1 is absorbed, and what was lost comes back one step too late: the last term has no
# next one. The condition of this sum is 20001, more than 1/u = 2048: with an error of u on each *term*, nothing of
# the result is sure.
#
# ## Chance
#
# Round up or down by chance, in proportion: from 2048, a sum of 2049 goes up to 2050 with probability 1/2. A sum of
# 2048.5 goes up with probability 1/4. This is **stochastic rounding**. Each step is *worse* than to nearest, but
# right on average.
#
# **Predict:** 10,000 ones again, ten times, each with other random numbers. How far from 10,000 do the ten sums lie?

# %%
runs = fs.sum(np.ones((10_000, 10)), "binary16", "stochastic", axis=0, rng=1)  # <- change rng
print(np.sort(runs), " mean", runs.mean())

# %% [markdown]
# Nearest gave 2048, every time. `rng=` takes a seed or a NumPy generator, so runs can be repeated. Here is the sum of
# tenths in bfloat16: thin lines are single runs.

# %%
fs.plots.stochastic("bfloat16")
plt.show()

# %% [markdown]
# ## A weight that does not move
#
# Training a network is a sum, too: a weight plus thousands of tiny updates.
#
# **Predict:** a weight of 1 in bfloat16 (ulp 2^-7 above 1) gets a thousand updates of +0.001. Where does it end, with
# nearest, Kahan, and stochastic rounding?

# %%
fs.plots.stuck_weight("bfloat16")
plt.show()

# %% [markdown]
# To nearest, a thousand updates are lost, each one of them. The lesson [Why the run died](why_the_run_died.ipynb)
# returns to this.
#
# ## A wider accumulator
#
# The cure of hardware: keep the sum in float32, and round at the end.
#
# **Predict:** 10,000 times 0.1 with the sum in float32. Which error is left? (What is 0.1 in binary16?)

# %%
x = np.full(10_000, fs.round_to(0.1, "binary16"))
print("sum kept in binary32:", fs.sum(x, "binary32"))
print("10,000 * stored 0.1 =", 10_000 * x[0])
print("rounded to binary16: ", fs.sum(x, "binary16", accumulator=A.Sequential("binary32")))

# %% [markdown]
# What is left is the error of the term, times 10,000: no accumulator can mend what happened before. (The last rounding
# then goes the right way, by luck.) The lesson [Dot products](dot_products.ipynb) is about accumulators of real
# hardware.
#
# **Predict:** what does NumPy do with float16? Try `sum` and `cumsum` of 4096 ones.

# %%
h = np.ones(4096, np.float16)
print("sum", h.sum(), "  cumsum", np.cumsum(h)[-1])

# %% [markdown]
# Two functions of one library, two answers: its `sum` adds in another order than its `cumsum`, and neither promises
# which. If you have to know, say it: that is what accumulators are for.
#
# ## Exercises
#
# In `exercises/sums.py`, all in binary16. `fs.add(a, b)` and `fs.subtract(a, b)` may be used, one call an
# operation. As shipped:


# %%
def my_kahan_sum(values):
    """The compensated sum of a list of values of binary16, every operation rounded to binary16."""
    raise NotImplementedError


print(fs.teach.grade.kahan_sum(my_kahan_sum))

# %% [markdown]
# Here is a sum that looks right. What has it forgotten?


# %%
def rounds_at_the_end(values):
    return fs.round_to(np.sum(values), "binary16")  # NumPy adds in float64


report = fs.teach.grade.sum(rounds_at_the_end)
print(report.verdict, "\nsimplest failure:", report.counterexample.shown)
print("it answers like a function that", report.misconception)

# %% [markdown]
# 1. `my_sum(values)`: one after the other, each partial sum rounded, starting from the first term. Of nothing: 0.0.
# 2. `my_pairwise_sum(values)`: of one term, the term; else the sum of the pairwise sums of two halves. The first half
#    has `len(values) // 2` terms.
# 3. `my_kahan_sum(values)`: the loop above; s starts as the first term. The signs are as written: a plus for a minus
#    changes zeros.
# 4. `my_stochastic(x, u)`: x rounded to binary16 with one random number u, 0 <= u < 1, given to you. Let f be the
#    fraction of the way from the neighbour toward zero to the one away from zero. If u < f, away; else toward zero.
#    Above 65504 the neighbour away from zero is infinity, for f as if it were 65536; from 65536 on the result is
#    infinite.
#
# ## Read next
#
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 4: everything about sums.
# - W. Kahan, "Further remarks on reducing truncation errors", Communications of the ACM 8 (1965): one page.
# - M. Croci, M. Fasi, N. J. Higham, T. Mary and M. Mikaitis, "Stochastic rounding: implementation, error analysis and
#   applications", Royal Society Open Science 9 (2022).
#
# Next lesson: [Rounding twice](rounding_twice.ipynb). What if a result is rounded, and then rounded again? Of the
# lessons from here on, choose those that you like.
