"""Solutions of the lesson "The article, claim by claim"."""

import math

import fp16sim as fs


def memory(parameters, activations, master):
    return parameters * (2 + 4 + 4 + 8 if master else 8) + 2 * activations


def f1(labels, predicted, positive):
    right = sum(a == b == positive for a, b in zip(labels, predicted, strict=True))
    asked = labels.count(positive) + predicted.count(positive)
    return 2 * right / asked if asked else 0.0


def first_step(g, beta1, beta2, correct):
    m, v = (1 - beta1) * g, (1 - beta2) * g * g
    if correct:
        m, v = m / (1 - beta1), v / (1 - beta2)
    return m / math.sqrt(v)


def survives(epsilon):
    return bool(fs.round_to(epsilon, "binary16") != 0)
