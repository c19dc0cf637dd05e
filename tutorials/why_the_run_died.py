# %% [markdown]
# # Why the run died
#
# | | |
# |---|---|
# | **Question** | A run that works in 32 bits dies in 16. At which step, in which tensor, and of what? |
# | **Time** | 40 minutes |
# | **Needs** | [At the edges](edges.ipynb) (subnormals, NaN), [A network in 16 bits](mlp_in_16_bits.ipynb) (training, gradients, bfloat16) |
# | **You will be able to** | read a post-mortem, choose Adam's constants for a format, and find the first bad number in your own program |

# %%
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [A network in 16 bits](mlp_in_16_bits.ipynb). Both ends of binary16 will kill a run today.


# %%
@fs.teach.puzzle
def is_kept(gradient, scale):
    """True if a float gradient, multiplied by scale and rounded to binary16, is neither 0 nor infinite.

    The gradient is not 0 and may be negative; scale is a power of two. is_kept(2e-8, 1) is False.
    """
    return ...


# %% [markdown]
# ## One network, two formats
#
# All runs of this lesson train one small network: 64 pixels of a handwritten digit, 16 hidden units, 10 answers.
#
# `fs.learn.train(recipe, ...)` trains it. In [A network in 16 bits](mlp_in_16_bits.ipynb) you gave it a `Config`; a
# **recipe** is one that has a name. It is as in papers and tutorials, without anything that helps a narrow format; and
# options that you give change it. The result is the history of the run: its `epochs` (passes over the pictures), its
# `steps`, and its `death`, which is `None` if the run lived.

# %%
small = {"layers": (16,), "lr": 1e-2, "epochs": 2}  # lr is the learning rate


def fate(run):
    """How a run ended, in a few words. The accuracy of a run that died means nothing, so it is not shown."""
    return f"died at step {run.death.step}" if run.death else f"{run.epochs[-1].test_accuracy:.1%} right"


print("everything in binary32:", fate(fs.learn.train("pure-binary32", **small)))

# %% [markdown]
# In 32 bits it works. The next run is the same with every number in binary16, without a loss scale, and with the usual
# constants of the optimizer.

# %%
run = fs.learn.train("pure-binary16", **small)
print(run.death)

# %% [markdown]
# That text is a **post-mortem**. Read it from the left, one piece at a time:
#
# | piece | what it tells you |
# |---|---|
# | `died at step 1` | *when*: 90 steps were planned |
# | `the step of layer1.weight` | *which tensor* was the first that is not finite: the change that is added to these weights |
# | `divide in the optimizer's step raised invalid` | *which operation*: a division 0 / 0 (or infinity / infinity), which gives [NaN](glossary.md#nan) |
# | `epsilon=1e-08 is 0 in binary16` | *the suspect*: a setting that became 0 in this format |
# | `first at element 0, whose gradient is 0` | *where*, and with which input |
#
# The same pieces are fields, if your program wants to read them:

# %%
print(run.death.step, run.death.phase, run.death.layer, run.death.operation, run.death.cause.flag)

# %% [markdown]
# ## The suspect: Adam
#
# The **optimizer** turns gradients into steps. You know its name, Adam; here is what it does. For each weight it keeps
# a mean m of the gradients g, and a mean v of their squares, and divides one by the root of the other. So a step has
# about the size of the learning rate lr, whatever the size of g:
#
#     m = beta1 * m + (1 - beta1) * g            beta1 = 0.9
#     v = beta2 * v + (1 - beta2) * g * g        beta2 = 0.999
#     step = -lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
#
# m and v start at 0, so at first they are too small. The divisions by 1 - beta^t at step t mend that. And **epsilon** =
# 1e-8 stands there so that nothing is divided by 0.
#
# Element 0 belongs to a corner pixel, which is black in all pictures: its gradient is exactly 0, so its m and v are 0.
# And the smallest positive number of binary16 is 2^-24, about 6e-8.

# %%
enough = guess("Which is the least of 1e-8, 2e-8, 3e-8, 6e-8 and 1e-7 that is not 0 in binary16?")

# %%
candidates = (1e-8, 2e-8, 3e-8, 6e-8, 1e-7)
with np.errstate(invalid="ignore"):  # without this line, NumPy warns of 0 / 0
    for x in candidates:
        epsilon = fs.round_to(x, "binary16")
        print(f"{x:g} becomes {epsilon:.3g}, and 0 / (sqrt(0) + epsilon) is {fs.divide(0.0, epsilon, 'binary16')}")
enough.compare(min(x for x in candidates if fs.round_to(x, "binary16") > 0))

# %% [markdown]
# What is more than half of the smallest number is rounded up to it; so 3e-8 is enough to be something. 1e-8 is not.
# One NaN is enough: the next forward pass multiplies it with everything. Look at the number that fell out of the
# format; move x to 3e-8, then to 6e-8, and see where it stops being 0:

# %%
fs.page.show("number?x=1e-8&format=binary16", height=700)

# %% [markdown]
# **Could we know before?** Yes. `fs.learn.check(recipe, ...)` takes what `train` takes, trains nothing, and gives a
# list of advice:

# %%
for advice in fs.learn.check("pure-binary16", **small):
    print(advice)

# %% [markdown]
# (`--epsilon 0.0001` is how the command line says `epsilon=1e-4`.)
#
# ## Not zero, and not enough
#
# 1e-7 is not 0 in binary16. Is the run saved?

# %%
saved = guess("Does the run reach its end with epsilon = 1e-7? (yes or no)")

# %%
for epsilon in (1e-7, 1e-5, 1e-4, 1e-3):  # <- change: try 1e-2, 1e-1
    print(f"epsilon {epsilon:g}: {fate(fs.learn.train('pure-binary16', **small, epsilon=epsilon))}")
run = fs.learn.train("pure-binary16", **small, epsilon=1e-7)
print(run.death)
saved.compare(run.death is None)

# %% [markdown]
# It died one step later, and in another place: a product in the forward pass of step 2. Its second operand, the
# weights, is up to 451. But this network begins with weights of at most 1.13. So the harm was done before, by the
# *steps* of step 1. A number that is not finite is often seen in one place and made in another: go back in time.
#
# `fs.learn.adam(lr, epsilon=...)` gives Adam as two functions. `init(grads)` gives its state before the first step, and
# `update(grads, state)` the steps and the next state. `grads` is a dict of arrays, and `fs.array(numbers, fmt)` is an
# array whose operations round to `fmt`. On paper the first step is one learning rate for each g.

# %%
huge = guess("About how many learning rates is the first step for g = 0.005, if v became 0 and epsilon is 1.2e-7?")

# %%
gradient = fs.array([1.0, 0.01, 0.005, 0.001, 0.0001], "binary16")
print("epsilon   steps for g =", ", ".join(f"{g:.3g}" for g in gradient.values))
for epsilon in (1e-7, 1e-5, 1e-4, 1e-3):
    optimizer = fs.learn.adam(lr=1.0, epsilon=epsilon)
    grads = {"w": gradient}
    steps, state = optimizer.update(grads, optimizer.init(grads))
    if epsilon == 1e-7:
        first = abs(float(steps["w"].values[2]))
        print("v is ", state.v["w"].values)
    print(f"{epsilon:<8g}", np.abs(steps["w"].values))
huge.compare(first, within=0.1)

# %% [markdown]
# For g = 0.005 v is 0, though g is not small at all. v holds a **square**: half as many exponents are left for g. Then
# epsilon divides alone, and 0.005 / 1.2e-7 is about 42,000 learning rates. With epsilon = 1e-4 it is 50: too many, but
# the run survives that.
#
# A puzzle: where does a square vanish? (What is less than half of the smallest number becomes 0, and so does that half
# itself: it is a tie.)


# %%
@fs.teach.puzzle
def square_vanishes(g):
    """True if g * g, rounded to binary16, is 0, for a positive number g of binary16, else False."""
    return ...


# %% [markdown]
# v is even smaller: g * g is multiplied by 1 - beta2 = 2^-10. So it is 0 for every g below 2^-7.5 = 0.0055.
#
# ## Too few digits kill, too
#
# bfloat16 has the range of binary32: in it, 1e-8 is there. But it has 8 digits only.
#
# An example from your pocket. A phone shows how many steps you walk a day, as a **running mean**: each evening
# it keeps 0.999 of the old mean and adds 0.001 of today's steps. You walk 8,000 steps each day.

# %%
beta = guess("What does 0.999 become in bfloat16, where the ulp below 1 is 2^-8 = 0.0039?")
shown = guess("What does the phone show after 1,000 days, if it computes in bfloat16 and starts at 0?")


# %%
def mean_after(days, fmt):
    keep, mean = fs.round_to(0.999, fmt), 0.0
    take = fs.subtract(1, keep, fmt)
    for _ in range(days):
        mean = fs.add(fs.multiply(keep, mean, fmt), fs.multiply(take, 8000, fmt), fmt)
    return mean


for fmt in ("binary32", "binary16", "bfloat16"):
    keep = fs.round_to(0.999, fmt)
    print(f"{fmt}: keeps {keep:.7g}, takes {fs.subtract(1, keep, fmt):.4g}, shows {mean_after(1000, fmt):.0f}")
beta.compare(keep)
shown.compare(mean_after(1000, "bfloat16"))

# %% [markdown]
# (After 1,000 days even the right mean has come only two thirds of the way. It forgets the start slowly.)
#
# Adam's v is such a running mean, with beta2 = 0.999. In bfloat16 it takes nothing, so v stays 0, and so does 1 -
# beta2^t, by which it is divided:

# %%
run = fs.learn.train("pure-bfloat16", **small)
print(run.death)
print("constants in binary64:", fate(fs.learn.train("pure-bfloat16", **small, constants="binary64")))

# %% [markdown]
# Not range killed this run, but precision. The second line is what libraries do: they keep the few constants of the
# optimizer in binary64, where they cost nothing. [See 0.999 between its neighbours in
# bfloat16](explorer.html#number?x=0.999&format=bfloat16).
#
# A puzzle: which numbers below 1 are lost like this? Below 1 a format with p digits has the
# [ulp](glossary.md#ulp) 2^-p.


# %%
@fs.teach.puzzle
def rounds_to_one(x, p):
    """True if a float x from 0.5 up to 1 becomes 1 when it is rounded to p digits, else False."""
    return ...


# %% [markdown]
# ## A third death: the weights run away
#
# The simplest optimizer is `sgd`: it adds -lr * g, and has no epsilon. (`momentum=0.0` says: nothing else.) With a
# learning rate of 1000 the weights jump about.

# %%
wild = guess("Plain sgd with lr = 1000 dies in binary16. Does it die in binary32, too? (yes or no)")

# %%
for recipe in ("pure-binary16", "pure-binary32"):
    run = fs.learn.train(recipe, layers=(16,), epochs=2, optimizer="sgd", lr=1000.0, momentum=0.0)
    print(f"{recipe}: {run.death or fate(run)}")
wild.compare(run.death is not None)

# %% [markdown]
# In binary32 it lives, and has learned nothing: guessing gives 10 %. The wide format did not mend the mistake; it hid
# it. Not every death in 16 bits is the fault of the 16 bits.
#
# ## In your own program
#
# Most programs write no post-mortem. All you see is `loss: nan`. Then do by hand what `train` does:
#
# 1. **Find the step.** Save the weights now and then. After a NaN, load the last good ones, and go on with a check
#    after each step.
# 2. **Find the tensor.** In that step keep each result with its name, in the order in which they are computed. The
#    *first* one with a number that is not finite is the place.
# 3. **Go back once more.** Look at what went into it. Is something far too large, or exactly 0?
#
# Here is the loss of one picture in NumPy's float16. The network answers 12, 11 and 10 for three classes.

# %%
place = guess(
    "Which is the first tensor with a number that is not finite?",
    choices=("logits", "exponentials", "sum", "probabilities", "loss"),
)

# %%
with np.errstate(all="ignore"):
    logits = np.array([12, 11, 10], np.float16)
    exponentials = np.exp(logits)
    total = exponentials.sum()
    probabilities = exponentials / total
    loss = -np.log(probabilities[0])
computed = {"logits": logits, "exponentials": exponentials, "sum": total, "probabilities": probabilities, "loss": loss}
for name, x in computed.items():
    print(f"{name:13} {x}   all finite: {np.isfinite(x).all()}")
print(f"e^12 = {np.exp(12.0):,.0f}, e^11 = {np.exp(11.0):,.0f}")
place.compare(next(name for name, x in computed.items() if not np.isfinite(x).all()))

# %% [markdown]
# The NaN of the loss was born as an infinity among the exponentials: e^12 is beyond 65504. (Subtract the largest
# logit first: then the largest exponential is 1.)
#
# ## In short
#
# - A post-mortem says when, which tensor, which operation, and with which numbers. Where none is written, keep
#   the results in order and look for the first that is not finite.
# - What is seen first is not always what went wrong first. Look at the inputs, and at the step before.
# - **A constant that is another number.** epsilon = 1e-8 is 0 in binary16; beta2 = 0.999 is 1 in bfloat16. Compute
#   what your constants become: it takes a minute. `fs.learn.check` does it.
# - **A square.** Of g * g only half as many exponents of g survive. In binary16 Adam's v is 0 for every g below 0.0055,
#   and an epsilon of about 1e-4 must do its work.
# - **Weights that run away.** A learning rate that is too large dies in 16 bits, and merely fails in 32.
#
# | you see | look at | a cure |
# |---|---|---|
# | NaN at step 1 | epsilon and 1 - beta2 in the format of the optimizer | a larger epsilon; constants in a wider format |
# | infinity a few steps later | the sizes of the steps; where g * g becomes 0 | a larger epsilon; v in binary32; a [loss scale](glossary.md#loss-scale) |
# | infinity in the forward pass | weights, exponentials | a smaller learning rate; subtract the largest logit |
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/why_the_run_died.py`. The first one is the tool of the last section.


# %%
def first_not_finite(tensors):
    """(name, index) of the first number that is not finite, in a list of pairs (name, list of floats)."""
    raise NotImplementedError


fs.teach.check(first_not_finite)  # fs.teach.hint() helps

# %% [markdown]
# 1. `first_not_finite(tensors)`: go through the pairs in order; give ("", -1) if all numbers are finite.
#    `math.isfinite(x)` says whether a float is finite.
# 2. `first_second_moment(g)`: Adam's v after its first step, in binary16: (1 - beta2) * (g * g), with beta2 = 0.999 and
#    every operation rounded: `fs.subtract(a, b, "binary16")`, `fs.multiply(a, b, "binary16")`.
# 3. `survives(epsilon)`: whether 0 / (sqrt(0) + epsilon) is a number in binary16.
#
# ## Read next
#
# - D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015: the formulas, and why they are
#   corrected at the start.
# - D. Kalamkar et al., "A study of BFLOAT16 for deep learning training", 2019: what its makers keep in 32 bits.
#
# Next lesson: [Loss scaling](loss_scaling.ipynb). How to lift gradients to where binary16 has room.
