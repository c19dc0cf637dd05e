# %% [markdown]
# # Mixed precision
#
# | | |
# |---|---|
# | **Question** | Which numbers of a training run need 32 bits, and for which are 16 enough? |
# | **Time** | 40 minutes |
# | **Needs** | [Loss scaling](loss_scaling.ipynb), [Sums](sums.ipynb) (Kahan, stochastic rounding), [A network in 16 bits](mlp_in_16_bits.ipynb) |
# | **You will be able to** | find the one part of a run that needs a wider format, keep small updates, and count what it costs |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [A network in 16 bits](mlp_in_16_bits.ipynb):


# %%
@fs.teach.puzzle
def moves(weight, step):
    """True if weight + step, rounded to bfloat16, is not the old weight.

    Both are numbers of bfloat16, 1 <= weight < 2 and 0 < step < 1. moves(1.0, 2**-8) is False.
    """
    return ...


# %% [markdown]
# ## A coin a day
#
# You have 1000 coins and save one more each day. A careless program keeps the balance in bfloat16.

# %%
coins = guess("What does the balance, kept in bfloat16, show after a hundred days: 1000 and a coin a day?")

# %%
for fmt in ("binary32", "binary16", "bfloat16"):
    balance = 1000.0
    for _ in range(100):
        balance = float(fs.add(balance, 1, fmt))  # <- change: 2 coins, then 3
    print(f"{fmt}: {balance}")
coins.compare(balance)  # of the last one, bfloat16

# %% [markdown]
# At 1000 the [ulp](glossary.md#ulp) of bfloat16 is 4. A coin is less than half of it, so the sum is rounded back, each
# day. The coin is **absorbed** ([absorption](glossary.md#absorption)). See it step by step in the explorer, and then
# try b = 2 and b = 3 there:

# %%
fs.page.show("arithmetic?op=add&a=1000&b=1&format=bfloat16", height=700)

# %% [markdown]
# A weight is such a balance, and the steps of the optimizer are the coins. Now let the step go up or down. A puzzle
# about a weight of 1; mind that the numbers below 1 are closer together than those above.


# %%
@fs.teach.puzzle
def moves_one(step):
    """True if 1.0 + step, rounded to bfloat16, is not 1.0 any more, else False; step is a float of either sign."""
    return ...


# %% [markdown]
# ## Weights that do not move
#
# `fs.learn.train(recipe, ...)` trains a small network of 64 pixels, 16 hidden units and 10 answers, as in
# [Why the run died](why_the_run_died.ipynb). The recipe `bfloat16-plain` has every tensor in bfloat16, and the
# optimizer's few constants in binary64. We take a small learning rate, 0.0003, and five passes.
#
# Adam's steps are about as large as the learning rate. Most weights are about 0.17 in size at first. When is a step too
# small for such a weight? A puzzle:


# %%
@fs.teach.puzzle
def half_ulp(e):
    """Half the ulp of bfloat16 from 2**e up to 2**(e + 1), e from -20 to 20: smaller steps up are absorbed."""
    return 2.0 ** (...)


# %% [markdown]
# 0.17 lies between 2^-3 and 2^-2.

# %%
stayed = guess(
    "Which part of the steps will leave their weight as it was?", choices=("hardly any", "about a quarter", "most")
)

# %%
slow = {"layers": (16,), "lr": 3e-4, "epochs": 5, "look_every": 0}  # look_every=0: do not observe each tensor


def row(run):
    """Accuracy, loss, and the part of the steps that were absorbed; `totals()` gives the figures of a run as a dict."""
    end = run.totals()
    return f"{end['test_accuracy']:6.1%} right   loss {end['loss']:.3f}   absorbed {end['absorbed_updates']:6.1%}"


runs = {name: fs.learn.train(name, **slow) for name in ("pure-binary32", "bfloat16-plain")}
for name, run in runs.items():
    print(f"{name:19} {row(run)}")
share = runs["bfloat16-plain"].totals()["absorbed_updates"]
stayed.compare("most" if share > 0.5 else "about a quarter" if share > 0.1 else "hardly any")

# %% [markdown]
# No NaN, no warning. The run in bfloat16 just learns more slowly, because four of five steps are lost
# ([see one](explorer.html#arithmetic?op=add&a=0.17&b=0.0003&format=bfloat16)). In so short a run binary32 gives less
# than half of the right answers, too: the learning rate is small on purpose.
#
# ## Three cures
#
# You know them from [Sums](sums.ipynb), because training is a long sum.
#
# - **Kahan** (`bfloat16-kahan`): remember what each addition lost, and add it to the next step.
# - **Stochastic rounding** (`bfloat16-stochastic`): round up or down by chance, the nearer number more often. On
#   average nothing is lost.
# - [**Master weights**](glossary.md#master-weights) (here in `mixed-binary16`): keep a second copy of the weights in
#   binary32, and add the steps to *it*. The network computes with a rounded copy in 16 bits.

# %%
still = guess("With Kahan's trick, are more than half of the single steps still absorbed? (yes or no)")

# %%
for name in ("bfloat16-kahan", "bfloat16-stochastic", "mixed-binary16"):
    runs[name] = fs.learn.train(name, **slow)
for name, run in runs.items():
    print(f"{name:19} {row(run)}")
still.compare(runs["bfloat16-kahan"].totals()["absorbed_updates"] > 0.5)

# %% [markdown]
# All three learn as well as binary32, or nearly. With Kahan and with chance a single step is absorbed nearly
# as often as before. But it is not *lost*: it comes back with the next one, or on average.

# %%
fs.plots.training(list(runs.values()), "accuracy")
plt.show()

# %% [markdown]
# ## A policy: one format for each kind of number
#
# Must all numbers have the same format? `fs.learn.Policy(compute, part=..., ...)` says which format each kind has.
# What you do not name is as `compute`.
#
# | part | numbers |
# |---|---|
# | `compute` | results of layers (activations), and the gradients inside |
# | `param` | the weights with which the network computes |
# | `output`, `loss` | the answers of the last layer; the softmax and the loss |
# | `gradient` | the gradients of the weights, as the optimizer gets them |
# | `state` | the optimizer's m and v, and its arithmetic |
# | `master` | the second copy of the weights |
# | [`accumulator`](glossary.md#accumulator) | the sums of products: `"sequential"`, one after the other, or `"sequential:binary32"` |
#
# Now we can experiment like a mechanic: change **one** part, and look. First the run in binary16 that died at step 1,
# because epsilon and g * g became 0.

# %%
saves = guess(
    "Which one part, moved to binary32, saves the run in binary16?",
    choices=("loss", "gradient", "state", "master", "accumulator"),
)


# %%
parts = ("loss", "gradient", "state", "master", "accumulator")


def with_one_part_wide(fmt, part):
    return fs.learn.Policy(fmt, **{part: "sequential:binary32" if part == "accumulator" else "binary32"})


small = {"layers": (16,), "lr": 1e-2, "epochs": 2, "look_every": 0}
lived = []
for part in parts:
    run = fs.learn.train("pure-binary16", **small, policy=with_one_part_wide("binary16", part))
    print(f"{part:11}", f"died at step {run.death.step}" if run.death else row(run))
    lived += [] if run.death else [part]
saves.compare(lived[0])

# %% [markdown]
# Only the optimizer's state. Now the same experiment with the run in bfloat16 that learned too slowly.

# %%
helps = guess("Which one part, moved to binary32, helps the slow run in bfloat16?", choices=parts)

# %%
print(f"{'nothing':11} {row(runs['bfloat16-plain'])}")
losses = {}
for part in parts:
    run = fs.learn.train("bfloat16-plain", **slow, policy=with_one_part_wide("bfloat16", part))
    losses[part] = run.epochs[-1].loss
    print(f"{part:11} {row(run)}")
helps.compare(min(losses, key=losses.get))

# %% [markdown]
# Only the master weights. The two formats fail in different ways, so different parts need help. And the accumulator?
# This network adds up 64 products at most. Large ones add up thousands:

# %%
output = guess(
    "A unit has 4096 inputs of 1 and weights of 1. What is its output, all in bfloat16, one after the other?"
)

# %%
ones = np.ones(4096)
for accumulator in ("sequential", "sequential:binary32"):
    print(f"{accumulator:20} {fs.dot(ones, ones, 'bfloat16', accumulator=accumulator)}")
output.compare(fs.dot(ones, ones, "bfloat16", accumulator="sequential"))

# %% [markdown]
# This is why graphics cards multiply in 16 bits and add in 32 ([Dot products](dot_products.ipynb)). Put together, these
# answers are the usual recipe for binary16:

# %%
print(runs["mixed-binary16"].config.policy)

# %% [markdown]
# (`blas` is a sum in binary32, in the order that is fastest on your computer.)
#
# ## What it costs
#
# For each weight the memory holds more than the weight.

# %%
each = guess("How many bytes a weight: 2 for itself, and master copy, gradient, m and v in binary32?")
less = guess("Does mixed-binary16 then take less memory a weight than pure-binary32? (yes or no)")

# %% [markdown]
# `fs.learn.costs(recipe, ...)` trains nothing. It counts the bytes and operations of one step.

# %%
for name in ("pure-binary32", *list(runs)[1:]):
    costs = fs.learn.costs(name, layers=(256, 256))
    weight = (costs.weights + costs.master + costs.gradients + costs.state) / costs.parameters
    print(f"{name:19} {weight:4.0f} bytes a weight, {costs.activations:8,} bytes of activations")
each.compare(weight)  # of the last one, mixed-binary16
less.compare(weight < 4 * 4)

# %% [markdown]
# Mixed precision takes *more* memory for weights, not half. What it halves are the activations, of which a large
# batch has many; and the time of the products, on hardware that has them in 16 bits. An emulator cannot measure that
# time.

# %%
for batch in (32, 1024):  # <- change: 1, 8192
    all32, mixed = (
        fs.learn.costs(name, layers=(256, 256), batch=batch).bytes_in_memory
        for name in ("pure-binary32", "mixed-binary16")
    )
    print(f"batch of {batch:4}: mixed-binary16 takes {mixed / all32:.0%} of the memory of pure-binary32")

# %% [markdown]
# ## Which format for what
#
# | numbers | 16 bits? | why |
# |---|---|---|
# | activations, factors of products | yes | many, and their errors cancel in part |
# | sums of products | no | a sum stands still |
# | outputs and loss | better not | few numbers, and exponentials among them |
# | gradients inside the network | bfloat16 yes, binary16 with a loss scale | range |
# | the optimizer's m and v | not in binary16 | v is a square |
# | weights | only with Kahan or stochastic rounding; else a master copy | steps are absorbed |
# | epsilon, beta1, beta2, learning rate | no | a handful of numbers, in binary64 for nothing |
#
# ## In short
#
# - A step that is less than half an ulp of its weight is absorbed. In bfloat16 this happens at learning rates that
#   people really use. The run does not die; it learns more slowly.
# - Kahan's trick, stochastic rounding and master weights each mend that. Kahan costs 2 bytes a weight, chance costs
#   none, and a master copy 4.
# - Find out which part of a run needs help: make one part wide, and look. In binary16 it is the optimizer's state
#   (range), in bfloat16 the weights (digits).
# - Sums of products are kept in binary32: on hardware that is made for it, this costs almost nothing.
# - Mixed precision saves memory for activations and time for products. For weights it takes more: 18 bytes, not 16.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/mixed_precision.py`.


# %%
def absorbed(weight, step, fmt):
    """Whether weight + step, rounded to the format, is the weight again, though the step is not 0."""
    raise NotImplementedError


fs.teach.check(absorbed)  # fs.teach.hint() helps

# %% [markdown]
# 1. `absorbed(weight, step, fmt)`: True or False. `fs.add(a, b, fmt)` rounds the sum once.
# 2. `kahan_update(weight, lost, step)`: one turn of the loop of [Sums](sums.ipynb) in bfloat16; the new pair (weight,
#    lost).
# 3. `memory(parameters, activations, master)`: the bytes held while training with Adam in 16 bits, with master weights
#    or without.
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: master weights, and 32-bit sums.
# - M. Croci et al., "Stochastic rounding: implementation, error analysis and applications", Royal Society Open
#   Science 9, 2022.
# - P. Zamirai et al., "Revisiting BFloat16 training", 2020: Kahan's trick and stochastic rounding for the weights.
#
# Next lesson: [Attention in 16 bits](attention.ipynb). What goes wrong in the heart of a language model?
