"""What people reported from the field: the page of the manual is made of this table, and a test runs each row.

`python -m tests.field_cases`, in the repository, writes the page.
"""

import contextlib
import io
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import fp16sim as fs

PAGE = Path(__file__).parents[1] / "tutorials" / "reference" / "field_cases.md"


@dataclass(frozen=True)
class Case:
    """A computation that failed, and three lines or fewer that name the cause.

    Attributes
    ----------
    title : str
        What was computed.
    seen : str
        What went wrong, in a sentence.
    lines : str
        What one has to write: Python, with `fs` and `np`; at most three lines.
    cause : str
        What the output must contain, blanks and line ends apart.
    source : str
        Where it was reported; "" for our own.
    program : str
        The program that fails, unchanged, if the lines call it.
    slow : bool
        Whether it takes more than half a second.
    """

    title: str
    seen: str
    lines: str
    cause: str
    source: str
    program: str = ""
    slow: bool = False

    @property
    def tool(self) -> str:
        """The instrument that names the cause."""
        for name in ("trace", "explain", "learn.inspect", "learn.diagnose", "learn.check", "record_flags"):
            if f"fs.{name}" in self.lines:
                return name.removeprefix("learn.")
        raise AssertionError(f"{self.title} uses no instrument")

    def output(self) -> str:
        """What the lines print, in an empty folder; an error is printed as Python prints its last line."""
        printed, here = io.StringIO(), Path.cwd()
        with TemporaryDirectory() as folder, contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            os.chdir(folder)
            try:
                code = f"{self.program}{self.lines}\n"
                Path("case.py").write_text(code, encoding="utf-8")  # the trace shows the lines of files
                exec(compile(code, str(Path("case.py").resolve()), "exec"), {"fs": fs, "np": np})
            except ValueError as error:
                print(f"ValueError: {error}")
            finally:
                os.chdir(here)
        return printed.getvalue()


@dataclass(frozen=True)
class Fault:
    """A fault of a library or a processor, which no change of the user's computation removes."""

    title: str
    seen: str
    source: str


CASES = (
    Case(
        "Adam where a gradient is 0",
        "In binary16 the step is 0/0 and the weight NaN: epsilon 1e-8 has become 0.",
        'print(fs.trace.wrap(step, "binary16")(1.0, 0.0, 0.0))',
        "the constant 1e-08 becomes 0",
        "https://github.com/google-deepmind/optax/issues/1754",
        "def step(weight, moment, second_moment):\n"
        "    return weight - 0.001 * moment / (np.sqrt(second_moment) + 1e-8)\n\n\n",
    ),
    Case(
        "Adam with constants in float64",
        "A run in binary16 dies at its first step, though epsilon itself is not rounded.",
        'print(*fs.learn.check("pure-binary16", constants="binary64"))',
        "sqrt(0) + epsilon=1e-08 is 0 in binary16: the step of a gradient of 0 is 0 / 0. Try --epsilon 0.0001.",
        "https://discuss.pytorch.org/t/adam-half-precision-nans/1765",
    ),
    Case(
        "A mask that subtracts 1e10",
        "Every score is NaN: 1e10 is infinity in binary16, and infinity times 0 is NaN.",
        "scores, mask = np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0])\n"
        'print(fs.trace.wrap(masked, "binary16")(scores, mask))',
        "the constant 1e+10 becomes inf",
        "https://github.com/huggingface/transformers/issues/382",
        "def masked(scores, mask):\n    return scores * mask - 1e10 * (1 - mask)\n\n\n",
    ),
    Case(
        "RMSNorm of activations with one 300",
        "Every output is 0, because the square of 300 is infinite in binary16. A wider sum does not help.",
        'x = np.append(np.random.default_rng(0).normal(size=4095), 300.0)\nprint(fs.learn.inspect(x, "binary16"))',
        "1 value of 256 or more overflows when squared: a norm, a variance or a mean of squares is infinite.",
        "https://github.com/meta-llama/llama/issues/1048",
    ),
    Case(
        "LayerNorm of activations of some hundreds",
        "Every output is 0: the variance is infinite.",
        'x = np.random.default_rng(0).normal(0, 300, 128)\nprint(fs.trace.wrap(layer_norm, "binary16")(x))',
        "cure: divide by the largest magnitude before squaring, and multiply the root by it",
        "https://github.com/facebookresearch/ConvNeXt/issues/80",
        "def layer_norm(x):\n    centred = x - np.mean(x)\n"
        "    return centred / np.sqrt(np.mean(centred**2) + 1e-5)\n\n\n",
    ),
    Case(
        "Time steps of a diffusion model in bfloat16",
        "Different steps become the same number.",
        'print(fs.learn.inspect([999.3986, 988.4937, 987.1741, 998.3897], "bfloat16"))',
        "4 distinct values become 2. At 999.4 the numbers of bfloat16 are 4 apart.",
        "https://github.com/modelscope/DiffSynth-Studio/issues/562",
    ),
    Case(
        "A noise level times 1000 in bfloat16",
        "0.97826087 times 1000 is 976, and the model is asked for another time step.",
        'print(fs.explain.multiply("0.97826087", 1000, "bfloat16"))',
        "Between 2^9 and 2^10 one ulp is 4.",
        "https://github.com/Tencent-Hunyuan/UniRL/pull/438",
    ),
    Case(
        "Ids in a tensor of bfloat16",
        "Of the ids 0 to 511, 127 are lost.",
        'print(fs.learn.inspect(range(512), "bfloat16"))',
        "512 distinct values become 385. If they are ids, indices or positions, keep them as integers.",
        "https://github.com/Nerogar/OneTrainer/issues/1177",
    ),
    Case(
        "Weight decay in bfloat16",
        "No weight decays.",
        'how = {"optimizer": "adamw", "lr": 1e-4, "weight_decay": 0.01, "constants": "binary64"}\n'
        'print(*fs.learn.check("pure-bfloat16", **how))',
        "Weight decay alone leaves 100% of the initial weights unchanged",
        "https://github.com/Nerogar/OneTrainer/issues/996",
    ),
    Case(
        "A moving average of weights with decay 0.999",
        "The average stays at its first value for ever.",
        'print(fs.trace.wrap(average, "binary16")(1.0, [1.05] * 40))',
        "40 addends changed nothing (absorption)",
        "https://github.com/d8ahazard/sd_dreambooth_extension/pull/1417",
        "def average(mean, numbers):\n    for x in numbers:\n"
        "        mean = mean - (1 - 0.999) * (mean - x)\n    return mean\n\n\n",
    ),
    Case(
        "Gradients accumulated in bfloat16",
        "However many gradients of 0.001 there are, their sum stays at 0.5.",
        'print(fs.explain.sum([1e-3] * 520, "bfloat16"))',
        "additions leave the sum as it was (absorption), the first in",
        "https://github.com/deepspeedai/DeepSpeed/issues/1800",
    ),
    Case(
        "Clipping a gradient of 300",
        "The gradient becomes 0 instead of 1: its norm is infinite.",
        'print(fs.trace.wrap(clip, "binary16")(np.array([300.0]), 1.0))',
        "gradient**2 (element 0): 300 * 300 = inf, should be 90000",
        "https://github.com/tracel-ai/burn/issues/5699",
        "def clip(gradient, limit):\n    norm = np.sqrt(np.sum(gradient**2))\n"
        "    return gradient * np.minimum(1.0, limit / (norm + 1e-6))\n\n\n",
    ),
    Case(
        "Clipping gradients that carry a loss scale",
        "Every step is 0, and nothing is said: multiplied by the loss scale, the gradients have an infinite norm.",
        'print(fs.explain.norm(1024 * np.array([0.3, -0.02, 0.1]), "binary16"))',
        "s0 = x0 × x0 is the first step that is not finite: inf.",
        "https://github.com/facebookresearch/fairscale/pull/263",
    ),
    Case(
        "A loss scale that only falls",
        "Dynamic loss scaling skips step after step.",
        'print(*fs.learn.diagnose(fs.learn.train("mixed-binary16", lr=30, epochs=6)))',
        "steps were skipped that no loss scale could have saved. Try --lr 0.001.",
        "https://github.com/ymcui/Chinese-LLaMA-Alpaca/issues/534",
    ),
    Case(
        "The logarithm of a softmax",
        "The loss is infinite.",
        'print(fs.explain.softmax([0, 18, 5], "binary16"))',
        "y0 became 0, though y0 is 1.52299...e-08 exactly; its logarithm would be -infinity.",
        "https://github.com/NVIDIA/apex/issues/379",
    ),
    Case(
        "A cosine by the product of squared norms",
        "The similarity of a vector of 512 numbers with itself is 0.",
        'a = np.random.default_rng(0).normal(size=512)\nprint(fs.trace.wrap(cosine, "binary16")(a, a))',
        "cure: write x / sqrt(a) / sqrt(b) for x / sqrt(a b)",
        "https://github.com/pytorch/pytorch/issues/69512",
        "def cosine(a, b):\n    return np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b))\n\n\n",
    ),
    Case(
        "A residual connection",
        "60600 and a residual of the same size add up to infinity.",
        'print(fs.explain.add(60600, 60600, "binary16"))',
        "overflow: the rounded result is beyond max_finite.",
        "https://github.com/huggingface/transformers/issues/12225",
    ),
    Case(
        "A cumulative sum in float16",
        "It stops at 2048.",
        'np.random.seed(1)\nx = np.random.uniform(0, 1, 20_000)\nprint(fs.trace.wrap(np.cumsum, "binary16")(x))',
        "addends changed nothing (absorption)",
        "https://github.com/numpy/numpy/issues/24443",
    ),
    Case(
        "The mean of 60000 and 60000",
        "It is infinite: the sum is.",
        'print(fs.explain.mean([60000, 60000], "binary16"))',
        "s1 = x0 + x1 is the first step that is not finite: inf.",
        "https://github.com/pandas-dev/pandas/pull/64791",
    ),
    Case(
        "The range of a histogram",
        "From -30000 to 35504 the width is infinite.",
        'print(fs.explain.subtract(35504, -30000, "binary16"))',
        "overflow: the rounded result is beyond max_finite.",
        "https://github.com/numpy/numpy/issues/22238",
    ),
    Case(
        "The variance of many numbers of float16",
        "It is infinite or far too small: the squares are added in float16.",
        'x = np.random.default_rng(0).normal(size=20_000)\nprint(fs.trace.wrap(np.var, "binary16")(x))',
        "addends changed nothing (absorption)",
        "https://github.com/numpy/numpy/issues/21941",
    ),
    Case(
        "465 cast to E4M3",
        "One library gives NaN, another 448: the format has no infinity, and an overflow may be treated in two ways.",
        'print(fs.explain.rounding(465, "e4m3fn"))',
        "has no infinity",
        "https://github.com/jax-ml/ml_dtypes/issues/400",
    ),
    Case(
        "A sum that is a tie in bfloat16",
        "By hand, half an ulp was always rounded up.",
        'print(fs.explain.add(-2.40625, -2.296875, "bfloat16"))',
        "The kept digits end in 0, which is even, so they stay: ties go to even.",
        "https://github.com/ucker/why-low-precision-training-fails/issues/1",
    ),
    Case(
        "Texture coordinates in medium precision",
        "The part of a texel below 1 is lost before the offset is subtracted.",
        'print(fs.explain.add(1023, "1/32", "binary16"))',
        "Absorption: b = 0.03125 is too small to change a",
        "https://github.com/hulkholden/n64js/issues/196",
    ),
    Case(
        "A product of E4M3 numbers on Hopper",
        "Terms below 2^-13 of the largest are lost, though the accumulator is said to have 32 bits.",
        'print(fs.explain.dot([256, 2.0**-6], [1, 1], "e4m3fn", accumulator="hopper"))',
        "0.015625 is cut off",
        "https://github.com/deepseek-ai/DeepGEMM/issues/37",
    ),
    Case(
        "A .npy file of bfloat16",
        "NumPy stores no name of the format, so that readers refuse it or read bytes.",
        'np.save("x.npy", fs.encode([1.0, 2.0], "bfloat16").astype(np.uint16).view("V2"))\n'
        'print(fs.learn.inspect("x.npy"))',
        "dtype=|V2 does not say which format its codes have; if it is bfloat16, say so with read_as='bfloat16'",
        "https://github.com/jax-ml/ml_dtypes/issues/41",
    ),
    Case(
        "A .npz file with one array of E5M2",
        "The whole file was refused for it.",
        'np.savez("x.npz", a=np.ones(3, np.float32), b=np.zeros(3, "V1"))\nprint(fs.learn.inspect("x.npz"))',
        "b is skipped: dtype=|V1 does not say which format its codes have",
        "https://github.com/jax-ml/ml_dtypes/issues/216",
    ),
    Case(
        "A .npz file with an array of Python objects",
        "The whole file was refused for it.",
        'np.savez("x.npz", a=np.ones(3, np.float32), b=np.array([None]))\nprint(fs.learn.inspect("x.npz"))',
        "b is skipped: dtype=|O stands for Python objects or structures, which are never opened",
        "",
    ),
)
"""Causes that lie in the computation."""

FAULTS = (
    Fault(
        "float32 to float16 at ties of subnormals",
        "Ties were not rounded to even.",
        "https://github.com/numpy/numpy/issues/22704",
    ),
    Fault(
        "nextafter of float16 at zeros and infinities",
        "The neighbour of a zero, and of infinity, was wrong.",
        "https://github.com/numpy/numpy/issues/31472",
    ),
    Fault(
        "Infinity cast to E4M3FNUZ",
        "The reference gave 240; the specification says NaN.",
        "https://github.com/onnx/onnx/issues/6220",
    ),
    Fault(
        "float64 just below a power of two, stored as float16",
        "The exponent was taken from a rounded logarithm.",
        "https://github.com/h5py/h5py/issues/819",
    ),
    Fault(
        "fma of binary32, computed through binary64",
        "It rounds twice: 4097 × 4097 + 2^-30 loses its last bit.",
        "https://github.com/triton-lang/triton/issues/11610",
    ),
    Fault(
        "A quotient that rounds up to min_normal",
        "A divider in hardware gave another code.",
        "https://github.com/openhwgroup/cva6/issues/242",
    ),
)
"""Causes that lie in a library or in hardware."""


def squeezed(text: str) -> str:
    """The text with single blanks, so that line ends do not matter."""
    return " ".join(text.split())


INTRODUCTION = """# Cases from the field

What people have reported about 16 and 8 bits, and how to find out why. {yours} of {all} reports have their cause in the
computation; for each of these, three lines of Python or fewer name it. The other {faults} are faults of libraries and
of hardware, which [the audit](audit.md) finds.

The lines below need `import numpy as np` and `import fp16sim as fs`. A test runs every row of this page, and compares
what is quoted here with what is printed.
"""


def page() -> str:
    """The page of the manual."""
    head = INTRODUCTION.format(yours=len(CASES), all=len(CASES) + len(FAULTS), faults=len(FAULTS))
    rows = [f"| [{case.title}](#{anchor(case.title)}) | `{case.tool}` | {_linked(case.source)} |" for case in CASES]
    table = "\n".join(["| computation | named by | reported |", "| --- | --- | --- |", *rows])
    faults = "\n".join(f"- {one.title}: {one.seen} {_linked(one.source)}" for one in FAULTS)
    return "\n".join([head, table, "", *map(_section, CASES), "## Faults of libraries and hardware", "", faults, ""])


def anchor(title: str) -> str:
    """The fragment that GitHub gives a heading."""
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _section(case: Case) -> str:
    seen, printed = (textwrap.fill(text, 118) for text in (case.seen, case.cause))
    quoted = textwrap.indent(printed, "> ").replace("*", "\\*")
    code = f"```python\n{case.program}{case.lines}\n```"
    return f"## {case.title}\n\n{seen}\n\n{code}\n\nprints, among other lines:\n\n{quoted}\n"


def _linked(source: str) -> str:
    name = source.removeprefix("https://").removeprefix("github.com/").replace("/issues/", " #").replace("/pull/", " #")
    return f"[{name.split('/t/')[0]}]({source})" if source else "our own"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
