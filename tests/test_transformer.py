"""Layers of transformers: each equals the expression written with fs.add, ...; causality, dropout, names of layers."""

import math

import numpy as np
import pytest

import fp16sim as fs
from fp16sim.learn import (
    GPT,
    Block,
    CausalAttention,
    Chain,
    Embedding,
    FeedForward,
    GPTConfig,
    LearnedPositions,
    Linear,
    Mask,
    MeanPool,
    RMSNorm,
    Tensor,
    attention,
    causal,
    cross_entropy,
    dropout,
    dropout_on,
    gradients,
    rotary_tables,
    rotated,
)
from fp16sim.learn.model.autograd import consumers_first

from .support import first
from .test_layers import ACCUMULATORS, Ops, run

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture(params=[("bfloat16", "own"), ("binary16", "binary32")], ids=", ".join)
def ops(request):
    fmt, name = request.param
    return Ops(fmt, ACCUMULATORS[name])


def softmax(ops, scores):
    powers = ops.exp(ops.subtract(scores, scores.max(axis=-1, keepdims=True)))
    return ops.divide(powers, ops.rows(powers))


# --- bit for bit ----------------------------------------------------------------------------------------------------


def test_rms_norm(ops):
    x, scale = ops.draw(6, 20, scale=2), ops.draw(20, rng=1)
    y, g, found = run(ops, RMSNorm(20, 1e-3), {"scale": scale}, x)
    root = ops.rsqrt(ops.add(ops.divide(ops.rows(ops.multiply(x, x)), 20), 1e-3))
    normal = ops.multiply(x, root)
    ops.same(y, ops.multiply(normal, scale))
    ops.same(found["scale"], ops.sum(ops.multiply(g, normal), 0))


def test_an_embedding_and_positions_and_their_mean(ops):
    table, rows, ids = ops.draw(5, 5), ops.draw(4, 5, rng=1), np.array([[1, 4, 1], [1, 0, 2]])
    t, p = ops.tensor(table), ops.tensor(rows)
    y = LearnedPositions(4, 5)({"weight": p}, Embedding(5, 5)({"weight": t}, ids, ops.how), ops.how)
    ops.same(y.value, ops.add(table[ids], rows[:3]))
    mean = MeanPool()({}, y, ops.how)
    ops.same(mean.value, ops.divide(ops.sum(y.value.values, 1), 3))
    assert mean.shape == (2, 5)
    g = ops.draw(2, 3, 5, rng=2)
    found = gradients(y * ops.tensor(g, wanted=False), {"t": t, "p": p})
    ops.same(found["p"], np.concatenate([ops.sum(g, 0), np.zeros((1, 5))]))
    ops.same(found["t"][1], ops.sum(np.stack([g[0, 0], g[0, 2], g[1, 0]]), 0))


def test_a_feed_forward_network(ops):
    x, up, gate, down = (ops.draw(*shape, rng=k) for k, shape in enumerate([(6, 5), (5, 8), (5, 8), (8, 5)]))
    params = {"up.weight": up, "down.weight": down}
    y, _, _ = run(ops, FeedForward(5, 8), params, x)
    ops.same(y, ops.matmul(ops.gelu(ops.matmul(x, up)), down))
    y, _, _ = run(ops, FeedForward(5, 8, "swiglu"), {**params, "gate.weight": gate}, x)
    z = ops.matmul(x, gate)
    hidden = ops.multiply(ops.multiply(z, ops.sigmoid(z)), ops.matmul(x, up))
    ops.same(y, ops.matmul(hidden, down))


def test_rotary_positions(ops):
    x = ops.draw(2, 7, 6)
    frequencies = fs.round_to(10_000.0 ** (-np.arange(0, 6, 2) / 6), ops.fmt)
    angles = ops.multiply(np.arange(7.0)[:, None], frequencies)
    c, s, a, b = ops.cos(angles), ops.sin(angles), x[..., :3], x[..., 3:]
    turned = ops.subtract(ops.multiply(a, c), ops.multiply(b, s)), ops.add(ops.multiply(b, c), ops.multiply(a, s))
    ops.same(rotated(ops.tensor(x)).value, np.concatenate(turned, axis=-1))
    exact = np.arange(7.0)[:, None] * 10_000.0 ** (-np.arange(0, 6, 2) / 6)
    ops.same(rotary_tables(7, 6, fs.array(x, ops.fmt), wide=True)[1], fs.round_to(np.sin(exact), ops.fmt))


def masked_scores(ops, q, k, hidden=None):
    scaled = ops.multiply(q, fs.round_to(1 / math.sqrt(q.shape[-1]), ops.fmt))
    scores = ops.matmul(scaled, k.swapaxes(-1, -2))
    return scores if hidden is None else np.where(hidden, -np.inf, scores)


def test_attention_in_its_three_forms(ops):
    q, k, v = (ops.draw(2, 5, 4, rng=n, scale=2) for n in range(3))
    given, mask = [ops.tensor(x) for x in (q, k, v)], causal(5)
    scores = masked_scores(ops, q, k, mask.hidden)
    ops.same(attention(*given, mask, how=ops.how).value, ops.matmul(softmax(ops, scores), v))
    powers = ops.exp(scores)
    naive = ops.matmul(ops.divide(powers, ops.rows(powers)), v)
    ops.same(attention(*given, mask, form="naive", how=ops.how).value, naive)
    m = total = values = None
    for own in (slice(0, 2), slice(2, 4), slice(4, 5)):
        part = masked_scores(ops, q, k[:, own], mask.hidden[:, own])
        largest = part.max(axis=-1, keepdims=True)
        largest = largest if m is None else np.maximum(largest, m)
        powers = ops.exp(ops.subtract(part, largest))
        row, product = ops.rows(powers), ops.matmul(powers, v[:, own])
        if m is not None:
            scale = ops.exp(ops.subtract(m, largest))
            row, product = ops.add(ops.multiply(total, scale), row), ops.add(ops.multiply(values, scale), product)
        m, total, values = largest, row, product
    online = attention(*given, mask, form="online", tile=2, how=ops.how)
    ops.same(online.value, ops.divide(values, total))


def test_heads_attend_with_their_own_parts_of_queries_keys_and_values(ops):
    x, names = ops.draw(2, 4, 6), ("query", "key", "value", "out")
    w = {name: ops.draw(6, 6, rng=k) for k, name in enumerate(names)}
    y, _, _ = run(ops, CausalAttention(6, 2), {f"{name}.weight": own for name, own in w.items()}, x)
    q, k, v = (ops.matmul(x, w[name]) for name in names[:3])
    parts = []
    for head in (slice(0, 3), slice(3, 6)):
        scores = masked_scores(ops, q[..., head], k[..., head], causal(4).hidden)
        parts.append(ops.matmul(softmax(ops, scores), v[..., head]))
    ops.same(y, ops.matmul(np.concatenate(parts, axis=-1), w["out"]))


def test_the_mean_over_the_time_is_taken_before_that_over_the_batch(ops):
    logits, labels = ops.draw(13, 11, 5, scale=3), np.arange(143).reshape(13, 11) % 5
    shifted = ops.subtract(logits, logits.max(axis=-1, keepdims=True))
    logs = ops.subtract(shifted, ops.log(ops.rows(ops.exp(shifted))))
    of_label = np.take_along_axis(logs, labels[..., None], -1)[..., 0]
    mean = ops.divide(ops.negative(ops.sum(ops.divide(ops.sum(of_label, -1), 11))), 13)
    ops.same(cross_entropy(ops.tensor(logits), labels, accumulator=ops.acc).value, mean)


# --- what holds for all -----------------------------------------------------------------------------------------------


def test_queries_are_scaled_before_the_products_so_that_these_do_not_overflow():
    x, ones = (Tensor(fs.array([[value] * 64], "binary16")) for value in (32.0, 1.0))
    for form in ("stable", "online"):
        assert attention(x, x, ones, form=form).value.values.tolist() == [[1.0] * 64]


def test_attention_online_skips_a_first_tile_that_is_hidden():
    rng = np.random.default_rng(0)
    q, k, v = (Tensor(fs.array(rng.standard_normal((8, 4)), "binary64")) for _ in range(3))
    mask = Mask(np.arange(8) < np.array([5, 4, 3, 7, 0, 1, 2, 6])[:, None])
    stable, online = (attention(q, k, v, mask, form=form, tile=2).value.values for form in ("stable", "online"))
    np.testing.assert_allclose(online, stable, rtol=1e-13)


def test_attention_online_is_attention_in_a_wide_format():
    rng = np.random.default_rng(0)
    q, k, v = (Tensor(fs.array(rng.standard_normal((2, 33, 8)), "binary64")) for _ in range(3))
    g, results = Tensor(fs.array(rng.standard_normal((2, 33, 8)), "binary64"), wanted=False), {}
    for form in ("stable", "naive", "online"):
        y = attention(q, k, v, causal(33), form=form, tile=7)
        found = gradients((y * g).sum(), {"q": q, "k": k, "v": v})
        results[form] = [y.value.values, *(x.values for x in found.values())]
    for form in ("naive", "online"):
        for actual, expected in zip(results[form], results["stable"], strict=True):
            np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)


CAUSAL = {
    "as usual": {},
    "online and turned": {"attention": "online", "tile": 3, "positions": "rotary", "activation": "swiglu"},
    "naive, layer norm": {"attention": "naive", "norm": "layernorm", "tie": False},
    "with -65504": {"mask": "-65504", "positions": "none"},
}


@pytest.mark.parametrize("name", first(2, list(CAUSAL)))
def test_a_later_character_changes_no_bit_of_an_earlier_output(name):
    model = GPT(9, {"context": 8, "width": 8, "heads": 2, "blocks": 2, **CAUSAL[name]})
    params = {name: Tensor(x) for name, x in model.init("binary16", rng=0).items()}
    x = np.random.default_rng(1).integers(0, 9, (2, 8))
    changed = x.copy()
    changed[:, 5] = (changed[:, 5] + 1) % 9
    before, after = (model(params, ids).value.codes for ids in (x, changed))
    assert (before[:, :5] == after[:, :5]).all()
    assert (before[:, 5:] != after[:, 5:]).any(axis=-1).all()


def test_masks_are_filled_in_or_added_and_rounded_as_every_constant():
    scores = Tensor(fs.array([[20.0, -20.0], [1.0, 2.0]], "binary16"))
    hidden = np.array([[False, True], [True, True]])
    shown = {
        (value, added): Mask(hidden, value, added).of(scores).value.values.tolist()
        for value in (-1e9, -65504.0)
        for added in (False, True)
    }
    infinite, largest = [[20, -math.inf], [-math.inf, -math.inf]], [[20, -65504], [-65504, -65504]]
    assert shown[-1e9, False] == shown[-1e9, True] == infinite
    assert shown[-65504.0, False] == largest
    assert shown[-65504.0, True] == [[20, -math.inf], largest[1]]  # -65504 - 20 is beyond the largest number


def test_dropout_depends_on_the_seeds_and_the_number_of_the_mask_alone():
    x = Tensor(fs.array(np.ones(1000), "bfloat16"))

    def masks(*seeds):
        with dropout_on(*seeds):
            return [dropout(x, 0.25).value.values for _ in range(2)]

    once, again, other = masks(1, 2), masks(1, 2), masks(1, 3)
    assert [m.tolist() for m in once] == [m.tolist() for m in again]
    assert once[0].tolist() != once[1].tolist() != other[1].tolist()
    assert set(once[0]) == {0.0, float(fs.round_to(4 / 3, "bfloat16"))}
    assert 0.2 < np.mean(once[0] == 0) < 0.3
    assert dropout(x, 0.25) is x
    y = dropout_on(1, 2)
    with y:
        g = gradients(dropout(x, 0.25).sum(), {"x": x})["x"]
    assert g.values.tolist() == once[0].tolist()


def test_dropout_in_a_block_leaves_the_residual_stream_as_it_is():
    block = Block(CausalAttention(4, 1), FeedForward(4, 4), dropout=0.999)
    params = {name: Tensor(fs.array(x, "binary32")) for name, x in block.draw(np.random.default_rng(0)).items()}
    x = Tensor(fs.array(np.ones((1, 2, 4)), "binary32"))
    with dropout_on(0):
        assert (block(params, x).value.values == 1).all()
    assert (block(params, x).value.values != 1).all()


def test_operations_bear_the_names_of_layers_within_layers():
    model = GPT(5, {"context": 4, "width": 4, "heads": 1, "blocks": 2, "activation": "swiglu"})
    params = {name: Tensor(x, name=name) for name, x in model.init("binary16", rng=0).items()}
    names = {t.layer: t for t in consumers_first(model(params, np.array([[1, 2, 3]]))) if t.operation}
    inside = ("norm1", "norm2", "attention", "network")
    inside += tuple(f"attention.{own}" for own in ("query", "key", "value", "out"))
    inside += tuple(f"network.{own}" for own in ("gate", "up", "down"))
    blocks = {f"block{k}" for k in (1, 2)}
    assert names.keys() == {"embedding", "positions", "norm", "head"} | blocks | {
        f"{b}.{n}" for b in blocks for n in inside
    }
    assert names["block1.attention.query"].operation in ("matmul", "reshape")


def test_new_layers_go_into_chains():
    model = Chain((("embedding", Embedding(6, 4)), ("mean", MeanPool()), ("out", Linear(4, 2))))
    data = (np.arange(48).reshape(12, 4) % 6, np.arange(12) % 2)
    history = fs.learn.train("bfloat16-plain", data, model=model, epochs=2, batch=6)
    assert history.epochs[-1].loss is not None
    with pytest.raises(ValueError, match=r"x of shape=\(2, 4\) for an Embedding has real numbers; give int"):
        fs.learn.train("bfloat16-plain", (data[0] / 6, data[1]), model=model, epochs=1, batch=6)


REFUSED = {
    "heads": (lambda: GPTConfig(width=30), "width=30 is not a multiple of heads=4"),
    "odd heads": (lambda: GPTConfig(width=12, positions="rotary"), "width=12 with heads=4 gives heads of 3 numbers"),
    "a norm": (lambda: GPTConfig(norm="rms"), "norm='rms' is unknown; .*use one of 'rmsnorm'"),
    "a mask": (lambda: GPTConfig(mask="-1e4"), "mask='-1e4' is unknown"),
    "a size": (lambda: GPTConfig(context=0), "context=0 of a language model must be from 1 to 1,048,576"),
    "no integer": (lambda: GPTConfig(blocks=1.5), "blocks=1.5 of a language model is not an integer"),
    "a rate": (lambda: GPTConfig(dropout=1.0), "dropout=1.0 is no probability below 1"),
    "a field": (lambda: GPTConfig.of({"widht": 3}), "widht=3 is not an option of GPTConfig; did you mean 'width'"),
    "no config": (lambda: GPTConfig.of("small"), "gpt='small' is not a GPTConfig"),
    "a vocabulary": (lambda: GPTConfig(vocabulary="ba"), "vocabulary='ba' must have each character once"),
    "a form": (lambda: attention(*[Tensor(fs.array(np.ones((2, 2))))] * 3, form="flash"), "attention='flash' is unk"),
    "an odd size": (lambda: rotated(Tensor(fs.array(np.ones((2, 3))))), "size=3 of a head must be even"),
    "a long text": (
        lambda: LearnedPositions(2, 2)({}, Tensor(fs.array(np.ones((3, 2))))),
        r"x.shape=\(3, 2\) must end with at most 2 positions",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_transformer_is_refused_by_name(name):
    make, says = REFUSED[name]
    with pytest.raises((ValueError, TypeError), match=says):
        make()
