"""Models and the shapes that their layers are made for."""

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import Activation, Chain, Conv2d, Layer, Linear, Tensor


def test_a_chain_refuses_two_layers_of_one_name():
    with pytest.raises(ValueError, match="two layers with the name 'hidden'"):
        Chain((("hidden", Linear(2, 2)), ("relu", Activation("relu")), ("hidden", Linear(2, 2))))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Linear(3, 2), (5, 4)),
        (Linear(3, 2), (5, 3, 1)),
        (Linear(3, 2), (3,)),
        (Conv2d(3, 2), (1, 6, 6, 4)),
        (Conv2d(3, 2), (6, 6, 3)),
        (Conv2d(3, 2), (1, 1, 6, 3, 1)),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Layer) else str(given),
)
def test_an_input_of_another_shape_than_a_layer_is_made_for_is_refused(layer, shape):
    params = {name: Tensor(fs.array(x, "binary16")) for name, x in layer.draw(np.random.default_rng(0)).items()}
    with pytest.raises(ValueError, match=r"x\.shape=.* must be \(batch"):
        layer(params, Tensor(fs.array(np.zeros(shape), "binary16")))
