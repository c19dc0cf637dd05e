# %% [markdown]
# # The article, claim by claim
#
# | | |
# |---|---|
# | **Question** | An article says how one trains in half precision. Which of its claims survive being run? |
# | **Time** | 45 minutes |
# | **Needs** | [Mixed precision](mixed_precision.ipynb), [Why the run died](why_the_run_died.ipynb), and what they need |
# | **You will be able to** | turn a claim into an experiment, and tell a cure from folklore |

# %%
import numpy as np

import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [Loss scaling](loss_scaling.ipynb):


# %%
@fs.teach.puzzle
def lost_again(stored, k):
    """True if stored / 2**k, rounded to binary16, is 0, for a positive number `stored` of binary16, else False."""
    return ...


# %% [markdown]
# ## The article
#
# This course began with an article about half-precision training and faster AI models. It is in Chinese and signed
# "Zen and the Art of Computer Programming" (禅与计算机程序设计艺术). Our copy begins with the keywords; it has no title, no
# date and no address. Texts like it are read by many, so let us read it as an engineer does. For each of ten claims
# we say what the article states or what its code does, write something like it in lines of our own, and run them.
#
# To be quick, we train the small network of the last lessons: 64 pixels, 16 hidden units, two passes.

# %%
verdicts = {}


def run(recipe, **options):
    """The history of a small run; `train` takes a recipe, and options that change it."""
    return fs.learn.train(recipe, **{"layers": (16,), "epochs": 2, "lr": 1e-2, "look_every": 0, **options})


def fate(history):
    """A run that died has no accuracy."""
    return f"died at step {history.death.step}" if history.death else f"{history.epochs[-1].test_accuracy:.1%} right"


# %% [markdown]
# ## Claim 1: half precision has 1 sign bit, 8 exponent bits and 7 significand bits

# %%
which = guess("Which format has 1 sign bit, 8 exponent bits and 7 stored digits?", choices=("binary16", "bfloat16"))

# %%
for fmt in (fs.BFLOAT16, fs.BINARY16):
    print(f"1-{fmt.exponent_bits}-{fmt.trailing_bits:<2} is {fmt.name:8} largest {float(fmt.max_finite):.4g}")
which.compare("bfloat16")
verdicts["1: half precision is 1-8-7"] = "false: that is bfloat16; float16, which its code names, is 1-5-10"

# %% [markdown]
# The two fail in different ways, so the slip matters. Compare them [side by side in the
# explorer](explorer.html#number?x=70000&format=binary16&beside=bfloat16). (The article also calls half-precision
# training "semi-supervised learning". That is something else: learning with few labels.)
#
# ## Claim 2: its program trains in half precision
#
# What the program does: it loads MNIST (pictures of digits), divides the pixels by 255, builds a network of
# convolutions and dense layers with a library, and trains it with Adam. No line names a number format. What happens
# then? Something like it, in NumPy:

# %%
pixels = np.arange(6, dtype=np.uint8).reshape(2, 3) / np.float32(255)
weights = np.ones((3, 4), np.float32)  # libraries make weights in float32 unless told otherwise
print("the product of pixels and weights is", (pixels @ weights).dtype)

# %% [markdown]
# A program computes in the format of its data. So the 97.5 % that the article prints are a result of float32. Near its
# end there is one line that does name float16: it hands it to the configuration of a session, which has no such field.
# (We cannot run that line here, because this course does without such libraries.)
#
# So let us do what the author meant: the same recipe, with every number in 16 bits. The article does not say how large
# epsilon is; 1e-8 and 1e-7 are usual.

# %%
plain = run("pure-binary32")
print("binary32:                ", fate(plain))
print("binary16, epsilon = 1e-8:", fate(run("pure-binary16")))
print("binary16, epsilon = 1e-7:", fate(run("pure-binary16", epsilon=1e-7)))
print("bfloat16:                ", fate(run("pure-bfloat16")))
verdicts["2: its program trains in half precision"] = (
    "false: it trains in float32; in 16 bits our run of it dies at once"
)

# %% [markdown]
# You met all three deaths in [Why the run died](why_the_run_died.ipynb): epsilon is 0; v is 0 and epsilon too small;
# beta2 is 1.
#
# ## Claim 3: its loss and its Adam
#
# **The labels.** The program makes one-hot rows of the labels: 2 of three classes becomes (0, 0, 1). Then it chooses a
# loss that wants class *numbers*. `fs.learn.one_hot(labels, classes)` makes such rows, and
# `fs.learn.cross_entropy(logits, labels)` is such a loss.

# %%
mixed_up = guess(
    "What does a loss for class numbers do with one-hot rows?",
    choices=("the same as with numbers", "something else, silently", "it refuses"),
)

# %%
logits = fs.learn.Tensor(fs.array(np.zeros((2, 3)), "binary32"))
try:
    print(fs.learn.cross_entropy(logits, fs.learn.one_hot([0, 2], 3)))
except ValueError as error:
    print("ValueError:", error)
mixed_up.compare("it refuses")

# %% [markdown]
# The library of the article refuses, too: "logits and labels must have the same first dimension" is a well-known
# message. (We did not run it here.) So the program as printed stops at its first step, and cannot have given 97.5 %.
#
# **Softmax twice.** The last layer ends with a softmax: its outputs are probabilities. But the loss is told that they
# are *logits*, the numbers before a softmax, and so it applies a second one.
#
# **Predict:** a network is very sure, and wrong: logits 0, 10, 0, but the right class is the first. It should learn a
# lot from this. What does the second softmax do to the gradient?

# %%
for numbers, who in (([0.0, 10.0, 0.0], "sure and wrong"), ([10.0, 0.0, 0.0], "sure and right")):
    for twice in (False, True):
        z = fs.learn.Tensor(fs.array([numbers], "binary32"), name="z")
        loss = fs.learn.cross_entropy(z.softmax() if twice else z, [0])
        gradient = fs.learn.gradients(loss, {"z": z})["z"].values[0, 0]
        print(f"{who}, {1 + twice} softmax: loss {loss.value.values:7.4f}   gradient of the first logit {gradient:.2g}")

# %% [markdown]
# With two softmaxes the sure and wrong network hears almost nothing: its gradient is 16,000 times smaller. It is about
# as small as the smallest normal number of binary16, 6.1e-5; below that binary16 loses digits. The sure and right
# network is punished all the same: its loss stays at 0.55. No error is raised; the network just learns badly.
#
# **Adam.** The formula in the article leaves out the division by 1 - beta^t. m and v start at 0, so after one step m =
# (1 - beta1) g = 0.1 g, and v = (1 - beta2) g * g = 0.001 g * g.

# %%
first = guess("About how many learning rates long is the first step m / sqrt(v) without that correction?")

# %%
print(f"{0.1 / np.sqrt(0.001):.2f} learning rates without, {(0.1 / 0.1) / np.sqrt(0.001 / 0.001):.2f} with")
for correct in (True, False):
    print(f"bias_correction={correct}: {fate(run('pure-binary32', bias_correction=correct))}")
first.compare(round(0.1 / np.sqrt(0.001), 2), within=0.05)
verdicts["3: its loss and its Adam"] = "false: the loss refuses, or has a softmax too many; Adam lacks a correction"

# %% [markdown]
# The first steps are three times as long. In this short run that even helps, by luck; it was not what the author meant
# to do.
#
# ## Claim 4: recall and F1
#
# **Recall** of a class is the part of its members that were found. The article's code computes it as the part of all
# answers that are right, which is the *accuracy*; and then F1 from accuracy and accuracy. In our lines:

# %%
recall_of_ill = guess("90 people are healthy, 10 ill; a program calls everyone healthy. What is its recall of 'ill'?")

# %%
labels, answers = np.repeat([0, 1], [90, 10]), np.zeros(100, int)
accuracy = recall = np.mean(answers == labels)  # as in the article
f1 = 2 * accuracy * recall / (accuracy + recall)
print(f"in the article's way: accuracy {accuracy:.2f}, recall {recall:.2f}, F1 {f1:.2f}\n")
print(fs.learn.class_report(labels, answers, names=("healthy", "ill")))
recall_of_ill.compare(0.0)
verdicts["4: recall and F1"] = "false: it prints the accuracy three times"

# %% [markdown]
# `class_report(labels, answers)` has the true figures: every ill person was missed. A puzzle:


# %%
@fs.teach.puzzle
def recall_of(found, missed):
    """The recall of a class with `found` members found and `missed` members missed; 0.0 if it has no members."""
    return ... if found + missed else 0.0


# %% [markdown]
# ## Claims 5, 6 and 7: half the memory, more than twice the speed, about 90 % of the accuracy
#
# `fs.learn.costs` counts bytes and operations, here for a network like that of the article: 93,322 weights, for
# MNIST. (A checkpoint is what one saves to go on later: weights and the state of the optimizer.)
#
# **Predict:** two of these three cannot be told from an emulator, or only in part. Which?

# %%
full = fs.learn.costs("pure-binary32", data="mnist", model="cnn")
for recipe in ("pure-binary16-scaled", "mixed-binary16"):
    c = fs.learn.costs(recipe, data="mnist", model="cnn")
    memory, moved = c.bytes_in_memory / full.bytes_in_memory, c.bytes_moved / full.bytes_moved
    print(f"{recipe:20} memory {memory:.0%}, checkpoint {c.checkpoint / full.checkpoint:.0%}", end=", ")
    print(f"bytes moved {moved:.0%}, multiplications {c.multiply_adds / full.multiply_adds:.0%}")

for recipe in ("pure-binary16", "pure-binary16-scaled", "mixed-binary16", "bfloat16-plain", "bfloat16-kahan"):
    print(f"{recipe:20} {fate(run(recipe))}")
low, high = plain.answers.interval  # what the accuracy may be, with so few test pictures
print(f"{'pure-binary32':20} {fate(plain)}, with {plain.answers.images} test pictures: {low:.0%} to {high:.0%}")
verdicts["5: half the memory and storage"] = (
    "true if all is in 16 bits; with master weights 55 %, and more in a checkpoint"
)
verdicts["6: about 90 % of the accuracy"] = (
    "no rule: all of it here, nothing in the run that died, two thirds in the slow run of Mixed precision"
)
verdicts["7: more than twice as fast"] = "open: as many operations on half the bytes; only the hardware can say"

# %% [markdown]
# All runs that lived are within what 359 test pictures can tell. The speed we cannot measure here; and the accuracy of
# *your* network you must measure yourself.
#
# ## Claim 8: the cures
#
# For better results the article names: scaled inputs, good initial weights, a smaller learning rate, more steps,
# another batch size, L1 and L2 penalties (which keep weights small), a pretrained start, another optimizer. We take the
# run that died at step 1, and give it each medicine.

# %%
cure = guess("Which of these saves the run?", choices=("small initial weights", "learning rate / 100", "plain SGD"))

# %%
cures = {
    "inputs by mean and deviation": {"normalisation": "standard"},
    "small initial weights": {"init": "small"},
    "learning rate / 100": {"lr": 1e-4},
    "more steps": {"epochs": 10},
    "batch of 128": {"batch": 128},
    "L1 penalty": {"l1": 1e-4},
    "L2 penalty": {"l2": 1e-4},
    "pretrained start": {"start_from": plain.params},
    "RMSProp": {"optimizer": "rmsprop"},
    "plain SGD": {"optimizer": "sgd", "lr": 0.5, "momentum": 0.0},
}
saved = {name: run("pure-binary16", **options) for name, options in cures.items()}
for name, history in saved.items():
    print(f"{name:29} {fate(history)}")
cure.compare("plain SGD")

# %% [markdown]
# Only an optimizer that does not divide by the root of a square. The others may be good advice in any precision; they
# do not touch what is wrong here. And what does the article *not* name?
#
# **Predict:** which of these saves it: a loss scale alone, a larger epsilon alone, both, m and v in binary32?

# %%
unnamed = {
    "loss scale 1024": {"loss_scale": 1024.0, "unscale": False},
    "epsilon 1e-4": {"epsilon": 1e-4},  # <- change: 1e-5, 1e-6, 1e-7
    "both": {"loss_scale": 1024.0, "unscale": False, "epsilon": 1e-4},
    "m and v in binary32": {"policy": fs.learn.Policy("binary16", state="binary32")},
}
for name, options in unnamed.items():
    print(f"{name:29} {fate(run('pure-binary16', **options))}")
lived = [name for name, history in saved.items() if not history.death]
verdicts["8: the cures"] = (
    f"folklore, nearly all: of {len(cures)} only {' and '.join(lived)} helps; what helps is not named"
)

# %% [markdown]
# ## Claim 9: gradients vanish or explode

# %%
layers = guess("A gradient of 0.001 is halved in each layer. After how many layers is it 0 in binary16?")

# %%
gone = {}
for factor in (0.5, 4.0):
    for fmt in ("binary32", "bfloat16", "binary16"):
        g, layer = fs.round_to(0.001, fmt), 0
        with np.errstate(over="ignore"):
            while 0 < g < np.inf and layer < 20:
                g, layer = fs.multiply(g, factor, fmt), layer + 1
        gone[factor, fmt] = layer
        print(f"times {factor}: {fmt} {g:.3g} after {layer} layers")
layers.compare(gone[0.5, "binary16"])
verdicts["9: gradients vanish or explode"] = "true in binary16; in bfloat16 no more than in binary32"

# %% [markdown]
# [Walk there yourself in the explorer](explorer.html#arithmetic?op=multiply&a=2^-24&b=0.5&format=binary16): it shows
# the last step to 0.
#
# ## Claim 10: medicine needs full precision; for the rest half will do
#
# The pixels of a CT scanner are integers, usually from -1024 to 3071: air is -1000, water 0, metal the brightest.

# %%
bright = guess("What does 3071 become in binary16?")

# %%
ct = np.arange(-1024, 3072)
for fmt in ("bfloat16", "binary16"):
    error = np.abs(fs.round_to(ct, fmt) - ct)
    print(f"{fmt} changes {np.sum(error > 0):,} of {ct.size:,} values, by at most {error.max():g}")
bright.compare(fs.round_to(3071, "binary16"))

# %% [markdown]
# [See 3071 between its neighbours](explorer.html#number?x=3071&format=binary16). If the noise of the scanner is 10, an
# error of 1 does no harm; an error of 8 might. So not the *field* of work decides, but the *numbers*: their range, their
# ulp, their noise. A puzzle:


# %%
@fs.teach.puzzle
def is_changed(n):
    """True if binary16 does not hold the integer n, which is from -1024 to 3071, else False."""
    return ...


# %% [markdown]
# "For the rest half will do" can be run, too. `fs.learn.evaluate(model, data, formats)` takes a trained network and
# asks it again in each format. `fs.learn.Model` makes such a network from the weights of a run.
#
# **Predict:** down to how many bits does it give the same answers, up to one percent?

# %%
model = fs.learn.Model(plain.config, plain.params, (8, 8), 10)
for e in fs.learn.evaluate(model, fs.learn.load_digits(), ["binary16", "bfloat16", "e4m3fn", "e2m1fn"]):
    print(f"{e.fmt:9} {e.accuracy:.1%} right, the same answer to {e.agreement:.1%}, {e.bytes:,} bytes")
verdicts["10: medicine needs more, the rest does not"] = "false: range, ulp and noise of the numbers decide"

# %% [markdown]
# ## The verdicts
#
# **Predict:** how many of the ten stand as they were written?

# %%
for claim, verdict in verdicts.items():
    print(f"{claim}\n    {verdict}")

# %% [markdown]
# The article's conclusion, that one can train in 16 bits, is true. Hardly any of its reasons is.
#
# ## In short
#
# - A claim that can be run should be run. Most of these experiments have five lines and take a second.
# - Look at what code *does*: which format, which loss, which formula. A program that names no format does not compute
#   in 16 bits.
# - Check that a printed result can come from the printed program.
# - "Half the memory" and "twice as fast" are about hardware and recipes. Count bytes; measure time on the machine.
# - Give each cure to the same patient. Advice that is good in general need not touch the disease.
# - Numbers decide, not fields of work: range, ulp, noise.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/the_article.py`.


# %%
def f1(labels, predicted, positive):
    """F1 of one class, as it should have been written."""
    raise NotImplementedError


fs.teach.check(f1)  # fs.teach.hint() helps

# %% [markdown]
# 1. `f1(labels, predicted, positive)`: claim 4. F1 is twice the right ones, divided by the labels of the class plus the
#    predictions of it.
# 2. `first_step(g, beta1, beta2, correct)`: claim 3. The first step of Adam in learning rates, with the correction or
#    without.
# 3. `changed(low, high, fmt)`: claim 10. How many of the integers from low to high the format does not hold.
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: what such an article should cite.
# - D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015: with the correction, and why.
# - P. Micikevicius et al., "FP8 formats for deep learning", 2022: the same questions with eight bits.
#
# Next lesson: [Testing numerics](testing.ipynb). How to test numerical code of your own.
