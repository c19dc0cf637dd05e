# %% [markdown]
# # Dot products and tensor cores
#
# | | |
# |---|---|
# | **Question** | A network is made of dot products. In which format should their sums be kept? |
# | **Time** | 30 minutes |
# | **Needs** | [Arithmetic on paper](arithmetic.ipynb) (one operation), [Sums](sums.ipynb); [Rounding twice](rounding_twice.ipynb) and [How wrong is it?](how_wrong.ipynb) help |
# | **You will be able to** | say what a dot product loses and where, choose an accumulator, add like a tensor core |

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

np.seterr(all="ignore")

ACC = fs.accumulators

# %% [markdown]
# ## Two places to lose digits
#
# A dot product of n terms has n products and n - 1 sums. Each of them may be rounded. Here is a small one, written
# out.
#
# **Predict:** a = (1, 1, 1), b = (2048, 1, 1) in binary16, one term after the other. What comes out?

# %%
print(fs.explain.dot([1, 1, 1], [2048, 1, 1], "binary16"))

# %% [markdown]
# The products were exact here. In general they are not: two significands of 11 bits make one of 22. So which of the
# two hurts more: rounding the products, or rounding the sums? We can switch them off one at a time. `Fused` does not
# round the product (it is a chain of fma), and rounds each sum. The other way round: round the products, sum exactly.
#
# **Predict:** for 4096 random numbers between 0 and 1, which of the two will have the larger error? By how much?

# %%
rng = np.random.default_rng(8)
a, b = (fs.round_to(rng.random(4096), "binary16") for _ in range(2))
truth = math.fsum(a * b)  # a * b is exact in float64: 22 bits


def percent_off(y):
    return f"{100 * (y - truth) / truth:+9.4f} %"


print("both rounded         ", percent_off(fs.dot(a, b, "binary16")))
print("only sums rounded    ", percent_off(fs.dot(a, b, "binary16", accumulator=ACC.Fused("binary16"))))
print("only products rounded", percent_off(math.fsum(fs.multiply(a, b, "binary16"))))
assert fs.ulp(0.9, "binary16") / 2 == 2**-12 and fs.ulp(1024, "binary16") / 2 == 1 / 2

# %% [markdown]
# The sums do nearly all the damage. A product below 1 is off by 2^-12 at most, and such errors have both signs and
# cancel. A sum between 1024 and 2048 is off by up to 1/2, and a product smaller than that is lost beside it.
#
# So the format of the **accumulator**, the variable that holds the sum, decides. The factors may be narrow.
#
# ## The products fit in binary32
#
# **Predict:** binary32 has 24 bits of significand, a product of two binary16 numbers has at most 22. And the
# exponents? The smallest product is 2^-24 * 2^-24, the largest about 2^32. Does binary32 hold *every* product exactly?

# %%
finite = fs.all_values("binary16")
finite = finite[np.isfinite(finite)]
left = rng.permutation(finite)[:4000, None]
right = rng.permutation(finite)[None, :1000]
products = left * right
print("all equal:", np.array_equal(products, fs.round_to(products, "binary32")), f"({products.size:,} products)")
print("smallest and largest:", 2.0**-24 * 2.0**-24, 65504.0**2, " binary32 reaches", fs.BINARY32.max_finite)

# %% [markdown]
# So with a binary32 accumulator the products cost nothing, and each sum is rounded at 24 bits, not 11. At the end the
# result is rounded to binary16, once. This is what people mean by a *mixed-precision* product.
#
# **Predict:** how wrong will the sum above be with a binary32 accumulator, before and after the last rounding?

# %%
wide = ACC.Sequential("binary32")
print("in binary32          ", percent_off(wide.dot(a, b)))
print("rounded to binary16  ", percent_off(fs.dot(a, b, "binary16", accumulator=wide)))
print("half an ulp          ", f"{100 * fs.ulp(truth, 'binary16') / 2 / truth:9.4f} %")

# %% [markdown]
# ## Two more reasons
#
# **Predict:** 4096 products of 2^-13 * 2^-13 are worth 2^-14 together, a normal number. What does binary16 make of
# them? And what of 300 * 300 - 300 * 300?

# %%
tiny = np.full(4096, 2.0**-13)
for name, accumulator in (("binary16", None), ("binary32", wide)):
    small = fs.dot(tiny, tiny, "binary16", accumulator=accumulator)
    large = fs.dot([300, -300], [300, 300], "binary16", accumulator=accumulator)
    print(f"sums in {name}:  4096 tiny products {small:<18}  300*300 - 300*300 {large}")
assert 4096 * 2.0**-26 == 2.0**-14

# %% [markdown]
# Range again: products underflow and overflow long before their sum does. 300 * 300 = 90000 is infinity in binary16,
# and infinity minus infinity is NaN.
#
# ## Which accumulator?
#
# A wider accumulator is not the only cure; the lesson [Sums](sums.ipynb) had others. Here are seven of them, with their
# price: how many operations must wait for each other. Lower is more exact, further left is sooner done.
#
# **Predict:** where will `pairwise` lie? Where `Kahan`? And `binary32`: better or worse than Kahan in binary16?

# %%
fs.plots.accumulators()
plt.show()

# %% [markdown]
# The dashed line is one rounding to binary16. The binary32 dot lies below it because it shows the sum before its last
# rounding. Pairwise is nearly as good as a binary16 result can be, and done sooner than all others. But it needs many
# partial sums at hand; hardware likes one running sum, and a wide one is cheap to build.
#
# Matrix products are dot products, so they take the same argument:

# %%
A, B = (fs.round_to(rng.normal(size=shape), "binary16") for shape in ((8, 2048), (2048, 8)))
exact = fs.matmul(A, B, "binary64", accumulator=ACC.Exact())
for accumulator in (ACC.Sequential("binary16"), ACC.Blocked("binary16", block=64), ACC.Pairwise("binary16"), wide):
    error = np.abs(fs.matmul(A, B, "binary16", accumulator=accumulator) - exact)
    print(f"{type(accumulator).__name__:10} {accumulator.fmt.name}  largest error {error.max():.4f}")

# %% [markdown]
# These sums are near 0 although their terms are not: the terms have both signs. That is the cancellation of
# [How wrong is it?](how_wrong.ipynb), and a narrow accumulator makes it visible.
#
# ## Inside a tensor core
#
# A GPU's **tensor core** multiplies small matrices of binary16 and adds into binary32. It is *not* the sequential sum
# in binary32 above. Its makers publish no rule; researchers found this one by experiment (see "Read next"). For a
# group of products and the running sum:
#
# 1. compute all the products, exactly;
# 2. find the largest exponent of the group;
# 3. shift every term to that exponent, and **cut off** what falls below a fixed number of bits;
# 4. add what is left, without error; cut the sum to 24 bits.
#
# No sticky bit, no ties: it is cheaper. Volta, the first generation, adds 4 products at a time and keeps 23 bits below
# the largest exponent.
#
# **Predict:** the running sum is 1. We add four products of 2^-24 each: 2^-22 in all, which binary32 could hold beside
# 1. What does Volta give? And if the running sum is 1/2?

# %%
volta = ACC.TensorCore("volta")
p = [2.0**-12] * 4
for start in (1.0, 0.5):
    print(f"{start} + 4 * 2^-24:  volta {volta.dot(p, p, start):.10f}   exactly {start + 4 * 2.0**-24:.10f}")

# %% [markdown]
# Beside 1, each of the four is cut off before they are added; together they would have counted. This has an odd
# consequence.
#
# **Predict:** can a sum get *smaller* when one of its terms gets *larger*? In exact arithmetic it cannot, and a sum
# that is rounded correctly never does. Let the running sum be 1 - 2^-24, the number of binary32 just below 1, and then
# 1.

# %%
below, at = volta.dot(p, p, 1 - 2.0**-24), volta.dot(p, p, 1.0)
print(f"from 1 - 2^-24: {below:.10f}    from 1: {at:.10f}    the larger start gives the smaller sum: {at < below}")

# %% [markdown]
# From just below 1, the largest exponent is one lower, and one bit more is kept of everything else. This function is
# **not monotone**. It is not wrong: nobody promised correct rounding. But a proof that relies on monotony fails.
#
# ## Cutting off has a direction
#
# Rounding to nearest errs up and down. Cutting off errs toward zero, each time. Here is our sum of 4096 positive
# products again, on four generations of hardware, which differ in the group (4, 4, 8, 16 products) and the bits kept
# (23, 24, 24, 25).
#
# **Predict:** which sign will the errors have? Will two generations give the same number?

# %%
for generation in ("volta", "turing", "ampere", "hopper"):  # <- change: sum -a * b, or normal numbers of both signs
    y = ACC.TensorCore(generation).dot(a, b)
    print(f"{generation:10} {y:15.8f} {percent_off(y)}")
print(f"sequential {wide.dot(a, b):15.8f} {percent_off(wide.dot(a, b))}   binary32, to nearest")

# %% [markdown]
# Four machines, four results, all too small. Is that bad? Each is a thousand times nearer to the truth than the
# binary16 accumulator was, and rounded to binary16 they are all the same:

# %%
for generation in ("volta", "turing", "ampere", "hopper"):
    print(f"{generation:10}", fs.dot(a, b, "binary16", accumulator=ACC.TensorCore(generation)))
print("exact     ", fs.dot(a, b, "binary16", accumulator=ACC.Exact()))
assert abs(volta.dot(a, b) - truth) < abs(fs.dot(a, b, "binary16") - truth) / 1000

# %% [markdown]
# So "bit for bit the same on the next GPU" is not to be had, and a test of such code must say how many ulp it allows,
# and why that many.
#
# ## Exercises
#
# In `exercises/dot_products.py`. `fs.add(a, b, fmt)` and `fs.multiply(a, b, fmt)` round once. As shipped:


# %%
def my_dot(a, b):
    """The dot product in binary16: every product and every partial sum rounded."""
    raise NotImplementedError


print(fs.teach.grade.dot(my_dot))

# %% [markdown]
# Compute in float64 and round at the end: is that not even better? The grader wants what was asked for.


# %%
def too_good(a, b):
    return fs.round_to(sum(x * y for x, y in zip(a, b, strict=True)), "binary16")


report = fs.teach.grade.dot(too_good)
print(report.verdict, "\nit answers like a function that", report.misconception)

# %% [markdown]
# 1. `my_dot(a, b)`: two lists of binary16 values; every product and every partial sum rounded to binary16; the first
#    sum is the first product; +0.0 for empty lists. Grade: `fs.teach.grade.dot(my_dot)`.
# 2. `my_mixed_dot(a, b)`: the same with binary32 products and sums, and one rounding to binary16 at the end. Grade:
#    `fs.teach.grade.mixed_dot(my_mixed_dot)`.
# 3. `aligned_sum(terms, bits)`: steps 2 to 4 of the tensor core, without the last cut to 24 bits: each term cut off,
#    toward zero, to a multiple of 2^(e - bits), where e is the largest exponent of the terms; then added.
#    `math.frexp(x)` gives an exponent one larger than ours.
# 4. `longest_exact(n_bits, p)`: how many products of two integers of `n_bits` bits can an accumulator with p
#    significand bits add up, so that no sum can ever be inexact? (Each product is at most (2^n_bits - 1)^2; a sum is
#    safe up to 2^p.)
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: why the accumulator is binary32.
# - M. Fasi, N. J. Higham, M. Mikaitis and S. Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer
#   Science 7:e330, 2021: how one finds out what a chip does from its results alone.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM, 2002, chapters 3 and 4.
#
# Next lesson: [Formats](formats.ipynb). If the accumulator is wide, how narrow may the factors be?
