"""What a prompt or a notebook shows of large results: a few lines, and the way to more."""

import pytest

import fp16sim as fs
from fp16sim.learn import spirals, train


@pytest.fixture(scope="module")
def history():
    return train("pure-binary16-scaled", spirals(rng=1), epochs=2, model="mlp", layers=(8,))


def results(history):
    yield history
    yield history.telemetry
    yield train("pure-binary16", spirals(rng=1), epochs=1)
    yield fs.learn.inspect({"a": [1e-7, 2.0], "b": [3.0]})
    yield fs.explain.add("0.1", "0.2", "binary16")
    yield fs.explain.dot([1, 2, 3], [4, 5, 6], "binary16")
    yield fs.explain.anatomy(0.1, "binary16")
    yield fs.explain.compare("0.1")


def test_a_large_result_is_at_most_ten_lines_and_a_thousand_characters(history):
    for result in results(history):
        shown = repr(result)
        assert len(shown.splitlines()) <= 10, type(result)
        assert len(shown) <= 1000, type(result)


def test_a_history_says_what_was_reached_with_which_settings_and_how_it_died(history):
    first, accuracy, lost, counts, settings = repr(history).splitlines()
    assert first.startswith("pure-binary16-scaled: 2 epochs, ")
    assert f"{history.epochs[-1].test_accuracy:.1%}"[:3] in accuracy
    assert " to " in accuracy
    assert "became 0" in lost and "without effect" in lost  # noqa: PT018
    assert counts.startswith("overflows: ")
    assert "loss scale 1024 (not divided out)" in settings
    dead = repr(train("pure-binary16", spirals(rng=1), epochs=1)).splitlines()
    assert "died at step 1" in dead[-1]
    assert dead[1] == "test accuracy -, loss -"


def test_a_notebook_shows_a_history_as_a_card_without_raw_markup(history):
    card = history._repr_html_()
    assert card.count("<tr>") == 7
    assert "<strong>pure-binary16-scaled" in card


def test_a_notebook_shows_telemetry_and_inspections_as_cards(history):
    card = history.telemetry._repr_html_()
    rows = [row for row in history.telemetry.rows if row.kind == "weight gradient"]
    assert f"<td>weight gradient</td><td>{sum(row.total for row in rows):,}</td>" in card
    assert card.count("<tr>") == 1 + len({row.kind for row in history.telemetry.rows})
    found = fs.learn.inspect({"<b>grad</b>": [1e-7, 2.0]}, "binary16")
    assert found._repr_html_().count("<li>") == 1
    assert "&lt;b&gt;grad" in found._repr_html_()
    assert "<b>" not in found._repr_html_()


def test_an_explanation_says_in_a_line_what_it_explains_and_how_to_see_more():
    why = fs.explain.add("0.1", "0.2", "binary16")
    assert repr(why) == f"<Explanation: {why.document.title}; print it to see every step>"
    assert str(why).count("\n") > 10
