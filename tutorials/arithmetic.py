# %% [markdown]
# # Arithmetic on paper
#
# | | |
# |---|---|
# | **Question** | How does a machine add, multiply and divide, so that the result is right to the last bit? |
# | **Time** | 30 minutes |
# | **Needs** | [Sixteen bits](sixteen_bits.ipynb), [Rounding](rounding.ipynb), [At the edges](edges.ipynb) |
# | **You will be able to** | align, add, normalise and round by hand; say why three extra bits are enough; write `add` and `multiply` |
#
# IEEE 754 promises: the result of + - * / and the square root is the exact result, rounded once. Such an operation is
# **correctly rounded**. The exact result may have hundreds of digits. This lesson is about how one gets the same answer
# with a few.

# %%
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

_ = np.seterr(all="ignore")

# %% [markdown]
# ## Align, add, round
#
# To add on paper, write the digits so that the points stand below each other. The smaller number moves to the right.
#
#     100     = 1.1001000000 * 2^6
#     0.71875 = 1.0111000000 * 2^-1     moves right by 7 places
#
# **Predict:** do it on paper. Write the exact sum in binary. Which digits fit (eleven), which are cut off, and which
# way does it go?

# %%
print(fs.explain.add(100, 0.71875, "binary16"))

# %% [markdown]
# It was a tie: binary16 has 100.6875 and 100.75, and the exact sum, 100.71875, is the middle.
#
# **Predict:** 2048 + 1 is a tie, too, and goes to 2048. What are 2048 + 1.001 and 2048 + 0.999? And 2050 + 1?

# %%
for a, b in ((2048, 1), (2048, 1.001), (2048, 0.999), (2050, 1)):  # <- change
    print(f"{a} + {b} = {fs.add(a, b, 'binary16')}")

# %% [markdown]
# When b is so small that a + b is a, b is **absorbed**. Remember it for the lesson [Sums](sums.ipynb).
#
# ## How many extra digits?
#
# After aligning, the digits of b may stick out far to the right. A machine does not want to keep them all. Suppose that
# it keeps p + extra digits and drops the rest, or keeps one note about the rest: a **sticky** bit, which is 1 if any
# dropped digit was 1. We build such a machine, with integers, for p = 5:


# %%
def round_bits(n, p):
    """The integer n rounded to p binary digits, ties to even."""
    drop = max(n.bit_length() - p, 0)
    kept, rest, half = n >> drop, n & ((1 << drop) - 1), 1 << drop >> 1
    up = rest > half or (rest == half > 0 and kept & 1)
    return (kept + up) << drop


def machine(a, b, shift, sign, extra, sticky):
    """a + sign * b / 2^shift with so many extra bits, the last of them sticky or not; rounded to 5 digits."""
    wide = b << extra
    moved = wide >> shift
    if sticky and wide & ((1 << shift) - 1):
        moved |= 1
    return Fraction(round_bits((a << extra) + sign * moved, 5), 1 << extra)


def truth(a, b, shift, sign):
    return Fraction(round_bits((a << shift) + sign * b, 5), 1 << shift)


# %% [markdown]
# `a` and `b` are integers of 5 digits, from 16 to 31. We try them all, with all shifts up to 12.
#
# **Predict:** how many extra bits does *addition* need to be always right, with sticky and without? And *subtraction*,
# where leading digits can vanish? How many are enough without sticky?

# %%
digits = range(16, 32)
tried = [(a, b, k) for a in digits for b in digits for k in range(13) if k or a > b]
print("extra bits      add wrong   subtract wrong   of", len(tried))
for sticky in (False, True):
    for extra in (0, 1, 2, 3, 5, 6):
        if extra or not sticky:
            wrong = [sum(machine(*t, s, extra, sticky) != truth(*t, s) for t in tried) for s in (1, -1)]
            print(f"{extra} {'last is sticky' if sticky else '              '} {wrong[0]:8} {wrong[1]:12}")

# %% [markdown]
# With a sticky bit, addition needs two extra bits and subtraction needs three. They have names: **guard**, **round**
# and **sticky**, the `g r s` of the explanations. Without sticky it takes p + 1 = 6 bits (54 for a float64): with
# fewer, a tie and "a tie and a little more" look the same, and they round differently. See how the sticky bit decides
# here:

# %%
why = fs.explain.add(2048, 1.0009765625, "binary16")
print(why.rounding.rule, float(why.result.value))
print(str(why).split("rounding\n")[1].split("result")[0])

# %% [markdown]
# ## Subtraction: nothing is lost between neighbours
#
# **Predict:** 1.001 is not in binary16; 1.0009765625 is. What is 1.0009765625 - 1? Is the result exact? And in general:
# when x and y are close, so that y/2 <= x <= 2y, how often is x - y inexact?

# %%
values = fs.all_values("e4m3")
positive = values[np.isfinite(values) & (values > 0)]
x, y = positive[:, None], positive[None, :]
close = (y / 2 <= x) & (x <= 2 * y)
exact = fs.subtract(x, y, "e4m3") == x - y  # numpy's float64 has digits enough for the exact difference
print(fs.subtract(1.0009765625, 1, "binary16"), " close pairs:", np.sum(close), " inexact:", np.sum(close & ~exact))
print("other pairs:", np.sum(~close), " inexact:", np.sum(~close & ~exact))

# %% [markdown]
# Never. This is **Sterbenz's lemma**: the difference of close numbers is exact. It is often said that subtracting close
# numbers is inaccurate. The lesson [How wrong is it?](how_wrong.ipynb) finds out what is really to blame.
#
# ## Multiplication
#
# Signs and exponents are easy: multiply the signs, add the exponents. The significands are multiplied as integers of 11
# bits each.
#
# **Predict:** how many bits can the product of two 11-bit integers have? (Both have their top bit set.) Is shifting
# left or right ever needed after it?

# %%
eleven = np.arange(2**10, 2**11)
products = eleven[:, None] * eleven[None, :]
lengths = np.frexp(products.astype(float))[1]
print({bits: int(np.sum(lengths == bits)) for bits in range(20, 24)})
print(str(fs.explain.multiply(1.5, 1.4443359375, "binary16")).split("rounding\n")[0].rstrip())

# %% [markdown]
# 21 or 22 bits. With 22, the result is 2 or more and the exponent goes up by one. float32 has 24 bits, so the product
# of two binary16 numbers is *exact* in float32. Good hardware makes use of it.
#
# **Predict:** the exact product of two numbers of binary16 may be as small as 2^-48. What is the product of 2^-12 and
# 2^-12? Of 2^-12 and 2^-13? Of 1.5 * 2^-12 and 2^-13?

# %%
for a, b in ((2**-12, 2**-12), (2**-12, 2**-13), (1.5 * 2**-12, 2**-13)):
    print(f"{a} * {b} = {fs.multiply(a, b, 'binary16')}")

# %% [markdown]
# A number need not be tiny for its square to vanish: 2^-13 is 0.000122. The lesson
# [Why the run died](why_the_run_died.ipynb) meets a training run that dies of that.
#
# ## Division and square roots never end
#
# 1/3 has infinitely many digits. But to round it, you need eleven digits, one more, and one piece of news: is there
# anything left? Long division gives it: the **remainder** is the sticky bit.
#
# **Predict:** divide 2^13 by 3 as integers. What are quotient and remainder? (The quotient has twelve bits.) Round it
# to eleven bits: which way?

# %%
quotient, remainder = divmod(2**13, 3)
print(f"quotient {quotient:b} ({quotient.bit_length()} bits), remainder {remainder}")
kept, last = quotient >> 1, quotient & 1
print(f"kept {kept:b}, next bit {last}, sticky {int(remainder > 0)}: round {'up' if last else 'down'}")
print("by hand ", kept * 2.0**-12, "\nmachine ", fs.divide(1, 3, "binary16"))

# %% [markdown]
# **Predict:** can a quotient of two binary16 numbers that is not exact lie exactly in the middle between two normal
# numbers? (Multiply back: if q = a/b is a midpoint, q has twelve digits, the last of them 1. How many digits would a
# = q * b have?)

# %%
p4 = [Fraction(n, 8) for n in range(8, 16)]  # all significands of 4 digits: 1, 1.125, ... 1.875
quotients = {(a / b, a, b) for a in p4 for b in p4}
midpoints = {(Fraction(2 * n + 1, 16) * s) for n in range(8, 16) for s in (Fraction(1, 2), 1)}
print("quotients that are ties:", [q for q, a, b in quotients if q in midpoints])
print("a subnormal one:", fs.explain.divide(3 * 2**-24, 2, "binary16").rounding.rule)

# %% [markdown]
# None: a would need more digits than it has. Only where the result is subnormal, and has fewer digits itself, a
# quotient can be a tie.
#
# The square root is the same idea: the largest integer whose square fits, and a remainder.
#
# **Predict:** take the square root of 2, 3, ... 10 in binary16, and square it again. How many of them come back?

# %%
n = np.arange(2.0, 11)
root = fs.sqrt(n, "binary16")
print(fs.multiply(root, root, "binary16"))

# %% [markdown]
# ## Which laws survive?
#
# Each operation is as good as it can be. The laws of algebra need more than that.
#
# **Predict:** which of these hold for all numbers of a format: a + b = b + a? (a + b) + c = a + (b + c)? (a * b) * c =
# a * (b * c)? a * (b + c) = a * b + a * c? We try all triples of a five-bit format, overflow included.

# %%
tiny = fs.Format("tiny", width=5, precision=3)
v = np.unique(fs.all_values(tiny)[np.isfinite(fs.all_values(tiny))])
a, b, c = v[:, None, None], v[None, :, None], v[None, None, :]
add, mul = (lambda s, t: fs.add(s, t, tiny)), (lambda s, t: fs.multiply(s, t, tiny))
laws = {
    "a + b = b + a": (add(a, b), add(b, a)),
    "(a + b) + c = a + (b + c)": (add(add(a, b), c), add(a, add(b, c))),
    "(a * b) * c = a * (b * c)": (mul(mul(a, b), c), mul(a, mul(b, c))),
    "a * (b + c) = a * b + a * c": (mul(a, add(b, c)), add(mul(a, b), mul(a, c))),
}
for law, (left, right) in laws.items():
    fails = (left != right) & ~(np.isnan(left) & np.isnan(right))
    print(f"{law:28} fails for {np.mean(fails):6.1%} of {fails.size:,}")

# %% [markdown]
# Only the first survives. For binary16: (2048 + 1) + 1 is 2048, and 2048 + (1 + 1) is 2050. The whole lesson
# [Sums](sums.ipynb) comes from that.
#
# This picture shows all sums of pairs of an 8-bit format: where they are exact, and how far off they are elsewhere.

# %%
fs.plots.pairs("e4m3fn", operation="add")  # <- change: "multiply", "divide", "subtract"
plt.show()

# %% [markdown]
# ## Exercises
#
# In `exercises/arithmetic.py`. The first two are integers only, and they are the heart of every floating-point
# unit. For the other two you may use `Fraction`, which is exact, and `fs.round_to(fraction)`, which rounds it once. The
# puzzle is the rest: infinities, NaN, and signs of zeros. As shipped:


# %%
def my_add(a, b):
    """a + b, correctly rounded to binary16, for all values a and b of binary16."""
    raise NotImplementedError


print(fs.teach.grade.add(my_add))

# %% [markdown]
# What if one forgets the zeros? (This one passes infinities and NaN to float64, which treats them as binary16 does.)


# %%
def forgets_zeros(a, b):
    if not (np.isfinite(a) and np.isfinite(b)):
        return a + b
    return fs.round_to(Fraction(a) + Fraction(b), "binary16")


report = fs.teach.grade.add(forgets_zeros)
print(report.verdict, "\nsimplest failure:", report.counterexample.shown, "should be", report.counterexample.expected)

# %% [markdown]
# 1. `shift_right_sticky(n, k)`: the integer n shifted right by k places; if any 1 was pushed out, the last bit of the
#    result is set to 1. n >= 0, k >= 0.
# 2. `shift_right_round(n, k)`: n / 2^k rounded to an integer, ties to even, with shifts and masks only.
# 3. `my_add(a, b)`: task "add". A sum that is exactly 0 has the sign + unless both are -0.
# 4. `my_multiply(a, b)`: task "multiply". The sign of the result is the product of the signs, also when it is 0 or
#    infinite, and also when it underflows. `math.copysign(1, a)` is the sign of a.
#
# ## Read next
#
# - P. H. Sterbenz, *Floating-Point Computation*, Prentice-Hall, 1974: the lemma.
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2018, the chapters on algorithms for the basic
#   operations.
# - D. Goldberg (1991), the section on guard digits, and the appendix on rounding and sticky bits.
#
# Next lesson: [Sums](sums.ipynb). A single rounding is harmless; a sum has thousands of them.
