# %% [markdown]
# # Sixteen bits
#
# | | |
# |---|---|
# | **Question** | Which numbers can sixteen bits hold, and how do the bits spell them? |
# | **Time** | 45 minutes |
# | **Needs** | Python, a little NumPy, powers of two |
# | **You will be able to** | decode any 16-bit float by hand, say how many numbers lie between two others and how far apart they are, and write the decoder |

# %%
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## How a lesson works
#
# Run the cells in order. Now and then a cell asks for your **guess** before the next one shows the result. Type what
# you expect, and how sure you are. A wrong guess of your own teaches more than a right answer that you only read.
# (Enter skips it. Guesses stay on your machine, in `guesses.json`.)
#
# Lines marked `<- change` are there for you to change and to run again. Words with a link are in the
# [glossary](glossary.md). `fs` is the library of this course: it computes as 16-bit hardware does.
#
# ## Three fields
#
# At school you write a large number as 6.02 * 10^23: a sign (here plus), digits, and a power of ten. A float is the
# same in base two. 12.5 is 1100.1 in base two, and that is 1.1001 * 2^3.
#
# The 16-bit format of the standard IEEE 754 is called **binary16**; NumPy says `float16`. Its bits are three fields:
#
#     s eeeee tttttttttt
#     1   5       10       bits
#
# - `s` is the **sign**: 0 is plus, 1 is minus.
# - `E` is the [**biased exponent**](glossary.md#biased-exponent): five bits that say which power of two.
# - `T` is the [**trailing significand**](glossary.md#trailing-significand): ten bits, the digits after the point.
#
# All sixteen bits, read as one integer, are the [**code**](glossary.md#code) of the number. We write codes in
# hexadecimal, where each digit stands for four bits: 0x3C00 is 0011 1100 0000 0000.
#
# Here is a **puzzle**: fill in the dots, and run the cell. It is graded at once, on all codes. `code >> n` throws away
# the last n bits; `code & 0b111` keeps the last three. If you are stuck, run `fs.teach.hint()` in a cell of its own.
# (In a terminal: fill the dots in with an editor, in `sixteen_bits.py`. Then run
# `fp16sim grade sixteen_bits.py:sign_of`; with `--hint` it helps.)


# %%
@fs.teach.puzzle
def sign_of(code):
    """The sign field, 0 or 1, of a code of binary16. sign_of(0x3C00) is 0, and sign_of(0xC000) is 1."""
    return ...


# %% [markdown]
# Now all three fields. 0xBC01 is 1011 1100 0000 0001. Cut it by hand: one bit, five bits, ten bits.

# %%
fields = guess("What are s, E and T of the code 0xBC01? (three numbers)")


# %%
def take_apart(code):
    return code >> 15, (code >> 10) & 0b11111, code & 0b1111111111


for code in (0x3C00, 0x4200, 0xBC01):
    sign, E, T = take_apart(code)
    print(f"code {code:#06x} = {code:016b}   s {sign}   E {E:2d}   T {T}")
fields.compare(take_apart(0xBC01))

# %% [markdown]
# ## What the fields mean
#
# For E from 1 to 30 the value is
#
#     (-1)^s * 2^(E - 15) * (1 + T / 1024)
#
# Take 0x4200. Above you see s = 0, E = 16 and T = 512. So the value is 2^(16 - 15) * (1 + 512 / 1024), which is
# 2 * 1.5 = 3.
#
# - **Why 15?** It is the [**bias**](glossary.md#bias). E has no sign, but exponents of both signs are needed. So the
#   exponent is stored with 15 added.
# - **Why 1 + ?** In scientific notation the first digit is never 0. In base two it can only be 1 then, so nobody stores
#   it. Ten stored digits and this implicit one make eleven: the [**precision**](glossary.md#precision) is 11. All
#   eleven together are the [**significand**](glossary.md#significand).
#
# A puzzle: write the formula down. It is asked only for codes with s = 0 and E from 1 to 30.


# %%
@fs.teach.puzzle
def value_of_normal(code):
    """The value of a code of binary16 with sign 0 whose E is from 1 to 30. value_of_normal(0x3C00) is 1.0."""
    return 2.0 ** (...) * (1 + ...)


# %% [markdown]
# 0xC000 is 1100 0000 0000 0000.

# %%
two_bits = guess("Which number has the code 0xC000 in binary16?")


# %%
def normal_value(code):
    sign, E, T = take_apart(code)
    return (-1) ** sign * 2.0 ** (E - 15) * (1 + T / 1024)


for code in (0x3C00, 0x4200, 0xC000, 0x4248):  # <- change: try a code of your own
    print(f"{code:#06x}  {normal_value(code)}")
two_bits.compare(normal_value(0xC000))

# %% [markdown]
# The last one is as near to pi as binary16 comes.
#
# `fs.explain.anatomy(x, fmt)` writes all of this out. The text `"0x4248"` means the number *with that code*.

# %%
print(fs.explain.anatomy("0x4248", "binary16"))  # <- change: try 3, -2, 0.5

# %% [markdown]
# ## Two exponents are special
#
# E = 0 and E = 31 are not for ordinary numbers. This is the complete rule:
#
# | E | T | value |
# |---|---|---|
# | 1 to 30 | any | (-1)^s * 2^(E - 15) * (1 + T / 1024), a [**normal**](glossary.md#normal-number) number |
# | 0 | not 0 | (-1)^s * 2^-14 * (T / 1024), a [**subnormal**](glossary.md#subnormal) number: no implicit 1 |
# | 0 | 0 | zero; there is one of each sign |
# | 31 | 0 | infinity, of either sign |
# | 31 | not 0 | [**NaN**](glossary.md#nan), "not a number" |
#
# The lesson [At the edges](edges.ipynb) says why. For now the table is all that you need.
#
# Which E and T has the largest finite number? Which has the smallest number above 0?

# %%
ends = guess("What are the largest finite number of binary16 and the smallest one above 0? (two numbers)")

# %% [markdown]
# `fs.decode(code, fmt)` gives the number that has a code.

# %%
for what, code in (("largest", 0x7BFF), ("smallest normal", 0x0400), ("smallest of all", 0x0001)):
    print(f"{what:15}  {code:#06x}  (s, E, T) = {take_apart(code)!s:14}  {fs.decode(code, 'binary16')}")
print("max_finite:", fs.BINARY16.max_finite, " min_normal:", fs.BINARY16.min_normal, "= 2^-14")
ends.compare([fs.BINARY16.max_finite, fs.BINARY16.min_subnormal])

# %% [markdown]
# The largest one is 2^15 * (1 + 1023/1024), and the smallest one is 2^-14 * 1/1024 = 2^-24. The library knows them as
# [`max_finite`](glossary.md#max_finite) and [`min_subnormal`](glossary.md#min_subnormal).
#
# The **explorer** shows a number with bits that you can click. This is the largest one. Click the one bit of E that is
# still 0. Why is the result not infinity? (The table knows.)

# %%
fs.page.show("number?x=65504", height=700)

# %% [markdown]
# (In a terminal, `fp16sim explore "number?x=65504"` opens it in your browser. Links of the course lead to
# `explorer.html`, the same page, in this folder: look at [pi](explorer.html#number?x=3.140625) and at
# [the smallest number](explorer.html#number?x=2^-24). In JupyterLab, click them with the *middle* mouse button. In VS
# Code, take a cell of your own: `fs.page.show("number?x=2^-24")`.)
#
# Now count, with the table: of all 65,536 codes, how many are NaN?

# %%
nans = guess("How many codes of binary16 are NaN?")

# %%
codes = np.arange(2**16)
E, T = codes >> 10 & 31, codes & 1023
print("zeros     ", np.sum((E == 0) & (T == 0)))
print("subnormal ", np.sum((E == 0) & (T > 0)))
print("normal    ", np.sum((E > 0) & (E < 31)))
print("infinities", np.sum((E == 31) & (T == 0)))
print("NaN       ", np.sum((E == 31) & (T > 0)))
nans.compare(np.sum((E == 31) & (T > 0)))

# %% [markdown]
# E = 31, two signs, and 1023 values of T for each. A puzzle: which codes are NaN?


# %%
@fs.teach.puzzle
def is_nan(code):
    """True if a code of binary16 is a NaN, of either sign; else False."""
    return ...


# %% [markdown]
# Does the library agree with our table? We compare all 65,536 codes, and the signs of the zeros, too.

# %%
ours = np.where(E == 0, 2.0**-14 * (T / 1024), 2.0 ** (E - 15.0) * (1 + T / 1024))
ours[E == 31] = np.where(T[E == 31] == 0, np.inf, np.nan)
ours = np.copysign(ours, np.where(codes >> 15, -1.0, 1.0))
theirs = fs.decode(codes, "binary16")
print("the same values:", np.array_equal(ours, theirs, equal_nan=True))
print("the same signs: ", np.array_equal(np.signbit(ours[E < 31]), np.signbit(theirs[E < 31])))

# %% [markdown]
# Our `normal_value` from above knows one row of the table only. `fs.teach.grade` runs a function on the codes where
# mistakes show. Read the sentence in the middle: it knows the mistake.

# %%
print(fs.teach.grade.decode(normal_value))

# %% [markdown]
# ## Codes are in order
#
# A kilometre counter in a car goes from 0999 to 1000: each full wheel turns the next one. The bits of a code do that,
# too. When T is full and you add 1, the 1 is carried into E.

# %%
carry = guess("The code 0x3FFF is 1.9990234375 in binary16. Which number is one code further, 0x4000?")

# %%
for code in (0x3FFE, 0x3FFF, 0x4000, 0x4001):
    print(f"{code:#06x}  {code:016b}  {fs.decode(code, 'binary16')}")
positive = fs.decode(np.arange(0x7C00), "binary16")  # every finite number from 0 on, in the order of the codes
print("is each number larger than the one before it?", np.all(np.diff(positive) > 0))
carry.compare(fs.decode(0x4000, "binary16"))

# %% [markdown]
# E went up by one, and the digits started again at 0. So the codes of positive numbers are in the order of the numbers.
# The next number above is the code plus 1, also across a power of two.
#
# ## Stops of light
#
# Films and games store the brightness of a picture in binary16. Photographers count light in *stops*: one stop more is
# twice the light. From 1 to 2 is a stop, and from 1024 to 2048 is a stop. In floats, such a stretch from one power of
# two to the next is called a [**binade**](glossary.md#binade).

# %%
bright = guess("How many numbers x of binary16 have 1024 <= x < 2048?")
dark = guess("How many numbers x of binary16 have 0 <= x < 1?")

# %%
for low, high in ((1, 2), (1024, 2048), (0, 1), (1, 65504)):  # <- change: try (0.25, 0.5), (2048, 4096)
    print(f"{low:4} <= x < {high:5}: {np.sum((positive >= low) & (positive < high)):6,} numbers")
bright.compare(np.sum((positive >= 1024) & (positive < 2048)))
dark.compare(np.sum((positive >= 0) & (positive < 1)))

# %% [markdown]
# One E is one binade, and it has 1024 values of T. So every binade of normal numbers has 1024 numbers, however wide it
# is. A dark corner of a picture gets as many shades for each stop as the bright sky: that is what floats are good for.
#
# A format of six bits shows it to the eye. Each mark is a number; the box above it is as high as the distance to the
# next one.

# %%
fs.plots.number_line()
plt.show()

# %% [markdown]
# The [explorer](explorer.html#line?x=1) has the same line for binary16, and zooms in on any place.
#
# ## How far is the next number?
#
# The distance from x to the next number above is called the [**ulp**](glossary.md#ulp) of x, the *unit in the last
# place*. In a binade it is the same everywhere: the width of the binade, divided by 1024.
#
# A game keeps the places of its players in metres, in binary16. One player is 10,000 m from the middle of the world,
# between 2^13 = 8192 and 2^14 = 16384.

# %%
step = guess("How many metres long is the shortest step forward at 10,000 m in binary16?")

# %% [markdown]
# `fs.ulp(x, fmt)` gives the ulp, and `fs.next_up(x, fmt)` the next number above.

# %%
for x in (1, 100, 1000, 2048, 10_000, 60_000):
    print(f"x = {x:6}   ulp {fs.ulp(x, 'binary16'):<13} next number {fs.next_up(x, 'binary16')}")
print("32 bits have the same trouble, further out. ulp at 10,000 km:", fs.ulp(1e7, "binary32"), "m")
step.compare(fs.ulp(10_000, "binary16"))

# %% [markdown]
# At 1 m from the middle, the game can place a player to a millimetre. At 10,000 m players jump by 8 m. The usual cure
# is to move the middle of the world along with the player.
#
# A puzzle: the ulp from the code, without the library. (The binade of E is 2^(E - 15) wide.)


# %%
@fs.teach.puzzle
def ulp_of_code(code):
    """The ulp of the number with a code of binary16 with sign 0, E from 1 to 30. ulp_of_code(0x3C00) is 2.0**-10."""
    return 2.0 ** (...)


# %%
fs.plots.ulp("binary16")
plt.show()

# %% [markdown]
# From 2048 on the ulp is 2: there is no 2049. [Look at it in the explorer](explorer.html#line?x=2048&zoom=3). What
# happens to a 2049 that you type is the subject of [Rounding](rounding.ipynb).
#
# ## What is stored when you type 0.1?
#
# Ten cents are 1/10 of a dollar. Every finite number of binary16 is an integer times a power of two.

# %%
tenth = guess("Is any number of binary16 equal to 1/10? (yes or no)")

# %% [markdown]
# `fs.encode(x, fmt)` is the code of the number nearest to x, and `fs.to_text(x, fmt, style)` writes that number as you
# like.

# %%
print("code    ", hex(fs.encode(0.1, "binary16")), " bits", fs.to_text(0.1, "binary16", "bits"))
print("exact   ", fs.to_text(0.1, "binary16", "exact"), "=", fs.to_text(0.1, "binary16", "fraction"))
print("shortest", fs.to_text(0.1, "binary16"), " and NumPy prints", np.float16(0.1))
tenth.compare(any(Fraction(x) == Fraction(1, 10) for x in positive.tolist()))

# %% [markdown]
# None is: 10 has the factor 5, and no power of two has. So binary16 stores a neighbour of 0.1. It is printed as 0.1 all
# the same, because 0.1 is the shortest decimal text that leads back to it. This is why shops count cents, in integers.
# [See 0.1 and its neighbours in the explorer](explorer.html#number?x=0.1).
#
# ## In short
#
# - A number of binary16 has three fields: one bit for the sign, five for the biased exponent E, ten for the trailing
#   significand T. All sixteen bits as one integer are its code.
# - For E from 1 to 30 the value is (-1)^s * 2^(E - 15) * (1 + T / 1024). The 1 is not stored.
# - E = 0 means zero or subnormal, without the 1. E = 31 means infinity or NaN.
# - The largest number is 65504, the smallest normal one 2^-14, the smallest of all 2^-24.
# - Codes of positive numbers are in the order of the numbers: code plus 1 is the next number above.
# - Every binade of normal numbers has 1024 numbers. So the ulp, the distance to the next one, doubles from binade to
#   binade: 2^-10 at 1, 2 at 2048, 32 at the top.
# - 0.1 is in no binary format. What is stored is a neighbour.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/sixteen_bits.py`; you can also work right here. The grader runs your function on the
# interesting codes first, and on all 65,536 when these are right. Write yours in place of the `raise`:


# %%
def my_decode(code):
    """The value, a float, of a code of binary16: 0 to 65535. All five rows of the table."""
    raise NotImplementedError


fs.teach.check(my_decode)

# %% [markdown]
# 1. `my_classify(code)`: `"zero"`, `"subnormal"`, `"normal"`, `"infinity"` or `"nan"`. Grade it with
#    `fs.teach.check(my_classify)`.
# 2. `my_decode(code)`: the value. Mind the minus zero: `(-1) * 0` is an integer and has no sign, `-0.0` is a float
#    and has one. `float("inf")` and `float("nan")` are the other two.
# 3. `numbers_in_binade(k)`: how many numbers x of binary16 have 2^k <= x < 2^(k + 1)? For every integer k, also where
#    the numbers are subnormal, and where there are none.
#
# `fs.teach.hint("my_decode")` gives a hint: first a question, then the idea, at last nearly the code. Each next one
# comes after another attempt. When yours has passed, `fs.teach.solution("my_decode")` shows one with its reasons.
#
# In a terminal, `fp16sim grade exercises/sixteen_bits.py` grades the file, and
# `fp16sim grade --hint exercises/sixteen_bits.py:my_decode` gives a hint. The grader is not a sandbox: it runs the
# file, as Python would.
#
# ## Read next
#
# - IEEE Standard for Floating-Point Arithmetic, IEEE 754-2019, section 3.4: the fields, in one page.
# - D. Goldberg, "What every computer scientist should know about floating-point arithmetic", ACM Computing Surveys 23
#   (1991): the classic, sections 1 and 2 first.
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd edition, 2018, chapters 2 and 3.
#
# Next lesson: [Rounding](rounding.ipynb). Which number is stored when the one that you want does not exist?
