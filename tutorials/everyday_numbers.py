# %% [markdown]
# # Everyday numbers
#
# | | |
# |---|---|
# | **Question** | Where do you meet rounding on an ordinary day? |
# | **Time** | 40 minutes |
# | **Needs** | [Sixteen bits](sixteen_bits.ipynb) (the ulp), [Rounding](rounding.ipynb), [Sums](sums.ipynb) |
# | **You will be able to** | look at a quantity (money, a place, a time, a colour) and choose a format that holds it |
#
# Rounding is not a matter for networks only. Prices, clocks, maps and games all put numbers into formats, and each has a
# story to tell. Here are nine short ones. All of them end with the same question: **how large is one
# [ulp](glossary.md#ulp), in the unit that I care about?**

# %%
import json
from datetime import UTC, datetime
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## Money
#
# First a puzzle from [Sums](sums.ipynb), for everything that adds up:


# %%
@fs.teach.puzzle
def stalls_at(term):
    """The power of two at which a binary16 sum of many equal terms, from 1/16 to 16, stops. stalls_at(1.0) is 2048.0."""
    totals = (2.0**k for k in range(16))
    return next(total for total in totals if ...)  # the first that the term does not change any more


# %% [markdown]
# A till takes 100,000 payments of 10 cents, and adds them one after the other. So 10,000.00 should be in it. The sum is
# kept in float32, which has 24 digits in base two, about seven in base ten.

# %%
till = guess(
    "How far is the sum of 100,000 payments of 0.10 in float32 from 10,000.00?",
    choices=("not at all", "less than a cent", "less than a euro", "more than a euro"),
)

# %%
for fmt in ("binary16", "binary32", "binary64"):
    print(f"{fmt}: {fs.sum(np.full(100_000, 0.1), fmt)}")
till.compare("more than a euro")

# %% [markdown]
# In float32 one euro and 44 cents are missing. (Its name in the standard is binary32.) Even float64 is not exact. There are
# two reasons: 0.1 is not a binary number, and each of the 100,000 additions rounds.
#
# So count cents, as integers? Somebody did that, and turned prices into cents like this:

# %%
cents = guess("What is int(0.29 * 100) in Python?")

# %%
print("0.29 is stored as", fs.to_text(0.29, "binary64", "exact"))
print("0.29 * 100 =", 0.29 * 100)
cents.compare(int(0.29 * 100))

# %% [markdown]
# A cent too little: [the number behind 0.29](explorer.html#number?x=0.29&format=binary64) is below 0.29, and `int` cuts
# off.
#
# **What to do.** Count cents as integers, and make them from the *text*, before any float has seen it. Or use
# `decimal.Decimal("0.29")`, where 0.29 is exact.
#
# ## A spreadsheet
#
# Type `=(0.5-0.4-0.1)` into a spreadsheet, with the brackets. Many show -2.78E-17, not 0.
#
# **Predict:** which of the two subtractions is inexact?

# %%
print("0.4 is", fs.to_text(0.4, "binary64", "exact")[:24], "...")
print("0.1 is", fs.to_text(0.1, "binary64", "exact")[:24], "...")
print("0.5 - 0.4 =", fs.to_text(0.5 - 0.4, "binary64", "exact")[:24], "...")
print("0.5 - 0.4 - 0.1 =", 0.5 - 0.4 - 0.1)

# %% [markdown]
# Neither! Both subtractions are exact. But 0.4 is stored a little too large, and so is 0.1. Together they take away more
# than 0.5. The [**cancellation**](glossary.md#cancellation) made no error; it showed one that was there already.
#
# ## A clock
#
# In 1991 a defence system in Dhahran counted time in tenths of a second. For seconds, it multiplied the count by 0.1, and
# its 0.1 was cut off after 23 binary places. The system had been running for 100 hours.

# %%
drift = guess("About how many seconds is that clock wrong after 100 hours?")

# %%
tenth = Fraction(int(Fraction(1, 10) * 2**23), 2**23)
error = Fraction(1, 10) - tenth
ticks = 100 * 60 * 60 * 10
print("error of one tenth:", float(error), "s; after", f"{ticks:,}", "ticks:", round(float(error * ticks), 2), "s")
drift.compare(round(float(error * ticks), 2), within=0.2)

# %% [markdown]
# An error of a ten-millionth of a second, 3.6 million times. An incoming missile flies more than half a kilometre in a
# third of a second, and this one was not stopped. 28 people died. (The report is IMTEC-92-26 of the United States General
# Accounting Office.)
#
# **What to do.** Count in integers, and convert once, at the end: `count / 10` rounds once.
#
# ## A date
#
# Computers count the seconds since the beginning of 1970. By now that is nearly 1.8 thousand million.

# %%
date = guess("If a time in 2026 is kept in float32, as seconds since 1970, how many seconds is one ulp?")

# %%
new_year = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
print(f"1 January 2026 is second {new_year:,}")
for fmt in ("binary32", "binary64"):
    print(f"{fmt}: one ulp is {fs.ulp(new_year, fmt):.3g} s")
date.compare(fs.ulp(new_year, "binary32"))

# %% [markdown]
# More than two minutes. A log with such times looks as if nothing happens for two minutes, and then everything at once. In
# float64 one ulp is a quarter of a microsecond: enough for a log, and not for measuring how long a function takes.
# [Look at this number in the explorer](explorer.html#number?x=1767225600&format=binary32).
#
# ## A place
#
# A phone sends its longitude in degrees. One degree at the equator is 111.32 km.

# %%
place = guess("At longitude 179.9 degrees, about how many kilometres is one ulp of float16?")

# %%
for fmt in ("bfloat16", "binary16", "binary32"):
    fiji, berlin = (fs.ulp(degrees, fmt) * 111_320 for degrees in (179.9, 13.4))  # <- change: where you live
    print(f"{fmt:9} one ulp: {fiji:9,.1f} m in Fiji (179.9 degrees), {berlin:7,.1f} m in Berlin (13.4 degrees)")
place.compare(round(float(fs.ulp(179.9, "binary16") * 111.32), 1), within=0.2)

# %% [markdown]
# float32 finds the house, and not the parking space. It is sixteen times finer in Berlin than in Fiji: the ulp grows with
# the number, and the earth knows nothing of that. (In float64 one ulp is 3 millionths of a millimetre in Fiji.)
#
# ## A game
#
# A game keeps places in float32, as metres from the middle of its world. The player walks away from the middle.

# %%
walk = guess("At 10,000 km from the middle the player takes a step of 0.4 m. How many metres does she move?")

# %%
distances = 10.0 ** np.arange(0, 8)
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.loglog(distances, fs.ulp(distances, "binary32"), "o-")
ax.axhline(1e-3, color="0.5", linestyle="--")
ax.text(1.2, 1.4e-3, "1 mm: the eye begins to see it")
ax.set(
    xlabel="metres from the middle", ylabel="one ulp in metres", title="Far away, a world in float32 is made of steps"
)
plt.show()
walk.compare(float(fs.add(1e7, 0.4, "binary32") - 1e7))  # <- change: 0.6

# %% [markdown]
# At 10,000 km [one ulp is 1 m](explorer.html#number?x=10000000&format=binary32). A step of 0.4 m is
# [absorbed](glossary.md#absorption), and she runs on the spot. From about 10 km on, things tremble.
#
# **What to do.** Move the middle: store places relative to something near. Games call it a floating origin.
#
# ## Colours
#
# A photo has 256 levels of red, green and blue. A graphics card divides them by 255, and often keeps them in 16 bits.
# bfloat16 has only 8 digits: from 1/2 to 1 its ulp is 1/256.

# %%
colours = guess("How many of the 256 levels come back unchanged from bfloat16?")

# %%
levels = np.arange(256)


def unchanged(fmt):
    stored = fs.round_to(levels / 255, fmt)
    return int((np.rint(stored * 255) == levels).sum())


for fmt in ("binary16", "bfloat16", "e4m3fn"):
    print(f"{fmt}: {unchanged(fmt)} of 256")
colours.compare(unchanged("bfloat16"))

# %% [markdown]
# All of them, just so: a level is 1/255 wide, and the error is at most half of 1/256. In e4m3fn, a format of 8 bits with 4
# digits, 49 levels are left, and a blue sky gets stripes.
#
# ## A recording
#
# A CD has 16 bits a sample: an integer from -32768 to 32767. To work with sound, programs divide by 32768. Into float16,
# say: it has 16 bits, too.

# %%
samples = guess("About what share of the 65,536 sample values does float16 hold exactly?")

# %%
pcm = np.arange(-32768, 32768)
stored = fs.round_to(pcm / 32768, "binary16")
exact = int((stored * 32768 == pcm).sum())
worst = float(np.abs(stored - pcm / 32768).max())
print(f"{exact:,} of {pcm.size:,} are exact; the worst error is 1/{1 / worst:.0f} of the loudest sound")
samples.compare(round(exact / pcm.size, 2), within=0.25)

# %% [markdown]
# Up to 2048 all are exact, then every second one, then every fourth. float16 spends five of its bits on the exponent, that
# is, on very quiet sounds. Those it keeps much better than a CD does.
#
# ## A number in a message
#
# A server sends JSON, and each message has a number. JavaScript keeps every number as a float64.

# %%
message = guess("The server sends the integer 9007199254740993, which is 2^53 + 1. Which integer does JavaScript show?")

# %%
text = json.dumps({"number": 2**53 + 1})
print(text, " Python reads", json.loads(text)["number"], " as a float it is", int(float(2**53 + 1)))
message.compare(int(float(2**53 + 1)))

# %% [markdown]
# Now two messages have the same number, and an answer goes to the wrong one. That is why many services send such numbers
# as text. It is the 2049 of float16 again, and
# [the explorer shows the tie](explorer.html#arithmetic?op=round&a=9007199254740993&format=binary64). A puzzle:


# %%
@fs.teach.puzzle
def survives_json(n):
    """True if an integer n, of at most 100 digits, is the same after it was kept as a float64."""
    return ...


# %% [markdown]
# And one for maps, clocks and games, all in one:


# %%
@fs.teach.puzzle
def fine_enough(largest, step, fmt):
    """True if no ulp of a format is above `step`, for numbers of its range up to `largest`. fs.ulp(x, fmt) helps."""
    return ...


# %% [markdown]
# ## In short
#
# Three questions, before you choose a format for a quantity:
#
# 1. How large can it become? `fs.get_format(fmt).max_finite` must be at least that.
# 2. What is the smallest difference that matters? The ulp *at the largest value* must not be above it.
# 3. How many of them are added up? Each addition can cost half an ulp of the *sum*.
#
# If the answers do not fit: count in integers (cents, ticks), move the origin (games), or take a wider format. And make
# integers from texts, not from floats.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/everyday_numbers.py`; you can also write here.


# %%
def narrowest(largest, step):
    """The first of binary16, bfloat16, binary32, binary64 that holds `largest` and whose ulp there is at most `step`."""
    raise NotImplementedError


fs.teach.check(narrowest)  # fs.teach.hint() helps

# %% [markdown]
# 1. `narrowest(largest, step)`: the name of the first format of the list binary16, bfloat16, binary32, binary64 whose
#    largest number is at least `largest`, and whose ulp at `largest` is at most `step`. If there is none: `"none"`.
# 2. `total_cents(prices)`: the sum of a list of prices, in cents, as an integer. The prices are texts such as `"12.30"`,
#    `"0.29"`, `"7"`, `"0.5"` or `"-1.05"` (a refund). No cent may be lost, whatever the prices are.
#
# ## Read next
#
# - United States General Accounting Office, report IMTEC-92-26, 1992: the clock, on a few pages.
# - D. Goldberg, "What every computer scientist should know about floating-point arithmetic" (1991): why 0.1 is not 0.1.
# - The documentation of Python's module `decimal`, the first page: money, in the way of people who count it.
#
# Next lesson: [Rounding twice](rounding_twice.ipynb). What if a result is rounded, and then rounded again?
