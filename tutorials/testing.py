# %% [markdown]
# # Testing numerics
#
# | | |
# |---|---|
# | **Question** | How do you find the one number of 2^64 for which your function is wrong? |
# | **Time** | 45 minutes |
# | **Needs** | [Property tests](property_tests.ipynb) (oracle, order), [Rounding twice](rounding_twice.ipynb) |
# | **You will be able to** | compare results by code, choose the few inputs that decide all others, and measure a test by planted bugs |

# %%
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

_ = np.seterr(all="ignore")

# %% [markdown]
# ## What you know already
#
# A puzzle from [Property tests](property_tests.ipynb). The order will help us to prove something today.


# %%
@fs.teach.puzzle
def in_order(x, y, rx, ry):
    """False if x <= y, but their rounded numbers rx and ry are not in that order; else True."""
    return ...


# %% [markdown]
# ## When are two results the same?
#
# Two programs print the same bank statement, one from Monday and one from Tuesday. Are they the same? Compare them
# letter by letter, and nobody will argue. For numbers, the letters are the bits: the [**code**](glossary.md#code).
# Python's `==` is not a comparison of codes.

# %%
unequal = guess("Of the 65,536 codes of binary16, how many stand for a number that is not == itself?")

# %%
x = fs.all_values("binary16")  # the numbers of all codes, in the order of the codes
print("not equal to themselves:", np.sum(x != x))
print("0 == -0 is", 0.0 == -0.0, "but the codes are", hex(fs.encode(0.0)), "and", hex(fs.encode(-0.0)))
unequal.compare(int(np.sum(x != x)))

# %% [markdown]
# These are the NaNs. And one pair of different codes is equal: the two zeros. A test with `==` complains where nothing is
# wrong, and says nothing where a sign is lost. So we compare codes, and let all NaNs be one:


# %%
@fs.teach.puzzle
def same_number(one, other):
    """True if two codes of binary16 are equal, or both stand for NaN; else False. (NaN: 0x7C01 to 0x7FFF, 0xFC01 on.)"""
    return ...


# %% [markdown]
# Here is the same for arrays of numbers. And a test should not only say *that* something is wrong. It should name the
# case, what came out, what is right, and the code, so that the reader need not start a search of her own:


# %%
def same(x, y):
    return (x == y) & (np.signbit(x) == np.signbit(y)) | np.isnan(x) & np.isnan(y)


def first_difference(function, x):
    """Compare a rounder to binary16 with fs.round_to on an array, and show the first x for which they differ."""
    found, right = function(x), fs.round_to(x, "binary16")
    wrong = np.flatnonzero(~same(found, right))
    if not wrong.size:
        return f"all {x.size:,} are right"
    k = wrong[0]
    code = fs.encode(right[k], "binary16")
    return (
        f"{wrong.size:,} of {x.size:,} are wrong; f({float(x[k])}) is {found[k]}, right is {right[k]}, code {code:#06x}"
    )


print(first_difference(lambda x: fs.round_to(x, "binary16", "ties_to_away"), np.arange(1.0, 4096.0)))

# %% [markdown]
# ## Can we try them all?
#
# A function of one 16-bit number has 65,536 inputs. That is nothing: NumPy takes them at once. But a *rounder* takes
# any float64. This machine rounds a hundred million numbers a second, say.

# %%
years = guess("About how many years does it take to round all 2^64 float64 codes, at 100 million a second?")

# %%
year = 365.25 * 24 * 3600
for what, cases in (
    ("one number of 16 bits", 2**16),
    ("two numbers of 8 bits", 2**16),
    ("one number of 32 bits, or two of 16", 2**32),
    ("one number of 64 bits", 2**64),
):
    seconds = cases / 100e6
    print(f"{what:36} {cases:8.2g} cases ", f"{seconds / year:,.0f} years" if seconds > year else f"{seconds:.2g} s")
years.compare(round(2**64 / 100e6 / year), within=0.3)

# %% [markdown]
# So: all numbers of 16 bits and all pairs of 8 bits at each test, all of 32 bits while you drink a coffee, all of 64 bits
# never. A puzzle, before we go on:


# %%
@fs.teach.puzzle
def seconds_for_all_pairs(width, per_second):
    """How long it takes to try all pairs of numbers of so many bits, if `per_second` pairs are tried in a second."""
    return ...


# %% [markdown]
# Pairs of 8 bits are worth a look. A compiler wants to replace a / b by a * (1 / b), because it is faster. Each step is
# rounded to e4m3_ieee, a format with 8 bits of which 3 are stored digits. Try all pairs without NaN.

# %%
reciprocal = guess("For about what share of all pairs of an 8-bit format does a * (1 / b) differ from a / b?")

# %%
values = fs.all_values("e4m3_ieee")
values = values[~np.isnan(values)]
a, b = values[:, None], values[None, :]
differ = ~same(fs.multiply(a, fs.divide(1, b, "e4m3_ieee"), "e4m3_ieee"), fs.divide(a, b, "e4m3_ieee"))
print(f"{differ.sum():,} of {differ.size:,} pairs, {differ.mean():.1%}")
reciprocal.compare(round(float(differ.mean()), 2), within=0.25)

# %% [markdown]
# That is no sample and no estimate. For this format it is the whole truth, in a hundredth of a second.
#
# ## Planted bugs
#
# Now we test tests. `fs.faults` is a table of wrong functions, mistakes that people have made. Each has a name, a
# sentence that says what it does, and can be called like a rounder. Here are six of them:

# %%
for name in ("ties_away", "late_overflow", "sign_of_underflow", "no_sticky", "loses_carry", "float32"):
    print(f"{name:18}", fs.faults.find(name).misconception)
print("late_overflow makes of 65535:", fs.faults.find("late_overflow")(65535.0))

# %% [markdown]
# There are 38 that round to binary16 wrongly, to nearest, ties to even. You need not know their names. They are **planted
# bugs**, and a test is good if it finds them all. `caught_by(x)` counts the bugs that are noticed by an array of inputs:

# %%
bugs = [fault for fault in fs.faults.suspects("rounding") if fault.name not in ("ties_to_even", "log2")]


def left_by(x):
    """The bugs that round all these numbers rightly."""
    right = fs.round_to(x, "binary16")
    return [bug.name for bug in bugs if same(bug(x), right).all()]


def caught_by(x):
    return len(bugs) - len(left_by(x))


by_hand = np.array([0, 1, -1, 0.1, 1 / 3, 100, 1000, 1e10])  # <- change: add the numbers that you would try
print("eight numbers of a careful person catch", caught_by(by_hand), "of", len(bugs))

# %% [markdown]
# (Two of the table are left out: they are wrong in other modes only.) Eight numbers catch a third. More numbers, then.

# %%
random_caught = guess("How many of the 38 planted bugs do 100,000 random numbers from -1000 to 1000 catch?")
numbers_caught = guess("How many of the 38 planted bugs do all 65,536 numbers of binary16 catch?")

# %%
at_random = np.random.default_rng(13).uniform(-1000, 1000, 100_000)
print(f"{at_random.size:7,} random numbers       catch {caught_by(at_random)} of {len(bugs)}")
numbers = fs.all_values("binary16")
print(f"{numbers.size:7,} numbers of the format catch {caught_by(numbers)} of {len(bugs)}")
random_caught.compare(caught_by(at_random))
numbers_caught.compare(caught_by(numbers))

# %% [markdown]
# A hundred thousand random numbers are hardly better than eight good ones. And the numbers of the format are the *easy*
# ones: rounding leaves them alone. A rounder decides elsewhere.
#
# **Predict:** where does it decide? Which numbers would you add?

# %%
finite = np.unique(numbers[np.isfinite(numbers)])  # in ascending order
midpoints = (finite[1:] + finite[:-1]) / 2
midpoints = np.concatenate([midpoints, [65520, -65520]])
beside = np.concatenate([np.nextafter(midpoints, np.inf), np.nextafter(midpoints, -np.inf)])
with_midpoints = np.concatenate([numbers, midpoints])
everything = np.concatenate([with_midpoints, beside])
print(f"with the midpoints:      {with_midpoints.size:7,} numbers catch {caught_by(with_midpoints)} of {len(bugs)}")
print("                         still missing:", ", ".join(left_by(with_midpoints)))
print(f"and the floats beside:   {everything.size:7,} numbers catch {caught_by(everything)} of {len(bugs)}")

# %% [markdown]
# A rounder changes its answer at the [**midpoints**](glossary.md#midpoint), and nowhere else. The last four bugs are right
# at each midpoint, and wrong a hair beside one. Look at
# [the number after 2049](explorer.html#arithmetic?op=round&a=2049.0000000000005).
#
# ## Why so few are enough
#
# 256,000 numbers are a small part of 2^64. They are enough all the same, for every rounder that keeps the *order*: if
# x <= y, then r(x) <= r(y). Here is why. Take two midpoints that follow each other, such as 2049 and 2051, and a rounder
# that is right just above the first and just below the second: both become 2050. Each x between them lies between these
# two. So r(x) is at least 2050 and at most 2050.
#
# So one property and a quarter of a million cases *prove* such a function right for all 2^64. Is NumPy's float16 right?

# %%
print("NumPy:", first_difference(lambda x: x.astype(np.float16).astype(float), everything))

# %% [markdown]
# (NumPy is also an oracle for us: two programs by different people, written in different ways, agree. That is worth more
# than a program that agrees with itself.)
#
# ## Two operands
#
# All pairs of binary16 take 43 seconds in our table: too slow for a test that runs every day. So take interesting numbers,
# each with each. Which? An old recipe, of Berkeley's TestFloat: every exponent with a few significands, the first ones
# and the last ones; and zeros, infinities, subnormal numbers.
#
# `fs.faults` has wrong additions, too. These five go wrong before anything is rounded:

# %%
adders = [fault for fault in fs.faults.suspects("add") if fault.rounder is None]
for fault in adders:
    print(f"{fault.name:18}", fault.misconception)

# %% [markdown]
# Look at the fourth. float64 has 53 digits, and the sum of two numbers of binary16 needs 41 at most.

# %%
float64_first = guess(
    "For how many of 63,504 pairs of interesting numbers does adding in float64 first give a wrong binary16 sum?"
)

# %%
exponents, significands = 2.0 ** np.arange(-14, 16), np.array([1, 1 + 2**-10, 1.5, 2 - 2**-10])
positive = np.concatenate(
    [np.outer(exponents, significands).ravel(), np.array([1, 2, 3, 1023]) * 2.0**-24, [0, np.inf]]
)
interesting = np.concatenate([positive, -positive])
pairs = np.meshgrid(interesting, interesting)
random_pairs = fs.round_to(np.random.default_rng(1).uniform(-1000, 1000, (2, *pairs[0].shape)), "binary16")


def wrong_sums(adder, operands):
    return int((~same(adder.answer("add", operands, "binary16"), fs.add(*operands))).sum())


print(f"{pairs[0].size:,} pairs each     interesting  random")
for adder in adders:
    print(f"{adder.name:18} {wrong_sums(adder, pairs):14,} {wrong_sums(adder, random_pairs):7,}")
float64_first.compare(wrong_sums(fs.faults.find("float64_sum", "add"), pairs))

# %% [markdown]
# The interesting pairs find four. `float64_sum` is never wrong, because its first step commits no error:
# [Rounding twice](rounding_twice.ipynb) has the rule. A planted bug that no test can find is no bug. People who test
# tests call it an **equivalent mutant**, and spend a lot of time with them.
#
# ## Sums: a bound, not a tolerance
#
# Where a result has rounding errors, it is not equal to the exact one. So people write tests with a tolerance: the sum
# may be wrong by a thousandth. The [unit roundoff](glossary.md#unit-roundoff) of binary16 is half of that.

# %%
tolerance = guess("Is a sum of three numbers from -8 to 8 always right to a thousandth in binary16? (yes or no)")

# %%
some = interesting[(np.abs(interesting) >= 2**-8) & (np.abs(interesting) <= 8)]
a, b, c = some[:, None, None], some[None, :, None], some[None, None, :]
exact = a + b + c  # float64 holds the sum of three such numbers
error = np.abs(fs.add(fs.add(a, b), c) - exact)
sizes = np.abs(a) + np.abs(b) + np.abs(c)
print(f"more than a thousandth: {(error > 0.001 * np.abs(exact)).sum():,} of {error.size:,} sums")
print("for example 8 + 2^-8 - 8 =", fs.add(fs.add(8, 2**-8), -8))
print(f"more than (n - 1) u (|a| + |b| + |c|): {(error > (3 - 1) * 2**-11 * sizes).sum():,}")
tolerance.compare(not (error > 0.001 * np.abs(exact)).any())

# %% [markdown]
# The test is wrong, not the sums: the large numbers cancel, and the small one was absorbed before. What can be *proved* is
# the last line, a bound by the sizes of the terms. A tolerance is a guess: too small and right code fails, too large and
# bugs pass. A puzzle, for n terms:


# %%
@fs.teach.puzzle
def allowed_error(n, sizes):
    """The bound for the error of a sum of n terms in binary16, whose sizes add up to `sizes`. u is 2**-11."""
    return ...


# %% [markdown]
# ## Test the test
#
# A test that has never failed has shown nothing. Feed it wrong functions, count how many it refuses, and feed it the
# right one, which it must accept. That is [**mutation testing**](glossary.md#mutation-testing). The grader does it:
# `fs.teach.grade.tests(check)` calls your `check` with each planted bug as its argument. A bug is caught if `check`
# raises an AssertionError.
#
# **Predict:** how many points of 100 does this test get?


# %%
def check_by_hand(rounder):
    for x, right in ((0.0, 0.0), (1.0, 1.0), (0.1, 0.0999755859375), (1e10, np.inf)):
        assert rounder(x) == right


report = fs.teach.grade.tests(check_by_hand)
print("score", report.score, "of 100; it caught", len(bugs) - len(report.missing), "of", len(bugs), "bugs")

# %% [markdown]
# (That it accepted the right rounder counts, too: one verdict of 39.)
#
# ## In short
#
# - Compare codes, not values: `==` forgets the sign of a zero, and says that NaN differs from NaN. Name the first
#   difference with its code.
# - Try everything where there are at most a few thousand million cases: all numbers of 16 bits, all pairs of 8.
# - Else choose the inputs where the function decides: midpoints, what lies just beside them, both ends, zeros, NaN.
#   Random numbers and numbers of the format are easy cases.
# - A rounder that keeps the order and is right beside each midpoint is right everywhere.
# - Where results are exact or correctly rounded, ask for equality. For sums, use a bound by the sizes of the terms.
# - Plant bugs, and count how many your test finds. One that cannot be found is no bug.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/testing.py`; you can also write here.


# %%
def check_rounder(rounder):
    """Raise AssertionError if rounder(x) is not x rounded to binary16, to nearest, ties to even, for some x."""
    raise NotImplementedError


fs.teach.check(check_rounder)  # fs.teach.hint() helps

# %% [markdown]
# 1. `check_rounder(rounder)`: write the test that refuses all 38 and accepts the right one. `rounder` takes a float or an
#    array of floats, and you may use `fs.round_to`. (Arrays of chosen numbers take a second. With Hypothesis, the grader
#    needs half a minute, because it runs your test 44 times.)
# 2. `check_truncation(rounder)`: the same for bfloat16, toward zero. What of your first test can you use again?
#
# ## Read next
#
# - J. Hauser's Berkeley TestFloat, and its page "TestFloat: general documentation": operands by exponents and
#   significands.
# - R. A. DeMillo, R. J. Lipton and F. G. Sayward, "Hints on test data selection: help for the practicing programmer",
#   Computer 11 (1978): where mutation testing began.
# - R. Karpinski, "Paranoia: a floating-point benchmark", Byte 10 (1985): a program that examined the arithmetic of a
#   whole generation of computers.
# - S. M. Rump, "Error estimation of floating-point summation and dot product", BIT Numerical Mathematics 52 (2012): the
#   bound for sums.
#
# Next lesson: [The quiz](quiz.ipynb).
