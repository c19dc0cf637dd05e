"""Papers about training: gradients that become 0, updates without effect, and models cast to blocks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..blocks import quantize
from ..conversion import Array
from ..learn import Dataset, History, load_digits, train
from ..sweeps import Results
from .claims import Paper, Quantity
from .judging import bounded, difference, extreme, quantity, ratio

# --- gradients ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def trained(epochs: int, rng: int) -> History:
    """An MLP 64-32-10 on the bundled digits, in binary32."""
    return train("pure-binary32", epochs=epochs, lr=1e-2, rng=rng)


def lost_gradients(scale: int, rng: int, epochs: int = 20) -> dict[str, float]:
    """The part of the nonzero gradients in the graph that binary16 makes 0 under a loss scale, and that overflows."""
    surveys = trained(epochs, rng).telemetry.surveys
    seen = [survey.exponents for (kind, _), survey in surveys.items() if kind.endswith("gradient")]
    total, shift = sum(sum(exponents.values()) for exponents in seen), scale.bit_length() - 1
    lost = sum(n for exponents in seen for e, n in exponents.items() if e + shift < LOWEST)
    beyond = sum(n for exponents in seen for e, n in exponents.items() if e + shift > 15)
    return {"lost": lost / total, "overflowed": beyond / total}


LOWEST = -25
"""A number of binary16 below 2^-25 becomes 0."""


def judge_gradients(results: Results) -> tuple[Quantity, ...]:
    """Some are lost without a scale, and most of them are saved by a usual one."""
    most = max(row.place["scale"] for row in results.rows)
    return (
        bounded(
            "gradients that become 0 without a loss scale",
            *quantity(results, "lost", scale=1),
            above=0.01,
            claim="5 % in one network",
        ),
        bounded(
            f"with the loss scale {most:,}: lost / lost without",
            *ratio(results, "lost", {"scale": most}, {"scale": 1}),
            below=0.25,
            claim="most are saved",
        ),
        bounded("largest part that overflows", extreme(results, "overflowed"), below=1e-12, published="none"),
    )


# --- updates --------------------------------------------------------------------------------------------------------


def updates(recipe: str, rng: int, epochs: int = 20, lr: float = 1e-3) -> dict[str, float | str]:
    """The accuracy after a training in which all else is bfloat16, or binary32."""
    history = train(recipe, epochs=epochs, lr=lr, rng=rng)
    if history.death is not None:
        return {"died": history.death.reason}
    accuracy, loss = history.epochs[-1].test_accuracy, history.epochs[-1].loss
    assert accuracy is not None
    assert loss is not None
    return {"accuracy": accuracy, "loss": loss}


RECIPES = ("pure-binary32", "bfloat16-plain", "bfloat16-kahan", "bfloat16-stochastic")


def judge_updates(results: Results) -> tuple[Quantity, ...]:
    """Nearest rounding of updates costs loss; Kahan's and stochastic updates win it back."""
    wide = {"recipe": "pure-binary32"}
    return (
        bounded(
            "loss of plain bfloat16 / of binary32",
            *ratio(results, "loss", {"recipe": "bfloat16-plain"}, wide),
            above=1.25,
            claim="worse",
        ),
        *(
            bounded(
                f"loss of {name} / of binary32",
                *ratio(results, "loss", {"recipe": name}, wide),
                above=0.8,
                below=1.25,
                claim="as binary32",
            )
            for name in RECIPES[2:]
        ),
        *(
            bounded(
                f"accuracy of {name} less that of binary32",
                *difference(results, "accuracy", {"recipe": name}, wide),
                above=-0.01,
                below=0.01,
                claim="-0.001 to 0.002",
            )
            for name in RECIPES[2:]
        ),
    )


# --- blocks ---------------------------------------------------------------------------------------------------------


def direct_cast(block: str, scale_rule: str, rng: int, epochs: int = 20) -> dict[str, float]:
    """The test accuracy of a network trained in binary32 whose factors of products are cast to blocks, less its own.

    "signal_to_noise_in_dB" is the ratio of signal to noise of 2^16 normal numbers that are cast in the same way.
    """
    history, data = trained(epochs, rng), load_digits()
    exact, cast = (_accuracy(history, data, block, scale_rule if used else None) for used in (False, True))
    x = np.random.default_rng(rng).normal(size=(2048, 32))
    noise = np.mean((quantize(x, block, scale_rule=scale_rule).values - x) ** 2)
    return {"accuracy": cast - exact, "signal_to_noise_in_dB": 10 * float(np.log10(np.mean(x**2) / noise))}


def _accuracy(history: History, data: Dataset, block: str, rule: str | None) -> float:
    """On the test images, in binary64 but for the factors of products."""

    def product(x: Array, w: Array) -> Array:
        if rule is None:
            return np.asarray(x @ w)
        left, right = quantize(x, block, scale_rule=rule).values, quantize(w, block, axis=0, scale_rule=rule).values
        return np.asarray(left.astype(np.float64) @ right)

    p = {name: np.asarray(value.values, np.float64) for name, value in history.params.items()}
    hidden = np.maximum(product(data.test_images, p["layer1.weight"]) + p["layer1.bias"], 0)
    logits = product(hidden, p["layer2.weight"]) + p["layer2.bias"]
    return float(np.mean(logits.argmax(axis=1) == data.test_labels))


def judge_blocks(results: Results) -> tuple[Quantity, ...]:
    """Elements of 8 and 6 bits lose almost nothing, those of 4 bits do; a scale that is rounded up is better."""
    return (
        *(
            bounded(
                f"{block}: accuracy less that of binary32",
                *quantity(results, "accuracy", block=block, scale_rule="floor"),
                above=-0.01,
                below=0.01,
                claim="little loss",
            )
            for block in ("mxint8", "mxfp8", "mxfp6")
        ),
        bounded(
            "mxfp4: accuracy less that of binary32",
            *quantity(results, "accuracy", block="mxfp4", scale_rule="floor"),
            below=-0.01,
            claim="much loss",
        ),
        bounded(
            "mxfp8, rule rceil less rule floor: signal to noise, in dB",
            *difference(
                results, "signal_to_noise_in_dB", {"scale_rule": "rceil"}, {"scale_rule": "floor"}, block="mxfp8"
            ),
            above=0.0,
            claim="Mishra (2025): better",
        ),
    )


HERE = "fp16sim.papers.training"
RULES = ("floor", "even", "ceil", "rceil")

PAPERS = (
    Paper(
        "lost-gradients",
        "Micikevicius et al. (2018), Mixed precision training",
        "https://arxiv.org/abs/1710.03740",
        "Some gradients are so small that binary16 makes them 0: in one network 5 % of the weight gradients were below "
        "2^-24. A loss scale saves enough of them for the accuracy of binary32.",
        f"{HERE}:lost_gradients",
        {
            "minute": {"scale": (1, 8, 1024), "rng": tuple(range(3))},
            "full": {"scale": tuple(2**k for k in range(0, 16, 3)), "rng": tuple(range(10))},
        },
        judge_gradients,
        "lost",
        "An MLP on 8 x 8 digits, not the paper's networks, and all gradients in the graph, not those of weights alone. "
        "We count the gradients that become 0, those below 2^-25.",
    ),
    Paper(
        "bfloat16-updates",
        "Zamirai, Zhang, Aberger, De Sa (2020), Revisiting bfloat16 training",
        "https://arxiv.org/abs/2010.06192",
        "With all numbers in bfloat16, rounding to nearest loses small updates and the model is worse. With Kahan "
        "summation or stochastic rounding of updates, accuracies are 0.1 % lower to 0.2 % higher than in binary32.",
        f"{HERE}:updates",
        {
            "minute": {"recipe": RECIPES, "rng": tuple(range(3)), "epochs": (10,)},
            "full": {"recipe": RECIPES, "rng": tuple(range(10)), "epochs": (5, 10, 20, 40)},
        },
        judge_updates,
        "loss",
        "An MLP on 8 x 8 digits with the learning rate 0.001, not the paper's seven applications. One test image is "
        "0.28 % of our accuracy, so accuracies within 1 % count as equal.",
    ),
    Paper(
        "mx-blocks",
        "Rouhani et al. (2023), Microscaling data formats for deep learning",
        "https://arxiv.org/abs/2310.10537",
        "A trained model can be cast to MXINT8, MXFP8 and MXFP6 with little loss, and not to MXFP4. The paper rounds "
        "scales down (rule floor).",
        f"{HERE}:direct_cast",
        {
            "minute": {
                "block": ("mxint8", "mxfp8", "mxfp6", "mxfp4"),
                "scale_rule": ("floor", "rceil"),
                "rng": tuple(range(3)),
            },
            "full": {
                "block": ("mxint8", "mxfp8", "mxfp8_e5m2", "mxfp6", "mxfp6_e3m2", "mxfp4", "nvfp4"),
                "scale_rule": RULES,
                "rng": tuple(range(10)),
            },
        },
        judge_blocks,
        "signal_to_noise_in_dB",
        "An MLP on 8 x 8 digits, an easier task than those of the paper. The ratio of signal to noise is that of "
        "normal numbers. That scales should be rounded up in MXFP8 is a claim of Mishra et al. (2025), Recipes for "
        "pre-training LLMs with MXFP8.",
    ),
)
