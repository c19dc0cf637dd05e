# %% [markdown]
# # The article, claim by claim
#
# | | |
# |---|---|
# | **Question** | An article says how one trains in half precision. Which of its claims survive being run? |
# | **Time** | 30 minutes |
# | **Needs** | [Why the run died](why_the_run_died.ipynb) and what it needs |
# | **You will be able to** | turn a claim into an experiment, tell a cure from folklore, and read such articles with your own eyes |
#
# This course began with a Chinese article on half-precision training. It explains the idea, prints a program for MNIST, and
# reports 97.5 % "in half precision". We restate its claims in our words, and run each. To be quick we use the bundled 8 x
# 8 digits and a small network: 16 hidden units, two passes. (For its own network: `fp16sim train --data mnist --model cnn`.)

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

np.seterr(all="ignore")
verdicts = {}


def run(recipe, **options):
    """A small run; Adam's constants as in the article, but a learning rate for little data."""
    return fs.learn.train(recipe, **{"layers": (16,), "epochs": 2, "lr": 1e-2, "look_every": 0, **options})


def fate(history):
    return f"died at step {history.death.step}" if history.death else f"{history.epochs[-1].test_accuracy:.3f}"


# %% [markdown]
# ## Claim 1: half precision has 1 sign bit, 8 exponent bits and 7 significand bits
#
# **Predict:** which format is that? Which largest number, and which u, belong to 1-8-7, and which to 1-5-10?

# %%
for fmt in (fs.BFLOAT16, fs.BINARY16):
    print(
        f"1-{fmt.exponent_bits}-{fmt.trailing_bits:<2} is {fmt.name:8} max {float(fmt.max_finite):.4g}  u {float(fmt.unit_roundoff):.2g}"
    )
verdicts["1: half precision is 1-8-7"] = "false: that is bfloat16; its snippets mean float16"

# %% [markdown]
# They fail in different ways ([Formats](formats.ipynb)), so the slip matters. The article also translates half
# precision as "semi-supervised learning", which is something else.
#
# ## Claim 2: its program trains in half precision
#
# Nothing in the program names a 16-bit type. Such libraries compute in float32 unless told otherwise; the one line at
# the end that does tell is a call that does not exist. So its 97.5 % is a float32 result, if it is one.
#
# **Predict:** what happens if the same recipe really is run in binary16: Adam with beta2 = 0.999 and epsilon = 1e-8, every
# number rounded? And in bfloat16?

# %%
plain, half, brain = (run(recipe) for recipe in ("pure-binary32", "pure-binary16", "pure-bfloat16"))
print("binary32:", fate(plain), "  binary16:", fate(half), "  bfloat16:", fate(brain))
print(half.death)
print(brain.death)
verdicts["2: the program trains in half precision"] = "false: it is float32; in 16 bits, as written, it dies at step 1"

# %% [markdown]
# You met both in [Why the run died](why_the_run_died.ipynb): epsilon is 0 in one format, and beta2 is 1 in the other.
#
# ## Claim 3: the loss
#
# The program makes one-hot labels and gives them to a loss that wants class numbers. That raises, so it was never run as
# printed. It also ends with a softmax and tells the loss that these are *logits*: the softmax is applied twice.
#
# **Predict:** a network is quite sure: logits 10, 0, 0. What is the loss, with one softmax and with two? How small can the
# loss become with two, for ten classes?


# %%
def losses(logits):
    once = fs.learn.Tensor(fs.array([logits], "binary32"))
    twice = fs.learn.Tensor(fs.array([np.exp(logits) / np.exp(logits).sum()], "binary32"))
    return [abs(float(fs.learn.cross_entropy(t, [0]).value.values)) for t in (once, twice)]


print("sure: one softmax {:.5f}, two {:.3f}".format(*losses(np.array([10.0, 0, 0]))))
print("as sure as can be, ten classes: one {:.5f}, two {:.3f}".format(*losses(np.array([50.0] + 9 * [0.0]))))
verdicts["3: one-hot labels, softmax, from logits"] = (
    "false: it raises; and two softmaxes leave a loss that cannot reach 0"
)

# %% [markdown]
# The second softmax sees numbers between 0 and 1 only, so its own outputs are nearly alike, and the gradients are small: the
# last thing that one wants in binary16.
#
# The printed Adam has no **bias correction**. The moments start at 0, so the first ones are too small: m by 1 - beta1,
# v by 1 - beta2. **Predict:** is the first step too short or too long without the correction, and by which factor?

# %%
m, v = (1 - 0.9) * 1.0, (1 - 0.999) * 1.0**2  # the gradient is 1
print(f"first step: {m / np.sqrt(v):.2f} learning rates without, {(m / 0.1) / np.sqrt(v / 0.001):.2f} with")
for correct in (True, False):
    print("bias correction", correct, fate(run("pure-binary32", bias_correction=correct)))

# %% [markdown]
# So it is no harmless omission: the first steps are three times as long. In this short run that even helps; it was not what
# the author meant to do.
#
# ## Claim 4: recall and F1
#
# The article computes recall as the share of right answers, which is the accuracy, and F1 from accuracy and accuracy.
#
# **Predict:** 90 healthy people, 10 ill. A "classifier" calls everyone healthy. What are its accuracy, the article's F1, and
# the recall and F1 of "ill"?

# %%
labels, said = np.repeat([0, 1], [90, 10]), np.zeros(100, int)
accuracy = recall = np.mean(said == labels)
print(
    f"the article: accuracy {accuracy:.2f}, recall {recall:.2f}, F1 {2 * accuracy * recall / (accuracy + recall):.2f}\n"
)
print(fs.learn.class_report(labels, said, names=("healthy", "ill")))
verdicts["4: recall and F1"] = "false: accuracy three times; all ill people are missed and F1 is 0.90"

# %% [markdown]
# ## Claim 5: half the memory, half the storage
#
# **Predict:** count bytes for weights, a second copy, gradients, Adam's two moments and activations. What part of
# float32's memory does everything in binary16 need? And the mixed recipe of [Why the run died](why_the_run_died.ipynb),
# which works?

# %%
full = fs.learn.costs("pure-binary32", layers=(16,))
for recipe in ("pure-binary32", "pure-binary16", "mixed-binary16"):
    c = fs.learn.costs(recipe, layers=(16,))
    print(
        f"{recipe:15} weights {c.weights:5} master {c.master:5} gradients {c.gradients:5} moments {c.state:5} "
        f"activations {c.activations:6}  in all {c.bytes_in_memory / full.bytes_in_memory:.0%}"
    )
verdicts["5: half the memory"] = "half true: weights and activations halve; master weights and moments do not"

# %% [markdown]
# With many weights and few activations, mixed precision needs *more* memory; with large batches and images, nearly half.
# Change `layers` to (256, 256), then `batch` to 1024, and see.
#
# ## Claim 6: about 90 % of the accuracy is kept
#
# **Predict:** what part of float32's accuracy do these recipes keep? 90 %, more, or nothing?

# %%
base = plain.epochs[-1].test_accuracy
for recipe in ("pure-binary16", "pure-binary16-scaled", "mixed-binary16", "bfloat16-plain", "bfloat16-kahan"):
    history = run(recipe)
    kept = "nothing" if history.death else f"{history.epochs[-1].test_accuracy / base:.0%}"
    print(f"{recipe:21} keeps {kept}")
print(f"(one of the test images is {1 / len(fs.learn.load_digits().test_labels):.1%}: small differences are luck)")
verdicts["6: 90 % of the accuracy is kept"] = "false here: it keeps all, or it dies"

# %% [markdown]
# ## Claim 7: more than twice as fast on a GPU
#
# An emulator cannot measure a GPU. It can count.
#
# **Predict:** does the number of multiplications fall in 16 bits? Do the bytes that are moved?

# %%
for recipe in ("pure-binary32", "pure-binary16", "mixed-binary16"):
    c = fs.learn.costs(recipe, layers=(16,))
    print(f"{recipe:15} multiply-adds {c.multiply_adds:,}  bytes moved {c.bytes_moved / full.bytes_moved:.0%}")
verdicts["7: more than twice as fast"] = (
    "not decided here: as many operations, about half the bytes; the hardware decides"
)

# %% [markdown]
# ## Claim 8: the cures
#
# It names many: scale the inputs; small initial weights; a smaller learning rate; more steps; another batch size; L1 and L2
# penalties; a pretrained start; another optimizer.
#
# **Predict:** take the run that died at step 1, and apply each. Which ones save it?

# %%
cures = {
    "inputs to [-1, 1]": {"normalisation": "symmetric"},
    "inputs by mean and deviation": {"normalisation": "standard"},
    "small weights": {"init": "small"},
    "learning rate / 100": {"lr": 1e-4},
    "more steps": {"epochs": 10},
    "batch of 128": {"batch": 128},
    "L1 penalty": {"l1": 1e-4},
    "L2 penalty": {"l2": 1e-4},
    "pretrained start": {"start_from": plain.params},
    "RMSProp": {"optimizer": "rmsprop"},
    "plain SGD": {"optimizer": "sgd", "lr": 0.1},
}
saved = {name: run("pure-binary16", **options) for name, options in cures.items()}
for name, history in saved.items():
    print(f"{name:30} {fate(history)}")

# %% [markdown]
# Only another optimizer helps, one that does not divide by the root of a squared gradient. The others may be good
# advice in any precision, but they do not cure what is wrong here.
#
# **Predict:** now what the article does not name. Which of these saves the run: a loss scale alone, a larger epsilon alone,
# both, master weights?

# %%
unnamed = {
    "loss scale 1024": {"loss_scale": 1024.0, "unscale": False},
    "epsilon 1e-4": {"epsilon": 1e-4},  # <- change: 1e-5, 1e-6, 1e-7
    "both": {"loss_scale": 1024.0, "unscale": False, "epsilon": 1e-4},
}
for name, options in unnamed.items():
    print(f"{name:30} {fate(run('pure-binary16', **options))}")
print(f"{'master weights, dynamic scale':30} {fate(run('mixed-binary16'))}")
lived = [name for name, history in saved.items() if not history.death]
verdicts["8: the cures"] = (
    f"mostly folklore: of {len(cures)}, saved by {', '.join(lived)} alone; epsilon and master weights are not named"
)

# %% [markdown]
# ## Claim 9: gradients vanish or explode
#
# **Predict:** a gradient goes back through 20 layers and is multiplied by 0.5, or by 2, in each, starting at 1e-3.
# Where is it 0 or infinite in binary16, and where in bfloat16?

# %%
for factor in (0.5, 2.0, 4.0):
    for fmt in ("binary16", "bfloat16"):
        g, layer = fs.round_to(1e-3, fmt), 0
        while 0 < g < np.inf and layer < 20:
            g, layer = fs.multiply(g, factor, fmt), layer + 1
        print(f"x {factor}: {fmt:9} {g:.3g} after {layer} layers")
verdicts["9: gradients vanish and explode"] = "true in binary16, hardly in bfloat16; the exponent bits decide"

# %%
fs.plots.gradients()
plt.show()

# %% [markdown]
# The picture shows real gradients, of the digits: how many fall below the window of binary16, and how a loss scale slides
# them back in.
#
# ## Claim 10: medical images need full precision; for the rest it will do
#
# CT images hold integers from -1024 to 3071. **Predict:** which of them does binary16 not hold? And bfloat16? Suppose that
# the noise of a scanner is 10: is the error more?

# %%
ct = np.arange(-1024, 3072)
for fmt in ("binary16", "bfloat16"):
    error = np.abs(fs.round_to(ct, fmt) - ct)
    print(
        f"{fmt:9} changes {np.sum(error > 0):,} of {ct.size:,}, by at most {error.max():g}; 3071 becomes {fs.round_to(3071, fmt):g}"
    )

# %% [markdown]
# Binary16 is off by 1 at most, far below that noise; bfloat16 comes close to it. So the field of work is not what
# decides: the *numbers* are. Take the model that was trained in float32, and ask in which formats it still answers
# alike.
#
# **Predict:** down to how many bits does it stay within one percent?

# %%
model = fs.learn.Model(plain.config, plain.params, (8, 8), 10)
for e in fs.learn.evaluate(model, fs.learn.load_digits(), ["binary32", "binary16", "bfloat16", "e4m3fn", "e2m1fn"]):
    print(f"{e.fmt:9} accuracy {e.accuracy:.3f}, same answer in {e.agreement:.1%}, {e.bytes:,} bytes")
verdicts["10: medicine needs more, the rest does not"] = "false: range, ulp and noise of the data decide, not the field"

# %% [markdown]
# ## The verdicts
#
# **Predict:** how many of the ten stand as they were written?

# %%
for claim, verdict in verdicts.items():
    print(f"{claim}\n    {verdict}")

# %% [markdown]
# The article's conclusion, that training in 16 bits works, is true. Hardly one of its reasons is. That is a common state of
# texts, and the way out is always the same: a claim that can be run should be.
#
# ## Exercises
#
# In `exercises/the_article.py`. As shipped:


# %%
def memory(parameters, activations, master):
    """Bytes held while training with Adam in 16 bits, with or without master weights."""
    raise NotImplementedError


print(fs.teach.grade.cases(memory, [((1000, 0, False), 8000), ((1000, 0, True), 18000)]))

# %% [markdown]
# 1. `memory(parameters, activations, master)`: claim 5 as a formula.
# 2. `f1(labels, predicted, positive)`: claim 4, as it should have been written.
# 3. `first_step(g, beta1, beta2, correct)`: the first step of Adam in learning rates, with and without bias correction.
# 4. `survives(epsilon)`: whether 0 / (sqrt(0) + epsilon) is a number in binary16.
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed Precision Training", ICLR 2018: what the article should have cited.
# - D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015: with the bias correction, and its reason.
# - D. Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", 2019.
# - P. Micikevicius et al., "FP8 Formats for Deep Learning", 2022.
#
# Next lesson: [Testing numerics](testing.ipynb). How to test numerical code of your own.
