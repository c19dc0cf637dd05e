# %% [markdown]
# # How wrong is it?
#
# | | |
# |---|---|
# | **Question** | Every single operation is right to half an ulp. How can a result be wrong in every digit? |
# | **Time** | 30 minutes |
# | **Needs** | [Rounding](rounding.ipynb), [At the edges](edges.ipynb), [Arithmetic on paper](arithmetic.ipynb), and derivatives from school |
# | **You will be able to** | measure errors in three ways, tell a hard problem from a bad formula, rewrite formulas that cancel, and retell three disasters |

# %%
import math
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

_ = np.seterr(all="ignore")

# %% [markdown]
# ## Three rulers
#
# A computed y and the exact Y differ. The **absolute error** is |y - Y|. The **relative error** is |y - Y| / |Y|. The
# error **in ulp** is |y - Y| divided by the ulp at Y.
#
# **Predict:** rounding to nearest is off by at most half an ulp. How large can the *relative* error of rounding to
# binary16 be, for normal numbers? Just above a power of two, or just below one?

# %%
for x in (Fraction(2049, 2048), Fraction(4095, 2048), Fraction(1, 10)):
    y = Fraction(fs.round_to(x, "binary16"))
    off = abs(y - x)
    ulps = off / Fraction(fs.ulp(x, "binary16"))
    print(f"{float(x):.6f}  off by {float(off):.2e}, relative {float(off / x):.2e}, in ulp {float(ulps):.2f}")

# %% [markdown]
# The worst case is a tie just above a power of two: half an ulp of 1, which is 2^-11. It is called the **unit
# roundoff** u of the format. So the one fact that error analysis needs is
#
#     rounded(a op b) = (a op b) * (1 + d),   |d| <= u
#
# for + - * / and square roots, as long as nothing overflows or becomes subnormal. Let us try to break it:

# %%
rng = np.random.default_rng(6)
a, b = fs.round_to(rng.uniform(1, 100, (2, 100_000)), "binary16")
worst = np.max(np.abs(fs.multiply(a, b, "binary16") / (a * b) - 1))  # a * b in float64 is exact
print("largest |d|", worst, "  u", float(fs.BINARY16.unit_roundoff))

# %% [markdown]
# ## Hard problems
#
# **Predict:** you know x only up to one ulp. How much does that change sqrt(x), exp(x), log(x)? Which of these answers
# becomes less certain than x was: sqrt(10), exp(10), log(1.01)?

# %%
for name, f, x in (("sqrt", np.sqrt, 10), ("exp", np.exp, 10), ("log", np.log, 1.01)):
    x = float(fs.round_to(x, "binary16"))
    beside = float(fs.next_up(x, "binary16"))
    factor = (f(beside) / f(x) - 1) / (beside / x - 1)
    print(f"{name}({x:.4g}): relative change of the result / relative change of x = {factor:.2f}")

# %% [markdown]
# That factor is the **condition number** of the problem, |x f'(x) / f(x)|: 1/2 for the square root, x for exp, 1 /
# log x for log. It has nothing to do with computers. If it is 100, then an error of u in x is an error of 100 u in
# the result, even if everything is computed exactly. To have a *good* algorithm is to add little to that.
#
# ## Cancellation
#
# (1 - cos x) / x^2 tends to 1/2 as x goes to 0.
#
# **Predict:** what does binary16 find at x = 0.02, with every step rounded? (cos 0.02 = 0.9998; the number below 1 is
# 0.99951.) And at x = 0.03?

# %%
for x in (0.3, 0.03, 0.02):  # <- change
    x = float(fs.round_to(x, "binary16"))
    with fs.record_flags(only=["inexact"]) as cosine:
        c = fs.cos(x, "binary16")
    with fs.record_flags(only=["inexact"]) as difference:
        d = fs.subtract(1, c, "binary16")
    y = fs.divide(d, fs.multiply(x, x, "binary16"), "binary16")
    print(f"x = {x:.4f}: result {y:.4f};  inexact: cos {bool(cosine.inexact)}, subtraction {bool(difference.inexact)}")

# %% [markdown]
# Look at the flags. The subtraction is *exact*, as Sterbenz promised. The cosine was rounded, by less than half an
# ulp. The subtraction takes away the leading digits, which were right, and leaves the last ones, which were not.
# **Cancellation does not make errors. It uncovers them.**
#
# The problem itself is easy: the true function hardly changes near 0. So the formula is to blame, and another will
# do: 1 - cos x = 2 sin^2(x/2).
#
# **Predict:** draw both formulas from x = 0.01 to 2, as you expect them to look in binary16.

# %%
fs.plots.one_minus_cos("binary16")
plt.show()

# %% [markdown]
# **Predict:** the roots of x^2 - b x + 1 = 0 are (b + s) / 2 and (b - s) / 2, where s = sqrt(b^2 - 4). Their product
# is 1. For b = 60 and b = 100 in binary16: which root comes out badly, and what would you do instead?

# %%
for b in (60.0, 100.0):
    held = fs.array(b, "binary16")
    s = np.sqrt(held * held - 4)
    large, small = (held + s) / 2, (held - s) / 2
    exact = 2 / (b + math.sqrt(b * b - 4))
    found = [float(root.values) for root in (large, small, 1 / large)]
    print(f"b = {b:3.0f}  large {found[0]:.4f}  small {found[1]:.5f}  1/large {found[2]:.5f}  exact {exact:.5f}")

# %% [markdown]
# For b = 100 the root is 0, wrong in every digit. Where signs are the same nothing cancels, so compute the large
# root, and get the other one from the product.
#
# ## The V
#
# A derivative is the limit of (f(x + h) - f(x)) / h. A small h makes the formula better, and the subtraction worse.
#
# **Predict:** for f(x) = 1/x at 3, in binary16 (u = 2^-11): which power of two is the best h? How many digits are
# left at best? (The two errors are about h / 3 and 3 u / h.)

# %%
fs.plots.derivative()
plt.show()

# %% [markdown]
# The two errors are equal at h = 3 sqrt(u), 2^-4 for binary16, and about half of the digits are gone. That is why
# The lesson [Backpropagation](backpropagation.ipynb) computes derivatives without differences.
#
# ## Agreement is no proof
#
# A common test: compute it in two precisions. If the results agree, they must be right.
#
# **Predict:** Rump found a polynomial in a and b, which one evaluates at a = 77617, b = 33096. With 24, 53 and 113 bits
# (float32, float64, float128) it gives 1.1726 each time. What is the true value?

# %%
found = fs.demos.rump()
for bits in (24, 53, 113):
    print(f"{bits:3} bits: {found.values[list(found.precisions).index(bits)]:.6f}")
print(f"exact   : {found.exact:.6f}")

# %%
fs.plots.rump()
plt.show()

# %% [markdown]
# Not even the sign was right. The terms are so large that they cancel to something *exactly* 0 in all these
# precisions, and what is left is a/(2b). Precision is no substitute for knowing the condition.
#
# ## Three disasters
#
# **The Patriot, 1991.** A missile defence system counted time in tenths of a second and multiplied by 0.1, cut off
# after 23 binary digits.
#
# **Predict:** by how much is that 0.1 too small? How far off is the clock after 100 hours? How far does a missile fly
# in that time, at 1700 m/s?

# %%
tenth = Fraction(2**23 // 10, 2**23)  # 0.1, cut off
error = Fraction(1, 10) - tenth
late = float(error * 100 * 3600 * 10)
print(f"0.1 - stored = {float(error):.3e}   after 100 h: {late:.4f} s   at 1700 m/s: {late * 1700:.0f} m")

# %% [markdown]
# The system looked for the missile in the wrong place, and 28 people died in Dhahran. The error alone would have been
# harmless, had *all* parts used the same clock: some had been changed to a better 0.1, and the difference of two
# times no longer cancelled the error.
#
# **Ariane 5, 1996.** A velocity in a 64-bit float was converted to a 16-bit integer. On Ariane 4 it had always fitted.
#
# **Predict:** what is the largest 16-bit signed integer? What are the low 16 bits of 40000, read with a sign? And
# what would binary16 have done?

# %%
value = 40000.0
print("largest int16", 2**15 - 1, "  low 16 bits:", (int(value) + 2**15) % 2**16 - 2**15)
print("binary16:", fs.round_to(value, "binary16"), " and of 70000:", fs.round_to(70000, "binary16"))

# %% [markdown]
# Integers wrap or trap; floats round or become infinite. Here it trapped, no one caught it, and the rocket lost its
# guidance 37 seconds after the start.
#
# **Vancouver, 1982.** A stock index started at 1000.000. Thousands of times a day it was updated by a tiny change,
# and each time *cut off* to three decimals. After 22 months it stood near 524, and should have been near 1099.
#
# **Predict:** simulate a month of 20 days with 2800 changes, up and down alike. Cutting off loses how much on average
# each time? How many points in a month?

# %%
changes = rng.integers(-5000, 5001, 20 * 2800)  # in millionths of a point
cut = nearest = true = 1000 * 10**6
for change in changes.tolist():
    true += change
    cut = (cut + change) // 1000 * 1000
    nearest = round(Fraction(nearest + change, 1000)) * 1000
print(f"exact {true / 1e6:.3f}   rounded to nearest {nearest / 1e6:.3f}   cut off {cut / 1e6:.3f}")

# %% [markdown]
# Half a thousandth, 56,000 times, is 28 points. Errors to nearest go both ways and almost cancel. Errors of cutting
# off add up. It is the same story as in [Rounding](rounding.ipynb), with money.
#
# ## Exercises
#
# In `exercises/how_wrong.py`. As shipped:


# %%
def ulps_apart(a, b):
    """How many steps of next_up lead from one to the other of two finite numbers of binary16."""
    raise NotImplementedError


print(fs.teach.grade.cases(ulps_apart, [((1.0, 1.0009765625), 1), ((-0.0, 0.0), 0)]))

# %% [markdown]
# 1. `ulps_apart(a, b)`: a ruler that works without knowing which is right. Codes count the positive numbers (see
#    [Sixteen bits](sixteen_bits.ipynb)). What about negative ones, and the two zeros, which count as one place?
# 2. `small_root(b)`: the root of x^2 - b x + 1 = 0 that is smaller in magnitude, in Python floats, for |b| >= 2, b of
#    either sign. And b * b may overflow: rewrite s = sqrt(b^2 - 4) as well.
# 3. `versine_ratio(x)`: (1 - cos x) / x^2, right also for tiny x, with the limit 1/2 at x = 0. Compute in Python floats,
#    and round to binary16 at the end.
#
# ## Read next
#
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM, 2002: chapter 1 is the best
#   introduction that there is; chapter 2 is on the model with (1 + d).
# - D. Goldberg (1991), the sections on relative error and ulps, and on cancellation.
# - E. Loh and G. W. Walster, "Rump's example revisited", Reliable Computing 8 (2002).
# - U.S. General Accounting Office, *Patriot Missile Defense: Software Problem Led to System Failure at Dhahran*,
#   GAO/IMTEC-92-26, 1992; J. L. Lions, *Ariane 5 Flight 501 Failure*, report of the inquiry board, 1996.
#
# Next lesson: [Dot products](dot_products.ipynb), and the accumulators inside graphics cards.
