# %% [markdown]
# # Backpropagation
#
# | | |
# |---|---|
# | **Question** | How does a computer find the gradients of all weights at once? |
# | **Time** | 40 minutes |
# | **Needs** | [A network in 16 bits](mlp_in_16_bits.ipynb) (what a gradient is for); derivatives from school help |
# | **You will be able to** | compute a gradient on a graph by hand, write an autograd in twenty lines, and say why a difference is a poor check of it in 16 bits |

# %%
import fp16sim as fs
from fp16sim.teach import guess, guesses

# %% [markdown]
# ## What you know already
#
# A puzzle from [A network in 16 bits](mlp_in_16_bits.ipynb). You will need the idea at the end of this lesson.


# %%
@fs.teach.puzzle
def moves(weight, step):
    """True if weight + step, rounded to bfloat16, is not the old weight.

    Both are numbers of bfloat16, 1 <= weight < 2 and 0 < step < 1. moves(1.0, 2**-8) is False.
    """
    return ...


# %% [markdown]
# ## Rates
#
# You drive a car. It needs 1 litre for 16 km, and a litre costs 160 cents. One more kilometre needs 1/16 litre more, and
# each litre more costs 160 cents more. Such a number is a **rate**: how much more of this for one more of that. School
# calls it a derivative.
#
# Every kilometre also wears the car out. That costs 5 cents.

# %%
fuel = guess("At 1 litre for 16 km and 160 cents a litre: how many cents of fuel does one more km cost?")
both = guess("And if each km also costs 5 cents of wear: how many cents does one more km cost in all?")

# %%
litres_per_km, cents_per_litre, wear_per_km = 1 / 16, 160, 5
print("by fuel:", litres_per_km * cents_per_litre)
print("by fuel and by wear:", litres_per_km * cents_per_litre + wear_per_km)
fuel.compare(litres_per_km * cents_per_litre)
both.compare(litres_per_km * cents_per_litre + wear_per_km)

# %% [markdown]
# You have just used the two rules of this lesson:
#
# 1. *Along* a way, rates are **multiplied**: kilometres to litres, litres to cents.
# 2. If there are *several* ways, their results are **added**: one by fuel, one by wear.
#
# Together they are the **chain rule**. In a network the kilometre is a weight, the cost is the loss, and the
# rate from the weight to the loss is its [gradient](glossary.md#gradient). There are thousands of weights, and between
# them and the loss lie only two kinds of step: + and * (and a few simple functions).
#
# What are the rates of + and *? If a grows by 1, then a + b grows by 1. If a grows by 1, then a * b grows by b: five
# boxes of b apples become six boxes. A puzzle:


# %%
@fs.teach.puzzle
def rates_of_product(a, b):
    """How much a * b grows for 1 more of a, and for 1 more of b: a pair. rates_of_product(2.0, 3.0) is (3.0, 2.0)."""
    return ..., ...


# %% [markdown]
# ## By hand
#
# The smallest network has one weight w. It gets x and answers w * x. It should have answered t. The loss is the square of
# the error. Take w = 3, x = 2 and t = 10:
#
#     y     = w * x        3 * 2     =  6
#     error = y - t        6 - 10    = -4
#     loss  = error*error  (-4)*(-4) = 16
#
# Now go back, from the last line to the first, and note for each number its gradient: the rate from there to the loss.
# (The loss is curved. So its rate is that of a *tiny* change, as in school.)
#
# - *loss*: 1, of course.
# - *error*: the loss is error * error. The error is used twice, so there are two ways. Each has the rate -4, the other
#   factor. Together -8.
# - *y*: the error grows as y does, with the rate 1. So -8 * 1 = -8.
# - *w*: that is the last step, and yours.

# %%
by_hand = guess("For w = 3, x = 2, t = 10: what is the gradient of (w * x - t)^2 by w?")

# %%
w, x, t = 3.0, 2.0, 10.0
y = w * x
error = y - t
gradient_of_error = 1 * error + 1 * error
gradient_of_y = gradient_of_error * 1
gradient_of_w = gradient_of_y * x
print("error:", gradient_of_error, "  y:", gradient_of_y, "  w:", gradient_of_w)
by_hand.compare(gradient_of_w)

# %% [markdown]
# It is negative: a larger w makes the loss smaller. And indeed w should be 5.
#
# This walk from the end to the start is **backpropagation**. It needs one walk for *all* numbers. (Going forward instead,
# with the question "what does this weight change?", needs a walk for each weight.)
#
# ## A number that remembers
#
# To walk back, a computer must know how each number was made. So we build a number that remembers it, a **node**. It
# holds three things:
#
# - `value`: the number itself,
# - `parents`: from which nodes it was made, each with the rate from there to here,
# - `gradient`: the rate from here to the loss. It is 0 until we walk.
#
# Each node is also put on a list, the **tape**. There the nodes stand in the order in which they were made.

# %%
TAPE = []


class Node:
    def __init__(self, value, parents=()):
        self.value = value
        self.parents = parents
        self.gradient = 0.0
        TAPE.append(self)


# %% [markdown]
# Let us build the first line by hand: y = w * x, with w = 3 and x = 2.

# %%
w = Node(3.0)
x = Node(2.0)
y = Node(w.value * x.value, parents=[(w, x.value), (x, w.value)])

print("y is", y.value)
for parent, rate in y.parents:
    print("  made from", parent.value, "with the rate", rate)
print("on the tape:", [node.value for node in TAPE])

# %% [markdown]
# Nobody wants to write the rates each time. So we teach `+` and `*` to do it. In Python, `a + b` calls
# `a.__add__(b)`, and `a * b` calls `a.__mul__(b)`:


# %%
def add(a, b):
    return Node(a.value + b.value, parents=[(a, 1.0), (b, 1.0)])


def multiply(a, b):
    return Node(a.value * b.value, parents=[(a, b.value), (b, a.value)])


Node.__add__ = add
Node.__mul__ = multiply

y = w * x
print("y is", y.value, " with the rates", [rate for _, rate in y.parents])

# %% [markdown]
# ## The walk back
#
# Start from the loss, whose gradient is 1. Each node gives to each parent its own gradient times the rate (rule 1), and
# the parent adds up all that it gets (rule 2). A node must have heard from *everybody* who used it before it passes
# anything on. Who used it stands behind it on the tape. So we walk the tape from its end.


# %%
def backward(loss):
    for node in TAPE:
        node.gradient = 0.0
    loss.gradient = 1.0
    for node in reversed(TAPE):
        for parent, rate in node.parents:
            parent.gradient = parent.gradient + node.gradient * rate


# %% [markdown]
# That is all of it. PyTorch and JAX do the same, with more operations. Does it work? Take w * w + 3 * w at w = 2. (By
# calculus: 2 * w + 3.)

# %%
square = guess("What is the gradient of w * w + 3 * w by w, at w = 2?")
ways = guess("Along how many ways does w reach w * w + 3 * w?")

# %%
TAPE.clear()
w = Node(2.0)
loss = w * w + Node(3.0) * w  # <- change w, or the loss
backward(loss)
print("loss", loss.value, "  gradient", w.gradient)
square.compare(w.gradient)
ways.compare(sum(parent is w for node in TAPE for parent, _ in node.parents))

# %% [markdown]
# Two of the three ways come from w * w, because w is both of its factors. What they bring is added: 2 + 2 + 3.
#
# ## A step of training
#
# Now the small network again: w = 3, x = 2, t = 10. A step moves w against its gradient: w - rate * gradient. (Here
# "rate" is the learning rate. It is 1/16.) The target is subtracted by adding -10.

# %%
after = guess("For w = 3, x = 2, t = 10: what is w after one step with the learning rate 1/16?")

# %%
weight, walks = 3.0, []
for _ in range(5):
    TAPE.clear()
    w, x, minus_t = Node(weight), Node(2.0), Node(-10.0)
    error = w * x + minus_t
    loss = error * error
    backward(loss)
    weight = weight - 1 / 16 * w.gradient  # <- change: 1/8, 1/4, 1/2
    walks.append(weight)
    print(f"loss {loss.value:7.3f}   gradient {w.gradient:7.3f}   new weight {weight:6.3f}")
after.compare(walks[0])

# %% [markdown]
# It goes to 5, where the loss is 0.
#
# A network has one more kind of step: a hidden unit turns a negative sum into 0. This function is called **relu**:
# relu(x) is x where x is positive, else 0. A puzzle: what is its rate?


# %%
@fs.teach.puzzle
def rate_of_relu(x):
    """How much relu(x) grows for a little more of x, as a float; at x = 0, where both are right, take 0.0."""
    return ...


# %% [markdown]
# So a unit whose sum is negative passes *nothing* back: each of its weights gets the gradient 0. If that happens for every
# picture, its weights never move again. You have seen it: those were the units that fell silent, in
# [A network in 16 bits](mlp_in_16_bits.ipynb).
#
# ## Can a difference check it?
#
# A gradient is a rate, so why not measure it: make x larger by a small h, and look how much f grows, (f(x + h) - f(x)) / h?
#
# Take f(x) = x * x at x = 2.7, in binary16 and with each operation rounded. There the [ulp](glossary.md#ulp) of x is 2^-9.
# The true answer is 2 * x, about 5.4.
#
# **Predict:** which h gives the best answer: 2^-2, 2^-5 or 2^-9?

# %%
smallest = guess("In binary16, x = 2.7 and f(x) = x * x: what is (f(x + h) - f(x)) / h for h = 2^-10?")

# %%
x = fs.round_to(2.7, "binary16")
print("true:", 2 * x)
for k in (2, 3, 4, 5, 6, 7, 8, 9, 10):
    h = 2.0**-k
    larger = fs.add(x, h, "binary16")
    difference = fs.subtract(fs.multiply(larger, larger, "binary16"), fs.multiply(x, x, "binary16"), "binary16")
    print(f"h = 2^-{k:<2}: {fs.divide(difference, h, 'binary16')}")
smallest.compare(fs.divide(difference, h, "binary16"))

# %% [markdown]
# Of the three, 2^-5 is the best. A large h is wrong because f is curved. A small h is wrong because of rounding: two squares that are nearly equal are
# subtracted, and only their wrong last digits are left ([cancellation](glossary.md#cancellation);
# [see it for h = 2^-8](explorer.html#arithmetic?op=subtract&a=7.30859375&b=7.28515625)). At h = 2^-10, x + h is
# a tie and goes back to x: the step is absorbed, as in the puzzle at the start
# ([see it](explorer.html#arithmetic?op=add&a=2.7&b=2^-10)).
#
# Backpropagation needs no h and subtracts nothing. Here its answer is 2 * x, right to the last digit. Differences
# are still a good *test* of a backpropagation, but compute them in binary64, where there are digits enough.
#
# ## In short
#
# - The gradient of a number is the rate from this number to the loss.
# - Along a way, rates are multiplied. Over several ways, results are added. That is the chain rule.
# - A node remembers its value, its parents, and the rate from each parent to it.
# - Backpropagation walks from the loss to the start, so that each node has heard from all that used it. One walk gives
#   the gradients of all weights.
# - relu passes a gradient on where its input is positive, and nothing where it is not.
# - A difference is a poor way to get a gradient in 16 bits: too curved, or too much rounding.
#
# Your guesses in this lesson:

# %%
guesses()

# %% [markdown]
# ## Exercises
#
# The stubs are in `exercises/backpropagation.py`. Begin here:


# %%
def line_gradients(w, b, xs, ts):
    """The pair of gradients, by w and by b, of the sum of (w * x + b - t)^2 over all pairs of xs and ts."""
    raise NotImplementedError


fs.teach.check(line_gradients)  # fs.teach.hint() helps

# %% [markdown]
# 1. `line_gradients(w, b, xs, ts)`: a line w * x + b is fitted to points (x, t). The loss is the sum of the squares of all
#    errors. Walk back by hand for one point, then add over the points. Plain Python numbers will do: all cases are small
#    integers. `Node` helps to check yours, but write it without.
# 2. `divide_vjp(g, a, b)`: for y = a / b, the pair of what a and b get if y has the gradient g: g / b, and -(g * y) / b.
#    (Its name will be explained in the next lesson.) This one is in binary16: `fs.divide` and `fs.multiply` round each
#    operation, y as well.
#
# ## Read next
#
# - A. Karpathy, *micrograd*, github.com/karpathy/micrograd: the same idea, with a small network on top.
# - D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating errors", Nature
#   323, 1986: four pages that made it popular.
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008: the whole theory.
#
# Next lesson: [Gradients in 16 bits](gradients_in_16_bits.ipynb). What does rounding do to a gradient on its way back?
