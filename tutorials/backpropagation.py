# %% [markdown]
# # Backpropagation in sixteen bits
#
# | | |
# |---|---|
# | **Question** | How does a network compute its gradients, and what does rounding do to them? |
# | **Time** | 30 minutes |
# | **Needs** | [At the edges](edges.ipynb) (subnormals), [Sums](sums.ipynb), [Dot products](dot_products.ipynb) (accumulators), [Formats](formats.ipynb); the chain rule from school |
# | **You will be able to** | write an autograd in thirty lines, round every step of it, and say where a gradient gets lost |

# %%
import matplotlib.pyplot as plt
import numpy as np

import fp16sim as fs

np.seterr(all="ignore")

# %% [markdown]
# ## A number that remembers
#
# To train is to ask: if I change this weight a little, how much does the loss change? That is a derivative, and the
# chain rule gives it. A computer applies the rule backwards. It has to know how each number was made, so we make a
# number that remembers its **parents**, and for each parent a function: given the derivative g of the loss by *me*,
# what is the derivative by *that parent*? Such a function is called a **vjp** (vector-Jacobian product).
#
# For a sum, a + b, both vjps give g. For a product, a * b, they give g * b and g * a. Every value is rounded to `FMT`.

# %%
FMT = "binary16"


class Node:
    def __init__(self, value, parents=()):
        self.value, self.parents, self.gradient = float(fs.round_to(value, FMT)), parents, 0.0

    def __add__(self, other):
        return Node(fs.add(self.value, other.value, FMT), [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        to_self, to_other = (lambda g: fs.multiply(g, other.value, FMT)), (lambda g: fs.multiply(g, self.value, FMT))
        return Node(fs.multiply(self.value, other.value, FMT), [(self, to_self), (other, to_other)])


# %% [markdown]
# The walk back starts from the loss, whose derivative by itself is 1. A number must hear from *all* that used it
# before it passes its derivative on; so we first list every number after its parents, and walk the list from its end.


# %%
def backward(loss, start=1.0):
    order = []

    def visit(node):
        if node not in order:
            for parent, _ in node.parents:
                visit(parent)
            order.append(node)

    visit(loss)
    loss.gradient = start
    for node in reversed(order):
        for parent, vjp in node.parents:
            parent.gradient = float(fs.add(parent.gradient, vjp(node.gradient), FMT))


# %% [markdown]
# That is all. **Predict:** for w = 2, what is the derivative of w * w + 3 * w, by calculus? How many derivatives meet
# at w?

# %%
w = Node(2.0)
loss = w * w + Node(3.0) * w
backward(loss)
print("loss", loss.value, "  derivative", w.gradient)  # <- change w, or the loss
assert w.gradient == 2 * 2 + 3

# %% [markdown]
# Three meet, twice from w * w and once from 3 * w; they were *added*, and each addition was rounded.
#
# ## Can a difference check it?
#
# The usual check of a derivative is a difference: (f(x + h) - f(x)) / h with a small h.
#
# **Predict:** f(x) = x * x at x = 2.7, where the derivative is 5.4. In binary16 the ulp of 2.7 is 2^-9, that of 7.29 is
# 2^-8. Which h gives the best answer? What happens at h = 2^-10?

# %%
x = float(fs.round_to(2.7, "binary16"))
print("true:", 2 * x)
for k in (2, 4, 6, 8, 9, 10):
    h = 2.0**-k
    up = fs.add(x, h)
    print(f"h = 2^-{k:<2}: {fs.divide(fs.subtract(fs.multiply(up, up), fs.multiply(x, x)), h)}")
x = Node(2.7)
backward(x * x)
print("backpropagation:", x.gradient)

# %% [markdown]
# A large h is wrong because of the curve, a small h because of rounding (cancellation, as in
# [How wrong is it?](how_wrong.ipynb)); at last x + h is x.
# Backpropagation subtracts nothing and needs no h. To check a gradient by differences, do that in binary64.
#
# ## The order of a product
#
# Forward, a chain of factors is multiplied from the front: ((x * a) * b) * c. Backward it goes from the *end*.
#
# **Predict:** x = 1, a = 2^13, b = 2^-14, c = 2^-12. By calculus the derivative by x is a * b * c = 2^-13, which
# binary16 holds. All intermediate results forward are fine, too. What does the walk back give?


# %%
def chain(factors, start=1.0):
    x = Node(1.0)
    y = x
    for factor in factors:
        y = y * Node(factor)
    backward(y, start)
    return y.value, x.gradient


factors = [2.0**13, 2.0**-14, 2.0**-12]
print("value, derivative:", chain(factors))
print("the way back:", [float(p) for p in np.cumprod(factors[::-1])], "  smallest subnormal:", 2.0**-24)

# %% [markdown]
# c * b = 2^-26 is less than half of the smallest subnormal: it becomes 0, and 0 * 2^13 stays 0. The gradient
# **vanished**, in the middle of the chain, though its true value can be represented.
#
# **Predict:** start the walk from 1024 instead of 1, and divide the result by 1024. Does that help? And in bfloat16?

# %%
print("from 1024:", chain(factors, 1024.0)[1] / 1024)  # <- change 1024 to 2, to 8, to 2.0**15
FMT = "bfloat16"
print("bfloat16: ", chain(factors)[1])
FMT = "binary16"
assert chain(factors, 1024.0)[1] / 1024 == 2.0**-13

# %% [markdown]
# The start is called the **loss scale**. Powers of two cost nothing: they move the exponent alone. The lesson
# [Why the run died](why_the_run_died.ipynb) is about it.
#
# ## Saturation
#
# The sigmoid y = 1 / (1 + e^-x) has the derivative y * (1 - y): its vjp needs only y, which is known from the way
# forward.
#
# **Predict:** at x = 9 the true derivative is 0.000123, a normal number of binary16 (the smallest is 0.000061). What
# does the vjp give? (What is the sigmoid of 9, rounded to eleven digits?)

# %%
for x in (2.0, 6.0, 8.0, 9.0):
    y = fs.sigmoid(x)
    true = np.exp(-x) / (1 + np.exp(-x)) ** 2
    print(f"x = {x}: y = {float(y):.6f}   vjp {float(fs.multiply(y, fs.subtract(1, y))):.6f}   true {true:.6f}")

# %% [markdown]
# y rounds to 1, so 1 - y is 0. The *value* y is as good as binary16 can have it; but 1 - y has lost everything. Near
# 0 there are many numbers, near 1 there are few.
#
# ## The same with arrays
#
# `fs.learn` has this autograd for arrays. A `Tensor` is our Node, `gradients` our backward, and the vjps stand in one
# table, each written with arrays that round after every operation:

# %%
t = fs.learn.Tensor(fs.array([2.0, 3.0], "binary16"), name="t")
print(fs.learn.gradients((t * t + 3 * t).sum(), {"t": t}))
table = fs.learn.vjps.OPERATIONS
g, x = fs.array([1.0], "binary16"), fs.array([9.0], "binary16")
print("sigmoid:", table["sigmoid"].vjps[0](g, x.sigmoid(), x), "  operations:", len(table))

# %% [markdown]
# A bias is added to every row of a batch. So its gradient is a **sum** over the batch, and sums
# stand still ([Sums](sums.ipynb)).
#
# **Predict:** 4096 rows, each with the gradient 1. What is the gradient of the bias in binary16, added one after the
# other? In bfloat16? And with a binary32 accumulator?

# %%
for fmt in ("binary16", "bfloat16"):
    for sums in (fmt, "binary32"):
        accumulator = fs.accumulators.Sequential(sums)
        bias = fs.learn.Tensor(fs.array([0.0], fmt), name="bias")
        rows = fs.array(np.zeros((4096, 1)), fmt)
        loss = fs.learn.Tensor(rows, wanted=False).add(bias, accumulator).sum(accumulator)
        print(f"{fmt}, sums in {sums:8}:", float(fs.learn.gradients(loss, {"bias": bias})["bias"].values[0]))

# %% [markdown]
# ## A network
#
# A layer is a matrix product and a bias; between layers stands relu, max(x, 0). The loss is the cross-entropy. We take
# the bundled pictures of digits (64 pixels), 16 hidden units and 10 classes, and compute one gradient in each format.
#
# **Predict:** which has the smaller error, binary16 (11 digits) or bfloat16 (8 digits)? By what factor? And is the
# error in the first layer, the last that the walk reaches, much larger?

# %%
digits = fs.learn.normalise(fs.learn.load_digits(), "unit")
model = fs.learn.MLP((64, 16, 10))


def gradient(params, chosen, scale=1.0):
    like = params["layer1.weight"]
    tensors = {name: fs.learn.Tensor(p, name=name) for name, p in params.items()}
    images = fs.learn.Tensor(fs.array(digits.train_images[chosen], like.fmt), wanted=False)
    loss = fs.learn.cross_entropy(model(tensors, images), digits.train_labels[chosen])
    return fs.learn.gradients(loss, tensors, scale=scale)


first = np.arange(32)
true = gradient(model.init("binary64", rng=0), first)
for fmt in ("binary16", "bfloat16", "e5m2"):
    found = gradient(model.init(fmt, rng=0), first)
    for name in ("layer2.weight", "layer1.weight"):
        a, b = (x[name].values.astype(float) for x in (found, true))
        zeros = np.mean(a[b != 0] == 0)
        print(f"{fmt:8} {name}: error {np.linalg.norm(a - b) / np.linalg.norm(b):7.2%}   became 0: {zeros:6.2%}")

# %% [markdown]
# Digits decide, as long as nothing leaves the range: three digits fewer, an error seven to ten times as large. With
# 16 bits the error does not grow from layer to layer of this small network: roundings go up and down, and mostly
# cancel in the sums. With the 3 digits of e5m2 it does grow, some gradients become 0, and the direction itself is in
# doubt.
#
# **Predict:** these gradients on the scale of exponents: which part of them is subnormal in binary16?

# %%
fs.plots.gradients("binary16", np.concatenate([g.values.ravel() for g in true.values()]), scales=(1.0,))
plt.show()

# %% [markdown]
# ## Train it
#
# Almost none is: in this network, at its first step, range is no problem. So let us train.
#
# A step of gradient descent: w - rate * gradient, rounded twice. One pass over the pictures in batches of 32.
#
# **Predict:** the accuracy on test pictures after one pass: binary64, binary16, bfloat16 and e5m2? (Guessing gives 10
# %.)


# %%
def descend(fmt, rate=0.5):
    params = model.init(fmt, rng=0)
    for chosen in fs.learn.batches(len(digits.train_labels), 32):
        grads = gradient(params, chosen)
        params = {name: p - rate * grads[name] for name, p in params.items()}
    images = fs.learn.Tensor(fs.array(digits.test_images, fmt), wanted=False)
    answers = model({name: fs.learn.Tensor(p) for name, p in params.items()}, images).value
    return fs.learn.accuracy(answers.values, digits.test_labels)


for fmt in ("binary64", "binary16", "bfloat16", "e5m2"):  # <- change: add "e4m3fn", or another rate
    print(f"{fmt:8} {descend(fmt):.1%}")

# %% [markdown]
# In sixteen bits, with plain descent and large steps, nothing dies here. The errors of single roundings point in all
# directions, and the next step corrects them. Do not conclude too much: in
# [Why the run died](why_the_run_died.ipynb) the same network is trained with Adam, and dies at step 1.
#
# ## Exercises
#
# In `exercises/backpropagation.py`, all in binary16: one rounded operation of `fs` for each operation of the
# formula. As shipped:


# %%
def tanh_vjp(g, y):
    """g * (1 - y * y), each operation rounded to binary16."""
    raise NotImplementedError


print(fs.teach.grade.cases(tanh_vjp, [((1.0, 0.0), 1.0), ((2.0, 0.5), 1.5)]))

# %% [markdown]
# 1. `tanh_vjp(g, y)`: the derivative by x, where y = tanh(x): g * (1 - y * y).
# 2. `divide_vjp(g, a, b)`: for y = a / b, the pair of derivatives (g / b, -(g * y) / b), y rounded as well.
# 3. `product_gradients(factors)`: the list of derivatives of ((f1 * f2) * f3) * ... by each factor, as `backward`
#    computes them: walk from the end with g = 1; at each step the factor gets g * (the product before it), and g
#    becomes g * factor. The first factor gets the g that is left.
#
# ## Read next
#
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors", Nature
#   323, 1986.
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008: the whole theory of vjps.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 3: errors of products and matrix
#   products.
#
# Next lesson: [Why the run died](why_the_run_died.ipynb). The same network with Adam.
