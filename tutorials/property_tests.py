# %% [markdown]
# # Property tests
#
# | | |
# |---|---|
# | **Question** | How do you find the mistake that you did not think of? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties, modes), [Arithmetic on paper](arithmetic.ipynb) |
# | **You will be able to** | say what must always hold, let a machine look for the simplest case where it does not, and say what such a test cannot tell |

# %%
import numpy as np
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import fp16sim as fs
from fp16sim.teach import guess, guesses
from fp16sim.teach import strategies as fst

_ = np.seterr(all="ignore")

# %% [markdown]
# ## What you know already
#
# A puzzle from [Rounding](rounding.ipynb). It will be useful in a minute.


# %%
@fs.teach.puzzle
def is_tie(x):
    """True if a float x from 2048 up to 4096 is exactly in the middle of two neighbours of binary16, else False."""
    return ...


# %% [markdown]
# ## A shop without small coins
#
# In Switzerland the smallest coin has 5 centimes. So a shop rounds each amount to a multiple of 5: 12 becomes 10, and
# 13 becomes 15. Somebody wrote this function, and tried four amounts:


# %%
def to_five(cents):
    return int((cents + 2) / 5) * 5


for cents in (12, 13, 99, 100):
    print(cents, "becomes", to_five(cents))

# %% [markdown]
# All four are right. Is the function right? More examples would help, but you would choose those that you think of. So
# we do not write examples. We write what must *always* hold, a
# [**property**](glossary.md#property): nobody pays 3 centimes too much or too
# little.
#
# **Hypothesis** is a library that tests properties. `@given` says what to draw: here integers. Hypothesis calls the
# test with 100 of them. If one fails, it looks for a *simpler* one that fails too, again and again, and shows the
# simplest.


# %%
lesson = settings(database=None, derandomize=True, deadline=None, phases=[Phase.generate, Phase.shrink])


@settings(lesson)
@given(st.integers(-10_000, 10_000))
def test_nobody_loses_more_than_two(cents):
    assert abs(to_five(cents) - cents) <= 2


# %% [markdown]
# (The line `settings` gives the same draws each time, which is good for a lesson. For your own work, leave it out.)
#
# The test is written, and has not run yet.

# %%
amount = guess("Which amount of centimes is the simplest for which to_five is off by more than 2?")


# %%
def run(test):
    """Call a test: print that it passed, or the arguments for which it failed."""
    try:
        test()
        print("passed")
    except AssertionError as error:
        print("fails for", *[line.strip(" ,") for line in error.__notes__[0].splitlines() if "=" in line])


run(test_nobody_loses_more_than_two)
print("to_five(-3) is", to_five(-3))
amount.compare(-3)

# %% [markdown]
# A refund! An amount below zero is allowed, and nobody thought of it. `int` cuts off toward zero, so that negative
# amounts go up where they should go down. `(cents + 2) // 5 * 5` goes down for both signs.
#
# Replace the line in `to_five`, run its cell and the last one again, and the test passes. In a file `test_shop.py`,
# `pytest` runs such tests.
#
# ## Numbers that nobody draws
#
# Now to binary16. Here is the rule from school, for whole arrays. `fs.ulp(x)` gives the gap at x, the
# [**ulp**](glossary.md#ulp):


# %%
def half_up(x):
    return np.floor(x / fs.ulp(x) + 0.5) * fs.ulp(x)


# %% [markdown]
# It rounds each [**tie**](glossary.md#tie) up, so it is wrong for some x. We try it with many random numbers.

# %%
random_numbers = guess(
    "Of 100,000 random floats from 0 to 1000, for how many is half_up not the right binary16 number?"
)

# %%
x = np.random.default_rng(13).uniform(0, 1000, 100_000)  # <- change: 1_000_000, or another seed
wrong = half_up(x) != fs.round_to(x, "binary16")
print(wrong.sum(), "of", f"{x.size:,}", "are wrong")
random_numbers.compare(int(wrong.sum()))

# %% [markdown]
# A random float has 53 digits, and it is a tie only if all of them after the twelfth are 0. That happens once in about
# four million million draws. A random float is never infinite either, nor NaN, nor -0, and hardly ever tiny. **Where
# the mistakes are, random numbers are not.**
#
# What draws numbers is called a [**strategy**](glossary.md#strategy). `st.integers` was one. `fst`, short for `fp16sim.teach.strategies`, has
# some for 16 bits:
#
# | strategy | draws |
# |---|---|
# | `fst.floats("binary16")` | numbers of binary16, special ones more often |
# | `fst.reals("binary16")` | what a rounder is given: ties, numbers just beside them, tiny and huge ones, NaN |
# | `fst.cancelling_pairs("binary16")` | pairs of numbers whose sum is almost 0 |
#
# `collect` gives the draws of a strategy as an array, so that we can look at them:


# %%
def collect(strategy, count):
    seen = []

    @settings(lesson, max_examples=count)
    @given(strategy)
    def look(x):
        seen.append(x)

    look()
    return np.array(seen, float)


pool = collect(fst.reals("binary16"), 300)
is_half = np.abs(pool - fs.round_to(pool)) == fs.ulp(pool) / 2
tiny = (pool != 0) & (np.abs(pool) < 2**-14)
print("ties:", is_half.any(), "  too large:", (np.abs(pool) > 65504).any(), "  below 2^-14:", tiny.any())

# %% [markdown]
# ## Four properties of rounding
#
# Often there is nothing to compare with: that is why you wrote the function. But you know what must hold. Let r be a
# rounder.
#
# 1. **Twice is once.** r(r(x)) is r(x): a number of the format stays.
# 2. **Mirror.** r(-x) is -r(x). (That holds for rounding to nearest. Upward it does not.)
# 3. **Order.** If x <= y, then r(x) <= r(y).
# 4. **Half an ulp.** r(x) is at most half an ulp away from x, up to the largest number, 65504.
#
# The third has the form "if A, then B". Such a property is broken in one way only: A is true, and B is not. A puzzle:


# %%
@fs.teach.puzzle
def in_order(x, y, rx, ry):
    """False if x <= y, but their rounded numbers rx and ry are not in that order; else True."""
    return ...


# %% [markdown]
# Here are the four in Python. Each takes a rounder and an array of numbers, and says for which of them it holds. Two
# results are the `same` if they are equal and have the same sign: -0 is not 0. NaN is NaN.


# %%
def same(x, y):
    return (x == y) & (np.signbit(x) == np.signbit(y)) | np.isnan(x) & np.isnan(y)


def keeps_order(r, x):
    x = np.sort(x[~np.isnan(x)])
    return r(x)[1:] >= r(x)[:-1]


properties = {
    "twice is once": lambda r, x: same(r(r(x)), r(x)),
    "mirror": lambda r, x: same(r(-x), -r(x)),
    "order": keeps_order,
    "half an ulp": lambda r, x: ~(np.abs(r(x) - x) > fs.ulp(x) / 2) | (np.abs(x) > 65504),
}

# %% [markdown]
# And here are eight **suspects**. Each is wrong, in a way that people have written before.

# %%
suspects = {
    "cuts off": lambda x: fs.round_to(x, "binary16", "toward_zero"),
    "ties up, as half_up": lambda x: np.where(np.abs(x) <= 65504, half_up(x), fs.round_to(x, "binary16")),
    "ties away from zero": lambda x: fs.round_to(x, "binary16", "ties_to_away"),
    "one too high": lambda x: fs.next_up(fs.round_to(x, "binary16")),
    "tiny becomes 0": lambda x: np.where(np.abs(x) < 2**-14, 0 * x, fs.round_to(x, "binary16")),
    "too large becomes 0": lambda x: np.where(np.abs(x) < 65520, fs.round_to(x, "binary16"), 0 * x),
    "too large becomes 65504": lambda x: np.clip(fs.round_to(x, "binary16"), -65504, 65504),
    "does nothing at all": lambda x: x,
}

# %% [markdown]
# Go through the list with a pencil: which of the four properties does each one break?

# %%
unnoticed = guess("How many of these eight suspects break none of the four properties?")


# %%
def broken_by(r):
    return [name for name, holds in properties.items() if not holds(r, pool).all()]


noticed = {name: broken_by(r) for name, r in suspects.items()}
for name, broken in noticed.items():
    print(f"{name:24} breaks: {', '.join(broken) or 'nothing'}")
assert broken_by(fs.round_to) == []  # the right one breaks none
unnoticed.compare(list(noticed.values()).count([]))

# %% [markdown]
# Each property is simple, and together they find five of eight. Look at the three that nobody noticed.
#
# - "Does nothing at all" is symmetric, in order, and without error! One property was forgotten: that the result is a
#   number *of the format*.
# - "Ties away from zero" is as good as ties to even in each respect that we asked for. Which of the two is right is a
#   *choice*, and it stands in the standard only.
# - "Too large becomes 65504" is wrong only above 65504, where we asked for nothing.
#
# So properties tell whether a function has the right *shape*. For the rest you need something that knows the right answer,
# an [**oracle**](glossary.md#oracle). Here it is `fs.round_to`; a slow and simple function of your own will do as well. It may be slow, because
# it is called a few hundred times only.

# %%
for name, r in suspects.items():
    print(f"{name:24} {'caught' if not same(r(pool), fs.round_to(pool)).all() else 'not caught'}")

# %% [markdown]
# ## The simplest counterexample
#
# When a test fails for x = -27.4921875, you know little. So Hypothesis [**shrinks**](glossary.md#shrinking) it: fewer digits, a smaller integer,
# no sign, as long as the test still fails. `find(strategy, condition)` does the same without a test: it gives the
# simplest x that it finds with that condition.

# %%
smallest = guess("Which positive integer is the first that ties away from zero round differently than ties to even?")


# %%
def simplest(r):
    def is_wrong(x):
        return not same(r(x), fs.round_to(x))

    return find(fst.reals("binary16"), is_wrong, settings=settings(lesson, max_examples=1000))


for name in ("ties away from zero", "cuts off", "too large becomes 65504"):  # <- change: another suspect
    x = simplest(suspects[name])
    print(f"{name:24} x = {x!r:8} gives {suspects[name](x)}, right is {fs.round_to(x)}")
smallest.compare(simplest(suspects["ties away from zero"]))

# %% [markdown]
# Below 2048 each integer is a number of binary16. 2049 is the first that is a tie, and its even neighbour is below. For
# 2051 the even neighbour is above, so the first two suspects differ there. A good counterexample explains itself:
# [look at 2049 in the explorer](explorer.html#arithmetic?op=round&a=2049).
#
# Lists are made simpler, too: first Hypothesis leaves out elements, one after the other, as long as the test still fails.
# Say that a test fails when the sum of a list is above a limit. A puzzle: which elements can go?


# %%
@fs.teach.puzzle
def can_go(values, k, limit):
    """True if the sum of the list without values[k] is still above the limit, else False."""
    return ...


# %% [markdown]
# ## Split the bill
#
# Three friends share a bill of n: each pays n / 3. Times 3, is it n again? Each step is rounded to binary16.

# %%
thirds = guess("For how many n of 1, 2, ... 1000 is n / 3 * 3 not n in binary16?")


# %%
def shared(x):
    return fs.multiply(fs.divide(x, 3), 3)


n = np.arange(1.0, 1001)
print((shared(n) != n).sum(), "of 1000 are wrong")
thirds.compare(int((shared(n) != n).sum()))

# %% [markdown]
# None, although n / 3 is rounded for most of them. After a thousand examples most people would write: "it always holds".


# %%
@settings(lesson, max_examples=300)
@given(fst.floats("binary16", 1, 65504))
def test_sharing_loses_nothing(x):
    assert shared(x) == x


run(test_sharing_loses_nothing)
every = fs.all_values("binary16")
every = every[(every >= 1) & (every <= 65504)]
wrong = every[shared(every) != every]
print("wrong for", wrong.size, "of", every.size, "numbers from 1 on")
print("the first integer is", wrong[wrong == np.floor(wrong)].min())

# %% [markdown]
# It fails for one number in six, and [the explorer shows a third of 1537](explorer.html#arithmetic?op=divide&a=1537&b=3).
# It is a theorem that it holds for all integers below 1024, that is, for numbers of ten binary digits or fewer. Our
# thousand examples were all of that kind. Examples have habits. A good strategy has fewer.
#
# ## Pairs
#
# An operation has two operands, and the interesting *pairs* are rare even where the operands are not: two random
# numbers hardly ever cancel. `fst.cancelling_pairs` draws pairs that do, such as 1 and -0.9995. Many people say that
# such a [**cancellation**](glossary.md#cancellation) is inexact.

# %%
nearly = guess("If two numbers of binary16 nearly cancel, is their sum in binary16 always exact? (yes or no)")

# %%
some = fst.floats("binary16", -8, 8)


@settings(lesson, max_examples=300)
@given(fst.cancelling_pairs("binary16"))  # <- change: st.tuples(some, some)
def test_the_sum_is_exact(pair):
    a, b = pair
    assert fs.add(a, b) == a + b  # Python's a + b is exact here: it has 53 digits


run(test_the_sum_is_exact)
nearly.compare(True)

# %% [markdown]
# It passes, and here is why. Both numbers are multiples of the smaller one's ulp. So is their sum, and it is smaller
# than each of them. So it needs no more digits than they have. (That is Sterbenz's lemma;
# [see the digits cancel](explorer.html#arithmetic?op=subtract&a=1&b=0.9995).) The property told us what to prove, and the
# proof says that no draw will ever break it.
#
# ## What a property cannot tell
#
# - **A test that fails is a proof; one that passes is none.** Hypothesis drew 300 numbers, and there are more.
# - **It looks where its strategy looks.** Integers up to 1000 would not have found the bill.
# - **It checks what you wrote**, not what you meant. "Does nothing at all" has passed four tests.
# - **An oracle that shares your mistake agrees with you.** So write the oracle in another way than the function.
#
# In 16 bits there is one more thing that you can do: try *all* numbers. [Testing numerics](testing.ipynb) does it.
#
# ## In short
#
# - A property says what must hold for all inputs: a size, an order, a symmetry, that a step changes nothing when it is
#   done again, that two ways give the same.
# - A strategy draws the inputs. Random numbers miss ties, zeros, infinities and pairs that cancel; the strategies of
#   `fp16sim.teach.strategies` aim at them.
# - When a test fails, Hypothesis shrinks the input: 2049, not -27.4921875.
# - Properties check the shape of a function, and an oracle checks its values. Use both.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/property_tests.py`; you can also write here.


# %%
def broken_laws(x, y, rx, ry):
    """The names of the laws that these two roundings break, x to rx and y to ry, as a list."""
    raise NotImplementedError


fs.teach.check(broken_laws)  # fs.teach.hint() helps

# %% [markdown]
# 1. `broken_laws(x, y, rx, ry)`: somebody's rounder made rx of x, and ry of y. Which laws of rounding to nearest does that
#    break? Give a list of names, in this order, of those that are broken:
#    - `"format"`: rx or ry is no number of binary16. (A number of binary16 is what `fs.round_to` leaves alone.)
#    - `"half an ulp"`: |x| is at most 65504, and |rx - x| is more than half of `fs.ulp(x, "binary16")`; or the same for y
#      and ry.
#    - `"order"`: x <= y, but rx > ry; or x >= y, but rx < ry.
#    - `"mirror"`: y is -x, but ry is not -rx.
#
#    All four numbers are floats, without NaN, and the sign of a zero does not matter.
# 2. `shrink(values, limit)`: your own shrinker, for the test of the puzzle above. First leave out, from left to right,
#    each element that can go. Then, from left to right, replace each by the least integer >= 0 with which the sum is
#    still above the limit. So `shrink([5, 90, 7, 30], 100)` is `[71, 30]`.
#
# ## Read next
#
# - D. R. MacIver, Z. Hatfield-Dodds and others, "Hypothesis: A new approach to property-based testing", Journal of Open
#   Source Software 4 (2019), and the documentation of Hypothesis: begin with its page "Quickstart".
# - K. Claessen and J. Hughes, "QuickCheck: A Lightweight Tool for Random Testing of Haskell Programs", ICFP 2000: where
#   it began.
# - D. Goldberg, "What every computer scientist should know about floating-point arithmetic" (1991), theorem 7: why
#   n / 3 * 3 is n.
#
# This was the last lesson of the core path. Of the lessons from here on, choose those that you like.
#
# Next lesson: [Everyday numbers](everyday_numbers.ipynb). Where do you meet rounding on an ordinary day?
