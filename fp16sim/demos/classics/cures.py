"""The quantities of `unstable` by the formulas that numerical analysts use; names and arguments are the same."""

import math

import numpy as np


def quadratic_formula(a, b, c):
    """A root of a x^2 + b x + c."""
    root = math.sqrt(b * b - 4 * a * c)
    far = -(b + math.copysign(root, b)) / 2
    return c / far if b > 0 else far / a


def one_pass_variance(x):
    """The mean of the squares minus the square of the mean."""
    centred = x - np.mean(x)
    return np.mean(centred * centred)


def one_minus_cosine(x):
    """(1 - cos x) / x^2, which tends to 1/2."""
    half = x / 2
    return (math.sin(half) / half) ** 2 / 2


def softmax(logits):
    """Probabilities from logits."""
    weights = np.exp(logits - np.max(logits))
    return weights / np.sum(weights)


def logsumexp(x):
    """The logarithm of a sum of exponentials."""
    largest = max(x)
    total = 0.0
    for value in x:
        total += math.exp(value - largest)
    return largest + math.log(total)


def norm(x, y):
    """The length of the vector (x, y)."""
    return math.hypot(x, y)


def expanded_polynomial(x):
    """(x - 1)^3, multiplied out."""
    return (x - 1) ** 3


def gram_schmidt(vectors):
    """An orthonormal basis; each vector is projected on those before it."""
    basis = []
    for vector in vectors:
        rest = vector.copy()
        for q in basis:
            rest = rest - np.dot(q, rest) * q
        length = np.sqrt(np.dot(rest, rest))
        basis.append(rest / length)
    return np.stack(basis)


def continued_subtraction(whole, share, count):
    """What is left of a whole after equal shares are taken away, one after the other."""
    left, lost = whole, 0.0
    for _ in range(count):
        step = share + lost
        after = left - step
        lost = step - (left - after)
        left = after
    return left


def horner(coefficients, x):
    """A polynomial, its coefficients from the highest power down."""
    coefficients = [np.float32(one) for one in coefficients]
    wide = np.float32(x)
    value = np.float32(0.0)
    for coefficient in coefficients:
        value = value * wide + coefficient
    return value


def rms_norm(x, weight):
    """Numbers divided by the root of their mean square."""
    wide = x.astype(np.float32)
    scale = 1 / np.sqrt(np.mean(wide * wide) + 1e-6)
    return (wide * scale).astype(x.dtype) * weight


def layer_norm(x):
    """Numbers with mean 0 and variance 1."""
    centred = x - np.mean(x)
    largest = np.max(np.abs(centred)) + 1e-3
    scaled = centred / largest
    return scaled / np.sqrt(np.mean(scaled**2) + 1e-5 / largest / largest)


def cosine_similarity(a, b):
    """The cosine of the angle between two vectors."""
    return np.dot(a, b) / np.sqrt(np.dot(a, a)) / np.sqrt(np.dot(b, b))


def rotary_angles(position, size):
    """The cosines and sines that encode a position in a text."""
    frequency = np.float32(10000.0) ** -(np.arange(0, size, 2, dtype=np.float32) / size)
    angle = position * frequency
    return np.cos(angle), np.sin(angle)


def moving_average(start, values):
    """An exponential moving average with decay 0.999."""
    average, lost = start, 0.0
    for value in values:
        step = 0.001 * (value - average) + lost
        after = average + step
        lost = step - (after - average)
        average = after
    return average


def adam(weight, gradient, rate):
    """A weight after the first step of Adam."""
    moment = 0.1 * gradient
    second_moment = 0.001 * gradient**2
    moment = moment / (1 - 0.9)
    second_moment = second_moment / (1 - 0.999)
    return weight - rate * moment / (np.sqrt(second_moment) + 1e-4)


def attention_mask(scores, mask):
    """Attention weights, where a mask of 0 forbids a place."""
    masked = np.where(mask == 1, scores, -np.inf)
    weights = np.exp(masked - np.max(masked))
    return weights / np.sum(weights)


def log_of_softmax(logits):
    """The logarithms of the probabilities."""
    shifted = logits - np.max(logits)
    return shifted - np.log(np.sum(np.exp(shifted)))


def clip_gradient(gradient, largest):
    """A gradient, made shorter if its norm is above a limit."""
    size = np.max(np.abs(gradient)) + 1e-6
    norm = size * np.sqrt(np.sum((gradient / size) ** 2))
    factor = np.minimum(1.0, largest / (norm + 1e-6))
    return gradient * factor
