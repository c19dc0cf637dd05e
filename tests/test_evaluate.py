"""A trained model in other formats: what was not measured has no value, and NaN is not an answer."""

from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.cli import main
from fp16sim.learn import Config, Model, evaluate, load_digits, save_model, train
from fp16sim.learn.run.evaluate import NO_ANSWER

DIGITS = load_digits()


@pytest.fixture(scope="module")
def model():
    history = train(Config("binary16", layers=(8,), epochs=2), DIGITS, look_every=0)
    return Model(history.config, history.params, (8, 8), 10)


def with_params(model, change):
    """The model with each array of its parameters changed."""
    params = {name: fs.array(change(np.array(x.values)), x.fmt) for name, x in model.params.items()}
    return replace(model, params=params)


def test_a_model_in_the_format_of_its_training_agrees_with_itself(model):
    (same,) = evaluate(model, DIGITS, ["binary16"], accumulator="sequential")
    assert same.agreement == 1
    assert same.accuracy == np.mean(same.predictions == DIGITS.test_labels) > 0.4


def test_without_a_nonzero_weight_no_part_of_them_became_0(model, recwarn):
    (found,) = evaluate(with_params(model, np.zeros_like), DIGITS, ["binary16"])
    assert found.lost_weights is None
    assert not recwarn.list
    (half,) = evaluate(with_params(model, lambda x: np.full_like(x, 2.0**-24)), DIGITS, ["e4m3fn"])
    assert half.lost_weights == 1


def test_weights_beyond_a_format_are_no_warning(model):
    wide = replace(model, config=replace(model.config, policy="binary32"))
    huge = replace(wide, params={name: fs.array(x.values * 1e30, "binary32") for name, x in model.params.items()})
    with np.errstate(all="raise"):
        evaluate(huge, DIGITS, ["binary16", "e4m3fn"])


def nan_in_the_last_bias(x):
    """NaN in the bias of class 0: every image has a logit that is NaN."""
    return np.where(np.arange(x.size).reshape(x.shape) == 0, np.nan, x) if x.shape == (10,) else x


def test_a_row_with_nan_is_no_answer_and_agrees_with_nothing(model):
    broken = with_params(model, nan_in_the_last_bias)
    (found,) = evaluate(broken, DIGITS, ["binary16"])
    assert set(found.predictions) == {NO_ANSWER}
    assert (found.accuracy, found.agreement) == (0, None)


def test_the_report_of_a_model_that_answers_nothing_says_so(model, tmp_path, capsys):
    save_model(tmp_path / "broken.npz", with_params(model, nan_in_the_last_bias))
    assert main(["evaluate", str(tmp_path / "broken.npz"), "--format", "binary16", "--report"]) == 3
    printed = capsys.readouterr().out
    assert "359 images of 359 with a logit that is NaN are left out" in printed
    assert "   -  " in printed
