# %% [markdown]
# # Testing numerics
#
# | | |
# |---|---|
# | **Question** | How do you find the one number in 65,536, or in 2^64, for which your function is wrong? |
# | **Time** | 30 minutes |
# | **Needs** | [Arithmetic on paper](arithmetic.ipynb), [Rounding twice](rounding_twice.ipynb), [How wrong is it?](how_wrong.ipynb), [Sums](sums.ipynb) |
# | **You will be able to** | write properties and oracles, choose strategies that reach the rare cases, read a shrunk counterexample, and test your tests |
#
# So far a grader broke *your* functions. Now you build one. The tool is **Hypothesis**: you state a property, it draws
# inputs, and when the property fails it looks for a simpler input for which it fails, too.

# %%
import random

import matplotlib.pyplot as plt
import numpy as np
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim.teach import strategies as fst

np.seterr(all="ignore")
phases = (
    Phase.generate,
    Phase.shrink,
)  # no memory of former runs, the same draws each time: for a lesson, not for work
lesson = settings(
    database=None, derandomize=True, deadline=None, phases=phases, suppress_health_check=list(HealthCheck)
)

# %% [markdown]
# ## Suspects
#
# `fs.faults` is a table of wrong functions: mistakes that people make. These are the ones that round wrongly to
# binary16, to nearest, ties to even. Each takes an array of floats. (Some are wrong in other formats or modes only:
# they are left out.)
#
# **Predict:** how many ways are there to write a rounding function wrongly? Name five before you look.


# %%
def suspect(fault):
    return lambda x: np.asarray(fault.answer("rounding", (np.atleast_1d(np.asarray(x, float)),), "binary16"))


elsewhere = ("ties_to_even", "log2")
suspects = {fault.name: suspect(fault) for fault in fs.faults.suspects("rounding") if fault.name not in elsewhere}
print(len(suspects), "suspects:", ", ".join(suspects))

# %% [markdown]
# ## Examples that you think of
#
# A test compares with what is right. What is right? `fs.round_to` serves us as the **oracle** here. And "equal" must mean
# the same code: -0 is not +0, and NaN is NaN.
#
# **Predict:** a careful person tests 0, 1, -1, 0.1, 1/3, 100, 1000 and 1e10. How many of the suspects are caught?


# %%
def same(x, y):
    return ((x == y) & (np.signbit(x) == np.signbit(y))) | (np.isnan(x) & np.isnan(y))


def survivors(x):
    """The suspects that are right for all these numbers."""
    return [name for name, rounder in suspects.items() if np.all(same(rounder(x), fs.round_to(x)))]


by_hand = np.array([0.0, 1.0, -1.0, 0.1, 1 / 3, 100.0, 1000.0, 1e10])  # <- change: add the numbers that you think of
print(len(survivors(by_hand)), "of", len(suspects), "survive:", ", ".join(survivors(by_hand)))

# %% [markdown]
# ## Random numbers
#
# More numbers, then. 100,000 random ones.
#
# **Predict:** how many ties are among 100,000 random binary64 numbers between -1000 and 1000? Which suspects survive?

# %%
x = np.random.default_rng(13).uniform(-1000, 1000, 100_000)
print("ties:", np.sum(np.abs(x - fs.round_to(x)) == fs.ulp(x) / 2))
print(len(survivors(x)), "of", len(suspects), "survive:", ", ".join(survivors(x)))

# %% [markdown]
# A random double is a tie of binary16 about once in 2^42 draws. It is never NaN, or infinite, or -0, or subnormal. **Where
# the bugs are, random numbers are not.**
#
# Hypothesis has a strategy for binary16 numbers, `st.floats(width=16)`. It likes simple ones.
#
# **Predict:** of 400 draws, how many are different? Its rivals are `fst.floats("binary16")`, for numbers of the format, and
# `fst.reals("binary16")`, for what is rounded to it: ties, their neighbours, both ends, infinities and NaN.


# %%
def collect(strategy, count):
    seen = []

    @settings(lesson, max_examples=count)
    @given(strategy)
    def look(x):
        seen.append(x)

    look()
    return np.array(seen)


for name, strategy in (("st.floats(width=16)", st.floats(width=16)), ("fst.floats", fst.floats("binary16"))):
    x = collect(strategy, 400)
    print(f"{name:20} different: {len(np.unique(fs.encode(x))) / len(x):.0%}, zeros: {np.mean(x == 0):.0%}")

# %% [markdown]
# And now the numbers that a rounder must decide about. (`reals` are no numbers of binary16, most of them.)
#
# **Predict:** 500 draws of `fst.reals("binary16")`. How many of the suspects survive?

# %%
pool = collect(fst.reals("binary16"), 500)
print("ties:", "many" if np.sum(np.abs(pool - fs.round_to(pool)) == fs.ulp(pool) / 2) > 50 else "few")
left = survivors(pool)
print(len(left), "of", len(suspects), "survive")

# %% [markdown]
# 500 chosen numbers beat 100,000 random ones. One mistake hides in a narrow place: `late_overflow` is wrong from 65520 to
# just below 65536 and nowhere else. For such places there are strategies that aim.
#
# **Predict:** what do `fst.near_overflow` and `fst.near_underflow` draw? Do the survivors survive them?

# %%
both_ends = np.concatenate([collect(strategy("binary16"), 200) for strategy in (fst.near_overflow, fst.near_underflow)])
print("late_overflow survives:", "late_overflow" in survivors(both_ends.astype(float)))
everything = np.concatenate([pool, both_ends.astype(float), [0.0, np.inf, np.nan]])
everything = np.concatenate([everything, -everything])
print("together:", survivors(everything) or "no one survives")

# %% [markdown]
# ## Properties without an oracle
#
# Often there is nothing to compare with: that is why you wrote the function. But you know what it must *satisfy*. Rounding
# again changes nothing. Rounding -x gives minus the rounding of x. If x <= y, then this holds when rounded, too. The error
# is at most half an ulp.
#
# **Predict:** which of the four properties catches most? Which mistakes pass all four?


# %%
def monotone(r, x):
    x = np.sort(x[~np.isnan(x)])
    return r(x)[1:] >= r(x)[:-1]


properties = {
    "idempotent": lambda r, x: same(r(r(x)), r(x)),
    "symmetric": lambda r, x: same(r(-x), -r(x)),
    "monotone": monotone,
    "half an ulp": lambda r, x: (np.abs(x) > 65504) | ~(np.abs(r(x) - x) > fs.ulp(x) / 2),
}

# %%
passed = {name: {s for s, r in suspects.items() if np.all(holds(r, everything))} for name, holds in properties.items()}
for name in properties:
    assert np.all(properties[name](fs.round_to, everything))  # the right one has it
    print(f"{name:12} catches {len(suspects) - len(passed[name]):2} of {len(suspects)}")
print("pass all four:", ", ".join(s for s in suspects if all(s in names for names in passed.values())))

# %% [markdown]
# Each property alone is weak; together they catch most. What passes breaks ties in another way, which is a *choice* that
# only the definition knows; or is more precise than the format allows (not to round at all passes everything!); or errs
# above 65504, where we asked for nothing. Properties check the shape, an oracle checks the facts. Use both: a slow and
# plain oracle, such as exact fractions, is worth writing.
#
# ## Shrinking
#
# Here is a test as you would write it in a file for pytest. `@given` draws x and calls the test with each.
#
# **Predict:** the suspect rounds ties away from zero. The first x that fails may be something like -27.4921875. Which x
# will Hypothesis show in the end?


# %%
@settings(lesson, max_examples=300)
@given(fst.reals("binary16"))
def test_rounds_as_the_standard_says(x):
    assert same(suspects["ties_away"](x), fs.round_to(x)).all()


try:
    test_rounds_as_the_standard_says()
except AssertionError as error:
    print("shrunk to", *[line.strip() for note in error.__notes__ for line in note.splitlines() if "x=" in line])

# %% [markdown]
# 2049 is the least positive integer that is a tie: between 2048 and 2050. Hypothesis found *some* failure and then tried
# simpler ones. What "simpler" means is the strategy's business; ours prefers small integers, few bits, exponents near 0.
# A good counterexample explains itself.
#
# **Predict** the simplest counterexample of each: flushes subnormals to zero; never overflows; drops the sign of what
# becomes zero; rounds through float32 first.


# %%
def simplest(name):
    def wrong(x):
        return not same(suspects[name](x), fs.round_to(x)).all()

    return find(fst.reals("binary16"), wrong, settings=settings(lesson, max_examples=1000), random=random.Random(13))


for name in ("flushes", "never_overflows", "sign_of_underflow", "float32"):  # <- change: any name printed at the top
    x = simplest(name)
    print(f"{name:18} x = {x!r:24} gives {suspects[name](x)[0]:g}, right is {fs.round_to(x):g}")

# %% [markdown]
# The last one is the frontier of [Rounding twice](rounding_twice.ipynb): a hair above a tie. Rounding to float32
# removes the hair. To see such a case, let it be explained, and drawn:

# %%
print(fs.explain.rounding(2049.0000000000005, "binary16"))
fs.plots.staircase()
plt.show()

# %% [markdown]
# ## Operations
#
# An operation has two operands, and the interesting *pairs* are rare even where the operands are not. Suspect: an adder
# that says -0 where it should say +0, for 1 - 1 and the like.
#
# **Predict:** how likely is it that two independent numbers cancel? Which strategy notices: two independent `floats`, or
# `cancelling_pairs`, which nearly cancel, or do?

# %%
adder = fs.faults.find("minus_zero_sum", "add")
finite = fst.floats("binary16", allow_nan=False, allow_infinity=False)
for name, strategy in (("independent", st.tuples(finite, finite)), ("cancelling", fst.cancelling_pairs("binary16"))):
    a, b = collect(strategy, 400).T
    wrong = ~same(np.asarray(adder.answer("add", (a, b), "binary16")), fs.add(a, b))
    print(f"{name:12} {'caught' if wrong.any() else 'not caught'}")

# %% [markdown]
# **Predict:** for pairs that nearly cancel, Sterbenz's lemma ([Arithmetic on paper](arithmetic.ipynb)) says that a + b
# is exact. For `absorbing_pairs`, a + b is a. So two strategies are two properties. Does our own addition have them?


# %%
@settings(lesson, max_examples=200)
@given(fst.cancelling_pairs("binary16"), fst.absorbing_pairs("binary16"))
def test_sterbenz_and_absorption(near, far):
    assert fs.add(*near) == near[0] + near[1]  # binary64 holds the exact sum
    assert fs.add(*far) == far[0] and far[1] != 0


test_sterbenz_and_absorption()
print("passed")

# %% [markdown]
# ## Bounds instead of tolerances
#
# A sum of n numbers has n - 1 rounded additions. A test with a tolerance, `abs(s - exact) <= 1e-3 * abs(exact)`, looks
# reasonable.
#
# **Predict:** does it hold for three numbers between -8 and 8? If not, what is wrong: the sum, or the test?

# %%
numbers = fst.arrays("binary16", 3, min_value=-8.0, max_value=8.0)


def off(x):
    return abs(fs.sum(x, "binary16") - x.sum())  # binary64 adds three such numbers exactly, or nearly


x = find(
    numbers,
    lambda x: off(x) > 1e-3 * abs(x.sum()),
    settings=settings(lesson, max_examples=1000),
    random=random.Random(13),
)
print("the tolerance fails for", x.tolist(), "with an error of", off(x), "where the exact sum is", x.sum())

# %% [markdown]
# The test is wrong. With cancellation the exact sum may be tiny ([How wrong is it?](how_wrong.ipynb)). What can be
# proved is a bound by the sum of the *magnitudes*: (n - 1) u (|x1| + ... + |xn|), a little more for the higher powers
# of u.
#
# **Predict:** does a property with this bound hold?


# %%
@settings(lesson, max_examples=300)
@given(numbers)
def test_the_error_of_a_sum_is_bounded(x):
    u = float(fs.BINARY16.unit_roundoff)
    assert off(x) <= ((1 + u) ** 2 - 1) * np.abs(x).sum()


test_the_error_of_a_sum_is_bounded()
print("passed")

# %% [markdown]
# A tolerance is a guess that breaks, or hides a bug. A bound is derived, and where results are exact, ask for equality.
#
# ## Test the test
#
# A test that has never failed has shown nothing. Feed it wrong functions and count how many it refuses. That is **mutation
# testing**, and it is how the first exercise is graded.
#
# **Predict:** how many points of 100 does this test get?


# %%
def check_by_hand(rounder):
    for x, expected in ((0.0, 0.0), (1.0, 1.0), (0.1, 0.0999755859375), (1e10, np.inf)):
        assert rounder(x) == expected


report = fs.teach.grade.tests(check_by_hand)
print("score", report.score, "  missed:", len(report.missing), "  for example:", report.missing[1])

# %% [markdown]
# ## Exercises
#
# In `exercises/testing.py`. As shipped:


# %%
def check_rounder(rounder):
    """Raise AssertionError if rounder(x) is not x rounded to binary16, to nearest, ties to even, for some x."""
    raise NotImplementedError


print(fs.teach.grade.tests(check_rounder))

# %% [markdown]
# 1. `check_rounder(rounder)`: write the test that lets no suspect through and accepts the right one. `rounder` takes a float
#    or an array. You need not use Hypothesis; well-chosen numbers will do. Try it first without `fs.round_to`.
# 2. `check_truncation(rounder)`: the same for bfloat16, toward zero. Which numbers are interesting now? No longer ties.
#
# ## Read next
#
# - D. R. MacIver, Z. Hatfield-Dodds and others, "Hypothesis: A new approach to property-based testing", Journal of Open
#   Source Software 4 (2019), and the documentation of Hypothesis.
# - K. Claessen and J. Hughes, "QuickCheck: A Lightweight Tool for Random Testing of Haskell Programs", ICFP 2000: where it
#   began.
# - J. Hauser's Berkeley TestFloat: operands by interesting exponents and interesting significands.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 4: the bounds for sums.
#
# Next lesson: [The quiz](quiz.ipynb).
