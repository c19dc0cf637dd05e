"""The article: hints, and worked solutions."""

import math

import fp16sim as fs

HINTS = {
    "memory": (
        "How many numbers are there for each parameter, and how many bytes has each of them in the two cases?",
        "Weight, gradient, and two moments. Without master weights that is four times 2 bytes. With them: 2 for the "
        "weight, and 4 each for the second copy, the gradient, and both moments. An activation always has 2.",
        "8 bytes for each parameter, or 18 with master weights; and 2 for each activation.",
    ),
    "f1": (
        "Which three counts do you need?",
        "How often the class is a label, how often it is predicted, and how often both at the same place. F1 is "
        "twice the last, divided by the sum of the first two; 0.0 if that sum is 0.",
        "right = sum(a == b == positive for a, b in zip(labels, predicted)); labels.count(positive) and "
        "predicted.count(positive) are the other two.",
    ),
    "first_step": (
        "What are m and v after one step, if both start at 0?",
        "m = (1 - beta1) g and v = (1 - beta2) g^2. The correction divides by exactly these factors, and what is "
        "left is g / |g|.",
        "Compute m and v; if `correct` is true, divide m by 1 - beta1 and v by 1 - beta2. Return m / math.sqrt(v).",
    ),
    "survives": (
        "What is 0 divided by 0, and when is epsilon 0 in binary16?",
        "Round epsilon to binary16: if it is 0 there, the quotient is 0 / 0, which is NaN. Else it is 0, a number.",
        'Compare fs.round_to(epsilon, "binary16") with 0, and make the result a bool.',
    ),
}


def memory(parameters, activations, master):
    """Counting: for each parameter four numbers, or five with the second copy of the weights.

    With master weights 18 bytes instead of 8: "16 bits halve the memory" is true for weights and activations alone, and
    with many parameters the run takes more than in float32, which needs 16 for each.
    """
    return parameters * (2 + 4 + 4 + 8 if master else 8) + 2 * activations


def f1(labels, predicted, positive):
    """F1 is the harmonic mean of precision and recall, t / predicted and t / labels; that is 2 t / (labels +
    predicted).

    Written in this way, it needs a rule only where the class occurs nowhere. `a == b == positive` means that both
    hold.
    """
    right = sum(a == b == positive for a, b in zip(labels, predicted, strict=True))
    asked = labels.count(positive) + predicted.count(positive)
    return 2 * right / asked if asked else 0.0


def first_step(g, beta1, beta2, correct):
    """With the correction the first step is exactly one learning rate, whatever the gradient is: m / sqrt(v) = g / |g|.

    Without it, it is (1 - beta1) / sqrt(1 - beta2) learning rates: 3.2 with the usual 0.9 and 0.999.
    """
    m, v = (1 - beta1) * g, (1 - beta2) * g * g
    if correct:
        m, v = m / (1 - beta1), v / (1 - beta2)
    return m / math.sqrt(v)


def survives(epsilon):
    """The smallest number of binary16 is 2^-24, about 6e-8, and all up to half of that rounds to 0.

    Adam's usual epsilon, 1e-8, is such a number. Where a gradient has always been 0, the quotient is then 0 / 0, and
    one NaN weight makes all of the network NaN.
    """
    return bool(fs.round_to(epsilon, "binary16") != 0)
