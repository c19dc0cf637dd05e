"""Published claims, computed again: their numbers at the size of a minute, how they are judged, and what is refused."""

import dataclasses
import json
import math

import pytest

import fp16sim as fs
from fp16sim.papers import PAPERS, SIZES, find, reproduce
from fp16sim.papers.judging import bounded, difference, extreme, quantity, ratio
from fp16sim.papers.sums import chunked_sum, euler, inner_product, stochastic_sum
from fp16sim.papers.training import lost_gradients

SLOW = {"euler", "lost-gradients", "bfloat16-updates", "mx-blocks"}
"""More than a second at the size of a minute."""

PARTLY = {"narrow-accumulators", "mx-blocks"}
"""Papers of which a number does not hold at the size of a minute."""


@pytest.fixture(scope="module")
def results():
    """Results with a number for each n and seed: n + seed."""
    return fs.sweeps.run(lambda n, rng: {"value": float(n + rng), "none": None}, {"n": [1, 5], "rng": [0, 2]})


# --- the papers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in PAPERS if name not in SLOW])
def test_a_claim_is_computed_again_in_a_minute_and_judged(name):
    check(reproduce(name, size="minute"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sorted(SLOW))
def test_a_claim_about_training_is_computed_again_in_a_minute_and_judged(name):
    check(reproduce(name, size="minute"))


def check(found):
    assert found.holds == (found.paper.name not in PARTLY), str(found)
    assert len(found.quantities) >= 2
    assert all(one.ours is not None for one in found.quantities)
    assert all(found.paper.shows in row.result for row in found.results)
    assert json.loads(json.dumps(found.to_dict()))["verdict"] == found.verdict


def test_the_full_size_has_more_cells_of_the_same_axes():
    for paper in PAPERS.values():
        small, full = (paper.sizes[size] for size in SIZES)
        assert set(small) == set(full), paper.name
        assert math.prod(map(len, small.values())) < math.prod(map(len, full.values())), paper.name


def test_a_finished_cell_is_not_computed_again(tmp_path):
    table = tmp_path / "chunks.jsonl"
    first = reproduce("chunked-sums", size="minute", table=table)
    lines = table.read_bytes()
    assert reproduce("chunked-sums", size="minute", table=table).to_dict() == first.to_dict()
    assert table.read_bytes() == lines


def test_what_is_unknown_is_refused_by_name():
    with pytest.raises(ValueError, match="name='harmonics' is unknown; did you mean 'harmonic'"):
        find("harmonics")
    with pytest.raises(ValueError, match="name=\\['harmonic'\\] is unknown"):
        find(["harmonic"])
    with pytest.raises(ValueError, match="size='ful' is unknown; did you mean 'full'"):
        reproduce("harmonic", size="ful")


@pytest.mark.parametrize("name", ["chunked-sums", "harmonic", "probabilistic-bounds"])
def test_no_number_of_a_claim_holds_whatever_was_computed(name):
    found = reproduce(name, size="minute")
    held = [{one.what for one in judged(found, value) if one.holds} for value in (0.0, 1e9)]
    assert not held[0] & held[1]
    nothing = dataclasses.replace(found, quantities=judged(found, math.nan))
    assert not any(one.holds for one in nothing.quantities)
    assert json.dumps(nothing.to_dict(), allow_nan=False)


def judged(found, value):
    """The numbers of a claim if all results were this value."""
    rows = []
    for row in found.results:
        wrong = dict.fromkeys(row.result, value)
        rows.append(dataclasses.replace(row, record=dataclasses.replace(row.record, result=wrong)))
    return found.paper.judge(dataclasses.replace(found.results, rows=tuple(rows)))


# --- the cells ------------------------------------------------------------------------------------------------------


def test_a_sum_in_chunks_of_all_terms_is_the_sum_to_nearest():
    assert chunked_sum(200, "chunks of 256", 0) == chunked_sum(200, "nearest", 0)
    assert chunked_sum(300, "chunks of 256", 0) != chunked_sum(300, "nearest", 0)


def test_errors_are_also_given_in_units_of_the_bounds():
    found = inner_product(100, "positive", 1)
    assert found["of_root"] == pytest.approx(found["of_n"] * 10)
    found = stochastic_sum(400, "stochastic", 1)
    assert found["units"] == pytest.approx(found["error"] / 20 * 2**7)
    assert (
        stochastic_sum(400, "ties_to_even", 1)["units"]
        > 2 * stochastic_sum(400, "ties_to_even", 1)["error"] / 20 * 2**6
    )


def test_eulers_method_has_the_error_of_its_formula_in_binary64():
    assert euler(16, "binary64", 0)["error"] == pytest.approx(1 - (15 / 16) ** 16 * math.e, abs=1e-13)


@pytest.mark.exhaustive
def test_gradients_that_a_scale_loses_are_fewer_and_none_is_lost_beyond_the_range():
    few = [lost_gradients(scale, 0, epochs=5) for scale in (1, 64, 4096)]
    assert few[0]["lost"] > few[1]["lost"] > few[2]["lost"]
    assert all(one["overflowed"] == 0 for one in few)


# --- how numbers are judged -----------------------------------------------------------------------------------------


def test_means_have_their_intervals_and_what_was_not_measured_has_none(results):
    mean, low, high = quantity(results, "value", n=1)
    assert (mean, low + high) == (2.0, pytest.approx(4.0))
    assert quantity(results, "none", n=1) == (None, None, None)
    assert extreme(results, "value") == 7.0
    assert extreme(results, "none") is None


def test_quotients_and_differences_are_taken_seed_by_seed(results):
    assert ratio(results, "value", {"n": 5}, {"n": 1})[0] == pytest.approx(math.sqrt(5 / 1 * 7 / 3))
    assert difference(results, "value", {"n": 5}, {"n": 1}) == (4.0, 4.0, 4.0)


def test_a_number_holds_only_with_all_of_its_interval():
    assert bounded("x", 1.0, 0.5, 1.5, below=2).holds
    assert not bounded("x", 1.0, 0.5, 2.5, below=2).holds
    assert not bounded("x", 1.0, 0.5, 1.5, above=0.75).holds
    assert bounded("x", None, below=2).verdict == "was not measured"
    assert bounded("x", 1.0, above=0.5, below=2).published == "0.5 to 2"
    assert bounded("x", 1.0, above=0.5, claim="grows").published == "grows (above 0.5)"
    assert bounded("x", 1.0, above=0.5, published="65").published == "65"


def test_a_verdict_says_whether_all_some_or_no_numbers_hold():
    found = reproduce("harmonic", size="minute")
    wrong = dataclasses.replace(found.quantities[0], holds=False)
    assert dataclasses.replace(found, quantities=(wrong, found.quantities[1])).verdict.startswith("reproduces in part")
    assert dataclasses.replace(found, quantities=(wrong,)).verdict.startswith("does not reproduce")
