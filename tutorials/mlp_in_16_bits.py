# %% [markdown]
# # A network in 16 bits
#
# | | |
# |---|---|
# | **Question** | What changes when a network is trained with 16 bits for every number? |
# | **Time** | 45 minutes |
# | **Needs** | [Rounding](rounding.ipynb) (ties), [At the edges](edges.ipynb) (underflow, infinity), [Sums](sums.ipynb) (absorption) |
# | **You will be able to** | train a small network in any format, read the table of `fp16sim train`, and say what float16 loses, what bfloat16 loses, and what helps |

# %%
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt

import fp16sim as fs
from fp16sim.learn import Config, train
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Rounding](rounding.ipynb). You will need it today: where does binary16 end?


# %%
@fs.teach.puzzle
def overflows(x):
    """True if a float x from 1 on becomes infinity when it is rounded to binary16, else False."""
    return ...


# %% [markdown]
# ## A machine that reads digits
#
# A machine at the post office reads the digits of a postcode. Ours is small. Its pictures have 8 by 8 pixels, each a
# number from 0 to 1, and show one of ten digits. fp16sim brings 1,797 of them: 1,438 to learn from, and 359 for the
# test, which the machine never learns from.
#
# It is a **network** of two layers:
#
# - 32 **hidden units**. Each multiplies the 64 pixels by 64 **weights** of its own, adds up the products and one more
#   number, its bias, and turns a negative sum into 0. (This bias has nothing to do with that of an exponent.)
# - 10 outputs, one for each digit. Each does the same with the 32 hidden units, but keeps negative sums. The largest
#   output is the answer.
#
# This kind of network is called an **MLP**. It learns its weights and biases. **Training** repeats three
# steps, with 64 pictures at a time:
#
# 1. *Forward.* Compute the outputs, and from them one number, the **loss**. It says how wrong the answers are.
# 2. *Backward.* Compute for each weight its [**gradient**](glossary.md#gradient): how fast the loss grows if this
#    weight grows.
# 3. *Update.* Move each weight a small **step** against its gradient. The **learning rate** says how small.
#
# When each of the 1,438 pictures has had its turn, one **epoch** is over. Usually all these numbers have 32 bits. Here
# they have 16, *all* of them: pixels, weights, products, each partial sum, the loss, gradients, steps. Each operation
# is rounded once, as in the lessons before. Will it learn anything?

# %%
learned = guess("How many numbers does a network with 64 pixels, 32 hidden units and 10 outputs learn?")
share = guess("About how many percent of the test pictures does a network with 16 bits for every number read right?")

# %% [markdown]
# Two names do it. `Config("binary16")` says in which format to train. `train` trains, and gives you what happened.

# %%
run = train(Config("binary16"), epochs=5)  # <- change: epochs=1, or layers=(4,) for four hidden units
print(run)
print()
for name, weights in run.params.items():
    print(f"{name:13} {weights.fmt.name}  shape {weights.shape!s:8}  the first one is {float(weights.values.flat[0])}")
learned.compare(sum(weights.values.size for weights in run.params.values()))
share.compare(round(100 * run.epochs[-1].test_accuracy, 1), within=0.05)

# %% [markdown]
# It learns well. "(96.4% to 99.2%)" is there because 359 pictures are few: with other pictures, the result could have
# been anywhere in this interval. The other numbers are explained below. And look at the weights: each one is a number of
# binary16, with all its digits.
#
# ## Three formats side by side
#
# Is that as good as with 32 bits? One command compares three formats: binary32 (float32), binary16 (float16) and
# bfloat16, which has the range of float32 but only 8 digits. In a terminal you would type
#
#     fp16sim train --epochs 10 -o first_run.png
#
# The function below types it for you, here in the lesson.


# %%
def terminal(command):
    """Run a command as a terminal does, and show what it prints."""
    plain = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    print(subprocess.run([sys.executable, "-m", *command.split()], capture_output=True, text=True, env=plain).stdout)


# %% [markdown]
# The command prints a table. One of its columns counts the **updates without effect**: the weight plus its step, rounded,
# is the old weight. You know this from sums: it is [absorption](glossary.md#absorption).

# %%
differ = guess(
    "Do the accuracies of binary32, binary16 and bfloat16 differ by more than 2 percentage points? (yes or no)"
)
most = guess("Which format has the most updates without effect?", choices=("binary32", "binary16", "bfloat16"))

# %%
terminal("fp16sim train --epochs 10 -o first_run.png")  # <- change: add --seed 1, or --layers 8
results = [one["result"] for one in json.loads(Path("first_run.json").read_text(encoding="utf-8"))]
reached = [result["test_accuracy"] for result in results]
differ.compare(max(reached) - min(reached) > 0.02)
most.compare(max(results, key=lambda result: result["absorbed_updates"])["recipe"])

# %% [markdown]
# How to read it, column by column:
#
# | column | what it says | what to do with it |
# |---|---|---|
# | test accuracy | the part of the 359 test pictures that was read right, with its interval | the intervals overlap: call none of them better |
# | loss | the loss in the last epoch | smaller is better; it shows differences before the accuracy does |
# | gradients that became 0 | a gradient was not 0 before it was rounded, and is 0 after it: **underflow** | more than a few percent: use a loss scale |
# | updates without effect | the weight plus its step is the old weight: **absorption** | about half, or more: keep the weights in a wider format |
# | overflows | results that became infinite | many: the numbers, or the loss scale, are too large |
# | skipped steps | steps that were not taken because a gradient was infinite | only with a loss scale that changes during the run; here it is fixed |
#
# *Which* gradients became 0? All that the way back computes are counted: those of the weights, and those inside the
# network, which are passed from one unit to another. A gradient that is exactly 0 before rounding does not count, such as
# that of a pixel that is black in all pictures. ([Gradients in 16 bits](gradients_in_16_bits.ipynb) counts each kind alone:
# hardly any of the lost ones is that of a weight.)
#
# And why has binary32 updates without effect? Some hidden units give 0 for every picture, because their sum is negative.
# From then on their gradients are 0, and their steps become smaller and smaller, until they are too small even for 24
# digits.
#
# The command has also written a report, `first_run.html`, which opens in a browser, and a picture. Here it is:

# %%
plt.figure(figsize=(12, 4.8), layout="constrained")
plt.imshow(plt.imread("first_run.png"))
plt.axis("off")
plt.show()

# %% [markdown]
# The picture shows each epoch alone, and the table counts all ten together. On the left, three lines lie on each other:
# the formats read equally well. In the middle bfloat16 loses more and more of its updates, at the end nearly half. On
# the right only binary16 loses gradients, and from epoch to epoch more. The scale there ends at 0.35 %, so it is not
# much yet.
#
# So each of the two formats pays in its own way. binary16 has a small *range*. bfloat16 has few *digits*. We now look
# at both.
#
# ## What float16 loses: small gradients
#
# A shop writes its prices in euros and cents. One screw costs 0.2 cents. In the price list that is 0.00. What does the
# shop do? It sells boxes of 100 screws, for 0.20.
#
# The smallest number above 0 in binary16 is 2^-24. Half of it, 2^-25, and all that is smaller becomes 0
# ([see it in the explorer](explorer.html#number?x=2e-8&format=binary16)). Gradients are often small, and they get
# smaller while the network learns, because less is left to correct.
#
# The box of screws is called the [**loss scale**](glossary.md#loss-scale): the loss is multiplied by a power of two
# before the way back, so that every gradient is that many times as large. `fp16sim train` multiplies by 1024 unless you
# say something else. So the run above had help. Now without, and for 20 epochs:

# %%
lost = guess(
    "Without a loss scale, about which part of the gradients becomes 0 in binary16, in epoch 20?",
    choices=("0%", "1%", "7%", "70%"),
)

# %%
runs = {scale: train(Config("binary16"), epochs=20, loss_scale=scale) for scale in (1, 1024)}
print("gradients that became 0, in epoch", *(f"{epoch:7}" for epoch in (1, 5, 10, 20)))
for scale, run in runs.items():
    parts = [run.epochs[epoch - 1].lost_gradients.value for epoch in (1, 5, 10, 20)]
    print(
        f"loss scale {scale:4}, read right {run.epochs[-1].test_accuracy:.1%}:  ", *(f"{part:7.2%}" for part in parts)
    )
lost.compare(f"{runs[1].epochs[-1].lost_gradients.value:.0%}")

# %% [markdown]
# The loss scale saves three quarters of them. Yet both networks read equally well: what was lost was tiny, and this
# task is easy. It is not always so: the paper that made loss scaling popular reports a network that cannot be trained
# without it.
#
# (Are the steps now 1024 times as large? No. The rule of the update, which is called Adam, divides by the size of the
# gradients anyway. Other rules have to divide by the loss scale before the update. That is why the settings say "not
# divided out".)
#
# A puzzle: both ends count.


# %%
@fs.teach.puzzle
def is_kept(gradient, scale):
    """True if a float gradient, multiplied by scale and rounded to binary16, is neither 0 nor infinite.

    The gradient is not 0 and may be negative; scale is a power of two. is_kept(2e-8, 1) is False.
    """
    return ...


# %% [markdown]
# If 1024 is good, is 16 times as much better? And 64 times as much?

# %%
larger = guess(
    "How well does a network in binary16 read with a loss scale of 16384 instead of 1024?",
    choices=("better", "about the same", "much worse"),
)

# %%
runs = {scale: train(Config("binary16"), epochs=5, loss_scale=scale) for scale in (1024, 2**14, 2**16)}
for scale, run in runs.items():
    end = run.epochs[-1]
    print(
        f"loss scale {scale:5}:", run.death or f"{end.test_accuracy:.1%} right, overflows in epoch 5: {end.overflows}"
    )
change = runs[2**14].epochs[-1].test_accuracy - runs[1024].epochs[-1].test_accuracy
larger.compare("better" if change > 0.02 else "about the same" if change > -0.02 else "much worse")

# %% [markdown]
# Adam also needs the *square* of each gradient. From 256 on, the square is infinite
# ([see it](explorer.html#arithmetic?op=multiply&a=256&b=256)); with the scale 16384, a gradient of 1/64 is large enough
# for that. Then the step is something divided by infinity, which is 0, and the weight stands still. Nothing crashes and
# no message appears: only the overflows tell. With 65536 the run **died** at its first step, and says why: the loss scale
# itself is infinite in binary16. (The lesson [Loss scaling](loss_scaling.ipynb) finds the best one.)
#
# ## What bfloat16 loses: small steps
#
# An account holds 1000.00. Each day it gets 0.3 cents of interest, and each day the bank rounds it to whole cents. How
# much is there after ten years? 1000.00.
#
# bfloat16 has no trouble with range: it needs no loss scale. But it has 8 digits instead of 11, so its account book has
# coarse cents. Between 1 and 2 its [ulp](glossary.md#ulp) is 2^-7.

# %%
smallest = guess("Which is the smallest power of two that changes a weight of 1 in bfloat16, if it is added?")

# %%
for k in (5, 6, 7, 8, 9):
    print(f"1 + 2^-{k} is {fs.add(1, 2.0**-k, 'bfloat16')}")
smallest.compare(min(2.0**-k for k in range(20) if fs.add(1, 2.0**-k, "bfloat16") != 1))

# %% [markdown]
# 1 + 2^-8 is a tie, and ties go to even, back to 1
# ([see it](explorer.html#arithmetic?op=add&a=1&b=2^-8&format=bfloat16)). A puzzle: say it for all weights from 1 to 2.


# %%
@fs.teach.puzzle
def moves(weight, step):
    """True if weight + step, rounded to bfloat16, is not the old weight.

    Both are numbers of bfloat16, 1 <= weight < 2 and 0 < step < 1. moves(1.0, 2**-8) is False.
    """
    return ...


# %% [markdown]
# How large are the steps of a network? Adam makes them about as large as the learning rate, at first. It was 0.01 until
# now; 0.001 is a common choice. (A run's `totals()` are the numbers of its row in the table.)

# %%
worse = guess("With learning rate 0.001, is the loss in bfloat16 at least 10 % above that in binary32? (yes or no)")

# %%
found = {}
print("                                   loss   right   updates without effect")
for name in ("binary32", "binary16", "bfloat16", "compute=bfloat16 master=binary32"):
    found[name] = run = train(Config(name), epochs=10, lr=0.001).totals()  # <- change: lr=0.0003, or update="kahan"
    print(f"{name:32} {run['loss']:6.3f}   {run['test_accuracy']:.1%}   {run['absorbed_updates']:6.1%}")
worse.compare(found["bfloat16"]["loss"] >= 1.1 * found["binary32"]["loss"])

# %% [markdown]
# In bfloat16 half of the updates are lost, and the network learns more slowly. binary16 has three more digits and loses
# few.
#
# The last line has the usual cure. `compute=bfloat16 master=binary32` computes with bfloat16, but keeps a second copy of
# each weight in binary32, the [**master weights**](glossary.md#master-weights). Steps are added to this copy, where small
# ones count. It is the bank that keeps fractions of a cent in its books. (Kahan's trick of [Sums](sums.ipynb) helps, too:
# `update="kahan"`.) Which other numbers need 32 bits? The lesson [Mixed precision](mixed_precision.ipynb) tries them all.
#
# ## In short
#
# - "Trained in 16 bits" means: weights, sums, gradients and steps are stored in 16 bits, and each operation is rounded.
#   A small network learns that way as well as in 32 bits.
# - float16 has a small range. Its small gradients become 0 (underflow). A loss scale multiplies the loss, and with it
#   every gradient, by a power of two, so that fewer are lost.
# - A loss scale can be too large: then gradients, or their squares, become infinite.
# - bfloat16 has few digits. Its small steps leave a weight as it was (absorption). Master weights in 32 bits help.
# - `fp16sim train` counts what is lost. A run with a good accuracy can still be near to an edge, and the counts show it.
# - 359 pictures decide little: look at the interval before you call one format better.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/mlp_in_16_bits.py`. Begin here:


# %%
def largest_scale(gradients):
    """The largest of 1, 2, 4, ... 32768 by which all these gradients can be multiplied and stay finite in binary16."""
    raise NotImplementedError


fs.teach.check(largest_scale)  # fs.teach.hint() helps

# %% [markdown]
# 1. `largest_scale(gradients)`: a list of floats below 65520 in size; none of them, multiplied by the scale and rounded
#    to binary16, may be infinite. For an empty list, or zeros only, it is 32768.
# 2. `one_weight(w, x, target, rate, steps)`: train the smallest network of the world. It has one weight, and its output
#    is w * x. A step computes, in binary16 and each operation rounded by `fs`:
#
#        error = w * x - target
#        gradient = error * x
#        w = w - rate * gradient
#
#    Return w after all steps. When it passes, try `one_weight(1.0, 1.0, 2.0, 0.001, 5000)`. Calculus says that w goes to
#    2. Where does it stop, and why there?
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: where loss scaling and master weights come from.
# - D. Kalamkar et al., "A study of BFLOAT16 for deep learning training", arXiv:1905.12322, 2019: the other 16 bits.
# - I. Goodfellow, Y. Bengio and A. Courville, *Deep Learning*, MIT Press 2016, chapter 6: what an MLP is, at leisure.
#
# Next lesson: [Property tests](property_tests.ipynb). How do you find the mistake that you did not think of?
