# %% [markdown]
# # Dot products and tensor cores
#
# | | |
# |---|---|
# | **Question** | A network is made of dot products. In which format should their sums be kept? |
# | **Time** | 45 minutes |
# | **Needs** | [Arithmetic on paper](arithmetic.ipynb) (one operation), [Sums](sums.ipynb) (absorption, accumulators); [Rounding twice](rounding_twice.ipynb) helps |
# | **You will be able to** | say where a dot product loses digits, choose its accumulator, and add as a tensor core does |

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Sums](sums.ipynb): where does a sum of equal terms stop?


# %%
@fs.teach.puzzle
def stalls_at(term):
    """The power of two at which a binary16 sum of many equal terms, from 1/16 to 16, stops. stalls_at(1.0) is 2048.0."""
    totals = (2.0**k for k in range(16))
    return next(total for total in totals if ...)  # the first that the term does not change any more


# %% [markdown]
# ## A bill is a dot product
#
# You buy a bicycle for 2048 and two different bells for 1 each. The bill multiplies each price by how many you buy, and
# adds: `1 * 2048 + 1 * 1 + 1 * 1`. In mathematics this is the **dot product** of the two lists (1, 1, 1) and (2048, 1,
# 1). A spreadsheet calls it `SUMPRODUCT`. A network computes millions of them: inputs times weights, added.
#
# Now the bill is computed in binary16, one term after the other.

# %%
bill = guess("In binary16, every step rounded: 1 * 2048 + 1 * 1 + 1 * 1 = ?")

# %% [markdown]
# `fs.dot(a, b, fmt)` is the dot product of two lists. It rounds every product and every sum to the format.
# `fs.explain.dot` shows each step.

# %%
print(fs.explain.dot([1, 1, 1], [2048, 1, 1], "binary16"))  # <- change: put 2048 last
bill.compare(fs.dot([1, 1, 1], [2048, 1, 1], "binary16"))

# %% [markdown]
# Each step, `s1` and `s2`, is a tie and loses its 1. A puzzle: write one step. `fs.multiply(x, y)` and `fs.add(a, b)`
# round to binary16.


# %%
@fs.teach.puzzle
def add_product(total, x, y):
    """total + x * y in binary16: the product is rounded, and so is the sum. add_product(2048.0, 1.0, 1.0) is 2048.0."""
    return ...


# %% [markdown]
# ## Which of the two roundings hurts?
#
# A dot product of n pairs has n products and n - 1 sums, and each may be rounded. The products above were exact, but in
# general they are not: two significands of 11 bits make one of up to 22, as
# [here](explorer.html#arithmetic?op=multiply&a=1.001&b=1.001).
#
# We switch one kind off at a time. The accumulator `"fused"` does not round the products, only the sums. (Processors
# call this a *fused multiply-add*, fma.) The other way round: we round the products, and add them without an error. We
# take 4096 random numbers between 0 and 1, twice.

# %%
worse = guess(
    "4096 random products in binary16: which roundings make the larger error?",
    choices=("of the products", "of the sums"),
)

# %%
rng = np.random.default_rng(8)
a, b = (fs.round_to(rng.random(4096), "binary16") for _ in range(2))
truth = math.fsum(a * b)  # a * b is exact in float64, and math.fsum adds without an error


def percent_off(y):
    return f"{100 * (y - truth) / truth:+9.4f} %"


only_sums = fs.dot(a, b, "binary16", accumulator="fused")
only_products = math.fsum(fs.multiply(a, b, "binary16"))
print("both rounded         ", percent_off(fs.dot(a, b, "binary16")))
print("only sums rounded    ", percent_off(only_sums))
print("only products rounded", percent_off(only_products))
worse.compare("of the sums" if abs(only_sums - truth) > abs(only_products - truth) else "of the products")

# %% [markdown]
# The sums do nearly all the damage. A product is below 1, so its rounding error is at most 2^-12, and the errors of
# both signs cancel. But a sum between 512 and 1024 is rounded by up to 1/4, and a product smaller than that may be lost
# beside it. So the format of the [**accumulator**](glossary.md#accumulator), the variable that holds the sum, decides.
# The factors may be narrow.
#
# ## A wider accumulator makes the products free
#
# binary32 (float32) has 24 bits of significand. Its exponents go from -126 to 127. Think before you guess: how many
# bits has a product, at most? Which is the smallest product, and which the largest?

# %%
fits = guess("Does binary32 hold every product of two numbers of binary16 exactly? (yes or no)")

# %%
finite = fs.all_values("binary16")
finite = finite[np.isfinite(finite)]
products = rng.permutation(finite)[:1000, None] * rng.permutation(finite)[None, :1000]
same = np.array_equal(products, fs.round_to(products, "binary32"))
print(f"{products.size:,} products unchanged by rounding to binary32:", same)
print("smallest", 2.0**-24 * 2.0**-24, " largest", 65504.0**2, " binary32 ends at", float(fs.BINARY32.max_finite))
fits.compare(same)

# %% [markdown]
# The million products are only a sample; this is why it holds for all. Two integers of 11 bits have a product of at
# most 22 bits, and binary32 has 24. The last bit of a number of binary16 is worth 2^-24 or more, so that of a product
# is worth 2^-48 or more, far above the smallest step of binary32, which is 2^-149. And no product is above 2^32.
#
# So with an accumulator in binary32 the products cost nothing, and each sum is rounded at 24 bits, not at 11. At the
# end, the result is rounded to binary16, once. This is called a **mixed-precision** product. In `fs.dot` it is
# `accumulator="sequential:binary32"`: one after the other, in binary32.
#
# **Predict:** with sums in binary16 the error was 8%. How large is it now, before and after the last rounding?

# %%
print("sum in binary32       ", percent_off(fs.dot(a, b, "binary32")))
mixed = fs.dot(a, b, "binary16", accumulator="sequential:binary32")
print("rounded to binary16   ", percent_off(mixed))
print("half an ulp, binary16 ", f"{100 * fs.ulp(truth, 'binary16') / 2 / truth:9.4f} %")

# %% [markdown]
# What is left is the last rounding, which is less than half an ulp. No result in binary16 can be better.
#
# ## Two more reasons
#
# Products can also leave the range of binary16, long before their sum does. Try a difference that is 0 on paper:

# %%
difference = guess("In binary16, every step rounded: 300 * 300 - 300 * 300 = ?")
tiny_sum = guess("In binary16, every step rounded: 4096 products of 2^-13 * 2^-13, added?")

# %%
tiny = np.full(4096, 2.0**-13)
with np.errstate(all="ignore"):  # without this line, overflow warns, as it does in NumPy
    for how in ("sequential:binary16", "sequential:binary32"):
        large = fs.dot([300, -300], [300, 300], "binary16", accumulator=how)
        small = fs.dot(tiny, tiny, "binary16", accumulator=how)
        print(f"{how}:  300*300 - 300*300 = {large}   4096 tiny products = {small}")
    difference.compare(fs.dot([300, -300], [300, 300], "binary16"))
tiny_sum.compare(fs.dot(tiny, tiny, "binary16"))

# %% [markdown]
# 300 * 300 is 90000, which is infinite in binary16, and infinity minus infinity is NaN. See it
# [in the explorer](explorer.html#arithmetic?op=multiply&a=300&b=300). And 2^-26 is below half of the smallest number,
# 2^-24, so each of the tiny products is 0. On paper their sum is 2^-14, a normal number.
#
# ## Which accumulator?
#
# [Sums](sums.ipynb) had other cures. The picture shows seven accumulators. To the left is fast: fewer operations wait
# for each other. Further down is more exact.
#
# **Predict:** where will *pairwise* be? Where *Kahan*? And *binary32*: better or worse than Kahan in binary16?

# %%
fs.plots.accumulators()
plt.show()

# %% [markdown]
# The dashed line is one rounding to binary16. The dot of binary32 lies below it, because it shows the sum before its
# last rounding. Pairwise is nearly as good as a result in binary16 can be, and it is the fastest. But it must keep many
# partial sums. Hardware likes one running sum, and a wide one is cheap to build.
#
# Products of matrices are many dot products: `fs.matmul(a, b, fmt, accumulator=...)` takes the same accumulators.
#
# ## Inside a tensor core
#
# A **tensor core** is the part of a graphics card that multiplies small matrices of binary16 and adds in binary32. It
# does *not* round after each term. Its makers publish no rule, but researchers found one by experiment (see "Read
# next"). For a group of products and the running sum:
#
# 1. compute all products, exactly;
# 2. find the largest exponent of the group;
# 3. shift every term to that exponent, and **cut off** what falls below a fixed number of bits;
# 4. add what is left, without an error, and cut the sum to 24 bits.
#
# So there are no ties and no sticky bit: it is cheaper. Volta, the first generation, adds 4 products at a time, and
# keeps 23 bits below the largest exponent. Beside 1 = 2^0 it keeps multiples of 2^-23.
#
# A puzzle for step 3. (`math.trunc(x)` cuts off the digits after the point.)


# %%
@fs.teach.puzzle
def cut_to_multiple(x, quantum):
    """x cut off toward zero to a multiple of quantum, a power of two. cut_to_multiple(-1.75, 0.5) is -1.5."""
    return ...


# %% [markdown]
# `fs.accumulators.TensorCore("volta")` is a model of it. Its `dot(a, b, start)` adds the products to a running sum
# `start`. We start at 1 and add four products 2^-12 * 2^-12 = 2^-24. Together they are worth 2^-22, and binary32 holds
# 1 + 2^-22.

# %%
beside_one = guess("On Volta: 1 plus four products of 2^-24, in one group?")

# %%
volta = fs.accumulators.TensorCore("volta")
p = [2.0**-12] * 4
for start in (1.0, 0.5):
    print(f"{start} + 4 * 2^-24:  volta {volta.dot(p, p, start):.10f}   exactly {start + 4 * 2.0**-24:.10f}")
beside_one.compare(volta.dot(p, p, 1.0))

# %% [markdown]
# Beside 1, each of the four is cut off *before* they are added. Together they would have counted. Beside 1/2, one bit
# more is kept, and nothing is lost.
#
# This has an odd consequence. On paper, if one term gets larger, the sum gets larger. A sum that is rounded correctly
# never gets smaller. Let the running sum be 1 - 2^-24, the number of binary32 just below 1, and then 1.

# %%
smaller = guess("On Volta, can a sum get smaller when one of its terms gets larger? (yes or no)")

# %%
below, at = volta.dot(p, p, 1 - 2.0**-24), volta.dot(p, p, 1.0)
print(f"from 1 - 2^-24: {below:.10f}    from 1: {at:.10f}")
smaller.compare(bool(at < below))

# %% [markdown]
# This function is **not monotone**. It is no bug: nobody promised correct rounding. But a proof that needs "larger
# terms, larger sum" fails here.
#
# ## Cutting off has a direction
#
# Rounding to nearest errs up and down. Cutting off always errs toward zero. Here is our sum of 4096 positive products
# again, on four generations of hardware. They differ in the products of a group (4, 4, 8, 16) and in the bits kept (23,
# 24, 24, 25).

# %%
direction = guess(
    "Positive products on four generations of tensor cores: are the sums too small or too large?",
    choices=("all too small", "all too large", "some of each"),
)

# %%
generations = ("volta", "turing", "ampere", "hopper")
sums = [fs.accumulators.TensorCore(generation).dot(a, b) for generation in generations]
for generation, y in zip(generations, sums, strict=True):
    in16 = fs.dot(a, b, "binary16", accumulator=generation)
    print(f"{generation:8} {y:13.7f} {percent_off(y)}   in binary16 {in16}")
print(f"exact    {truth:13.7f}             in binary16 {fs.dot(a, b, 'binary16', accumulator='exact')}")
too_small = [bool(y < truth) for y in sums]
direction.compare("all too small" if all(too_small) else "some of each" if any(too_small) else "all too large")

# %% [markdown]
# Four machines, four results, all too small. Is that bad? Each is more than a thousand times nearer to the truth than
# the accumulator in binary16 was, and rounded to binary16 all four agree. But do not expect the same bits from the next
# graphics card. A test of such code must say how many ulp it allows, and why so many.
#
# Who says what a machine does? `fs.hardware.table()` has a row for each machine and format, with its evidence.

# %%
for row in fs.hardware.table("hopper").rows:
    if (row.source, row.output) == ("measured", "binary32"):
        print(f"{row.factors:9} {row.group:2} at once, {row.bits} bits   {row.evidence}")

# %% [markdown]
# Factors of 8 bits are added 32 at a time, and only 13 bits are kept below the largest exponent.
#
# ## In short
#
# - A dot product is many products and one long sum. The sum does nearly all the damage: it absorbs small products.
# - A product of two numbers of binary16 is exact in binary32. So keep the sum there, and round once at the end.
# - A wide accumulator also saves products that overflow or underflow.
# - Pairwise sums are nearly as exact, and fast, but need more memory than one running sum.
# - A tensor core aligns a group of products, cuts off, and adds. Its sums lean toward zero, are not monotone, and
#   differ from one generation to the next.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/dot_products.py`. Write them without `fs.dot`. `fs.add(a, b, fmt)`,
# `fs.multiply(a, b, fmt)` and `fs.round_to(x, fmt)` round once each. Begin here:


# %%
def my_mixed_dot(a, b):
    """The dot product of two lists of binary16 values: sums in binary32, one rounding to binary16; 0.0 if empty."""
    raise NotImplementedError


fs.teach.check(my_mixed_dot)  # fs.teach.hint() helps

# %% [markdown]
# 1. `my_mixed_dot(a, b)`: products and partial sums in binary32, and one rounding to binary16 at the end. The first
#    partial sum is the first product, so nothing is added to 0.0. Empty lists give 0.0.
# 2. `aligned_sum(terms, bits)`: steps 2 to 4 of the tensor core, without the last cut to 24 bits. Each term is cut off
#    to a multiple of 2^(e - bits), where e is the largest exponent of the terms that are not 0. Then the terms are
#    added. If all are 0, so is the sum. (`math.frexp(x)` gives an exponent that is one larger than ours.)
# 3. `longest_exact(n_bits, p)`: how many products of two integers of `n_bits` bits can an accumulator with p bits add,
#    so that no sum can be inexact? Each product is at most (2^n_bits - 1)^2. A sum is safe up to 2^p.
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: why the accumulator is binary32.
# - M. Fasi, N. J. Higham, M. Mikaitis and S. Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer
#   Science 7:e330, 2021: how one finds out what a chip does from its results alone.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM, 2002, chapters 3 and 4.
#
# Next lesson: [Solving Ax = b in 16 bits](linear_systems.ipynb). How do three formats solve a system together?
