# %% [markdown]
# # Rounding twice
#
# | | |
# |---|---|
# | **Question** | When may you compute in float32 and round to float16 at the end, and when is that wrong? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties, to odd), [Arithmetic on paper](arithmetic.ipynb) (the sticky bit) |
# | **You will be able to** | construct numbers that a detour through float32 gets wrong, say and prove when a detour is safe, and mend it by rounding to odd |

# %%
import math
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Arithmetic on paper](arithmetic.ipynb). At the end of this lesson you will meet it again, under another
# name.


# %%
@fs.teach.puzzle
def shift_right_sticky(n, k):
    """The integer n >= 0 shifted right by k >= 0 places; if a 1 was pushed out, the last bit of the result is 1.

    shift_right_sticky(0b10000, 3) is 0b10, and shift_right_sticky(0b10001, 3) is 0b11.
    """
    return ...


# %% [markdown]
# ## A mark at school
#
# Your average is 3.49, so your mark should be 3. But the office rounds to one decimal first, and the teacher rounds
# that to an integer, ties to even.

# %%
mark = guess("An average of 3.49 is rounded to one decimal, then to an integer, ties to even. What is the mark?")

# %%
for x in (3.49, 3.51, 3.44):  # <- change: find a number that goes wrong downward (ties go to even!)
    print(f"{x}  once: {round(x)}   first {round(x, 1)}, then {round(round(x, 1))}")
mark.compare(round(round(3.49, 1)))

# %% [markdown]
# 3.49 is below the middle. The first rounding moved it *onto* the middle. The second rounding saw a tie, and did not
# know from which side it came. This is [**double rounding**](glossary.md#double-rounding).
#
# Most machines compute with float16 by a detour: convert to float32, compute there, convert back. Two roundings! That
# only goes wrong for a number that is very near to a tie, so tests with ordinary numbers do not find it.
#
# ## The detour of a number
#
# Let us construct a float64 that goes wrong on its way through float32 to binary16. A tie of binary16 is 1 + 2^-11,
# half an ulp above 1. float32 keeps 24 digits, so it cannot see anything as small as 2^-40 beside 1.

# %%
x = 1 + 2**-11 + 2**-40
print("once         ", fs.round_to(x, "binary16"))
print("via float32  ", fs.round_to(fs.round_to(x, "binary32"), "binary16"))
print("NumPy, once  ", float(np.float64(x).astype(np.float16)))
print("NumPy, twice ", float(np.float64(x).astype(np.float32).astype(np.float16)))

# %% [markdown]
# The tail 2^-40 decides, and float32 drops it. [See where the tie is](explorer.html#number?x=1.00048828125), halfway
# between two neighbours. A puzzle: find all such numbers.


# %%
@fs.teach.puzzle
def differs_through_float32(x):
    """True if a float x becomes another number of binary16 when it is rounded to binary32 first, else False."""
    return ...


# %% [markdown]
# How often does it happen? Between two ties of binary16, float32 has 2^13 gaps. Only a number in the last half gap
# before a tie, or in the first half gap after it, is moved onto the tie. From there, half of these still go the right
# way: the tie goes to the even side, and that was their side, too.

# %%
how_often = guess(
    "Of a million random float64 numbers from 1 to 2, how many become a wrong float16 through float32?",
    choices=("none", "about 60", "about 4000", "about 120,000"),
)

# %%
rng = np.random.default_rng(5)
x = rng.uniform(1, 2, 1_000_000)
wrong = np.sum(fs.round_to(x.astype(np.float32), "binary16") != fs.round_to(x, "binary16"))
print("wrong:", wrong, "of a million;  1,000,000 / 2^14 =", round(1e6 / 2**14))
how_often.compare("about 60" if 30 < wrong < 120 else str(wrong))

# %% [markdown]
# One in 2^14, by one ulp. That is rare enough to survive a thousand tests, and common enough to reach your users.
#
# Texts make the same detour. A program reads a number from a JSON file: it makes a float64 of the text, and then what
# it wants.

# %%
read = guess("1 + 2^-11 is 1.00048828125. What does NumPy's float16 make of '1.0004882812500000000000001'?")

# %%
text = "1.0004882812500000000000001"
print("NumPy:", float(np.float16(text)), "  right:", fs.round_to(text, "binary16"))
read.compare(float(np.float16(text)))

# %% [markdown]
# The text is a little more than a tie, so it should go up. float64 dropped the last digit. `fs.round_to` reads a text
# exactly, and rounds once.
#
# ## The detour of a * b + c
#
# `fs.fma(a, b, c, fmt)` is a [**fused multiply-add**](glossary.md#fused-multiply-add): a * b + c, rounded once.
# Graphics cards compute with it. In binary16, 3 * 683 = 2049 is a tie between 2048 and 2050.

# %%
fused = guess("In binary16, what is 3 * 683 + 2^-24, rounded once, and through float32? (two numbers)")

# %%
tail = 2.0**-24
once = fs.fma(3, 683, tail, "binary16")
twice = fs.round_to(fs.fma(3, 683, tail, "binary32"), "binary16")
print("once        ", once)
print("via float32 ", twice)
print("via float64 ", fs.round_to(fs.fma(3, 683, tail, "binary64"), "binary16"))
fused.compare([once, twice])

# %% [markdown]
# 2049 + 2^-24 needs 36 digits; float32 has 24, and float64 has 53. For binary16, float64 is always enough. There are
# three cases:
#
# - 53 digits hold the sum. Then only one step rounds.
# - The sum is longer, because c lies far below the product. The last digit of c is worth 2^-24 or more. So a sum of more
#   than 53 digits is above 2^29, and infinite in both ways.
# - The sum is longer, because the product lies far below c. Then the sum is right beside c. And c is a number of
#   binary16, far from any tie: both ways give c.
#
# ([See the sum, step by step](explorer.html#arithmetic?op=fma&a=3&b=683&c=2^-24).)
#
# **Predict:** numbers of bfloat16 have 8 digits and go down to 2^-133. 9 * 29 = 261 is a tie between 260 and 262. What
# is 9 * 29 + 2^-100 in bfloat16, once and through float64?

# %%
tail = 2.0**-100
print("once        ", fs.fma(9, 29, tail, "bfloat16"))
print("via float64 ", fs.round_to(fs.fma(9, 29, tail, "binary64"), "bfloat16"))

# %% [markdown]
# ## Where the detour is safe
#
# So numbers, texts and fma are not safe. What about a single `+ - * /` or square root of two short numbers? We try all
# of them, for numbers of p = 4 digits. First we round the exact result to p' digits (say "p prime"), and then to 4.
#
# Integers stand for the digits, as in [Arithmetic on paper](arithmetic.ipynb). Quotients and roots never end, so we cut
# them off after many digits, and put a sticky bit at the end.


# %%
def rounded(n, p):
    """The integer n > 0 rounded to p binary digits, ties to even."""
    drop = max(n.bit_length() - p, 0)
    return round(Fraction(n, 2**drop)) * 2**drop


def quotient(a, b):
    whole, remainder = divmod(a << 30, b)
    return whole << 1 | (remainder > 0)


def root(a):
    whole = math.isqrt(a)
    return whole << 1 | (whole**2 != a)


digits = 4  # <- change: try 3 and 5. Where do the columns end?
short = range(2 ** (digits - 1), 2**digits)  # the integers of so many digits
pairs = [(a, b) for a in short for b in short]
results = {
    "+": [(a << shift) + b for a, b in pairs for shift in range(16)],
    "-": [abs((a << shift) - b) for a, b in pairs for shift in range(16) if a << shift != b],
    "*": [a * b for a, b in pairs],
    "/": [quotient(a, b) for a, b in pairs],
    "sqrt": [root(a << shift) for a in short for shift in (40, 41)],  # even and odd exponents
}

# %%
enough = guess("For results of 4 digits, which p' is the first that is never wrong, for + - * / and sqrt?")

# %%
print("p'  " + "  ".join(f"{name:>6}" for name in results) + "   wrong results")
safe = None
for first in range(digits + 1, 2 * digits + 4):
    counts = [sum(rounded(rounded(n, first), digits) != rounded(n, digits) for n in ns) for ns in results.values()]
    print(f"{first:2}  " + "  ".join(f"{count:6}" for count in counts))
    safe = safe or (first if not any(counts) else None)
enough.compare(safe)

# %% [markdown]
# From p' = 10 on there is not one wrong result. Square roots are the last. Figueroa proved in 1995 for each p: such a
# double rounding is [**innocuous**](glossary.md#innocuous), which means harmless, if **p' is at least 2p + 2**.
#
# ### Why
#
# Only one thing can go wrong: the exact result is *no* tie, and the first rounding makes it a tie. Here is such a case,
# with 4 digits before the bar:
#
#     exact        1.011|011111 111...
#     10 digits    1.011|100000            this looks like a tie
#
# The first rounding moves a number between 1 and 2 by at most 2^-10, half a unit in its tenth digit. So the question
# is: **how near can an exact result come to a tie without being one?** Let the result be between 1 and 2; all else is
# the same with another exponent. A tie m has five digits and is M / 16, with M odd.
#
# **a * b** has at most 8 digits. 10 hold them all: the first rounding does nothing.
#
# **a + b and a - b**, where b is the smaller one. If 10 digits hold the result, the first rounding does nothing. If
# not, b reaches beyond the tenth digit. It has four digits only, so it starts far to the right:
#
#     a            1.011|
#     b            0.000|0001101           less than 2^-6
#     next ties    1.010|1   and   1.011|1
#
# a is a multiple of 2^-3, and the ties are the odd multiples of 2^-4. So they are at least 2^-4 away from a. The result
# is much nearer to a than to any tie, and becomes a in both ways.
#
# **a / b.** Take the digits of a and b as integers below 16; if a is less than b, double a, so that the result is
# between 1 and 2. Then a / b - m = (16 a - M b) / (16 b). The upper part is an integer. It is not 0, because a / b is
# no tie, so it is **at least 1**. The lower part is less than 256. So a / b is more than 2^-8 away from every tie: too
# far for a step of 2^-10.
#
# **sqrt(a)**, with a from 1 to 4. a is a multiple of 1/8, and m * m is M * M / 256. So a - m * m is an integer divided
# by 256. That integer is not 0, because M * M is odd. So a - m * m is at least 1/256. Now
#
#     sqrt(a) - m = (a - m * m) / (sqrt(a) + m),   and sqrt(a) + m is less than 4.
#
# So sqrt(a) is **more than 2^-10** away from every tie, and the step is at most 2^-10. It is just not enough. With p
# for 4 and p' for 10, the same lines say: more than 2^-(2p + 2) away, and a step of at most 2^-p'. That is the theorem.
#
# ### What it means
#
# binary16 has 11 digits, and float32 has 24.

# %%
spare = guess("How many digits more has float32 than the theorem asks for binary16?")

# %%
for narrow, wide in (("binary16", "binary32"), ("bfloat16", "binary32"), ("binary32", "binary64")):
    asked = 2 * fs.get_format(narrow).precision + 2
    has = fs.get_format(wide).precision
    print(f"{narrow} in {wide}: {has} digits, 2p + 2 = {asked}, to spare {has - asked}")
spare.compare(fs.BINARY32.precision - (2 * fs.BINARY16.precision + 2))

# %% [markdown]
# None: float32 is just wide enough. A single operation on float16 numbers may be done in float32. A quarter of a
# million quotients agree:

# %%
values = fs.all_values("binary16")
a, b = rng.choice(values[np.isfinite(values) & (values != 0)], (2, 250_000))
with np.errstate(over="ignore"):  # some quotients overflow
    once = fs.divide(a, b, "binary16")
    twice = fs.round_to(a.astype(np.float32) / b.astype(np.float32), "binary16")
print("wrong:", np.sum(once != twice), "of", f"{len(a):,}")

# %% [markdown]
# Mind what the theorem does *not* say. It is about **one** operation, on numbers that have p digits themselves, rounded
# to nearest. A sum of three terms is two operations. And for other modes it says nothing:
#
# **Predict:** 1 + 2^-24, rounded toward positive in binary16, is the number after 1. What if the sum is first taken in
# float32, where hardware rounds to nearest?

# %%
print("once        ", fs.add(1, 2**-24, "binary16", "toward_positive"))
print("via float32 ", fs.round_to(np.float32(1) + np.float32(2**-24), "binary16", "toward_positive"))

# %% [markdown]
# ## The cure: round to odd
#
# What goes wrong is that the first rounding *makes* a tie. There is a mode that never does, **to odd**: if the number
# exists, take it; if not, take the neighbour whose last bit is 1. A puzzle: do it for integers.


# %%
@fs.teach.puzzle
def to_odd_integer(x):
    """A float x >= 0 rounded to an integer, to odd: to_odd_integer(4.0) is 4, to_odd_integer(4.1) is 5."""
    return ...


# %% [markdown]
# These are the stairs of a format with four bits. The numbers whose last bit is 0 (0, 1, 2, 4) are reached by
# themselves alone.

# %%
fs.plots.staircase("e2m1fn", "to_odd")
plt.show()

# %% [markdown]
# A tie of binary16, written with the 24 digits of float32, ends in zeros. A number that was rounded to odd, and was not
# exact, ends in 1. So it cannot look like a tie.

# %%
cured = guess("If the detour through float32 rounds to odd, is any of the million still wrong? (yes or no)")

# %%
x = rng.uniform(1, 2, 1_000_000)
middle = fs.round_to(x, "binary32", "to_odd")
wrong = np.sum(fs.round_to(middle, "binary16") != fs.round_to(x, "binary16"))
print("wrong:", wrong)
cured.compare(bool(wrong > 0))

# %% [markdown]
# How many digits more than p does this detour need? We count again, with the first rounding to odd:


# %%
def rounded_to_odd(n, p):
    drop = max(n.bit_length() - p, 0)
    kept = n >> drop
    return (kept if kept << drop == n else kept | 1) << drop


print("p'  " + "  ".join(f"{name:>6}" for name in results) + "   wrong results")
for first in range(digits + 1, digits + 4):
    odd = [[(rounded_to_odd(n, first), n) for n in ns] for ns in results.values()]
    counts = [sum(rounded(middle, digits) != rounded(n, digits) for middle, n in pairs) for pairs in odd]
    print(f"{first:2}  " + "  ".join(f"{count:6}" for count in counts))

# %% [markdown]
# Two digits more are enough, for *every* operation, fma and texts included (Boldo and Melquiond, 2008). You know it
# already: the odd last bit is the **sticky** bit, and `shift_right_sticky` was rounding to odd. The library itself is
# built like this: an operation is exact, or rounded to odd in a wider format, and then rounded once.
#
# ## In short
#
# - Rounding twice goes wrong when the first rounding moves a number, which is no tie, onto a tie. It is off by one ulp,
#   in about one of 2^14 numbers on the way from float64 over float32 to binary16.
# - Numbers, texts and fma are not safe. A single `+ - * /` or square root of numbers with p digits is safe through a
#   format with at least 2p + 2 digits: float16 through float32, float32 through float64.
# - The reason is an integer that is not 0, and so at least 1: exact results keep a distance from ties.
# - Rounding **to odd** first is always safe, with two digits more: its last bit says whether there is anything else.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/rounding_twice.py`; you can also work right here. `Fraction("1.25e-3")` and
# `Fraction(0.5)` are exact, and `fs.round_to(fraction)` rounds to binary16, once.


# %%
def my_fma(a, b, c):
    """a * b + c, rounded once to binary16, for all values of binary16."""
    raise NotImplementedError


fs.teach.check(my_fma)  # fs.teach.hint() helps

# %% [markdown]
# 1. `my_fma(a, b, c)`: with `Fraction`, or with Python's floats and the three cases above as a reason. For infinities
#    and NaN, and where the result is exactly 0, Python's own `a * b + c` is right, with its signs. (Try
#    `fs.round_to(np.float32(a) * np.float32(b) + np.float32(c))` first: the grader knows that mistake.)
# 2. `my_parse(text)`: the number of a decimal text, rounded once to binary16. `"inf"`, `"-inf"`, `"nan"` and `"-0"`
#    need care. Use `Fraction(text)`; `fs.round_to(text)` reads texts itself, and would leave you nothing to do.
# 3. A hard one, if you like: `to_odd_float32(x)`, the float x rounded to odd in float32. `y = np.float32(x)` is one of
#    the two neighbours of x. If it is not x, and its last bit is 0, then the answer is the neighbour on the other side
#    of x. The last bit is that of the code, `y.view(np.uint32)`. `np.nextafter(y, np.float32(z))` goes one step from y
#    toward z. No finite x becomes infinite. A trap: compare `float(y) == x`, because `y == x` would round x to float32
#    first.
#
# ## Read next
#
# - S. A. Figueroa, "When is double rounding innocuous?", ACM SIGNUM Newsletter 30 (1995): the theorem, in a few pages.
# - S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd",
#   IEEE Transactions on Computers 57 (2008): why to odd is always right.
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd edition, 2018, the section on double roundings:
#   what it did to processors that computed with 80 bits.
#
# Next lesson: [How wrong is it?](how_wrong.ipynb) A single rounding is harmless. When are many of them not?
