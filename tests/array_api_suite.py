"""What the suite of the array API standard needs to test a namespace; no part of our own tests.

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests && cd array-api-tests
    sed -i '/^widest_complex_dtype/,/^)/s/x\\[1\\]$/x[1], default=(xp.float32, 0)/' array_api_tests/dtype_helpers.py
    FORMAT=bfloat16 PYTHONPATH=.../fp16sim ARRAY_API_TESTS_MODULE="exec('from tests.array_api_suite import xp')" \\
        ARRAY_API_TESTS_SKIP_DTYPES=float64,complex64,complex128 pytest --max-examples 30 --disable-deadline

The suite knows floats by the names float32 and float64. Here float32 is the format, there is no float64, and the
suite's numbers are rounded to the format before they are given: hypothesis makes numbers of three widths alone.
"""

import math
import os

from hypothesis import strategies as st
from hypothesis.extra import array_api as extra

import fp16sim as fs

FORMAT = fs.get_format(os.environ.get("FORMAT", "binary16"))
xp = fs.array_api(FORMAT)

LARGEST, SMALLEST = float(FORMAT.max_finite), float(FORMAT.min_normal)
BOUND = float(fs.round_to(math.sqrt(LARGEST) / 2, FORMAT, "toward_zero"))
"""The suite takes numbers up to the root of the largest float32, so that products do not overflow."""
FLAGS = ("exclude_min", "exclude_max", "allow_nan", "allow_infinity")

_from_dtype = extra._from_dtype


def held(x, low, high, flags):
    """The number of the format for a number that hypothesis made: not subnormal, and within the bounds."""
    if math.isnan(x) or math.isinf(x) or x == 0:
        return x
    y = float(fs.round_to(x, FORMAT, saturate=True))
    y = math.copysign(SMALLEST, y) if abs(y) < SMALLEST else y
    if low is not None and (y < low or (flags.get("exclude_min") and y == low)):
        y = float(fs.next_up(fs.round_to(low, FORMAT, "toward_negative"), FORMAT))
    if high is not None and (y > high or (flags.get("exclude_max") and y == high)):
        y = float(fs.next_down(fs.round_to(high, FORMAT, "toward_positive"), FORMAT))
    return y


def from_dtype(namespace, api_version, dtype, *, min_value=None, max_value=None, allow_subnormal=None, **keywords):
    """Hypothesis's strategy; for the format, one of numbers that it holds."""
    if not isinstance(dtype, fs.Format):
        given = {"min_value": min_value, "max_value": max_value, "allow_subnormal": allow_subnormal, **keywords}
        return _from_dtype(namespace, api_version, dtype, **given)
    low = None if min_value is None else max(min_value, -BOUND)
    high = None if max_value is None else min(max_value, BOUND)
    flags = {name: value for name, value in keywords.items() if name in FLAGS and value is not None}
    return st.floats(low, high, allow_subnormal=False, **flags).map(lambda x: held(x, low, high, flags))


extra._from_dtype = from_dtype
