"""What to think about when the grader recognises a mistake: a sentence for each of the common misconceptions.

The keys are the words of the table `faults.FAULTS`.
"""

_HALFWAY = (
    "What does the statement say about a number exactly between two neighbours? Which of the two has the last bit 0?"
)
_SIGN = "Deal with the magnitude first, and put the sign back at the very end: math.copysign(size, x) knows even -0.0."
_BELOW = (
    "The exponent used for the quantum is never below emin: below the smallest normal number the gaps stay the same."
)
_TOP = "Round first, as if there were one more binade; then compare the result, not x, with the largest number."
_SPECIAL = "Return infinities and NaN before anything is computed: math.isfinite(x) tells them apart from numbers."
_ONCE = "Keep the result exact (a Fraction, or integers) until the one rounding at the end."
_EACH = "Every single operation of the statement is rounded: use fs.add, fs.multiply and the like, not + and *."
_EXPONENT = "A logarithm is rounded, too. math.frexp reads the exponent: one more than ours."
_BIAS = (
    "The bias of binary16 is 15, which is 2^(w - 1) - 1 for w exponent bits: the code of 1.0 has the exponent field 15."
)
_SUBNORMAL = "An exponent field of 0 means: no implicit 1, and the exponent of field 1, which is 1 - bias."
_CODES = "The five-bit field 31 is no exponent: with T = 0 it is infinity, else NaN."
_FIELDS = "binary16 has 1, 5 and 10 bits; bfloat16 has 1, 8 and 7."
_UP = "For a negative number the codes grow downward, so that going up means a smaller code. Zero is a case of its own."
_ORDER = "Read in which order the terms are added, and where the first partial sum comes from."

ADVICE = {
    "does not round at all": "Your result is often not a number of the format. Lift, round to an integer, put back.",
    "truncates: drops the bits after the last one": "int() and floor of a magnitude cut off. Which function rounds?",
    "rounds to nearest, ties to even, whatever the mode": "Read again in which direction the statement wants you to "
    "go.",
    "rounds ties away from zero": _HALFWAY,
    "rounds ties up (toward +inf), not to even": _HALFWAY,
    "rounds ties down (toward -inf)": _HALFWAY,
    "rounds ties toward zero": _HALFWAY,
    "rounds ties to odd": _HALFWAY,
    "rounds ties up (toward +inf), not to even; in floor(n + 0.5) the sum is rounded, too": _HALFWAY,
    "rounds ties away from zero; in floor(abs(n) + 0.5) the sum is rounded, too": _HALFWAY,
    "rounds down, toward -inf": "What does your function do with a number just below an upper neighbour?",
    "rounds up, toward +inf": "What does your function do with a number just above a lower neighbour?",
    "drops the sign of zero: every zero is +0": _SIGN,
    "turns -0 into +0": _SIGN,
    "drops the sign of a number that it rounds to zero": _SIGN,
    "drops the sign": _SIGN,
    "flushes subnormal results to zero": _BELOW,
    "treats everything below min_normal as zero, before it is rounded": _BELOW,
    "rounds subnormals to 0 or min_normal": _BELOW,
    "gives subnormals full precision: forgets the smallest exponent": _BELOW,
    "spaces subnormals half as far apart as they are": _BELOW,
    "spaces subnormals twice as far apart as they are": _BELOW,
    "rounds to the other 16-bit format: 1-5-10 is binary16, 1-8-7 bfloat16": _FIELDS,
    "rounds twice: to float32 first": _ONCE,
    "overflows at 2^(emax + 1) (65536 in binary16), not half an ulp above max_finite (65520)": _TOP,
    "overflows just above max_finite": _TOP,
    "saturates: gives max_finite instead of infinity": _TOP,
    "never overflows: forgets the largest exponent": _TOP,
    "takes the exponent from log2, which is wrong just below a power of two": _EXPONENT,
    "takes the exponent from int(log2(x)), which is one too high below 1": _EXPONENT,
    "loses the sticky bit: uses only two bits after the last one": "One 1 far to the right breaks a tie: is it kept?",
    "uses only one bit after the last one": "A tie is a tie only if all the bits further to the right are 0.",
    "turns NaN into infinity": _SPECIAL,
    "turns NaN into 0": _SPECIAL,
    "turns infinity into NaN": _SPECIAL,
    "turns infinity into max_finite": _SPECIAL,
    "rounds twice: reads the text as a float64 first": "float(text) rounds. Fraction(text) does not.",
    "gives -0 for x + (-x)": "A sum that is exactly 0 is +0, unless both terms are -0.",
    "gives 0 for inf - inf": "There is no answer to infinity minus infinity: it is NaN, and Python's floats agree.",
    "cuts off the smaller operand when it aligns: no guard or sticky bits": _ONCE,
    "rounds twice: adds in float64 first": _ONCE,
    "gives 0 for 0 * inf": "Zero times infinity has no answer: it is NaN, and Python's floats agree.",
    "rounds twice: the product, and then the sum": _ONCE,
    "rounds twice: a * b + c in float64 first": _ONCE,
    "uses a bias that is one too small": _BIAS,
    "uses a bias that is one too large: 2^(w - 1)": _BIAS,
    "gives subnormals an implicit 1": _SUBNORMAL,
    "gives subnormals an implicit 1, but not zero": _SUBNORMAL,
    "uses 0 - bias as the exponent of subnormals; it is 1 - bias": _SUBNORMAL,
    "reads subnormals as zero": _SUBNORMAL,
    "reads infinities and NaN as ordinary numbers": _CODES,
    "reads NaN as infinity": _CODES,
    "reads infinity as NaN": _CODES,
    "drops the sign of zero": _SIGN,
    "reads the other 16-bit layout (1-8-7 is bfloat16, 1-5-10 binary16)": _FIELDS,
    "reads negative codes as two's complement": "The sign bit stands alone: the other 15 bits are the magnitude.",
    "computes machine_epsilon * abs(x): right at powers of two only": "All numbers of a binade have the same ulp.",
    "forgets that subnormals have one quantum, min_subnormal": _BELOW,
    "gives 0 at 0": "The neighbours of 0 are 2^-24 away: that is its ulp.",
    "gives a negative ulp for negative numbers": "A distance is positive: take abs(x).",
    "gives the ulp of 1 everywhere": "The gaps double with each binade: which binade is x in?",
    "adds 1 to the code: goes away from zero for negative numbers": _UP,
    "counts -0 and +0 as two steps": "Both zeros have the same neighbours: 2^-24 above and -2^-24 below.",
    "stops at max_finite": "Above the largest finite number lies infinity: its code is the next one.",
    "adds the ulp of 1": "The gap above x depends on x. Codes know it: neighbours have neighbouring codes.",
    "adds the two halves, not one term after the other": _ORDER,
    "adds from the last term to the first": _ORDER,
    "adds one term after the other": _ORDER,
    "starts from +0: the sum of -0 alone is +0": "Start from the first term: 0.0 + -0.0 is 0.0, and the sign is lost.",
    "starts from +0: a sum of -0 alone is +0": "Start from the first product: 0.0 + -0.0 is 0.0, and the sign is lost.",
    "adds in float64 and rounds once, at the end": _EACH,
    "adds in float32 and rounds once, at the end": _EACH,
    "computes in float64 and rounds once, at the end": _EACH,
    "computes in float32 and rounds once, at the end": _EACH,
    "adds products that were not rounded, as fma does": _EACH,
    "adds one term after the other: nothing is compensated": "Is what was lost taken from the next term?",
    "adds the compensation with the wrong sign": "lost = (t - s) - y is what was added too much: it is subtracted.",
    "accumulates in the narrow format": "The partial sums stay in binary32; only the final result is rounded to "
    "binary16.",
    "computes in float64": "binary32 is not float64: give the format to fs.multiply and fs.add.",
    "swaps the two probabilities: rounds away from zero where u is less than one minus the fraction": (
        "The further x has gone, the more often it must go on: away from zero if u < f."
    ),
    "goes away from zero also where u is equal to the fraction": "u < f, not u <= f: with f = 0 nothing may move.",
    "ignores u": "The chance is in u: compare it with the fraction.",
    "goes either way with probability 1/2": "A number that is nearly at a neighbour goes there nearly always.",
    "measures the fraction from the number below: wrong for negative numbers": (
        "Work with abs(x), so that the fraction is measured from the neighbour toward zero; the sign comes at the end."
    ),
}
"""By misconception: where to look."""
