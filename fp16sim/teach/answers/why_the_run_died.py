"""Why the run died: hints, and worked solutions."""

import math

import fp16sim as fs

HINTS = {
    "first_second_moment": (
        "Is 0.999 a number of binary16? What is 1 minus what is held instead?",
        'beta2 is rounded first: fs.round_to(0.999, "binary16"). Then come three operations, each rounded: 1 - beta2, '
        "g * g, and the product of both.",
        'fs.multiply of the two parts: fs.subtract(1.0, fs.round_to(0.999, "binary16")), and fs.multiply(g, g).',
    ),
    "absorbed": (
        "What do you see if you add the step and compare with the weight? When would that be no loss?",
        "The sum, rounded to the format, equals the weight. A step of 0 changes nothing either, but it is not "
        "absorbed.",
        "Two conditions: step is not 0, and fs.add(weight, step, fmt) == weight. Make the result a bool.",
    ),
    "kahan_update": (
        "It is one turn of the loop of the sums. Which variables are the sum, the term, and what was lost?",
        "The weight is the sum, the step is the term. Take what was lost from the step, add, and find out what was "
        "lost "
        'this time: (new weight - weight) - y. Every operation has the format "bfloat16".',
        "y = fs.subtract(step, lost, fmt); moved = fs.add(weight, y, fmt); the new lost is two subtractions: moved "
        "minus weight, and that minus y.",
    ),
    "dynamic_step": (
        "Which two things can happen in a step, and what does each change?",
        "If a gradient is not finite: the step is not taken, the scale is halved, and the count starts from 0. Else "
        "the count grows by one; if it has reached the interval, the scale doubles and the count starts from 0.",
        "all(map(math.isfinite, gradients)) tells which. In the good case compare good + 1 with interval.",
    ),
}


def first_second_moment(g):
    """0.999 rounds to 0.99902..., so that 1 - beta2 is 2^-10 and not 0.001: the error of the constant is two percent.

    For a small gradient g * g underflows before it is scaled, and v is 0: then Adam divides by epsilon alone. For a
    gradient of 256 or more g * g overflows.
    """
    return fs.multiply(fs.subtract(1.0, fs.round_to(0.999, "binary16")), fs.multiply(g, g))


def absorbed(weight, step, fmt):
    """The step is absorbed if the rounded sum is the weight again. It happens to steps below half an ulp of the
    weight.

    A tie is absorbed, too, if the weight is the even one of the two neighbours. bool(...) makes Python's own truth
    value of NumPy's.
    """
    return bool(step != 0 and fs.add(weight, step, fmt) == weight)


def kahan_update(weight, lost, step):
    """What one addition loses is kept beside the weight, and the next step makes up for it.

    From 256 on, bfloat16 has only every second integer: a step of 1.0 is lost once, and the second one moves the
    weight by 2. It costs one more number of bfloat16 for each weight, half of what a master copy in float32 costs.
    """
    y = fs.subtract(step, lost, "bfloat16")
    moved = fs.add(weight, y, "bfloat16")
    return moved, fs.subtract(fs.subtract(moved, weight, "bfloat16"), y, "bfloat16")


def dynamic_step(gradients, scale, good, interval):
    """Down at once, up only after a long good time: an overflow costs a whole step.

    The scale that is found in this way is near the largest that the gradients allow. The count starts anew after
    both, so that two changes are at least an interval apart on the way up.
    """
    if not all(map(math.isfinite, gradients)):
        return False, scale / 2, 0
    return (True, scale * 2, 0) if good + 1 == interval else (True, scale, good + 1)
