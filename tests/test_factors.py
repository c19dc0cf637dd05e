"""Scaled factors of products: each product is, bit for bit, the expression written out with quantize, round_to, ..."""

import json
from dataclasses import replace

import numpy as np
import pytest

import fp16sim as fs
from fp16sim import accumulators
from fp16sim.accumulators.narrow_factors import NarrowFactors
from fp16sim.learn import FACTORS, Config, Conv2d, Factors, Tensor, get_config, gradients, spirals, train
from fp16sim.learn.model.in_force import island, put_in_force
from fp16sim.learn.precision import Products
from fp16sim.learn.scaled_products import FactorsOfStep, scale_for
from tests.support import first

pytestmark = pytest.mark.usefixtures("quiet")

# --- the expression, written out ------------------------------------------------------------------------------------


def per_tensor(x, fmt, factors, mode, rng, scale=None):
    """(elements, inverse scale) of a tensor, as TransformerEngine scales it."""
    if scale is None:
        amax = np.abs(x).max()
        scale = float(fs.divide(fs.divide(float(fmt.max_finite), amax, "binary32"), 2.0**factors.margin, "binary32"))
        if factors.power_2_scale:
            scale = 2.0 ** np.floor(np.log2(scale))
    shares = fs.multiply(x, np.float32(scale), "binary32")
    return fs.round_to(shares, fmt, mode, rng=rng, saturate=True), float(fs.divide(1.0, scale, "binary32"))


def written_out(factors, left, roles, right, accumulator, rng, transform=False, compute=fs.BFLOAT16):
    """left @ right with scaled factors: the definition."""
    sums = accumulator.fmt if accumulator else compute
    wide = fs.BINARY32
    if transform and factors.hadamard:
        n = factors.hadamard
        missing = -left.shape[1] % n
        left, right = np.pad(left, ((0, 0), (0, missing))), np.pad(right, ((0, missing), (0, 0)))
        signs = fs.blocks.random_signs(n, rng=0)
        left = fs.blocks.hadamard(left, signs, wide, axis=1)
        right = fs.blocks.hadamard(right, signs, wide, axis=0)
    parts = []
    for x, role, axis in ((left, roles[0], 1), (right, roles[1], 0)):
        fmt = factors.backward if role == "gradient" else factors.forward
        random = role == "gradient" and factors.stochastic_gradients
        how = {"mode": "stochastic", "rng": rng} if random else {"mode": "ties_to_even", "rng": None}
        if factors.scaling == "current":
            parts.append(per_tensor(x, fmt, factors, scale=None, **how))
            continue
        size = factors.block or {"mx": 32, "nvfp4": 16, "block": 128}[factors.scaling]
        sides = (size, size) if role == "weight" and factors.square_weights else size
        scale, tensor, rule = {
            "mx": ("e8m0fnu", None, factors.scale_rule or None),
            "nvfp4": ("e4m3fn", "binary32", factors.scale_rule or None),
            "block": ("binary32", None, None),
        }[factors.scaling]
        if factors.scaling == "block" and factors.power_2_scale:
            scale, rule = "e8m0fnu", "rceil"
        block = fs.blocks.Block(fmt, scale, sides, tensor)
        parts.append(fs.blocks.quantize(x, block, axis, scale_rule=rule, pad="zeros", **how))
    a, b = parts
    if factors.scaling == "block":
        y = by_blocks(a, b, size, sums, accumulator)
    elif factors.scaling == "current":
        y = promoted(a[0], b[0], factors.promote_every or left.shape[1], sums, accumulator)
        y = fs.multiply(y, a[1] * b[1], wide)
    else:
        y = fs.matmul(a.without_tensor_scale, b.without_tensor_scale, sums, accumulator=accumulator)
        y = y if a.tensor_scale is None else fs.multiply(y, a.tensor_scale * b.tensor_scale, wide)
    return fs.round_to(y, compute)


def promoted(a, b, every, sums, accumulator):
    total = None
    for k in range(0, a.shape[1], every):
        part = fs.matmul(a[:, k : k + every], b[k : k + every], sums, accumulator=accumulator)
        total = part if total is None else fs.add(total, part, "binary32")
    return total


def by_blocks(a, b, size, sums, accumulator):
    """Element by element: each block's sum of products, times both scales, added in binary32."""
    (m, n), k = (a.shape[0], b.shape[1]), a.shape[1]
    total = np.zeros((m, n), np.float32)
    for i in range(m):
        for j in range(n):
            for block in range(-(-k // size)):
                at = slice(block * size, min((block + 1) * size, k))
                part = fs.matmul(a.elements[i : i + 1, at], b.elements[at, j : j + 1], sums, accumulator=accumulator)
                rows = a.scales[i // a.block_shape[0], block]
                columns = b.scales[block, j // b.block_shape[1]]
                scale = fs.multiply(rows, columns, "binary32")
                if block:
                    total[i, j] = fs.fma(part[0, 0], scale, total[i, j], "binary32")
                else:
                    total[i, j] = fs.multiply(part[0, 0], scale, "binary32")
    return total


def same(x, y, fmt="bfloat16"):
    return fs.encode(np.asarray(x), fmt).tolist() == fs.encode(np.asarray(y), fmt).tolist()


def draw(*shape, rng, spread=2.0):
    return np.asarray(fs.round_to(rng.standard_normal(shape) * 2.0 ** rng.normal(0, spread, shape), "bfloat16"), "f4")


TEXTS = [
    "fp8-current",
    "fp8-block block=16",
    "mxfp8",
    "nvfp4 wide_last=0",
    "fp8-current margin=2 power_2_scale=yes backward=e4m3fn",
    "fp8-current promote_every=16",
    "fp8-current stochastic_gradients=yes hadamard=4",
    "fp8-block power_2_scale=yes square_weights=no",
    "mxfp8 backward=e5m2 scale_rule=rceil square_weights=yes",
    "nvfp4 wide_last=0 square_weights=no hadamard=0 stochastic_gradients=no",
    "nvfp4 wide_last=0 scale_rule=four_over_six",
]
SUMS = ["sequential", "sequential:binary32", "pairwise:binary32"]


def multiplied(a, b, step, accumulator=None):
    with put_in_force(factors=step):
        return a.matmul(b, accumulator)


def check_product(factors, accumulator, shape=(5, 40, 20), told=None):
    """The product and both gradients, against the expression; `told` is the accumulator of the expression.

    Results are in binary32 if sums are, so that every bit is compared.
    """
    compute = fs.BINARY32 if accumulator else fs.BFLOAT16
    rng, draws, told = np.random.default_rng(7), np.random.default_rng(3), told or accumulator
    m, k, n = shape
    x, w, g = draw(m, k, rng=rng), draw(k, n, rng=rng), draw(m, n, rng=rng)
    a, b = (Tensor(fs.array(v, compute), name=name) for v, name in ((x, "x"), (w, "w")))
    step = FactorsOfStep(factors, rng=np.random.default_rng(3)).begin({"w": b})
    y = multiplied(a, b, step, accumulator)
    found = gradients((y * Tensor(fs.array(g, compute), wanted=False)).sum(), {"x": a, "w": b})

    def expected(left, first, right, second, of_weight=False):
        return written_out(factors, left, (first, second), right, told, draws, of_weight, compute)

    assert same(y.value.values, expected(x, "activation", w, "weight"), compute)
    assert same(found["x"].values, expected(g, "gradient", w.T, "weight"), compute)
    assert same(found["w"].values, expected(x.T, "activation", g, "gradient", True), compute)


@pytest.mark.parametrize("text", first(4, TEXTS))
@pytest.mark.parametrize("name", first(2, SUMS))
def test_a_product_and_its_gradients_are_those_of_the_expression(text, name):
    check_product(Factors.of(text), None if name == "sequential" else accumulators.parse(name))


def test_hoppers_few_bits_are_promoted_every_so_many_products():
    hopper = accumulators.TensorCore("hopper")
    for text in ("fp8-current promote_every=32", "fp8-block block=32"):
        factors = Factors.of(text)
        check_product(factors, hopper, (3, 96, 4), NarrowFactors(hopper, (factors.forward, factors.backward)))


def test_promotion_makes_a_long_sum_on_hopper_more_accurate():
    rng = np.random.default_rng(0)
    x, w = np.abs(rng.standard_normal((8, 4096))), np.abs(rng.standard_normal((4096, 8)))
    a, b = (fs.array(np.asarray(v, "f4"), "bfloat16") for v in (x, w))
    errors = []
    for text in ("fp8-current", "fp8-current promote_every=128"):
        w = Tensor(b)
        step = FactorsOfStep(Factors.of(text)).begin({"w": w})
        exactly = multiplied(Tensor(a), w, step, accumulators.Blas()).value.values
        y = multiplied(Tensor(a), w, step, accumulators.TensorCore("hopper")).value.values
        errors.append(np.abs(y / exactly - 1).mean())
    assert errors[0] > 4 * errors[1]


def test_a_unit_that_multiplies_blocks_does_so():
    rng = np.random.default_rng(1)
    x, w = draw(3, 64, rng=rng), draw(64, 4, rng=rng)
    weight = Tensor(fs.array(w, "bfloat16"))
    step = FactorsOfStep(FACTORS["mxfp8"]).begin({"w": weight})
    unit = accumulators.TensorCore("blackwell")
    y = multiplied(Tensor(fs.array(x, "bfloat16")), weight, step, unit).value.values
    blocks = fs.blocks.quantize(x, "mxfp8"), fs.blocks.quantize(w, "mxfp8", axis=0)
    assert same(y, fs.round_to(fs.matmul(*blocks, "binary32", accumulator="blackwell"), "bfloat16"))


def test_a_convolution_multiplies_its_windows_and_a_stack_its_rows():
    rng, factors = np.random.default_rng(2), Factors.of("mxfp8")
    layer = Conv2d(2, 3, kernel=2)
    x, w = draw(2, 4, 3, 2, rng=rng), draw(2, 2, 2, 3, rng=rng)
    params = {"weight": Tensor(fs.array(w, "bfloat16")), "bias": Tensor(fs.array(np.zeros(3, "f4"), "bfloat16"))}
    with put_in_force(factors=FactorsOfStep(factors).begin(params)):
        y = layer(params, Tensor(fs.array(x, "bfloat16")), Products(accumulators.Blas())).value.values
    windows = np.array([x[i, r : r + 2, c : c + 2].reshape(-1) for i in range(2) for r in range(3) for c in range(2)])
    roles = "activation", "weight"
    expected = written_out(factors, windows, roles, w.reshape(8, 3), accumulators.Blas(), None)
    assert same(y.reshape(-1, 3), expected)
    stack = draw(2, 3, 4, rng=rng)
    weight = Tensor(fs.array(draw(4, 5, rng=rng), "bfloat16"))
    y = multiplied(Tensor(fs.array(stack, "bfloat16")), weight, FactorsOfStep(factors).begin({"w": weight}))
    assert y.shape == (2, 3, 5)
    expected = written_out(factors, stack.reshape(6, 4), roles, weight.value.values, None, None)
    assert same(y.value.values.reshape(6, 5), expected)


def test_products_of_two_activations_are_rounded_only_if_all_are():
    rng = np.random.default_rng(4)
    a, b = (Tensor(fs.array(draw(2, 3, 3, rng=rng), "bfloat16")) for _ in range(2))
    plain = a.matmul(b).value.values
    for products, equal in (("linear", True), ("all", False)):
        step = FactorsOfStep(Factors(products=products))
        found = multiplied(a, b, step.begin({})).value.values
        assert (found == plain).all() == equal
    assert list(step.order) == ["product 1"]


def test_stacks_of_two_activations_are_products_of_each_pair_of_matrices():
    rng, factors = np.random.default_rng(6), Factors.of("mxfp8 products=all")
    x, y, g = draw(2, 3, 40, rng=rng), draw(2, 40, 5, rng=rng), draw(2, 3, 5, rng=rng)
    a, b = (Tensor(fs.array(v, "bfloat16")) for v in (x, y))
    product = multiplied(a, b, FactorsOfStep(factors).begin({}))
    found = gradients((product * Tensor(fs.array(g, "bfloat16"), wanted=False)).sum(), {"a": a, "b": b})
    one, two = ("activation", "activation"), ("gradient", "activation")
    for i in range(2):
        assert same(product.value.values[i], written_out(factors, x[i], one, y[i], None, None))
        assert same(found["a"].values[i], written_out(factors, g[i], two, y[i].T, None, None))
        assert same(found["b"].values[i], written_out(factors, x[i].T, two[::-1], g[i], None, None))


def test_a_language_model_rounds_the_products_with_weights_and_those_of_attention_only_if_all_are():
    model = fs.learn.GPT(8, {"width": 8, "heads": 2, "blocks": 1, "context": 4})
    params = {name: Tensor(x, name=name) for name, x in model.init("bfloat16", rng=0).items()}
    linear = [f"block1.{part}.weight" for part in ("attention.query", "attention.key", "attention.value")]
    rest = ["block1.attention.out.weight", "block1.network.up.weight", "block1.network.down.weight", "embedding.weight"]
    for products, between in (("linear", []), ("all", ["product 1", "product 2"])):
        step = FactorsOfStep(Factors(products=products)).begin(params)
        with put_in_force(factors=step):
            model(params, np.zeros((2, 4), int))
        assert list(step.order) == [*linear, *between, *rest]


def test_products_in_an_island_and_in_a_layer_with_a_precision_of_its_own_stay_wide():
    rng = np.random.default_rng(5)
    a, b = (Tensor(fs.array(draw(3, 3, rng=rng), "bfloat16"), name=name) for name in "ab")
    plain, step = a.matmul(b).value.values, FactorsOfStep(Factors()).begin({"b": b})
    with put_in_force(factors=step), island("binary32"):
        assert (a.matmul(b).value.values == np.float32(a.value.values) @ b.value.values).all()
    assert (multiplied(a, b, step).value.values != plain).any()
    how = {"data": spirals(arms=2, points=32), "layers": (8,), "epochs": 1, "look_every": 1, "lr": 1e-2}
    policy = str(get_config("fp8-current").policy)
    seen = train("fp8-current", policy=f"{policy} layer1=binary32", **how).telemetry.surveys
    assert {name for kind, name in seen if kind.endswith("factor")} == {"layer2.weight"}


# --- delayed scaling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "scales"),
    [("max", [1, 448 / 2, 448 / 8, 448 / 8, 448 / 8, 448 / 4, 448 / 4]),
     ("most_recent", [1, 448 / 2, 448 / 8, 448 / 4, 448 / 4, 448 / 4, 448 / 4])],
)  # fmt: skip
def test_a_delayed_scale_comes_from_the_amax_of_the_steps_before(algorithm, scales):
    factors, amaxes = Factors("delayed", amax_history_len=3, amax_compute_algo=algorithm), {}
    weight = Tensor(fs.array(np.ones((1, 1), "f4"), "bfloat16"))
    # Zero and infinity keep the scale, and infinity stays in the history as long as any.
    for amax, scale in zip((2.0, 8.0, 4.0, 0.0, np.inf if algorithm != "max" else 0.0, 4.0, 4.0), scales, strict=True):
        step = FactorsOfStep(factors, amaxes).begin({"w": weight})
        y = multiplied(Tensor(fs.array(np.full((1, 1), amax, "f4"), "bfloat16")), weight, step)
        before = amaxes.get("w activation")
        assert (1.0 if before is None else before.values[0]) == scale
        # What is beyond 448 / scale saturates.
        kept = min(amax, 448 / scale) if amax else 0.0
        elements = fs.round_to(np.float32(kept * scale), "e4m3fn", saturate=True)
        own = amaxes.get("w weight")
        other = 1.0 if own is None else float(own.values[0])
        back = float(fs.divide(1.0, scale, "binary32")) * float(fs.divide(1.0, other, "binary32"))
        product = elements * fs.round_to(np.float32(other), "e4m3fn")
        assert same(y.value.values, [[fs.round_to(fs.multiply(product, back, "binary32"), "bfloat16")]])
        amaxes = step.next_amaxes()
        assert amaxes["w activation"].values[1] == np.float32(amax)


def test_a_history_forgets():
    factors, amaxes = Factors("delayed", amax_history_len=3), {}
    for amax in (9.0, 1.0, 2.0, 3.0, np.inf, np.nan, 5.0):
        step = FactorsOfStep(factors, amaxes, amax={"w gradient": amax})
        amaxes = step.next_amaxes()
        if amax == 3.0:
            assert amaxes["w gradient"].values.tolist()[1:] == [3, 2, 1]
            scale = amaxes["w gradient"].values[0]
            assert scale == np.float32(57344) / np.float32(3)
    assert amaxes["w gradient"].values[0] == scale  # infinity and NaN keep it while they are remembered
    assert np.isnan(amaxes["w gradient"].values[2])


def test_a_weight_that_is_used_twice_has_the_larger_amax():
    weight = Tensor(fs.array(np.ones((1, 1), "f4"), "bfloat16"))
    step = FactorsOfStep(Factors("delayed"), {}).begin({"w": weight})
    for amax in (2.0, 1.0):
        multiplied(Tensor(fs.array(np.full((1, 1), amax, "f4"), "bfloat16")), weight, step)
    assert step.amax == {"w activation": 2.0, "w weight": 1.0}


def test_scales_stay_in_binary32():
    assert scale_for(2.0**-140, Factors(), fs.E5M2) == float(fs.BINARY32.max_finite)
    assert scale_for(448.0, Factors(margin=3), fs.E4M3FN) == 2.0**-3
    assert scale_for(0.0, Factors(), fs.E4M3FN) == scale_for(np.nan, Factors(), fs.E4M3FN) == 1.0


# --- the record -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*FACTORS, *TEXTS, "fp8-delayed amax_compute_algo=most_recent amax_history_len=16"])
def test_the_text_and_the_plain_data_of_factors_are_read_back(text):
    factors = Factors.of(text)
    assert Factors.of(str(factors)) == factors
    config = Config("bfloat16", factors=factors, recipe="one")
    again = Config.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.factors == factors


def test_parts_alone_are_refused_beside_a_recipe_without_factors():
    with pytest.raises(ValueError, match="recipe='bfloat16-plain' has no factors that they could change; name what"):
        get_config("bfloat16-plain", factors="margin=1")
    for text in ("scaling=delayed margin=1", "fp8-delayed,margin=1"):
        assert get_config("bfloat16-plain", factors=text).factors == Factors.of(text)


def test_parts_alone_change_those_of_a_recipe():
    assert get_config("nvfp4", factors="hadamard=0").factors == replace(FACTORS["nvfp4"], hadamard=0)
    assert get_config("nvfp4", factors="mxfp8").factors == FACTORS["mxfp8"]
    assert get_config("nvfp4", factors="none").factors is None
    assert Config("bfloat16", factors="margin=1").factors == Factors(margin=1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("fp8", "factors='fp8': .*start with fp8-current"),
        ("fp8-current hadamard", "'hadamard' must be PART=VALUE, where PART is one of scaling"),
        ("nvfp4 hadamrad=0", "did you mean 'hadamard'"),
        ("nvfp4 hadamard=yes", "hadamard='yes' is not an integer"),
        ("nvfp4 hadamard=12", "size=12 has no Hadamard matrix"),
        ("nvfp4 square_weights=2", "square_weights='2' is not yes or no"),
        ("scaling=later", "scaling='later' is unknown; .*use current, delayed"),
        ("fp8-current amax_history_len=16", "amax_history_len=16 has no effect with scaling='current'"),
        ("mxfp8 margin=1", "margin=1 has no effect with scaling='mx'"),
        ("mxfp8 promote_every=128", "promote_every=128 has no effect with scaling='mx'"),
        ("fp8-delayed hadamard=16", "hadamard=16 with scaling='delayed': the history"),
        ("fp8-current forward=e2m1fn", "forward=e2m1fn with scaling='current': factors need zero, signs and NaN"),
        ("fp8-delayed amax_history_len=0", "amax_history_len=0 is out of range; use 1 to 100,000"),
        ("mxfp8 scale_rule=four_over_six", "scale_rule='four_over_six' is for e2m1fn"),
    ],
)
def test_impossible_factors_are_refused_by_name(given, says):
    with pytest.raises(ValueError, match=says):
        Factors.of(given)


@pytest.mark.parametrize("options", [{"margin": 1.5}, {"hadamard": True}, {"power_2_scale": 1}, {"block": "32"}])
def test_parts_of_another_type_are_refused(options):
    (name,) = options
    with pytest.raises(TypeError, match=f"^{name}="):
        Factors(**options)
    assert Factors("delayed", amax_history_len=np.int8(5)) == Factors("delayed", amax_history_len=5)


@pytest.mark.parametrize(
    ("policy", "given", "says"),
    [
        ("compute=bfloat16 operand=e4m3fn", "fp8-current", "both round the factors of products; leave one out"),
        ("compute=bfloat16 layer1:operand=e5m2", "mxfp8", "with a policy of layer1:operand=e5m2: both round"),
        ("compute=bfloat16 layer1:accumulator=hopper", "mxfp8", "accumulator='hopper' with factors=mxfp8"),
        ("binary64", "fp8-current", "with compute=binary64: factors are scaled in binary32"),
        ("binary16", "fp8-current forward=bfloat16", "bfloat16 does not fit in it"),
        ("compute=bfloat16 accumulator=hopper", "mxfp8", "accumulator='hopper' with factors=mxfp8"),
        ("compute=bfloat16 accumulator=blackwell", "mxfp8 backward=e5m2", "accumulator='blackwell' with factors"),
    ],
)
def test_factors_that_do_not_go_with_a_policy_are_refused_by_name(policy, given, says):
    with pytest.raises(ValueError, match=says):
        Config(policy, factors=given)


def test_finding_the_wide_layers_draws_no_number_of_the_step():
    rng, layers = np.random.default_rng(0), [fs.learn.Linear(8, 8), fs.learn.Dropout(0.5), fs.learn.Linear(8, 4)]
    x, y = rng.standard_normal((8, 8)), np.arange(8) % 4
    data = fs.learn.Samples("rows", x, y, x, y)
    how = {"model": layers, "data": data, "batch": 8, "factors": "wide_last=1 stochastic_gradients=yes"}
    engine = fs.learn.run.engine.Engine(get_config("fp8-current", **how), data)
    losses = [engine.graph(engine.start(), np.arange(8))[0].value.item() for _ in range(2)]
    assert losses[0] == losses[1]


def test_wide_layers_are_the_last_ones_and_at_least_one_product_is_rounded():
    how = {"layers": (8, 8), "epochs": 1, "look_every": 1, "lr": 1e-2}
    seen = train("nvfp4", data=spirals(arms=2, points=32), **how).telemetry.surveys
    assert sorted({name for kind, name in seen if kind.endswith("factor")}) == ["layer1.weight", "layer2.weight"]
    with pytest.raises(ValueError, match="wide_last=3 of the factors leaves no product of the model to round"):
        train("nvfp4", data=spirals(arms=2, points=32), factors="wide_last=3", **how)


# --- in a run -------------------------------------------------------------------------------------------------------

DELAYED = "fp8-delayed amax_compute_algo=most_recent"


def with_an_outlier():
    """A run in which the inputs of one step are 64 times as large as those of the others."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((128, 8))
    x[37] *= 64
    how = {"model": [fs.learn.Linear(8, 4)], "data": (x, np.arange(128) % 4), "batch": 8, "epochs": 1, "look_every": 1}
    return train("fp8-delayed", factors=DELAYED, lr=1e-3, **how)


def test_an_amax_that_jumped_is_seen_and_diagnosed():
    history = with_an_outlier()
    rows = [row for row in history.telemetry.rows if row.kind == "activation factor"]
    saturated = {row.step: row.overflowed for row in rows if row.overflowed and row.step > 1}
    (advice,) = (one for one in fs.learn.diagnose(history) if one.topic == "delayed scale")
    worst = max(saturated, key=lambda step: saturated[step])
    assert str(advice).startswith(
        f"At step {worst} amax jumped: the delayed scale saturated {saturated[worst]} of 64 activation factors of "
        "linear1.weight. "
    )
    changed = advice.change["factors"]
    assert str(advice).endswith(f'Try --factors "{changed}".')
    assert changed == Factors.of("fp8-current") or changed.margin > 0


def test_current_scales_never_saturate_and_gradients_that_vanish_in_e4m3fn_are_said():
    how = {"data": spirals(arms=2, points=64), "layers": (16,), "epochs": 40, "batch": 64, "look_every": 20, "lr": 0.1}
    history = train("fp8-current", factors="backward=e4m3fn", **how)
    assert not any(row.overflowed for row in history.telemetry.rows if row.kind.endswith("factor"))
    seen = history.telemetry.surveys["gradient factor", "layer2.weight"]
    assert (seen.fmt, seen.fate().overflowed) == (fs.E4M3FN, 0)
    topics = {advice.topic: advice for advice in fs.learn.diagnose(history)}
    assert topics["vanished factors"].change == {"factors": Factors.of("fp8-current")}


@pytest.mark.parametrize("recipe", ["fp8-current", "nvfp4"])
def test_the_factors_of_all_micro_batches_are_seen_though_the_products_of_earlier_ones_are_gone(recipe):
    step = FactorsOfStep(replace(fs.learn.FACTORS[recipe], wide_last=0), examined=True)
    x, w = (Tensor(fs.array(np.ones((16, 16)), "bfloat16")) for _ in range(2))
    for _ in range(9):
        step.begin({"w": w}).product(x, w).forward(x.value, w.value)
    assert [seen.role for seen in step.seen] == ["activation", "weight"] * 9


def test_the_factors_of_blocks_are_counted_after_their_scales():
    how = {"data": spirals(arms=2, points=64), "layers": (32,), "epochs": 1, "look_every": 1}
    for text, saturates in (("mxfp8", True), ("mxfp8 scale_rule=rceil", False)):
        surveys = train("mxfp8", factors=text, lr=1e-2, **how).telemetry.surveys
        found = [seen for (kind, _), seen in surveys.items() if kind.endswith("factor")]
        assert (sum(seen.fate().overflowed for seen in found) > 0) == saturates
        assert all(seen.highest <= 8 for seen in found)


def test_predictions_take_scales_of_their_own_batch():
    data = spirals(arms=2, points=32)
    history = train("fp8-delayed", data=data, layers=(8,), epochs=2, lr=1e-2)
    engine = fs.learn.run.engine.Engine(history.config, data)
    found = engine.predict(history.params, data.test_images)
    current = fs.learn.run.engine.Engine(replace(history.config, factors="fp8-current"), data)
    assert same(found, current.predict(history.params, data.test_images))


def test_costs_count_narrow_factors_and_what_is_remembered():
    wide = get_config("fp8-current", factors="none")
    plain, scaled, delayed, small = (
        fs.learn.costs(replace(wide, factors=factors)) for factors in (None, "fp8-current", "fp8-delayed", "nvfp4")
    )
    assert plain.multiply_adds == scaled.multiply_adds == delayed.multiply_adds
    # x, w and g of both layers are converted once; the first layer's input needs no gradient.
    inputs, weights, outputs = 32 * (64 + 32), 64 * 32 + 32 * 10, 32 * (32 + 10)
    assert scaled.elementwise - plain.elementwise == inputs + weights + outputs
    assert delayed.checkpoint - scaled.checkpoint == 2 * 3 * 4 * 1025
    assert small.elementwise > scaled.elementwise  # blocks along two axes
    bits = [Factors.of(text).bits("weight") for text in ("fp8-current", "mxfp8", "nvfp4", "nvfp4 square_weights=no")]
    assert Factors.of("fp8-current hadamard=16").conversions("gradient") == 2  # transformed, and not
    assert bits == [8, 8.25, 4 + 8 / 256, 4.5]
