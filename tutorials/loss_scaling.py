# %% [markdown]
# # Loss scaling
#
# | | |
# |---|---|
# | **Question** | Gradients are small, and binary16 ends at 6e-8. How does one lift them, and how far? |
# | **Time** | 45 minutes |
# | **Needs** | [Why the run died](why_the_run_died.ipynb) (Adam, squares), [Gradients in 16 bits](gradients_in_16_bits.ipynb) |
# | **You will be able to** | count what a format makes of your gradients, choose a loss scale, and write one that finds its size itself |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Why the run died](why_the_run_died.ipynb):


# %%
@fs.teach.puzzle
def square_vanishes(g):
    """True if g * g, rounded to binary16, is 0, for a positive number g of binary16, else False."""
    return ...


# %% [markdown]
# ## Like a microphone
#
# Who records music sets the **level** first. Too low, and the flute is lost in the noise. Too high, and the drum is
# clipped. Suppose that a recorder stores each sound in binary16. The flute plays 2e-8, the piano 1e-5, and the drum 5.

# %%
drum = guess("What does the drum, 5, become in binary16 at the level 2^14 = 16384?")

# %%
sounds = np.array([2e-8, 1e-5, 5.0])
for level in (1, 1024, 2**14):  # <- change: try 2**13, 2**12
    with np.errstate(over="ignore"):  # without this line, overflow warns, as it does in NumPy
        stored = fs.round_to(sounds * level, "binary16")
    print(f"level {level:5}: stored {stored}   played {stored / level}")
drum.compare(stored[-1])

# %% [markdown]
# At level 1 the flute is silent. At 2^14 the drum is infinite. At 1024 all three are there, and when they are played
# the level is divided out again. The level is a **power of two**, so multiplying changes the exponent, and no digit.
#
# Gradients are such sounds. You cannot turn each of them up by hand, but you need not. Multiply the *loss* by 1024, and
# by the chain rule every gradient is 1024 times as large. This factor is the [**loss scale**](glossary.md#loss-scale).
# You met it in [A network in 16 bits](mlp_in_16_bits.ipynb), where it was 1024 all the time.
# [See where binary16 ends at the lower side](explorer.html#number?x=2e-8&format=binary16).
#
# ### Divide it out: but where?
#
# A gradient of 2e-8, times 1024, is stored in binary16. Before it is used, it is divided by 1024 again.

# %%
again = guess("What is the stored gradient divided by 1024, if the quotient is rounded to binary16?")

# %%
stored = fs.round_to(2e-8 * 1024, "binary16")
print("stored:", stored)
print(
    "divided in binary16:", fs.divide(stored, 1024, "binary16"), "  in binary32:", fs.divide(stored, 1024, "binary32")
)
again.compare(fs.divide(stored, 1024, "binary16"))

# %% [markdown]
# What was saved is lost again. So one divides in binary32, or lets Adam do it, as we shall see. A puzzle:


# %%
@fs.teach.puzzle
def lost_again(stored, k):
    """True if stored / 2**k, rounded to binary16, is 0, for a positive number `stored` of binary16, else False."""
    return ...


# %% [markdown]
# ## Which gradients?
#
# "4 % of the gradients become 0" says little, unless it says which ones
# ([Gradients in 16 bits](gradients_in_16_bits.ipynb)). Let us count three kinds.
#
# 1. The gradients of the **weights** of a network 64-16-10 (64 pixels, 16 hidden units, 10 answers), at its first step,
#    for 32 pictures. We compute them in binary64, so that nothing is lost yet.
# 2. (1 - beta2) times the **squares** of these: what Adam puts into v at its first step.
# 3. **All** gradients of a walk back, those inside the layers and inside the loss, too: of a network 64-32-10 that was
#    trained for five epochs, for 256 pictures. `fs.demos.digit_gradients()` gives them.
#
# The names for the first kind are those of [Gradients in 16 bits](gradients_in_16_bits.ipynb): digits, network, loss,
# walk back.

# %%
digits = fs.learn.normalise(fs.learn.load_digits(), "unit")
network = fs.learn.MLP((64, 16, 10))
weights = {name: fs.learn.Tensor(x, name=name) for name, x in network.init("binary64", rng=0).items()}
pictures = fs.learn.Tensor(fs.array(digits.train_images[:32], "binary64"), wanted=False)  # no gradient of pixels
loss = fs.learn.cross_entropy(network(weights, pictures), digits.train_labels[:32])
g = np.concatenate([x.values.ravel() for x in fs.learn.gradients(loss, weights).values()])

kinds = {
    "weights, first step": g,
    "(1 - beta2) g * g": 2.0**-10 * g * g,
    "all, after training": fs.demos.digit_gradients(),
}
print(", ".join(f"{name}: {x.size:,} numbers" for name, x in kinds.items()))

# %%
most = guess("Of which kind does binary16 lose the largest part?", choices=tuple(kinds))

# %% [markdown]
# `fs.learn.survey(numbers, fmt)` counts what a format makes of numbers. Its `fate()` says how many of those that are
# not 0 underflow (become 0), become subnormal, stay normal, or overflow.

# %%
lost = {}
for name, x in kinds.items():
    seen = fs.learn.survey(x, "binary16")
    lost[name] = seen.fate().underflowed / seen.finite
    print(f"{name:20} {seen.fate()}   become 0: {lost[name]:.1%}")
most.compare(max(lost, key=lost.get))

# %% [markdown]
# So at the first step no gradient of a weight is lost, and yet Adam is in trouble: its *squares* are. (That was the end
# of the run in the last lesson.) After training many gradients are tiny, most of all those inside the loss: the network
# is sure, and there is little left to change. Two true numbers, 0 % and 3.9 %, and no contradiction: they speak of
# different gradients.
#
# The third kind, over the window of binary16:

# %%
fs.plots.gradients("binary16", kinds["all, after training"], scales=(1.0, 1024.0))
plt.show()

# %% [markdown]
# The bars are the gradients as they are: left of the first edge they become 0, between the edges they are
# [subnormal](glossary.md#subnormal) and lose digits. The line is the same histogram under a loss scale: it slides to
# the right, and keeps its shape.
#
# ## How far?

# %%
doubled = guess("How often must 2^-30 be doubled until it is a normal number of binary16, so 2^-14 or more?")

# %% [markdown]
# A survey has counted once, and answers for all loss scales: `fate(shift=k)` is the fate of the numbers times 2^k.

# %%
seen = {name: fs.learn.survey(x, "binary16") for name, x in {**kinds, "g * g": g * g}.items()}
print("loss x   weights: 0    inf   squares: 0    inf   after training: 0    inf")
for k in (0, 4, 8, 10, 12, 14, 16, 20):  # <- change: which k loses nothing on either side?
    weight, late = seen["weights, first step"].fate(k), seen["all, after training"].fate(k)
    v, square = seen["(1 - beta2) g * g"].fate(2 * k), seen["g * g"].fate(2 * k)
    print(f"2^{k:<3} {weight.underflowed:12} {weight.overflowed:6}", end="")
    print(f"{v.underflowed:13} {square.overflowed:6} {late.underflowed:19} {late.overflowed:6}")
doubled.compare(-14 - -30)

# %% [markdown]
# A loss scale of 2^k multiplies the squares by 2^2k. And there are two of them: what is added to v, which may become 0,
# and before that g * g, which may become infinite. So the room for squares is narrow: 2^4 still loses some, 2^8 and 2^10
# lose none, and 2^12 already makes infinities. Each kind of number has its own best k.
#
# ## A fixed scale, and one that is too large
#
# The recipe `pure-binary16-scaled` is everything in binary16 with the loss times 1024, and epsilon = 1e-4. Adam divides
# m by the root of v, so it divides the scale out by itself, and nobody else has to. (With other optimizers use
# `unscale=True`: `train` then divides first.)

# %%
small = {"layers": (16,), "lr": 1e-2, "epochs": 2}
for scale in (1.0, 1024.0, 2.0**12, 2.0**14):
    run = fs.learn.train("pure-binary16-scaled", **small, loss_scale=scale)
    end = run.epochs[-1]
    print(f"loss x {scale:<5g}: {run.death or f'{end.test_accuracy:.1%} right'}, {end.overflows} overflows")

# %% [markdown]
# You have seen this silent failure: no death, no NaN, and hardly any learning. `fs.learn.diagnose(run)` takes the
# history of a run and says what it means, as `check` does before a run:

# %%
for advice in fs.learn.diagnose(run):  # of the last one, 2^14
    print(advice)

# %% [markdown]
# A step is m / sqrt(v), and a number divided by infinity is 0: these weights stand still. This is worse than a NaN,
# because nothing tells you. What you do not count, you do not see. (At 1.0 nothing is lost that matters: here epsilon =
# 1e-4 does the work. In a deeper network the gradients are smaller.)
#
# ## A scale that finds its size itself
#
# Some microphones set their level alone: down at once when it is too loud, up again after a long quiet time. A
# **dynamic loss scale** does the same. If a gradient is not finite, the step is **skipped** and the scale is halved.
# After many good steps in a row the scale is doubled.
#
# `fs.learn.DynamicLossScale(scale, interval=...)` is one, and its `adjust(finite)` gives the next. Let the largest
# gradient be 3, always, and begin with 2^16 = 65536.

# %%
settled = guess("At which scale does it settle, if the largest gradient is 3 and binary16 is the format?")

# %%
scale, taken = fs.learn.DynamicLossScale(scale=2.0**16, interval=4), []  # libraries take 2000, not 4
for step in range(1, 13):
    with np.errstate(over="ignore"):
        finite = bool(np.isfinite(fs.round_to(3 * scale.scale, "binary16")))  # <- change: 1000 or 0.001, not 3
    taken += [scale.scale] * finite
    print(f"step {step:2}: scale {scale.scale:6.0f}", "" if finite else "skipped")
    scale = scale.adjust(finite)
settled.compare(max(taken))

# %% [markdown]
# It knocks at the limit again and again ([see the product that is too
# large](explorer.html#arithmetic?op=multiply&a=3&b=32768)). A skipped step now and then is normal, and costs little.
#
# A puzzle: fill in when to go on halving.


# %%
@fs.teach.puzzle
def settles_at(largest):
    """The largest of 65536, 32768, 16384, ... that times a positive float `largest` is finite in binary16."""
    scale = 65536.0
    while largest * scale >= ...:
        scale = scale / 2
    return scale


# %% [markdown]
# In a real run the largest gradient changes. The recipe `mixed-binary16` computes in binary16 with a dynamic loss
# scale; the next lesson takes it apart. `run.telemetry` is what was observed: `scales` has a pair (step, scale) for
# each change, and `skipped` the steps that were skipped.

# %%
run = fs.learn.train("mixed-binary16", **small, growth_interval=10)
print("scales: ", ", ".join(f"step {step}: 2^{np.log2(scale):.0f}" for step, scale in run.telemetry.scales))
print("skipped:", run.telemetry.skipped, " ", f"{run.epochs[-1].test_accuracy:.1%} right")

# %% [markdown]
# Up after ten good steps, down after a bad one.
#
# ## And bfloat16?
#
# Its smallest number is 2^-133. Look at the picture of the gradients again.

# %%
zeros = guess("How many of the 'all, after training' gradients become 0 in bfloat16?")

# %%
fate = fs.learn.survey(kinds["all, after training"], "bfloat16").fate()
print(fate)
zeros.compare(fate.underflowed)

# %% [markdown]
# None, and none is subnormal: all are above 2^-46. Who computes in bfloat16 needs no loss scale. The price is digits,
# and the next lesson pays it.
#
# ## In short
#
# - Multiply the loss by 2^k, and every gradient is 2^k times as large. A power of two costs no digit. Divide by it
#   later, in a wider format, or what was saved is lost again; Adam does it by itself.
# - A number such as "4 % are lost" needs a *which*: of weights or of activations, early or late, g or its square.
#   Squares need twice the shift and have half the room.
# - Too small a scale loses small gradients. Too large a scale makes infinities, and with Adam an infinite v stops a
#   weight without a word. Count overflows.
# - A dynamic scale is halved at once after an infinity, and the step is skipped; it is doubled after many good steps. A
#   few skipped steps are normal.
# - bfloat16 has the range of binary32 and needs no loss scale.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/loss_scaling.py`.


# %%
def dynamic_step(gradients, scale, good, interval):
    """(taken, scale, good) after a step under a dynamic loss scale."""
    raise NotImplementedError


fs.teach.check(dynamic_step)  # fs.teach.hint() helps

# %% [markdown]
# 1. `fate_of(gradients, k)`: how many of the gradients that are not 0 become 0 in binary16 if they are multiplied by
#    2^k, and how many become infinite: a pair.
# 2. `dynamic_step(gradients, scale, good, interval)`: is the step taken, the next scale, the next count of good steps.
#    If a gradient is not finite: not taken, half the scale, count 0. Else taken, count + 1; when the count reaches the
#    interval, the scale doubles and the count starts again from 0.
# 3. `count_skipped(largest, scale, interval)`: a whole run under a dynamic loss scale. `largest` is the list of the
#    largest gradient of each step, before scaling. How many steps are skipped?
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018, section 3.2: where loss scaling comes from, with such
#   a histogram.
# - The documentation of PyTorch's `GradScaler`: the dynamic scale with the numbers that are in use.
#
# Next lesson: [Mixed precision](mixed_precision.ipynb). Which numbers need 32 bits, and which do not?
