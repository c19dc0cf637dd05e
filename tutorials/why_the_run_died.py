# %% [markdown]
# # Why the run died
#
# | | |
# |---|---|
# | **Question** | A run that works in 32 bits dies, or learns nothing, in 16. Which number broke, and what mends it? |
# | **Time** | 30 minutes |
# | **Needs** | [Backpropagation](backpropagation.ipynb) (gradients, loss scale), [Sums](sums.ipynb) (absorption, Kahan), [Formats](formats.ipynb) (range and precision) |
# | **You will be able to** | read a post-mortem, and choose epsilon, loss scale, constants and master weights by computing them |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

np.seterr(all="ignore")
small = {"layers": (16,), "lr": 1e-2, "epochs": 2}  # one network for all runs: 64 pixels, 16 hidden units, 10 digits

# %% [markdown]
# ## Adam
#
# Most networks are trained with **Adam**. It keeps, for each weight, a mean m of the gradients g and a mean v of their
# squares, and divides one by the root of the other, so that a step has about the size of the learning rate:
#
#     m = beta1 * m + (1 - beta1) * g            beta1 = 0.9
#     v = beta2 * v + (1 - beta2) * g * g        beta2 = 0.999
#     step = -lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
#
# m and v start at 0 and would be too small at first; the divisions by 1 - beta^t at step t correct that. epsilon =
# 1e-8 is there so that nothing is divided by 0. In `fs.learn.train` each of these operations is rounded.
#
# **Predict:** with all of it in binary16, will it run? Corner pixels are always black, so some gradients are exactly
# 0: what is their step?

# %%
run = fs.learn.train("pure-binary16", **small)
print(run.death)

# %% [markdown]
# It died at step 1, and the post-mortem names the operation, the parameter, the count and the constant. What are
# Adam's constants in 16 bits?
#
# **Predict:** 1e-8, 0.999 and 1 - 0.999 in binary16, and in bfloat16? The smallest subnormal of binary16 is 6e-8;
# below 1 the ulp of bfloat16 is 2^-8 = 0.0039.

# %%
for fmt in ("binary16", "bfloat16"):
    epsilon, beta2 = (float(fs.round_to(x, fmt)) for x in (1e-8, 0.999))
    print(f"{fmt}: epsilon {epsilon:.4g}   beta2 {beta2}   1 - beta2 {float(fs.subtract(1, beta2, fmt))}")

# %% [markdown]
# In binary16 epsilon is 0, and the step of a weight without gradient is 0 / 0 = NaN. One NaN is enough: the next
# forward pass spreads it over everything. All of this could be known *before* step 1:

# %%
for advice in fs.learn.check("pure-binary16", **small):
    print(advice)

# %% [markdown]
# ## Which epsilon?
#
# The smallest number that binary16 holds is not yet enough.
#
# **Predict:** 1e-7 is not 0 in binary16. Does the run live? And with 1e-5, 1e-4, 1e-3?

# %%
for epsilon in (1e-7, 1e-5, 1e-4, 1e-3):
    run = fs.learn.train("pure-binary16", **small, epsilon=epsilon)
    print(f"epsilon {epsilon:g}: {run.epochs[-1].test_accuracy:.1%} right after {run.steps} steps", run.death or "")

# %% [markdown]
# Why do the small ones fail, which are not 0? Look at one weight at its first step. On paper m / (1 - beta1) is g, v
# / (1 - beta2) is g * g, and the step is the learning rate, whatever g is.
#
# **Predict:** how many times the learning rate is the first step for g = 1, 0.01, 0.005, 0.001, with epsilon = 1e-7?
# When is (1 - beta2) * g * g, with 1 - beta2 = 2^-10, less than half of 2^-24?


# %%
def first_step(g, **how):
    optimizer = fs.learn.adam(lr=1.0, **how)
    grads = {"w": fs.array([g], "binary16")}
    steps, state = optimizer.update(grads, optimizer.init(grads))
    return abs(float(steps["w"].values[0])), float(state.v["w"].values[0])


for g in (1.0, 0.01, 0.005, 0.001, 0.0001):
    sizes = {epsilon: first_step(g, epsilon=epsilon) for epsilon in (1e-7, 1e-5, 1e-4, 1e-3)}
    print(f"g = {g:<6g} v = {sizes[1e-7][1]:.3g}   steps:", ", ".join(f"{size:.4g}" for size, _ in sizes.values()))

# %% [markdown]
# Below 2^-7.5 = 0.0055 the gradient lives, but v, which holds its *square*, is 0. Then epsilon alone divides: a
# larger epsilon makes these steps tame, and for tiny gradients smaller than they should be. (At 0.01 v is subnormal
# and has one or two digits: hence 0.9.) A square halves the range: half as many exponents.
#
# ## Loss scaling
#
# So move the gradients up: multiply the loss by 2^k, and every gradient is 2^k times as large
# ([Backpropagation](backpropagation.ipynb)). Here are the gradients of this network, before any rounding, against the
# window of binary16:

# %%
digits = fs.learn.normalise(fs.learn.load_digits(), "unit")
model = fs.learn.MLP((64, 16, 10))
tensors = {name: fs.learn.Tensor(x, name=name) for name, x in model.init("binary64", rng=0).items()}
images = fs.learn.Tensor(fs.array(digits.train_images[:32], "binary64"), wanted=False)
grads = fs.learn.gradients(fs.learn.cross_entropy(model(tensors, images), digits.train_labels[:32]), tensors)
g = np.concatenate([x.values.ravel() for x in grads.values()])
fs.plots.gradients("binary16", g, scales=(1.0, 1024.0))
plt.show()

# %% [markdown]
# `fs.learn.survey` counts what a format would make of numbers; `fate(shift=k)` after multiplying by 2^k.
#
# **Predict:** which share of the gradients (those that are not 0) becomes 0 in binary16? And which share of (1 -
# beta2) * g * g? A loss scale of 2^10 shifts the squares by 2^20: which share is then 0?

# %%
moments = 2.0**-10 * g * g
print("gradients:     ", fs.learn.survey(g, "binary16").fate())
seen = fs.learn.survey(moments, "binary16")
for k in (0, 5, 10, 14):  # <- change: which k loses nothing on either side?
    fate = seen.fate(shift=2 * k)
    print(f"v, loss x 2^{k:<2}: {fate}: {fate.underflowed / seen.finite:.1%} become 0")

# %% [markdown]
# Not the gradients are in need here, but their squares. Adam divides the scale out by itself, m / sqrt(v), so one
# need not even divide the gradients by it (only epsilon becomes relatively smaller). This is the recipe
# `pure-binary16-scaled`: loss x 1024, epsilon 1e-4.
#
# **Predict:** is more better? With a loss scale of 2^14, which squares overflow? Does the run die, and if not, what
# does it do?

# %%
for scale in (1024.0, 2.0**14):
    run = fs.learn.train("pure-binary16-scaled", **small, loss_scale=scale)
    print(
        f"loss x {scale:g}: {run.epochs[-1].test_accuracy:.1%}, overflows {run.epochs[-1].overflows}, death {run.death}"
    )
    for advice in fs.learn.diagnose(run):
        print("   ", advice)

# %% [markdown]
# No death, no NaN, and no learning. g / infinity is 0: those weights stand still, silently. `diagnose` saw it because
# the microscope counts. What you do not count, you will not see.
#
# A **dynamic** loss scale finds its size itself: too large a scale makes an infinite gradient; then skip the step and
# halve the scale. After many good steps, double it.
#
# **Predict:** the largest gradient is 3. Starting from 2^16, at which scale does it settle? (binary16 ends at 65504.)

# %%
scale = fs.learn.DynamicLossScale(scale=2.0**16, interval=4)  # <- change: 1000 or 0.001 instead of 3
for step in range(1, 13):
    finite = bool(np.isfinite(fs.round_to(3 * scale.scale, "binary16")))
    print(f"step {step:2}: scale {scale.scale:7.0f}", "" if finite else "skipped")
    scale = scale.adjust(finite)

# %% [markdown]
# It knocks at the limit again and again: a skipped step now and then is normal. (Libraries wait 2000 good steps, not
# 4.)
#
# ## bfloat16
#
# bfloat16 has the exponents of binary32: no loss scale, and epsilon = 1e-8 is there.
#
# **Predict:** does the run in pure bfloat16 live? Look at its beta2 above.

# %%
run = fs.learn.train("pure-bfloat16", **small)
print(run.death)
print(fs.learn.check("pure-bfloat16", **small)[0])

# %% [markdown]
# beta2 became 1, so 1 - beta2 = 0: v stays 0 and its correction is 0 / 0. Not range, *precision* killed it. Libraries
# keep such scalars in binary64; the recipe `bfloat16-plain` does. Now we take a smaller learning rate, 0.001, and 3
# epochs.
#
# **Predict:** a weight of 0.3 has an ulp of 2^-9 = 0.002 in bfloat16. A step is about 0.001 or less. Which share of
# the steps will leave their weight as it was?

# %%
slow = {"layers": (16,), "lr": 1e-3, "epochs": 3}
names = ("pure-binary32", "bfloat16-plain", "bfloat16-kahan", "mixed-binary16")
runs = {name: fs.learn.train(name, **slow) for name in names}
for name, run in runs.items():
    result = run.totals()
    print(f"{name:15} absorbed {result['absorbed_updates']:6.1%}   loss {result['loss']:.3f}", end="   ")
    print(f"right {result['test_accuracy']:.1%}")

# %% [markdown]
# Half of the updates were **absorbed**: added, and lost. The microscope examines every 15th step of so short a
# run. Of each tensor it tells how many steps were absorbed, and which part of the whole step arrived, in the direction
# it was meant.

# %%
for name in ("bfloat16-plain", "bfloat16-kahan"):
    for row in runs[name].telemetry.rows:
        if (row.kind, row.name, row.step) in {("step", "layer1.weight", 1), ("step", "layer1.weight", 106)}:
            share = row.absorbed / (row.total - row.zeros)
            print(f"{name:15} step {row.step:3}: absorbed {share:.0%}, arrived {row.arrived:.0%}")
for advice in fs.learn.diagnose(runs["bfloat16-plain"]):
    print(advice)

# %% [markdown]
# Kahan's trick of [Sums](sums.ipynb) does not prevent that a single update is absorbed. It *remembers* what was lost
# and adds it to the next. So as many updates seem to be absorbed, but the run is as good as in binary32, or nearly.
#
# ## Master weights
#
# The usual cure is the recipe `mixed-binary16`: products in binary16, where they are cheap; but gradients, m, v and a
# copy of the weights, the **master weights**, in binary32, where small updates are felt.
#
# **Predict:** how many bytes does each weight need, with its gradient, m and v: all in binary32, and mixed? Is it half?

# %%
print(runs["mixed-binary16"].config.policy)
each = {"binary32: weight, g, m, v": (4, 4, 4, 4), "mixed: weight, master, g, m, v": (2, 4, 4, 4, 4)}
for what, sizes in each.items():
    print(what, "=", sum(sizes), "bytes")

# %% [markdown]
# It is *more* than in binary32. What is saved is the time of products and the memory of activations, not that of the
# weights. All runs in one picture:

# %%
fs.plots.training(list(runs.values()), "accuracy")
plt.show()

# %% [markdown]
# ## What to look at
#
# | symptom | number to look at | cure |
# |---|---|---|
# | NaN at step 1 | epsilon and 1 - beta2 in the format of the optimizer | larger epsilon; constants in a wider format |
# | NaN after a few steps | where g * g becomes 0; steps against the learning rate | epsilon of the size of that edge; loss scale |
# | it runs, and learns nothing | overflows; squares that are infinite | smaller, or dynamic, loss scale |
# | it learns, but too slowly | absorbed updates | Kahan, stochastic rounding, master weights |
#
# ## Exercises
#
# In `exercises/why_the_run_died.py`. As shipped:


# %%
def dynamic_step(gradients, scale, good, interval):
    """(taken, scale, good) after a step under a dynamic loss scale."""
    raise NotImplementedError


print(fs.teach.grade.cases(dynamic_step, [(([1.0], 8.0, 0, 2), (True, 8.0, 1))]))

# %% [markdown]
# 1. `first_second_moment(g)`: v after the first step, in binary16: (1 - beta2) * (g * g), beta2 = 0.999, every
#    operation rounded.
# 2. `absorbed(weight, step, fmt)`: whether weight + step, rounded to the format, is the weight, though the step is
#    not 0.
# 3. `kahan_update(weight, lost, step)`: one turn of the loop of [Sums](sums.ipynb) in bfloat16; the new pair (weight,
#    lost).
# 4. `dynamic_step(gradients, scale, good, interval)`: is the step taken, the next scale, the next count of good
#    steps. If a gradient is not finite: not taken, half the scale, count 0. Else taken, count + 1; when the count
#    reaches the interval, the scale doubles and the count starts again from 0.
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: loss scaling and master weights.
# - D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
# - M. Croci et al., "Stochastic rounding: implementation, error analysis and applications", Royal Society Open
#   Science 9, 2022.
#
# Next lesson: [The article, claim by claim](the_article.ipynb). What is true in an article?
