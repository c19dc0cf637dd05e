# %% [markdown]
# # Arithmetic on paper
#
# | | |
# |---|---|
# | **Question** | How does a machine add, multiply and divide, so that the result is right to the last bit? |
# | **Time** | 45 minutes |
# | **Needs** | [Sixteen bits](sixteen_bits.ipynb) (digits, exponents), [Rounding](rounding.ipynb) (ties), [At the edges](edges.ipynb) (infinity, NaN, -0) |
# | **You will be able to** | add, multiply and divide in binary by hand, say how few extra bits are enough, and write `add` and `multiply` |

# %%
from fractions import Fraction

import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Rounding](rounding.ipynb). You will need it today.


# %%
@fs.teach.puzzle
def nearest_even_integer(x):
    """A float x from 2048 up to 4096, rounded to binary16, ties to even. nearest_even_integer(2051.5) is 2052.0."""
    return ...


# %% [markdown]
# ## A promise
#
# IEEE 754 promises: the result of `+ - * /` and of the square root is the exact result, rounded once. We say that such
# an operation is [**correctly rounded**](glossary.md#correctly-rounded). The exact result may have dozens of digits, or
# infinitely many. How can a small circuit get it right? That is the subject of this lesson.
#
# ## Addition: align, add, round
#
# A game stores positions in binary16, in metres. A player stands 2048 m from the start, and makes a step of about one
# metre. `fs.add(a, b, fmt)` adds two numbers in a format, and rounds the sum once.

# %%
steps = guess("In binary16, what are 2048 + 0.999, 2048 + 1 and 2048 + 1.001? (three numbers)")

# %%
for step in (0.999, 1, 1.001):  # <- change: try 3, 2.999, 1.0001
    print(f"2048 + {step} = {fs.add(2048, step, 'binary16')}")
steps.compare(fs.add(2048, [0.999, 1, 1.001], "binary16"))

# %% [markdown]
# A step of one metre does not move the player at all: the step is [**absorbed**](glossary.md#absorption). A step that
# is one millimetre longer moves her by two metres. In games with a large world, things far from the start tremble for
# that reason.
#
# On paper it goes like this. Write both numbers so that the points stand below each other. The smaller one moves to the
# right, here by 11 places:
#
#     2048    1.0000000000             * 2^11
#     1.001   0.00000000001 0000000001 * 2^11      1.001 is 1.0000000001 in binary16
#     sum     1.00000000001 0000000001 * 2^11
#
# Eleven digits fit. The first digit that does not fit is 1: it is worth half an ulp. Behind it there is another 1, far
# to the right. So the sum is a little more than a tie, and goes up. Without that last digit it goes to the even
# neighbour, which is down.
#
# The explorer shows the same steps. Change 1.001 to 1 there, and look at the bits after the bar:

# %%
fs.page.show("arithmetic?op=add&a=2048&b=1.001", height=700)

# %% [markdown]
# ## Is there anything else?
#
# One tiny digit decided. Must a machine keep all digits, however far to the right they are?
#
# Take three decimal digits. 100.5 is a tie, and goes to 100. But 100.5001 goes to 101. A machine that keeps one digit
# more sees 100.5 both times, and cannot know. It needs no more *digits*, it needs an answer to one question: **is there
# anything else?** One bit holds the answer. It is called [**sticky**](glossary.md#sticky): it is 1 if any digit that
# was pushed out was 1.


# %%
@fs.teach.puzzle
def shift_right_sticky(n, k):
    """The integer n >= 0 shifted right by k >= 0 places; if a 1 was pushed out, the last bit of the result is 1.

    shift_right_sticky(0b10000, 3) is 0b10, and shift_right_sticky(0b10001, 3) is 0b11.
    """
    return ...


# %% [markdown]
# How many extra bits does a machine need, if the last of them is sticky? Let us build such a machine with five digits
# and try all cases. Integers a and b from 16 to 31 stand for the digits, and b is moved right by `shift` places, from 0
# to 8. `machine` keeps `extra` bits of what sticks out; `truth` keeps all.


# %%
def rounded(n, p):
    """The integer n > 0 rounded to p binary digits, ties to even."""
    drop = max(n.bit_length() - p, 0)
    return round(Fraction(n, 2**drop)) * 2**drop


def machine(a, b, shift, sign, extra, sticky):
    """a + b / 2^shift, or a minus that, with so many extra bits."""
    wide = b << extra
    moved = wide >> shift
    if sticky and moved << shift != wide:  # something was pushed out
        moved |= 1
    return Fraction(rounded((a << extra) + sign * moved, 5), 2**extra)


def truth(a, b, shift, sign):
    return Fraction(rounded((a << shift) + sign * b, 5), 2**shift)


# %% [markdown]
# Think of 1.0000 - 0.00001111: a subtraction can lose its *leading* digit, and then everything moves left by one.

# %%
extra_bits = guess("With a sticky bit, how many extra bits do addition and subtraction need? (two numbers)")

# %%
digits = range(16, 32)
cases = [(a, b, shift) for a in digits for b in digits for shift in range(9) if shift or a > b]
sums, differences = ([truth(*case, sign) for case in cases] for sign in (1, -1))


def wrong(sign, right, extra, sticky):
    return sum(machine(*case, sign, extra, sticky) != true for case, true in zip(cases, right, strict=True))


print(f"of {len(cases):,} cases are wrong:          sums  differences")
fewest = {}
for sticky, kind, most in ((False, "no sticky bit", 6), (True, "the last is sticky", 3)):
    for extra in range(most, 0, -1):
        counts = [wrong(sign, right, extra, sticky) for sign, right in ((1, sums), (-1, differences))]
        print(f"{extra} extra, {kind:20} {counts[0]:9} {counts[1]:12}")
        fewest |= {sign: extra for sign, count in zip("+-", counts, strict=True) if count == 0}
extra_bits.compare([fewest["+"], fewest["-"]])  # of the last table, with a sticky bit

# %% [markdown]
# Two extra bits for addition, three for subtraction. They have names:
# [**guard, round and sticky**](glossary.md#guard-round-and-sticky), `g r s` in the explanations. Without sticky it
# takes six bits, one more than there are digits; a float64 would need 54.
#
# **Why three?** If b moves right by one place or not at all, then at most one digit sticks out, and the guard bit holds
# it: nothing is lost. If b moves by two places or more, then b is less than half of a. The difference is more than half
# of a, so at most *one* leading digit vanishes. Then everything moves left by one place: the guard bit becomes the last
# digit that is kept, the round bit is the first that is cut off, and sticky says whether there is anything else.
#
# ## Multiplication
#
# Signs and exponents are easy: multiply the signs, add the exponents. The digits are multiplied as integers of 11 bits.

# %%
longest = guess("How many bits has the product of two 11-bit integers at most?")

# %%
eleven = np.arange(2**10, 2**11)
lengths = np.frexp((eleven[:, None] * eleven).astype(float))[1]  # the number of bits of each product
for bits in np.unique(lengths):
    print(f"{np.sum(lengths == bits):9,} products have {bits} bits")
longest.compare(lengths.max())

# %% [markdown]
# 21 or 22 bits. float32 has 24, so it holds the product of two numbers of binary16 *exactly*, and so do you on paper.
# Then the product is rounded to 11 bits.
# [See 1.5 * 1.001 in the explorer](explorer.html#arithmetic?op=multiply&a=1.5&b=1.001).
#
# Exponents are added, so a product of small numbers is very small. A photo holds brightness from 0 to 1 in binary16. A
# dark pixel, 2^-12, goes through a dark filter, 2^-13. The smallest positive number of binary16 is 2^-24.

# %%
dark = guess("In binary16, what are 2^-12 * 2^-13 and 1.5 * 2^-12 * 2^-13? (two numbers)")

# %%
for pixel in (2**-12, 1.5 * 2**-12):
    print(f"{pixel:.6f} * {2**-13:.6f} = {fs.multiply(pixel, 2**-13, 'binary16')}")
dark.compare(fs.multiply([2**-12, 1.5 * 2**-12], 2**-13, "binary16"))

# %% [markdown]
# 2^-25 is the middle between 0 and 2^-24: a tie, and 0 is even. The factors are not tiny: 2^-12 is 0.00024. In networks
# gradients are squared, and they vanish in this way. A puzzle:


# %%
@fs.teach.puzzle
def product_vanishes(a, b):
    """True if the product of two positive numbers of binary16 is rounded to 0, else False."""
    return ...


# %% [markdown]
# ## Division: the remainder is the sticky bit
#
# Three friends share one cake. 1/3 has infinitely many digits. But to round it you need eleven digits, one more, and
# the answer to "is there anything else?". Long division gives all of it. 2^13 / 3 is 2730 and a bit; 2730 has twelve
# binary digits.
#
#     2^13 = 2730 * 3 + 2          2730 = 10101010101|0
#
# **Predict:** round these twelve digits to eleven. Is there anything else?

# %%
third = guess("In binary16, is the rounded 1/3 more or less than 1/3?", choices=("more", "less"))

# %%
quotient, remainder = divmod(2**13, 3)
print(f"quotient {quotient:b}, remainder {remainder}")
print(f"kept {quotient >> 1:b}, next bit {quotient & 1}, sticky {int(remainder > 0)}")
print("by hand ", (quotient >> 1) * 2.0**-12)
print("machine ", fs.divide(1, 3, "binary16"))
third.compare("more" if fs.divide(1, 3, "binary16") > 1 / 3 else "less")

# %% [markdown]
# The next bit is 0, so 1/3 goes down, whatever else there is. Only when the next bit is 1 does the remainder matter.
# Square roots work in the same way: the largest integer whose square fits, and what is left.
#
# Now put the three pieces of cake together again. Three times the rounded 1/3 is 0.999755859375. Just below 1, the
# numbers of binary16 are 2^-11 apart.

# %%
cake = guess("In binary16, is (1/3) * 3 equal to 1? (yes or no)")

# %%
back = {n: float(fs.multiply(fs.divide(1, n, "binary16"), n, "binary16")) for n in range(1, 51)}
print("(1/3) * 3 =", back[3])
print("(1/n) * n is not 1 for n =", [n for n in back if back[n] != 1])  # <- change 51 above to 201
cake.compare(back[3] == 1)

# %% [markdown]
# 0.999755859375 is a tie between 1 - 2^-11 and 1, and goes to the even one, which is 1. The cake is whole by luck.
# Eleven friends are less lucky: each single operation is as good as it can be, and two of them together are not.
#
# ## Which laws survive?
#
# Algebra has laws. Do they hold when every result is rounded? We try all triples a, b, c of a small format.
# `fs.Format(name, width=..., precision=...)` makes a format of your own: this one has five bits, three digits, and 23
# finite numbers, from -3.5 to 3.5.

# %%
law = guess(
    "Which law holds for all numbers of a format?",
    choices=("a + b = b + a", "(a + b) + c = a + (b + c)", "(a * b) * c = a * (b * c)", "a * (b + c) = a * b + a * c"),
)

# %%
tiny = fs.Format("tiny", width=5, precision=3)
values = np.unique(fs.all_values(tiny)[np.isfinite(fs.all_values(tiny))])
a, b, c = values[:, None, None], values[None, :, None], values[None, None, :]


def add(x, y):
    return fs.add(x, y, tiny)


def multiply(x, y):
    return fs.multiply(x, y, tiny)


with np.errstate(all="ignore"):  # some sums are infinite; without this line NumPy would warn
    laws = {
        "a + b = b + a": (add(a, b), add(b, a)),
        "(a + b) + c = a + (b + c)": (add(add(a, b), c), add(a, add(b, c))),
        "(a * b) * c = a * (b * c)": (multiply(multiply(a, b), c), multiply(a, multiply(b, c))),
        "a * (b + c) = a * b + a * c": (multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c))),
    }
survivor = ""
for name, (left, right) in laws.items():
    fails = (left != right) & ~(np.isnan(left) & np.isnan(right))
    print(f"{name:28} fails for {fails.mean():6.1%} of {fails.size:,}")
    survivor = survivor if fails.any() else name
law.compare(survivor)

# %% [markdown]
# Only the first one. (It has two numbers only, so there are fewer cases.) In binary16, `(2048 + 1) + 1` is 2048, and
# `2048 + (1 + 1)` is 2050: so a spreadsheet may change its total when you sort its rows. The lesson [Sums](sums.ipynb)
# is about that.
#
# ## In short
#
# - `+ - * /` and the square root are [correctly rounded](glossary.md#correctly-rounded): the exact result, rounded
#   once.
# - To add: move the smaller number to the right until the points agree, add, round. What is less than half an ulp of
#   the larger number is [absorbed](glossary.md#absorption).
# - A machine does not need all digits. Guard, round and [sticky](glossary.md#sticky) are enough: three extra bits, of
#   which the last one says whether there is anything else.
# - The product of two 11-bit numbers has 21 or 22 bits, and float32 holds it. A product of at most 2^-25 is rounded to
#   0.
# - A quotient is rounded with its digits and one question: is there a remainder?
# - Of the laws of algebra, a + b = b + a survives. The order of three numbers matters.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/arithmetic.py`; you can also work right here. In the last two you may use `Fraction`:
# `Fraction(x)` is the exact value of a finite float, `+` and `*` of fractions never round, and `fs.round_to(fraction)`
# rounds to binary16, once. What is left for you are infinities, NaN, and the signs of zeros. (`fs.round_to(a + b)`
# would pass, too: Python's floats have 53 digits, so that they hold every sum of two numbers of binary16. With
# fractions yours is right in any precision.)


# %%
def my_add(a, b):
    """a + b, correctly rounded to binary16, for all values a and b of binary16."""
    raise NotImplementedError


fs.teach.check(my_add)  # fs.teach.hint() helps

# %% [markdown]
# 1. `shift_right_round(n, k)`: n / 2^k rounded to an integer, ties to even, with integers only: shifts, masks (`&`),
#    comparisons. It is the heart of every floating-point unit. n >= 0 and k >= 0.
# 2. `my_add(a, b)`. A sum that is exactly 0 is +0, except that -0 + -0 is -0. `math.copysign(1, a)` is the sign of a,
#    also of a zero. For infinities and NaN, Python's own `a + b` does what binary16 does.
# 3. `my_multiply(a, b)`. The sign of the result is the product of the signs, also when it is 0 or infinite, and also
#    when the product is so small that it becomes 0.
#
# ## Read next
#
# - D. Goldberg, "What every computer scientist should know about floating-point arithmetic" (1991), the section on
#   guard digits: what went wrong on machines without them.
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd edition, 2018, the chapters on algorithms for the
#   basic operations: how circuits do it.
#
# Next lesson: [Sums](sums.ipynb). A single rounding is harmless; a sum has thousands of them.
