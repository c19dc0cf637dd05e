"""Numbers and lists in sentences: a percentage does not say none or all where it is only nearly so."""

import pytest

from fp16sim.wording import percent, share


def test_a_share_is_0_of_none_only_and_100_of_all_only():
    assert [percent(share(n, 10**6)) for n in (0, 1, 99, 100, 999499, 999500, 999999, 10**6)] == [
        "0%",
        "<0.01%",
        "<0.01%",
        "0.01%",
        "99.9%",
        ">99.9%",
        ">99.9%",
        "100%",
    ]


@pytest.mark.parametrize("share", [0.0999, 0.09999, 0.00999, 0.995, 0.5, 1e-4, 0.123456])
def test_a_share_is_written_to_three_digits_or_a_hundredth_of_a_percent(share):
    value = float(percent(share).removesuffix("%"))
    assert abs(value - 100 * share) <= max(0.005, 0.005 * 100 * share) + 1e-9
