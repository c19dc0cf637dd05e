# %% [markdown]
# # Where did my digits go?
#
# | | |
# |---|---|
# | **Question** | A program of ten lines gives a wrong number. Which line lost the digits? |
# | **Time** | 40 minutes |
# | **Needs** | [At the edges](edges.ipynb) (overflow, flags), [Sums](sums.ipynb) (absorption), [How wrong is it?](how_wrong.ipynb) (cancellation, condition numbers) |
# | **You will be able to** | find the line where a program loses its digits, tell who made an error from who enlarged it, and measure whether a cure helps |

# %%
import math

import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [How wrong is it?](how_wrong.ipynb): the ruler that counts ulps.


# %%
@fs.teach.puzzle
def error_in_ulps(y, x):
    """How many ulps of binary16 (the ulp at x) a float y is away from x. error_in_ulps(2048.0, 2049.0) is 0.5."""
    return ...


# %% [markdown]
# ## Eight mornings on a scale
#
# You stand on a scale on eight mornings. How much does your weight vary? Statistics has a number for it, the
# **variance**: the mean of the squared distances from the mean. Many books give this formula for it: the mean of the
# squares, minus the square of the mean. As a program it has three lines.

# %%
weights = np.array([70.2, 69.6, 70.4, 71.1, 69.9, 70.6, 69.5, 70.3])  # <- change: try weights near 7 kg


def variance(x):
    mean = np.mean(x)
    mean_of_squares = np.mean(x * x)
    return mean_of_squares - mean * mean


print(f"in float64: {variance(weights):.4f}")

# %%
good_variance = guess("Eight weights near 70 kg: is their variance in binary16 right to within 10%? (yes or no)")

# %% [markdown]
# `fs.array(x, fmt)` makes an array in which every operation is rounded. The same three lines work with it.

# %%
found, right = float(variance(fs.array(weights, "binary16"))), float(variance(weights))
print("in binary16:", found)
good_variance.compare(abs(found / right - 1) < 0.1)

# %% [markdown]
# Your weight did not vary at all, says binary16. No flag tells you: nothing overflowed, and nothing is NaN. Every single
# operation was right to half an ulp.
#
# ## A second computation beside it
#
# How could a program find out that it is wrong? It needs somebody who knows better. So let the same program run twice:
# once in binary16, and beside it with many more digits. The second run is called the **shadow**. After each operation we
# can compare the number with its shadow.
#
# For the comparison we count bits. binary16 has 11 of them. A rounded number has a relative error of at most 2^-11, and
# no bit of it is wrong. If the error is up to 2^-10, one bit is wrong; up to 2^-9, two; and so on. If it is above 1/2,
# all 11 are wrong. A puzzle:


# %%
@fs.teach.puzzle
def wrong_bits(computed, truth):
    """The smallest k from 0 to 11 with |computed - truth| <= 2^(k - 11) |truth|, or 11. wrong_bits(1.0, 1.5) is 10."""
    return ...


# %% [markdown]
# ## The trace
#
# `fs.trace.wrap(function, fmt)` gives a function that runs yours, unchanged, in a format and beside a shadow. What it
# returns is called a run. `run.lines` are the lines of your program, the one to blame first. Three numbers of a line
# are enough for the beginning:
#
# - `made`: the worst relative error that an operation of this line made by itself, by rounding;
# - `inherited`: the worst relative error that came in with its operands, as it is after the operation;
# - `gained`: how many more bits are wrong after the operation than before it.

# %%
which_line = guess(
    "The variance as mean of squares minus square of mean: which line gains the most wrong bits?",
    choices=("mean", "mean_of_squares", "return"),
)

# %%
run = fs.trace.wrap(variance, "binary16")(weights)
for line in run.lines:
    print(f"{line.source:42} made {line.made:6.2%}   inherited {line.inherited:7.2%}   gained {line.gained:4.1f} bits")
which_line.compare(run.lines[0].source.split()[0])

# %% [markdown]
# Each line *made* an error of some hundredths of a percent: that is rounding, and cannot be helped. The first two lines
# handed it on as it was. The last line *inherited* 100%.
#
# Why? The trace kept the operands of the worst operation, as it computed them and as the shadow has them.

# %%
witness = run.lines[0].witness
print("computed:", witness.operands, "->", witness.result)
print("shadow:  ", witness.shadows, "->", witness.shadow)

# %% [markdown]
# Two numbers near 4928, each right to 4 digits. Their leading bits are the same, and disappear in the difference. What is
# left is where the errors were. You know this from [How wrong is it?](how_wrong.ipynb): it is
# [**cancellation**](glossary.md#cancellation). The subtraction itself was exact.

# %%
how_many_cancel = guess("4928.75 - 4928.5: how many leading bits of 4928.75 cancel?")

# %%
larger, smaller = 4928.75, 4928.5
print("leading bit of 4928.75: 2^", math.frexp(larger)[1] - 1)
print("leading bit of the difference: 2^", math.frexp(larger - smaller)[1] - 1)
how_many_cancel.compare(math.frexp(larger)[1] - math.frexp(larger - smaller)[1])

# %% [markdown]
# More bits cancel than binary16 has: none can be left. A puzzle, for any two numbers:


# %%
@fs.teach.puzzle
def cancelled_bits(a, b):
    """For two different positive floats: how many leading bits of the larger one cancel. cancelled_bits(1.5, 1.0) is 1."""
    return ...


# %% [markdown]
# ## Who is to blame?
#
# The last line made no error. So why is it blamed, and not the two lines that rounded? Because these two cannot do
# better: any number of binary16 near 4928 is off by up to 2 ([see it in the
# explorer](explorer.html#number?x=4929&format=binary16)). The last line asks for digits that nobody had. If you want to
# change something, change this line.
#
# With functions it is the other way round. The cosine of a large angle enlarges errors, too. But there is no other cosine:
# what you can change is how the angle was computed. So the trace blames the line that made the angle.
#
# ## A cure, measured
#
# For the variance there is a well known cure: subtract the mean first, then square. Small numbers are squared, and
# nothing cancels. A cure is a hope until it is measured.

# %%
cured_bits = guess("The mean is subtracted before squaring: about how many of the 11 bits of the variance are wrong?")


# %%
def two_passes(x):
    centred = x - np.mean(x)
    return np.mean(centred * centred)


better = fs.trace.wrap(two_passes, "binary16")(weights)
print(f"error before: {run.error:.0%}   after: {better.error:.3%}")
lost = better.results[0].lost
print(f"wrong bits: {lost:.1f}")
cured_bits.compare(round(lost), within=1.0)

# %% [markdown]
# The trace knows this cure, and some others. It runs your program again with each of them. `run.cures` are those that
# helped, the smallest change first, with the error that it measured before and after. (`print(run)` shows everything that
# the trace found.)

# %%
for cure in run.cures:
    print(f"{cure.before:.0%} -> {cure.after:.3%}   {cure.advice}")

# %% [markdown]
# More digits are a cure, too: binary32 has 24 bits instead of 11. But the formula is still the bad one, and wastes most of
# them.
#
# ## An average that does not move
#
# Shops show the mean of the last ratings, and networks keep a mean of their weights. Both use a **moving average**: 0.999
# of the old mean plus 0.001 of the new number. Here the mean is 1, and a hundred numbers of 1.05 arrive.

# %%
moved = guess("A mean of 1.0, and 100 times 0.999 * mean + 0.001 * 1.05: what is it in binary16?")


# %%
def moving_average(mean, numbers):
    for x in numbers:
        mean = 0.999 * mean + 0.001 * x
    return mean


stuck = fs.trace.wrap(moving_average, "binary16")(1.0, [1.05] * 100)
print("binary16:", stuck.returned, "  shadow:", stuck.results[0].shadow)
print("the line to blame:", stuck.lines[0].source)
moved.compare(float(stuck.returned))

# %% [markdown]
# Each step should add 0.00005. The ulp at 1 is 0.001 ([see
# it](explorer.html#number?x=1.00005&format=binary16)), so each step is rounded away. No single step is wrong by more than
# half an ulp, but they are all wrong in the same direction. The trace adds up what a line loses, however often it runs.
#
# You know the cure from [Sums](sums.ipynb): keep what was lost, and add it in the next step, as Kahan's sum does.

# %%
first_cure = guess("The moving average with Kahan's correction: does it end within 0.1% of the truth? (yes or no)")


# %%
def careful_average(mean, numbers):
    lost = 0.0
    for x in numbers:
        step = 0.001 * (x - mean) + lost
        after = mean + step
        lost = step - (after - mean)
        mean = after
    return mean


careful = fs.trace.wrap(careful_average, "binary16")(1.0, [1.05] * 100)
print("binary16:", careful.returned, "  shadow:", careful.results[0].shadow)
first_cure.compare(careful.error < 0.001)

# %% [markdown]
# ## Beyond 65504
#
# A television is 300 mm high and 400 mm wide. How long is its diagonal?

# %%
diagonal = guess("math.sqrt(x * x + y * y) in binary16, for 300 and 400: what is it?")


# %%
def length(x, y):
    squares = x * x + y * y
    return math.sqrt(squares)


screen = fs.trace.wrap(length, "binary16")(300.0, 400.0)
print(screen.returned, "because of:", screen.lines[0].source, dict(screen.lines[0].events))
print("with math.hypot:", fs.trace.wrap(math.hypot, "binary16")(300.0, 400.0).returned)
diagonal.compare(float(screen.returned))

# %% [markdown]
# `events` counts what happened on a line: an `overflow`, a `nan`, an addend that was `absorbed`. The squares overflowed,
# though the length is a small number. `math.hypot` divides by the larger side before it squares.
#
# ## No cure
#
# Jean-Michel Muller found a recurrence of one line. On paper it tends to 6, from 2 and -4.


# %%
def recurrence(before, now, count):
    for _ in range(count):
        before, now = now, 111 - 1130 / now + 3000 / (now * before)
    return now


for count in (3, 6, 9, 12):
    run = fs.trace.wrap(recurrence, "binary16")(2.0, -4.0, count)
    print(f"{count:2} steps: {float(run.returned):8.3f}   shadow {float(run.results[0].shadow):7.4f}")

# %% [markdown]
# The first rounding error is enlarged in every step, until the recurrence tends to 100 instead. More digits only move the
# moment when this happens. The shadow holds because it computes with exact fractions here. The trace tries its cures, and
# says that none helps: the recurrence itself enlarges every error. The question must be asked in another way.

# %%
print("tried:", [cure.name for cure in run.tried], "  helped:", [cure.name for cure in run.cures])

# %% [markdown]
#
# ## In short
#
# - Run the program beside a shadow, and compare. A line that *makes* errors rounds; a line that *inherits* them enlarges
#   those of others.
# - A difference of close numbers is blamed itself: the formula can be changed. A function is not; its argument was not
#   good enough.
# - Errors of half an ulp add up if they all have one direction. Nothing warns you of a number that stands still.
# - A square may overflow where the result is small. Scale first.
# - A cure counts when it is measured. Some problems have none.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/where_did_my_digits_go.py`; you can also work right here.


# %%
def first_difference(a, b):
    """The index of the first place where two lists of floats differ, or -1; NaN is NaN, and 0.0 is not -0.0."""
    raise NotImplementedError


fs.teach.check(first_difference)  # fs.teach.hint() helps

# %% [markdown]
# 1. `first_difference(a, b)`: two machines ran the same program, and wrote down all numbers. Where do they part? If one
#    list is the beginning of the other, they part where the shorter one ends.
# 2. `scaled_rms(values)`: the root mean square of numbers of binary16, by way of the largest magnitude m: divide by m,
#    square, add from left to right, divide by their number, take the root, multiply by m. Each step is rounded to
#    binary16, with `fs.divide`, `fs.multiply`, `fs.add` and `fs.sqrt`. If all numbers are 0, the answer is 0.0.
#
# Then trace a program of your own: `fs.trace.wrap(your_function, "binary16")(your_numbers).lines`.
#
# ## Read next
#
# - F. Benz, A. Hildebrandt, S. Hack, "A dynamic program analysis to find floating-point accuracy problems", PLDI 2012:
#   shadows for whole programs.
# - A. Sanchez-Stern, P. Panchekha, S. Lerner, Z. Tatlock, "Finding root causes of floating point error", PLDI 2018: which
#   line is to blame, and why that is a hard question.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM, 2002: chapter 1 has many of these
#   programs, with their cures.
#
# Next lesson: [Dot products and tensor cores](dot_products.ipynb). In which format should a long sum be kept?
