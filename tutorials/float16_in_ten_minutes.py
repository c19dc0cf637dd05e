# %% [markdown]
# # float16 in ten minutes
#
# | | |
# |---|---|
# | **Question** | What should everybody know who puts numbers into 16 bits? |
# | **Time** | 10 minutes |
# | **Needs** | Python, a little NumPy |
# | **You will be able to** | say when float16 will fail you, and what to do then |
#
# float16 (its official name is binary16) stores a number in 16 bits. It halves your memory, and hardware computes with
# it several times faster than with float32. In return it fails in four ways. You will see all four, each with its cure.
#
# Run one cell after the other. Some cells ask you for a guess first, because we remember best what surprised us. Press
# Enter if you do not want to guess.

# %%
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## 1. It has about three decimal digits
#
# float16 has no 0.1. It stores the nearest number that it has:

# %%
print(fs.to_text(fs.round_to(0.1, "binary16"), style="exact"), "is what float16 stores for 0.1")
print(float(np.float16(0.1)), "says NumPy, too")  # <- change: try 0.3, 1/3, 0.5

# %% [markdown]
# The numbers that exist have a distance, called the [**ulp**](glossary.md#ulp) (unit in the last place). It is small
# for small numbers and large for large ones. Always about three decimal digits are right:

# %%
for x in (0.1, 1, 10, 100, 1000, 10000):
    print(f"the number after {x:5} is {fs.next_up(fs.round_to(x, 'binary16'), 'binary16')}")

# %% [markdown]
# So integers have gaps, too. Up to 2048 every integer exists. After that, every second one; after 4096, every fourth.

# %%
gap = guess("In float16: 2048 + 1 = ?")

# %%
gap.compare(fs.add(2048, 1, "binary16"))

# %% [markdown]
# The exact sum, 2049, lies in the middle between 2048 and 2050. A tie goes to the number whose last bit is 0.
#
# **What to do.** Do not store counters, indices, time stamps or money in float16. Compare with a tolerance that you
# derived, never with a guessed one: one rounding moves a number by at most half an ulp. That is at most 2^-11
# of the number, about 0.05 %.
#
# ## 2. It has an end
#
# The largest number of float16 is 65504. In float32 you hardly ever see the end. Here a square is enough:

# %%
square = guess("In float16: 300 * 300 = ?")

# %%
with np.errstate(over="ignore"):  # without this line, overflow warns, as it does in NumPy
    square.compare(fs.multiply(300, 300, "binary16"))
    print("length of (300, 400):", fs.norm([300, 400], "binary16"), " but it is 500")

# %% [markdown]
# Anything from 65520 on becomes infinity. The length, 500, would fit. The squares on the way to it did not.
#
# **What to do.** Scale before you square: divide by the largest element, and multiply at the end. Or compute such a
# step in a format with more room (float32, or bfloat16, which comes below).

# %%
with np.errstate(over="ignore"):
    x = fs.array([300, 400], "binary16")
    largest = abs(x).max()
    scaled = x / largest
    print(np.sqrt((scaled * scaled).sum()) * largest)

# %% [markdown]
# ## 3. It has a smallest number, too
#
# The smallest positive number is 2^-24, about 6e-8. Gradients of a network are often smaller, and so are products of
# small numbers:

# %%
tiny = guess("In float16: 0.0001 * 0.0001 = ?")

# %%
tiny.compare(fs.multiply(1e-4, 1e-4, "binary16"))

# %% [markdown]
# What is less than half of the smallest number becomes 0. No warning, no error: the information is gone. This is called
# **underflow**.
#
# **What to do.** Move the numbers to where the format has room: multiply by a power of two, which rounds nothing, and
# divide at the end, in float32. For the gradients of a network this is called
# [**loss scaling**](glossary.md#loss-scale):

# %%
gradient, scale = 1.5e-8, 1024
print("stored as it is:     ", fs.round_to(gradient, "binary16"))
stored = fs.round_to(gradient * scale, "binary16")
print("stored multiplied:   ", stored)
print("divided in float32:  ", np.float32(stored) / np.float32(scale))

# %% [markdown]
# ## 4. Sums stop growing
#
# Add 0.1 ten thousand times. The answer should be 1000.

# %%
total = guess("In float16, one after the other: 0.1 + 0.1 + ... (10,000 of them) = ?")

# %%
total.compare(fs.sum([0.1] * 10_000, "binary16"))

# %% [markdown]
# At 256 the ulp is 0.25, and 0.1 is less than half of it. So the sum rounds back to 256, each time. The small
# number is [**absorbed**](glossary.md#absorption). The same happens to a weight of 1.0 and an update of 0.0001:

# %%
weight = fs.array(1.0, "binary16")
print("after one step:         ", weight - 0.0001)
for _ in range(1000):
    weight = weight - 0.0001  # <- change: 0.0003
print("after a thousand steps: ", weight)

# %% [markdown]
# The run does not crash. It only stops learning.
#
# **What to do.** Keep the *sum* in a wider format, while the numbers stay in 16 bits. This is what graphics cards do,
# and what "master weights in float32" means. Or remember what each addition lost, and add it back (Kahan):

# %%
for accumulator in ("sequential:binary32", "kahan", "pairwise"):
    print(f"{accumulator:20}", fs.sum([0.1] * 10_000, "binary16", accumulator=accumulator))

# %% [markdown]
# (The exact sum of what is stored is 10,000 times 0.0999755859375. That is 999.755859375, and 1000 is the nearest
# number that float16 has. Adding in pairs rounds a few more times, and ends one ulp below.)
#
# ## bfloat16, the other 16 bits
#
# bfloat16 spends its bits in another way: the range of float32, but only 8 significant bits instead of 11. It hardly
# ever overflows or underflows, and it rounds eight times as coarsely.

# %%
other = guess("In bfloat16: 256 + 1 = ?")

# %%
other.compare(fs.add(256, 1, "bfloat16"))
for name in ("binary16", "bfloat16"):
    fmt = fs.get_format(name)
    print(f"{name}: largest {fmt.max_finite:.4g}, smallest {fmt.min_subnormal:.3g}, ulp of 1 is {fmt.eps:.3g}")

# %% [markdown]
# ## Five lines to take with you
#
# 1. Three digits: `x` and `x + x/5000` are the same number.
# 2. 65504 is the end. Square, exponentiate and add up with care, or in a wider format.
# 3. Below 6e-8 there is nothing. Scale by a power of two.
# 4. A sum loses every addend that is less than half an ulp of it. Accumulate in float32.
# 5. bfloat16: no trouble with range, eight times as much trouble with digits.
#
# Your guesses:

# %%
guesses()

# %% [markdown]
# ## Where to go from here
#
# - **I want to understand it.** The course has small lessons, with exercises that are graded at once.
# - **I want to look at a number.** [The explorer](explorer.html#number?x=0.1&format=binary16) is a page where you click
#   on its bits. In the terminal: `fp16sim show 0.1`, `fp16sim explain "0.1 + 0.2"`.
# - **My own network dies in 16 bits.** `fp16sim train` runs one in three formats and counts what was lost.
#
# Next lesson: [Sixteen bits](sixteen_bits.ipynb): the same numbers again, bit by bit.
