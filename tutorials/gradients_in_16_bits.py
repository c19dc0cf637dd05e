# %% [markdown]
# # Gradients in 16 bits
#
# | | |
# |---|---|
# | **Question** | What does rounding do to a gradient on its way back? |
# | **Time** | 45 minutes |
# | **Needs** | [Backpropagation](backpropagation.ipynb), [A network in 16 bits](mlp_in_16_bits.ipynb) (loss scale), [At the edges](edges.ipynb) (underflow), [Sums](sums.ipynb) (accumulators) |
# | **You will be able to** | say where on its way a gradient gets lost, start the walk where nothing is lost, and measure the error of gradients in any format |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs
from fp16sim.learn import Config, train
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [A network in 16 bits](mlp_in_16_bits.ipynb): what does binary16 keep?


# %%
@fs.teach.puzzle
def is_kept(gradient, scale):
    """True if a float gradient, multiplied by scale and rounded to binary16, is neither 0 nor infinite.

    The gradient is not 0 and may be negative; scale is a power of two. is_kept(2e-8, 1) is False.
    """
    return ...


# %% [markdown]
# ## The walk, rounded
#
# This is the node of [Backpropagation](backpropagation.ipynb). One thing is new: each + and each * is an operation of
# `fs`, which rounds to the format `FMT`, on the way forward and on the way back.

# %%
FMT, TAPE = "binary16", []


class Node:
    def __init__(self, value, parents=()):
        self.value, self.parents, self.gradient = value, parents, 0.0
        TAPE.append(self)

    def __mul__(self, other):
        return Node(fs.multiply(self.value, other.value, FMT), [(self, other.value), (other, self.value)])


def backward(loss, start=1.0):
    loss.gradient = start
    for node in reversed(TAPE):
        for parent, rate in node.parents:
            parent.gradient = fs.add(parent.gradient, fs.multiply(node.gradient, rate, FMT), FMT)


# %% [markdown]
# ## The order of a product
#
# You have 1 yen and want dong. The exchange office changes yen to euros and euros to dong, and it gives whole coins only. 1
# yen is 0.006 euros: you get 0 euros. Then you get 27,000 times 0 dong. A direct exchange would have given about 160
# dong. The money was lost in the *middle* of the way.
#
# Take the product ((x * a) * b) * c, with x = 1, a = 2^13, b = 2^-14 and c = 2^-12. Forward, it is multiplied from the
# front. Backward, the walk comes from the *end*: first c, then b, then a. The true gradient of x is a * b * c, and
# binary16 has this number.

# %%
forward = guess("x = 1, a = 2^13, b = 2^-14, c = 2^-12: what is ((x * a) * b) * c in binary16?")
back = guess("The same numbers: which gradient of x does the walk back from ((x * a) * b) * c find in binary16?")


# %%
def chain(factors, start=1.0):
    """The product of the factors, and the gradient of the first one, found by walking back."""
    TAPE.clear()
    x, *others = map(Node, factors)
    product = x
    for node in others:
        product = product * node
    backward(product, start)
    return float(product.value), float(x.gradient)


factors = [1.0, 2.0**13, 2.0**-14, 2.0**-12]
value, gradient = chain(factors)
print("value", value, "  gradient", gradient)
print("not rounded, the walk comes to", [float(p) for p in np.cumprod(factors[:0:-1])])
print("smallest number of binary16:  ", 2.0**-24)
forward.compare(value)
back.compare(gradient)

# %% [markdown]
# c * b = 2^-26 is less than half of the smallest number, so it becomes 0
# ([see it](explorer.html#arithmetic?op=multiply&a=2^-12&b=2^-14)). And 0 * 2^13 stays 0. The gradient **vanished** in the
# middle of the way, though binary16 has its true value.
#
# The cure: do not start from 1. Start from 2^j, so that all that comes is 2^j times as large, and divide the result by 2^j.
# A puzzle: which j is large enough?


# %%
@fs.teach.puzzle
def smallest_start(k):
    """The least integer j >= 0 for which 2^j * 2^-k is not 0 in binary16; k is an integer from 0 to 60."""
    return ...


# %% [markdown]
# Here the smallest number on the way is 2^-26.

# %%
enough = guess("Is it enough to start the walk back from ((x * a) * b) * c with 2 instead of 1? (yes or no)")

# %%
for begin in (1.0, 2.0, 4.0, 1024.0):  # <- change: 2.0**15, 2.0**17
    print(f"from {begin:4g}, and divided by it: {chain(factors, begin)[1] / begin}")
enough.compare(chain(factors, 2.0)[1] != 0)
FMT = "bfloat16"
print("from 1, in bfloat16:      ", chain(factors)[1])
FMT = "binary16"

# %% [markdown]
# From 2 the walk comes to 2^-25, which is a tie, and goes to 0. You know this start: it is the
# [loss scale](glossary.md#loss-scale). bfloat16 has small numbers enough, and needs none.
#
# ## Nearly 1
#
# The battery of your phone shows 100 %. How much is missing? The display cannot say: 99.6 % is shown as 100 %, too.
#
# The **sigmoid** turns a number into a part between 0 and 1. It is y = 1 / (1 + e^-x). Its rate is y * (1 - y): what it
# has, times what is missing. At x = 9 the true rate is 0.000123. Binary16 has this number, and y is stored as
# well as it can be.

# %%
rate = guess("In binary16, what is y * (1 - y) for the sigmoid y of 9, with each operation rounded?")

# %%
for x in (2.0, 6.0, 8.0, 9.0):  # <- change: try -9.0
    y = fs.sigmoid(x, "binary16")
    true = np.exp(-x) / (1 + np.exp(-x)) ** 2
    rounded = fs.multiply(y, fs.subtract(1, y, "binary16"), "binary16")
    print(f"x = {x}: y = {y:.6f}   y * (1 - y) = {rounded:.6f}   true {true:.6f}")
rate.compare(rounded)

# %% [markdown]
# The sigmoid of 9 is 0.99988. The numbers of binary16 just below 1 are 2^-11 = 0.0005 apart, so it is stored as 1, and 1 - y
# is 0. The unit is **saturated**: nothing passes back. (For -9 all is well: near 0 there are many more numbers
# than near 1.)
#
# ## With arrays
#
# A network has thousands of weights, so it computes with arrays. A rate for each pair of numbers would be a huge table.
# Instead each parent comes with a *function*: it takes the gradient of the result, and gives that of the parent. Its name
# is [**vjp**](glossary.md#vjp). `fs.learn` has it all:
#
# | name | what it is |
# |---|---|
# | `fs.array(x, fmt)` | an array that rounds each operation to the format |
# | `fs.learn.Tensor(x, name="t")` | a node that holds such an array |
# | `fs.learn.gradients(loss, {"t": t})` | the walk back; it gives the gradients of the tensors that you ask for |
#
# The function of the last lesson again, w * w + 3 * w, for two numbers at once. Summing makes one loss of them.

# %%
two = guess("What are the gradients of w * w + 3 * w at w = 2 and at w = 3? (two numbers)")

# %%
w = fs.learn.Tensor(fs.array([2.0, 3.0], "binary16"), name="w")
loss = (w * w + 3 * w).sum()
found = fs.learn.gradients(loss, {"w": w})["w"]
print(found)
two.compare(found)

# %% [markdown]
# Now a place where arrays add something new. A bias is added to the sum of *every* picture in a batch. So the walk comes
# back to it on many ways, one for each picture, and its gradient is a sum over the batch. What do you know of sums in
# binary16? A puzzle:


# %%
@fs.teach.puzzle
def bias_gradient(n):
    """The sum of n ones in binary16, one after the other: the gradient of a bias, if each of n pictures gives it 1."""
    return ...


# %% [markdown]
# `x.add(bias, accumulator)` is x + bias, and says how to sum on the way back. `wanted=False` marks data: nobody wants
# *their* gradient, so the walk does not go there.
#
# **Predict:** a batch of 4096 pictures, each gives 1. What is the gradient of the bias in binary16, in bfloat16, and with
# sums that are kept in binary32?

# %%
for fmt in ("binary16", "bfloat16"):
    for sums in (fmt, "binary32"):
        accumulator = fs.accumulators.Sequential(sums)
        bias = fs.learn.Tensor(fs.array([0.0], fmt), name="bias")
        pictures = fs.learn.Tensor(fs.array(np.zeros((4096, 1)), fmt), wanted=False)
        loss = pictures.add(bias, accumulator).sum(accumulator)
        print(f"{fmt}, sums in {sums:8}: {fs.learn.gradients(loss, {'bias': bias})['bias'].values[0]:g}")

# %% [markdown]
# In a real batch the terms differ, and many are below 0. But the rule stays: keep the sums over a batch in a wider format.
#
# ## A network, compared with exact gradients
#
# How wrong are the gradients of a real network? We compute them twice, in 16 bits and in binary64, and compare. These
# names are new:
#
# | name | what it is |
# |---|---|
# | `fs.learn.MLP((64, 16, 10))` | a network with 64 inputs, 16 hidden units and 10 outputs; `.init(fmt, rng=0)` draws its weights |
# | `fs.learn.load_digits()`, `normalise(..., "unit")` | the pictures of the digits; their pixels from 0 to 1 |
# | `fs.learn.cross_entropy(outputs, labels)` | the loss: small if the output of the right digit is much the largest |
#
# The error is the length of the difference divided by the length of the true gradient. These are the gradients of the
# *weights*, for 32 pictures, with the weights at the start and after 20 epochs of training.

# %%
times = guess("About how many times as large is the error of a gradient in bfloat16 as in binary16?")

# %%
digits = fs.learn.normalise(fs.learn.load_digits(), "unit")
model = fs.learn.MLP((64, 16, 10))


def weight_gradients(weights, fmt, chosen=range(32)):
    """The gradients of all weights in one list, computed in a format."""
    tensors = {name: fs.learn.Tensor(fs.array(x.values, fmt), name=name) for name, x in weights.items()}
    pictures = fs.learn.Tensor(fs.array(digits.train_images[chosen], fmt), wanted=False)
    loss = fs.learn.cross_entropy(model(tensors, pictures), digits.train_labels[chosen])
    found = fs.learn.gradients(loss, tensors)
    return np.concatenate([x.values.ravel().astype(float) for x in found.values()])


def error(weights, fmt):
    true = weight_gradients(weights, "binary64")
    return np.linalg.norm(weight_gradients(weights, fmt) - true) / np.linalg.norm(true)


start = model.init("binary64", rng=0)
trained = train(Config("binary64"), layers=(16,), epochs=20).params
for when, weights in (("at the start", start), ("after 20 epochs", trained)):
    print(f"{when:15}", *(f"  {fmt} {error(weights, fmt):6.2%}" for fmt in ("binary16", "bfloat16")))
first, others = (weight_gradients(start, "binary64", chosen) for chosen in (range(32), range(32, 64)))
print(f"in binary64, but with 32 other pictures: {np.linalg.norm(others - first) / np.linalg.norm(first):.0%}")
times.compare(round(error(start, "bfloat16") / error(start, "binary16"), 1), within=0.3)

# %% [markdown]
# Three digits fewer are a factor of 2^3 = 8, and so it is, about. Late in training both errors are larger: the
# pictures are read well, each pulls only a little, in another direction, and what is left of the sum is small.
#
# Is 1 % much? Look at the last line. Other pictures give quite another gradient, without any rounding. Beside that,
# training hardly notices the error of 16 bits.
#
# Here are the gradients of the weights after 20 epochs, sorted by exponent, and what binary16 can hold of them. With a
# loss scale of 1024 all of them move to the right by 10 places.

# %%
fs.plots.gradients("binary16", weight_gradients(trained, "binary64"), scales=(1.0, 1024.0))
plt.show()

# %% [markdown]
# ## Which gradients become 0?
#
# In [A network in 16 bits](mlp_in_16_bits.ipynb) about 7 % of the gradients became 0 by the end, without a loss scale. Yet
# the picture above shows none. Both are right, because they speak of different gradients. A run keeps a list,
# `run.telemetry.rows`: for each tensor that was looked at, how many numbers were not 0 before rounding, and how many
# of them became 0. We sort it into three kinds:
#
# - those of the weights,
# - those inside the layers, on the way from unit to unit,
# - those inside the loss: for each picture and each digit, how much the output for this digit should change.

# %%
which = guess(
    "Which gradients become 0 most often, late in training?",
    choices=("of the weights", "inside the layers", "inside the loss"),
)

# %%
run = train(Config("binary16"), layers=(16,), epochs=20, loss_scale=1)
per_epoch = run.steps // 20


def kind_of(row):
    if row.kind == "weight gradient":
        return "of the weights"
    if row.kind == "activation gradient":
        return "inside the loss" if row.name == "loss" else "inside the layers"
    return "no gradient"


def part_lost(kind, epoch):
    """The part of the gradients of a kind that became 0 in an epoch."""
    rows = [row for row in run.telemetry.rows if kind_of(row) == kind and (row.step - 1) // per_epoch + 1 == epoch]
    return sum(row.lost for row in rows) / sum(row.total - row.zeros for row in rows)


print("epoch              ", *(f"{epoch:6}" for epoch in (1, 5, 10, 20)))
kinds = ("of the weights", "inside the layers", "inside the loss")
for kind in kinds:
    print(f"{kind:18} ", *(f"{part_lost(kind, epoch):6.1%}" for epoch in (1, 5, 10, 20)))
which.compare(max(kinds, key=lambda kind: part_lost(kind, 20)))

# %% [markdown]
# Nearly all that is lost is inside the loss. There a gradient says: "this picture is no 3, and you believe with
# 0.000001 that it is one: a little less, please." In binary16 it says nothing. That hardly hurts, because there is hardly
# anything to correct. A gradient of a weight is a sum over all pictures of a batch, and larger.
#
# So when you read "x % of the gradients became 0", ask which ones, and when.
#
# ## In short
#
# - The walk back multiplies from the end. A gradient can become 0 in the middle, though its true value is no problem for
#   the format.
# - A loss scale starts the walk from a power of two. It costs nothing, and moves all gradients away from 0.
# - Near 1 there are few numbers: 1 - y loses everything, and a saturated unit passes nothing back.
# - The gradient of a bias, and of each weight, is a sum over the batch. Keep it in a wider format.
# - Rounding errors of gradients depend on digits: in bfloat16 they are about 8 times as large as in binary16. For a small
#   network both are small.
# - Without a loss scale binary16 loses gradients, first of all those inside the loss, and late in training.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/gradients_in_16_bits.py`, all in binary16: one rounded operation of `fs` for each operation
# of the formula. Begin here:


# %%
def tanh_vjp(g, y):
    """g * (1 - y * y), each operation rounded to binary16."""
    raise NotImplementedError


fs.teach.check(tanh_vjp)  # fs.teach.hint() helps

# %% [markdown]
# 1. `tanh_vjp(g, y)`: y = tanh(x) is a cousin of the sigmoid, from -1 to 1. If y has the gradient g, then x has
#    g * (1 - y * y). For which y is it saturated?
# 2. `product_gradients(factors)`: the list of the gradients of ((f1 * f2) * f3) * ... by each factor, as the walk finds
#    them: from the end with g = 1; at each step the factor gets g * (the product before it), and g becomes g * factor.
#    The first factor gets the g that is left.
#
# ## Read next
#
# - P. Micikevicius et al., "Mixed precision training", ICLR 2018: a histogram of gradients, and how a loss scale moves it.
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008: the whole theory of vjps.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 3: errors of products and of matrix
#   products.
#
# Next lesson: [Why the run died](why_the_run_died.ipynb). The same network with Adam, when it goes wrong.
