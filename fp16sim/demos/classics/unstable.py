"""Twenty computations that lose their digits in 16 bits, as people write them: plain NumPy and plain Python.

Nothing here knows of an emulator. `table` says with which arguments each one fails, and at which line.
"""

import math

import numpy as np


def quadratic_formula(a, b, c):
    """A root of a x^2 + b x + c."""
    discriminant = b * b - 4 * a * c
    root = math.sqrt(discriminant)
    return (-b + root) / (2 * a)


def one_pass_variance(x):
    """The mean of the squares minus the square of the mean."""
    mean = np.mean(x)
    mean_of_squares = np.mean(x * x)
    return mean_of_squares - mean * mean


def one_minus_cosine(x):
    """(1 - cos x) / x^2, which tends to 1/2."""
    return (1 - math.cos(x)) / x**2


def softmax(logits):
    """Probabilities from logits."""
    weights = np.exp(logits)
    total = np.sum(weights)
    return weights / total


def logsumexp(x):
    """The logarithm of a sum of exponentials."""
    total = 0.0
    for value in x:
        total += math.exp(value)
    return math.log(total)


def norm(x, y):
    """The length of the vector (x, y)."""
    squares = x * x + y * y
    return math.sqrt(squares)


def expanded_polynomial(x):
    """(x - 1)^3, multiplied out."""
    return x**3 - 3 * x**2 + 3 * x - 1


def gram_schmidt(vectors):
    """An orthonormal basis; each vector is projected on those before it."""
    basis = []
    for vector in vectors:
        rest = vector.copy()
        for q in basis:
            rest = rest - np.dot(q, vector) * q
        length = np.sqrt(np.dot(rest, rest))
        basis.append(rest / length)
    return np.stack(basis)


def muller(first, second, count):
    """Muller's recurrence: from 2 and -4 it tends to 6."""
    before, now = first, second
    for _ in range(count):
        before, now = now, 111 - 1130 / now + 3000 / (now * before)
    return now


def continued_subtraction(whole, share, count):
    """What is left of a whole after equal shares are taken away, one after the other."""
    left = whole
    for _ in range(count):
        left = left - share
    return left


def horner(coefficients, x):
    """A polynomial, its coefficients from the highest power down."""
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


def rms_norm(x, weight):
    """Numbers divided by the root of their mean square."""
    mean_square = np.mean(x * x)
    scale = 1 / np.sqrt(mean_square + 1e-6)
    return x * scale * weight


def layer_norm(x):
    """Numbers with mean 0 and variance 1."""
    centred = x - np.mean(x)
    variance = np.mean(centred**2)
    return centred / np.sqrt(variance + 1e-5)


def cosine_similarity(a, b):
    """The cosine of the angle between two vectors."""
    product = np.dot(a, b)
    squared_norms = np.dot(a, a) * np.dot(b, b)
    return product / np.sqrt(squared_norms)


def rotary_angles(position, size):
    """The cosines and sines that encode a position in a text."""
    frequency = 10000.0 ** -(np.arange(0, size, 2) / size)
    angle = position * frequency
    return np.cos(angle), np.sin(angle)


def moving_average(start, values):
    """An exponential moving average with decay 0.999."""
    average = start
    for value in values:
        average = 0.999 * average + 0.001 * value
    return average


def adam(weight, gradient, rate):
    """A weight after the first step of Adam."""
    moment = 0.1 * gradient
    second_moment = 0.001 * gradient**2
    moment = moment / (1 - 0.9)
    second_moment = second_moment / (1 - 0.999)
    return weight - rate * moment / (np.sqrt(second_moment) + 1e-8)


def attention_mask(scores, mask):
    """Attention weights, where a mask of 0 forbids a place."""
    masked = scores - 1e10 * (1 - mask)
    weights = np.exp(masked - np.max(masked))
    return weights / np.sum(weights)


def log_of_softmax(logits):
    """The logarithms of the probabilities."""
    shifted = logits - np.max(logits)
    weights = np.exp(shifted)
    probabilities = weights / np.sum(weights)
    return np.log(probabilities)


def clip_gradient(gradient, largest):
    """A gradient, made shorter if its norm is above a limit."""
    norm = np.sqrt(np.sum(gradient**2))
    factor = np.minimum(1.0, largest / (norm + 1e-6))
    return gradient * factor
