# %% [markdown]
# # Sixteen bits
#
# | | |
# |---|---|
# | **Question** | Which numbers can sixteen bits hold, and how do the bits spell them? |
# | **Time** | 20 minutes |
# | **Needs** | Python, a little NumPy, powers of two |
# | **You will be able to** | decode any 16-bit float by hand, say how many numbers lie between two others, and write the decoder |
#
# This course has one habit. Before every result there is a cell that says **Predict**. Write your answer down, on
# paper, before you run the next cell. A wrong guess that you wrote down teaches more than a right one that you read.
#
# Run the cells in order. Lines marked `<- change` are there for you to change.

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

# %% [markdown]
# ## Three fields
#
# A float is scientific notation in base two: a sign, a power of two, and digits. The 16-bit format of IEEE 754 is
# called **binary16** (NumPy says `float16`, people say half precision). It cuts its sixteen bits into three fields:
#
#     s eeeee tttttttttt
#     1   5       10       bits
#
# `s` is the **sign**, `E` the five-bit **biased exponent**, `T` the ten-bit **trailing significand**. All sixteen bits
# read as one integer are the **code** of the number. Shifts and masks take a code apart.
#
# Here is a **puzzle**: fill in the dots and run the cell. It is graded at once, on all codes. If you are stuck, run
# `fs.teach.hint()` in a cell of its own; the next hint comes after your next try.


# %%
@fs.teach.puzzle
def sign_of(code):
    """The sign field, 0 or 1, of a code of binary16. sign_of(0x3C00) is 0, and sign_of(0xC000) is 1."""
    return ...


# %% [markdown]
# **Predict:** 0x3C00 is 0011110000000000 in bits. Cut it by hand: what are s, E and T? And for 0xC000 and 0x3C01?


# %%
def take_apart(code):
    return code >> 15, code >> 10 & 0b11111, code & 0b1111111111


for code in (0x3C00, 0xC000, 0x3C01):
    sign, E, T = take_apart(code)
    print(f"code {code:#06x} = {code:016b}   sign {sign}   E {E:2d}   T {T}")

# %% [markdown]
# For E from 1 to 30 the value is
#
#     (-1)^sign * 2^(E - 15) * (1 + T / 1024)
#
# The 15 is the **bias**: it lets a field without a sign stand for exponents of both signs. The 1 in front is not
# stored. Every number in scientific notation starts with a digit that is not 0, and in base two that digit can only
# be 1, so storing it would waste a bit. Ten stored digits and one implicit digit make eleven: the **precision** is 11.
#
# A puzzle: write the formula down. Codes with sign 0 and E from 1 to 30 are all that it is asked for.


# %%
@fs.teach.puzzle
def value_of_normal(code):
    """The value of a code of binary16 with sign 0 whose E is from 1 to 30. value_of_normal(0x3C00) is 1.0."""
    return 2.0 ** (...) * (1 + ...)


# %% [markdown]
# **Predict:** what are the values of the three codes above, 0x3C00, 0xC000 and 0x3C01? And of 0x4248?


# %%
def normal_value(code):
    sign, E, T = take_apart(code)
    return (-1) ** sign * 2.0 ** (E - 15) * (1 + T / 1024)


for code in (0x3C00, 0xC000, 0x3C01, 0x4248):  # <- change: try a code of your own
    print(f"{code:#06x}  {normal_value(code)}")

# %% [markdown]
# The last one is as near to pi as binary16 comes. Here is the whole decoding, written out. The text `"0x4248"` asks
# for the number *with that code*; a plain number asks for itself.

# %%
print(fs.explain.anatomy("0x4248", "binary16"))

# %% [markdown]
# ## The two exponents that are special
#
# E = 0 and E = 31 are not for ordinary numbers. The complete rule:
#
# | E | T | value |
# |---|---|---|
# | 1 to 30 | any | (-1)^sign * 2^(E - 15) * (1 + T / 1024), a **normal** number |
# | 0 | not 0 | (-1)^sign * 2^-14 * (T / 1024), a **subnormal** number: no implicit 1 |
# | 0 | 0 | zero; there is one of each sign |
# | 31 | 0 | infinity, of either sign |
# | 31 | not 0 | NaN, "not a number" |
#
# The lesson [At the edges](edges.ipynb) is about why. For now the table is all you need.
#
# **Predict:** what is the largest finite number, what the smallest normal one above 0, and what the smallest of all
# above 0? (Which E and T have they?)

# %%
for code in (0x7BFF, 0x0400, 0x0001):
    print(f"{code:#06x}  {take_apart(code)!s:15}  {fs.decode(code, 'binary16')}")
assert fs.BINARY16.max_finite == 65504 == 2**15 * (2 - 2**-10)
assert fs.BINARY16.min_normal == 2**-14 and fs.BINARY16.min_subnormal == 2**-24

# %% [markdown]
# **Predict:** of the 65,536 codes, how many are zeros, subnormal, normal, infinities, NaN? Count with the table.

# %%
codes = np.arange(2**16)
E, T = codes >> 10 & 31, codes & 1023
print("zeros     ", np.sum((E == 0) & (T == 0)))
print("subnormal ", np.sum((E == 0) & (T > 0)))
print("normal    ", np.sum((E > 0) & (E < 31)))
print("infinities", np.sum((E == 31) & (T == 0)))
print("NaN       ", np.sum((E == 31) & (T > 0)))

# %% [markdown]
# A puzzle: which codes are NaN?


# %%
@fs.teach.puzzle
def is_nan(code):
    """True if a code of binary16 is a NaN, of either sign; else False."""
    return ...


# %% [markdown]
# Does the library agree with our table? It has its own decoder. We compare all 65,536.

# %%
ours = np.where(E == 0, 2.0**-14 * (T / 1024), 2.0 ** (E - 15.0) * (1 + T / 1024))
ours[E == 31] = np.where(T[E == 31] == 0, np.inf, np.nan)
ours = np.copysign(ours, np.where(codes >> 15, -1.0, 1.0))
theirs = fs.decode(codes, "binary16")
print(np.array_equal(ours, theirs, equal_nan=True))
assert np.array_equal(np.signbit(ours[E < 31]), np.signbit(theirs[E < 31]))

# %% [markdown]
# ## All of them on one line
#
# **Predict:** if you add 1 to the code of a positive number, what happens to the number? Does it always go up? What
# happens where T is full, 1111111111, so that the 1 is carried into E?

# %%
positive = fs.decode(np.arange(0x7C00), "binary16")  # every finite number from +0 on, in the order of codes
print("always larger:", np.all(np.diff(positive) > 0))
for code in (0x3BFF, 0x3C00, 0x3C01):
    print(f"{code:#06x}  {code:016b}  {fs.decode(code, 'binary16')}")

# %% [markdown]
# The carry does what it should: the exponent goes up by one and the digits start again at 0. So the codes of
# positive numbers, read as integers, *count* them. The neighbour above is the code plus 1.
#
# **Predict:** how many numbers x of binary16 have 1 <= x < 2? How many have 1024 <= x < 2048? How many 0 <= x < 1?

# %%
for low, high in ((1, 2), (1024, 2048), (0, 1), (1, 65504)):  # <- change: try (0.25, 0.5), (2048, 4096)
    print(f"{low} <= x < {high}: {np.sum((positive >= low) & (positive < high)):6,} numbers")

# %% [markdown]
# Every **binade**, from one power of two to the next, holds 1024 numbers, however wide it is. Nearly half of all
# positive numbers lie below 1. A format of six bits shows it to the eye: each tick is a number, and the height of the
# box above it is the gap to the next.

# %%
fs.plots.number_line()
plt.show()

# %% [markdown]
# And binary16 itself. The top row below has a faint mark for every one of its finite codes; where it is black, marks
# lie on each other. The rows below it are pieces of the line, all of the same width, 64.
#
# **Predict:** how many marks are there between 32768 and 32832? Between 4096 and 4160? 512 and 576? And 64 and 128?

# %%
finite = np.concatenate([-positive[::-1], positive])
fig, rows = plt.subplots(5, 1, figsize=(8, 5), layout="constrained")
rows[0].plot(finite, np.zeros_like(finite), "|", markersize=18, color="black", alpha=0.02)
rows[0].set(yticks=[], title=f"all {len(finite):,} finite codes")
for row, low in zip(rows[1:], (32768, 4096, 512, 64), strict=True):  # <- change: try 16384 or 0
    shown = positive[(positive >= low) & (positive <= low + 64)]
    row.plot(shown, np.zeros_like(shown), "|", markersize=18, markeredgewidth=0.5, color="black")
    row.set(yticks=[], title=f"{len(shown)} numbers from {low} to {low + 64}")
plt.show()

# %% [markdown]
# They crowd toward 0, ever more the nearer you look: that is the price of a gap that grows with the number, and the
# gift. The gap above x is called the **ulp** of x, the unit in the last place.
#
# **Predict:** what is the ulp of 1? Of 1000? Of 60000? From which number on are all numbers of binary16 even?

# %%
for x in (1, 1000, 2047, 2048, 60000):
    print(f"x = {x:5}   ulp {fs.ulp(x, 'binary16'):<13} next number {fs.next_up(x, 'binary16')}")

# %%
fs.plots.ulp("binary16")
plt.show()

# %% [markdown]
# From 2048 on the gap is 2: there is no 2049. What happens to a 2049 that you type is the subject of
# [Rounding](rounding.ipynb).
#
# ## What is stored when you type 0.1?
#
# **Predict:** 0.1 = 1/10. Can any number of the form (integer) * 2^(integer) be equal to 1/10?

# %%
code = fs.encode(0.1, "binary16")
print("code ", hex(code), " bits", fs.to_text(0.1, "binary16", "bits"))
print("exact", fs.to_text(0.1, "binary16", "exact"), "=", fs.to_text(0.1, "binary16", "fraction"))

# %% [markdown]
# No: 10 has the factor 5, and no power of two has. So binary16 holds a neighbour of 0.1. It prints as 0.1 all the
# same, because 0.1 is the shortest decimal text that leads back to it:

# %%
print(fs.to_text(0.1, "binary16"), fs.array(0.1, "binary16"), np.float16(0.1))

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/sixteen_bits.py`; you can also work right here. A **grader** runs your function on the
# interesting codes first, and on all 65,536 when these are right. It compares bit by bit, and shows the simplest case
# that goes wrong. This is what it says as long as nothing is written:


# %%
def my_decode(code):
    """The value, a float, of a code of binary16: 0 to 65535. All five rows of the table."""
    raise NotImplementedError


fs.teach.check(my_decode)

# %% [markdown]
# And this is what it says of our `normal_value` from above. Read the sentence in the middle: it knows the mistake.

# %%
print(fs.teach.grade.decode(normal_value))

# %% [markdown]
# 1. `my_fields(code)`: sign, E and T, as a tuple. Grade: `fs.teach.check(my_fields)`.
# 2. `my_classify(code)`: `"zero"`, `"subnormal"`, `"normal"`, `"infinity"` or `"nan"`.
# 3. `my_decode(code)`: the value. Mind the minus zero: `(-1) * 0` is an integer and has no sign, `-0.0` is a float
#    and has one. `float("inf")` and `float("nan")` are the other two.
# 4. `numbers_in_binade(k)`: how many numbers x of binary16 have 2^k <= x < 2^(k + 1)? For every integer k.
#
# If you are stuck, `fs.teach.hint("my_fields")` gives a hint: first a question, then the idea, at last nearly the code.
# Each next one comes after another attempt. When yours has passed, `fs.teach.solution("my_fields")` shows one with its
# reasons.
#
# In a terminal, `fp16sim grade exercises/sixteen_bits.py` grades the whole file, and
# `fp16sim grade --hint exercises/sixteen_bits.py:my_fields` gives a hint. The grader runs the file as Python would.
# It is not a sandbox: it does not protect you from what a file does, so grade only files that you would run.
#
# ## Read next
#
# - IEEE Standard for Floating-Point Arithmetic, IEEE 754-2019, section 3.4: the fields, in one page.
# - D. Goldberg, "What every computer scientist should know about floating-point arithmetic", ACM Computing Surveys 23
#   (1991): the classic, sections 1 and 2 first.
# - J.-M. Muller et al., *Handbook of Floating-Point Arithmetic*, 2nd edition, 2018, chapters 2 and 3.
#
# Next lesson: [Rounding](rounding.ipynb). Which number is stored when the one that you want does not exist?
