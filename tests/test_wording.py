"""Numbers and lists in sentences: a percentage does not say none or all where it is only nearly so."""

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
