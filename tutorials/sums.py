# %% [markdown]
# # Sums
#
# | | |
# |---|---|
# | **Question** | Why does a sum in sixteen bits stand still, and what can you do about it? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties, the ulp), [Arithmetic on paper](arithmetic.ipynb) (a sum is rounded once) |
# | **You will be able to** | predict where a sum stops, and choose a way to add that does not: in pairs, with Kahan's trick, by chance, or in a wider format |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Sixteen bits](sixteen_bits.ipynb), to warm up. This lesson is about what the ulp does to sums.


# %%
@fs.teach.puzzle
def ulp_of_code(code):
    """The ulp of the number with a code of binary16 with sign 0, E from 1 to 30. ulp_of_code(0x3C00) is 2.0**-10."""
    return 2.0 ** (...)


# %% [markdown]
# ## A counter that stops
#
# A web page counts its visitors in binary16. It starts at 0 and adds 1 for each of 10,000 visitors.

# %%
visitors = guess("A counter in binary16 adds 1 ten thousand times. What does it show at the end?")

# %% [markdown]
# `fs.cumsum(x, fmt)` adds the numbers of x, one after the other. It rounds each sum to the format, and gives all of
# them: after one number, after two, and so on.

# %%
for fmt in ("binary16", "bfloat16"):
    sums = fs.cumsum(np.ones(10_000), fmt)
    print(f"{fmt}: {sums[-1]:.0f}, reached after {1 + np.argmax(sums == sums[-1])} visitors")
visitors.compare(fs.cumsum(np.ones(10_000), "binary16")[-1])

# %% [markdown]
# At 2048 the ulp is 2, and half an ulp is 1. So 2048 + 1 is a tie, and goes back to 2048, which is even. The next
# visitor finds 2048 again. The 1 is lost: this is [**absorption**](glossary.md#absorption). The sum stands still: this
# is [**stagnation**](glossary.md#stagnation). bfloat16 has 8 digits and not 11, so its ulp is 2 from 256 on.
#
# ## A walk
#
# A step counter adds 0.7 metres for each step, in binary16. You walk 10,000 steps, which are 7 km. From 512 m on the
# ulp is 1/2, from 1024 m on it is 1, and from 2048 m on it is 2.

# %%
one_step = guess("A walk in binary16: what does one step of 0.7 m add between 1024 m and 2048 m?")
walked = guess("A walk in binary16: which distance do 10,000 steps of 0.7 m give?")

# %%
walk = fs.cumsum(np.full(10_000, 0.7), "binary16")  # <- change the step: 0.75, 0.8, 1.1
for n in (10, 100, 1000, 2000, 2500, 3000, 10_000):
    print(f"{n:6} steps: {walk[n - 1]:9.4f} m   exactly {0.7 * n:6.0f} m")
one_step.compare(walk[2499] - walk[2498])
walked.compare(walk[-1])

# %% [markdown]
# From 512 m on a step counts as 0.5 m, and the sum falls behind. From 1024 m on it counts as 1 m, and the sum catches
# up and runs ahead. At 2048 m half an ulp is 1 m, more than the step, and the sum stops. Nothing warned us.
#
# Here is that last addition in the explorer. Make the step a little larger, until it counts:

# %%
fs.page.show("arithmetic?op=add&a=2048&b=0.7", height=700)

# %% [markdown]
# The sums above stopped at powers of two. There the ulp doubles. A puzzle: find the power of two for any step.
# `fs.add(a, b)` is a + b, rounded to binary16.


# %%
@fs.teach.puzzle
def stalls_at(term):
    """The power of two at which a binary16 sum of many equal terms, from 1/16 to 16, stops. stalls_at(1.0) is 2048.0."""
    totals = (2.0**k for k in range(16))
    return next(total for total in totals if ...)  # the first that the term does not change any more


# %% [markdown]
# ## The order matters
#
# On paper (a + b) + c is a + (b + c). With rounding it is not. So a sum depends on the order of its terms.
#
# You pay 2048 euros and a thousand coins of 1 euro into an account, which adds in binary16.

# %%
order = guess("2048 and a thousand ones, in binary16: the sum with 2048 first, and with 2048 last? (two numbers)")

# %% [markdown]
# `fs.sum(x, fmt)` gives the last of the sums only.

# %%
coins = np.ones(1000)
first = fs.sum(np.concatenate([[2048], coins]), "binary16")
last = fs.sum(np.concatenate([coins, [2048]]), "binary16")
print("2048 first:", first, "  2048 last:", last)
order.compare([first, last])

# %% [markdown]
# Small terms first is better. But what if all terms are alike? Then add numbers of *like size*. Add neighbours in
# pairs, then these sums in pairs, and so on, as in a tournament. This is
# [**pairwise summation**](glossary.md#pairwise-summation).
#
# `fs.sum` can do this. Its argument `accumulator` says how to add. (An [**accumulator**](glossary.md#accumulator) is
# the variable that collects a sum.)

# %%
for how in ("sequential", "pairwise"):
    print(f"{how:10}", fs.sum(np.ones(10_000), "binary16", accumulator=how))

# %% [markdown]
# Many libraries choose a middle way: they add in **blocks**. In blocks of 8, the first eight terms give a sum, the next
# eight another, and so on. Then the sums of the blocks are added one after the other. We have 65,504 ones: 8188 blocks.

# %%
blocks = guess("65,504 ones in blocks of 8, in binary16: what is the sum?")

# %%
for size in (1, 8, 64):
    how = fs.accumulators.Blocked("binary16", block=size)
    print(f"blocks of {size:2}: {fs.sum(np.ones(65_504), accumulator=how)}")
blocks.compare(fs.sum(np.ones(65_504), accumulator=fs.accumulators.Blocked("binary16", block=8)))

# %% [markdown]
# Each block gives 8, exactly. So it is your puzzle again, with a term of 8: it stops where half an ulp is 8.
#
# ## How wrong can it be?
#
# The [**unit roundoff**](glossary.md#unit-roundoff) u is half an ulp of 1. In binary16, u = 2^-11, about 0.05%. One
# addition, rounded to nearest, gives the exact sum times 1 + d, where d is between -u and u.
#
# Now add n positive terms one after the other. The first term is in all n - 1 additions, so it is multiplied by n - 1
# such factors. The other terms are in fewer. So the sum is wrong by at most about (n - 1) u of itself. In pairs, each
# term is in only log2(n) additions. For 4096 terms that makes 12, not 4095.
#
# This is a bound: it can be that bad. How bad is it usually? We add n random numbers between 0 and 1, eight times, and
# show the largest of the eight errors.

# %%
one_percent = guess(
    "Random numbers in binary16, one after the other: which n is the first with an error above 1%?",
    choices=("16", "256", "4096", "16384"),
)

# %%
rng = np.random.default_rng(7)
print("     n  sequential  pairwise     kahan   (n - 1) u")
largest = {}
for n in (16, 256, 4096, 16384):
    x = fs.round_to(rng.random((n, 8)), "binary16")
    exact = x.sum(axis=0)  # float64 has digits enough for this
    ways = [fs.sum(x, "binary16", axis=0, accumulator=how) for how in ("sequential", "pairwise", "kahan")]
    errors = [np.max(np.abs(way / exact - 1)) for way in ways]
    largest[n] = errors[0]
    print(f"{n:6}  {errors[0]:10.2%}  {errors[1]:8.2%}  {errors[2]:8.2%}  {(n - 1) * 2**-11:10.2%}")
one_percent.compare(str(min(n for n in largest if largest[n] > 0.01)))

# %% [markdown]
# Errors go up and down, and cancel in part, so 256 terms are still harmless. Then the sum begins to stand still, and
# with 16,384 terms most of it is missing. In pairs the error hardly grows. And what is `kahan`?
#
# ## Kahan's trick
#
# In some countries a shop rounds each bill to 5 cents. Suppose that it writes down how much *too much* you paid, and
# takes that off your next bill. Then no error adds up. W. Kahan (1965) adds numbers like this: it is called
# [**compensated summation**](glossary.md#compensated-summation). What a rounded sum has too much can be computed.
# Compare what was gained with what should have been gained:


# %%
@fs.teach.puzzle
def too_much(s, y):
    """How much the rounded sum of s and y is too large (below 0: too small). s, y are of binary16, |s| >= |y|."""
    t = fs.add(s, y)
    return t - ...


# %% [markdown]
# That is (t - s) - y. Now we add 1 four times to 2048. Before each addition, what was too much before is taken off.
#
# Go through it by hand. `extra` is what the sum has too much: what is it after the first 1?

# %%
moves = guess("2048 and four ones with Kahan's trick, in binary16: at which of the ones does the sum move first?")

# %%
s, extra, seen = 2048.0, 0.0, []
for x in (1.0, 1.0, 1.0, 1.0):
    y = fs.subtract(x, extra)
    t = fs.add(s, y)
    extra = fs.subtract(fs.subtract(t, s), y)
    s = t
    seen.append(s)
    print(f"add {y}:   s = {s}   extra = {extra}")
moves.compare(1 + int(np.argmax(np.array(seen) > 2048)))

# %% [markdown]
# After the first 1 the sum is too small by 1: `extra` is -1. So the second time 1 - (-1) = 2 is added, and 2 counts.
#
# **Predict:** 0.1 ten thousand times should make 1000. Which of the ways that you know come near it?

# %%
fs.plots.tenths("binary16")
plt.show()

# %% [markdown]
# So Kahan's trick saves every sum? Try 10000 + 1 - 10000. (At 10000 the ulp is 8.)

# %%
saved = guess("Kahan's sum of 10000, 1, -10000 in binary16?")

# %%
for how in ("kahan", "exact"):  # "exact" adds without any rounding, and rounds once at the end
    print(f"{how:6}", fs.sum([10000, 1, -10000], "binary16", accumulator=how))
saved.compare(fs.sum([10000, 1, -10000], "binary16", accumulator="kahan"))

# %% [markdown]
# No. The 1 is lost beside 10000, and `extra` remembers it as -1. It is taken off the next term: -10000 + 1 must be
# rounded, too, and is -10000 again. After that there is no next term. When large terms cancel, only a wider format or
# an exact sum helps. [How wrong is it?](how_wrong.ipynb) is about such sums.
#
# ## Chance
#
# Another idea: let chance decide. From 2048, a sum of 2049 goes up to 2050 in half of all cases. A sum of 2048.5, which
# is nearer to 2048, goes up in a quarter of all cases. This is
# [**stochastic rounding**](glossary.md#stochastic-rounding). One step errs more than to nearest, but *on average* the
# result is right. You can
# [draw other random numbers in the explorer](explorer.html#arithmetic?op=round&a=2048.5&mode=stochastic).


# %%
@fs.teach.puzzle
def chance_up(x):
    """How likely a float x, 2048 <= x < 4096, goes up to the next number of binary16. chance_up(2048.5) is 0.25."""
    return ...


# %% [markdown]
# **Predict:** 10,000 visitors again, ten times, each time with other random numbers. To nearest gave 2048 each time.
# How far from 10,000 will the ten counters be?

# %%
runs = fs.sum(np.ones((10_000, 10)), "binary16", "stochastic", axis=0, rng=1)  # <- change rng: other random numbers
print(np.sort(runs), " mean", runs.mean())

# %% [markdown]
# They are a few percent off, some up and some down. None has stopped.
#
# Training a network is such a sum, too: a **weight** is a number that gets thousands of tiny updates. Take a weight of
# 1 in bfloat16, and add 0.001 a thousand times. On paper it ends at 2. (The ulp of 1 in bfloat16 is 2^-7, about 0.008.)

# %%
weight = guess("A weight of 1 in bfloat16 gets +0.001 a thousand times, to nearest. Where does it end?")

# %%
print(fs.sum([1.0] + [0.001] * 1000, "bfloat16"))
weight.compare(fs.sum([1.0] + [0.001] * 1000, "bfloat16"))
fs.plots.stuck_weight("bfloat16")
plt.show()

# %% [markdown]
# To nearest, every single update is lost. Kahan's trick and chance both save it.
#
# ## A wider accumulator
#
# The simplest cure, and the one of graphics cards: the terms stay in binary16, but their sum is kept in binary32
# (float32, 24 digits). At the end it is rounded to binary16, once.
#
# **Predict:** 0.1 ten thousand times, with the sum in binary32. Is the sum in binary32 then 1000? (Think of what 0.1 is
# in binary16.)

# %%
x = np.full(10_000, fs.round_to(0.1, "binary16"))
print("sum in binary32:     ", fs.sum(x, "binary32"))
print("rounded to binary16: ", fs.sum(x, "binary16", accumulator="sequential:binary32"))
print("0.1 in binary16 is   ", x[0])

# %% [markdown]
# What is missing to 1000 was missing in each 0.1 already. No accumulator can mend what happened before.
#
# And NumPy? It has float16, and two ways to add.
#
# **Predict:** do they agree for 4096 ones?

# %%
ones = np.ones(4096, np.float16)
print("np.sum", float(np.sum(ones)), "  np.cumsum", float(np.cumsum(ones)[-1]))

# %% [markdown]
# One library, two sums. `np.sum` adds in blocks and pairs. `np.cumsum` cannot, because it shows the sum after each
# term. So say how a sum shall be added, when it matters.
#
# ## In short
#
# - A term that is less than half an ulp of the sum is lost (absorption). A term of exactly half an ulp is lost if the
#   last bit of the sum is 0. Then the sum stands still (stagnation): with ones at 2048 in binary16, and at 256 in
#   bfloat16.
# - Nothing warns you, and before it stops such a sum may run too slow or too fast.
# - One after the other, the error is at most about (n - 1) u for positive terms. In pairs it is about log2(n) u.
# - Kahan's trick takes off from the next term what the last sum had too much. It costs four operations a term.
# - Stochastic rounding is right on average, and so small updates count.
# - A wider accumulator is the simplest cure. Where large terms cancel, only a wider format or an exact sum helps.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/sums.py`. All numbers are of binary16. Use `fs.add(a, b)` and `fs.subtract(a, b)`, one
# call an operation. Begin here:


# %%
def my_kahan_sum(values):
    """The sum of a list of values by Kahan's trick, every operation rounded to binary16; 0.0 for an empty list."""
    raise NotImplementedError


fs.teach.check(my_kahan_sum)  # fs.teach.hint() helps

# %% [markdown]
# 1. `my_kahan_sum(values)`: the loop above. s starts as the first term, and `extra` as 0.0. Each plus and minus is as
#    it is written there, because a changed sign may change a zero. The sum of nothing is 0.0.
# 2. `my_pairwise_sum(values)`: the sum of one term is the term, that of nothing is 0.0. Otherwise cut the list into two
#    halves, sum each of them in the same way, and add the two sums. The first half has `len(values) // 2` terms.
# 3. An extra, for ten minutes more: `my_stochastic(x, u)`, the float x rounded to binary16 by chance. The random number
#    u, 0 <= u < 1, is given. Let f be the part of the way that x has gone from its neighbour toward zero to its
#    neighbour away from zero. If u < f, the result is the neighbour away from zero, else the other one. Above 65504 the
#    neighbour away from zero is infinity; for f it counts as 65536. From 65536 on the result is infinite. Infinities,
#    NaN and the sign of a zero stay. Take `ulp_of` from your exercises of [Rounding](rounding.ipynb).
#
# ## Read next
#
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 4: everything about sums.
# - W. Kahan, "Further remarks on reducing truncation errors", Communications of the ACM 8 (1965): one page.
# - M. Croci, M. Fasi, N. J. Higham, T. Mary and M. Mikaitis, "Stochastic rounding: implementation, error analysis and
#   applications", Royal Society Open Science 9 (2022).
#
# Next lesson: [A network in 16 bits](mlp_in_16_bits.ipynb). Absorption and underflow meet in one network. What do they
# do to it?
