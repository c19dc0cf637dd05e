"""A program for a machine with a GPU: it asks the machine all probes and writes its answers. It needs no fp16sim."""

from __future__ import annotations

import json

from ..formats import BINARY16, BINARY32, FormatLike, get_format
from .answers import SCHEMA
from .probes import LONGEST, probes

DTYPES = {
    "binary16": "float16",
    "bfloat16": "bfloat16",
    "tf32": "float32",
    "e4m3fn": "float8_e4m3fn",
    "e5m2": "float8_e5m2",
    "e4m3fnuz": "float8_e4m3fnuz",
    "e5m2fnuz": "float8_e5m2fnuz",
}
"""PyTorch's types of the factors."""

PROGRAM = '''"""Asks a matrix unit {count} dot products of {factors} factors, and writes its answers to a file.

    python probe.py answers.json

It needs PyTorch with Triton and a GPU; without them it stops, and says so. To ask another machine, or to use CUDA of
your own, let `choose` return another function: it takes lists a and b of {longest} numbers and a number c, and returns
c + the sum of a[k] * b[k] as one instruction after the other computes it, in {output}. Where fp16sim is installed,
fp16sim hardware --fit answers.json then says which model explains the answers.
"""

import json
import sys

FACTORS, OUTPUT, LONGEST = "{factors}", "{output}", {longest}
PROBES = json.loads(r"""{probes}""")  # for each: [[place, a, b], ...] and c, as hexadecimal floats


def triton_machine():
    """tl.dot with c as its accumulator: one matrix instruction after the other along the {longest} products."""
    import torch
    import triton
    import triton.language as tl

    @triton.jit
    def kernel(a, b, c, out, K: tl.constexpr, STEP: tl.constexpr):
        i, j = tl.arange(0, 16), tl.arange(0, 16)
        total = tl.load(c + i[:, None] * 16 + j[None, :])
        for k in range(0, K, STEP):
            n = k + tl.arange(0, STEP)
            left = tl.load(a + i[:, None] * K + n[None, :])
            right = tl.load(b + n[:, None] * 16 + j[None, :])
            total = tl.dot(left, right, total{precision}, max_num_imprecise_acc=K, out_dtype=total.dtype)
        tl.store(out + i[:, None] * 16 + j[None, :], total)

    dtype, out_dtype = torch.{dtype}, torch.{out_dtype}

    def machine(a, b, c):
        left = torch.tensor([a] * 16, dtype=torch.float32).to(dtype).cuda().contiguous()
        right = torch.tensor([[x] * 16 for x in b], dtype=torch.float32).to(dtype).cuda().contiguous()
        total = torch.full((16, 16), c, dtype=out_dtype, device="cuda")
        out = torch.empty_like(total)
        kernel[(1,)](left, right, total, out, K=LONGEST, STEP=LONGEST)
        return float(out[0, 0])

    return machine, torch.cuda.get_device_name()


def choose():
    """The machine to ask, and its name."""
    try:
        return triton_machine()
    except Exception as error:
        sys.exit("no GPU to ask (%s: %s); let `choose` return your own function" % (type(error).__name__, error))


def numbers(terms):
    a, b = [0.0] * LONGEST, [0.0] * LONGEST
    for place, x, y in terms:
        a[place], b[place] = float.fromhex(x), float.fromhex(y)
    return a, b


def main(path):
    machine, name = choose()
    answers = [float(machine(*numbers(terms), float.fromhex(c))).hex() for terms, c in PROBES]
    with open(path, "w") as file:
        found = {{"schema": "{schema}", "machine": name, "factors": FACTORS, "output": OUTPUT, "answers": answers}}
        json.dump(found, file)
    print("%d answers of %s are in %s" % (len(answers), name, path))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "answers.json")
'''


def script(factors: FormatLike = "binary16", output: FormatLike = "binary32") -> str:
    """The text of the program; `fit` reads the file that it writes.

    Parameters
    ----------
    factors : Format, str or dtype
        One that PyTorch has, or tf32.
    output : {"binary32", "binary16"}

    Raises
    ------
    ValueError
        For another format.

    Examples
    --------
    >>> program = script("e4m3fn")
    >>> 'dtype, out_dtype = torch.float8_e4m3fn, torch.float32' in program
    True
    """
    fmt, out = get_format(factors), get_format(output)
    if fmt.name not in DTYPES:
        raise ValueError(f"factors={fmt.name} is not a type of PyTorch; use one of {', '.join(DTYPES)}")
    if out not in (BINARY16, BINARY32):
        raise ValueError(f"output={out.name}: matrix units give binary32 or binary16 here; use one of them")
    asked = [[[[place, x.hex(), y.hex()] for place, x, y in probe.terms], probe.c.hex()] for probe in probes(fmt, out)]
    return PROGRAM.format(
        count=len(asked),
        factors=fmt.name,
        output=out.name,
        longest=LONGEST,
        dtype=DTYPES[fmt.name],
        out_dtype="float16" if out == BINARY16 else "float32",
        precision=', input_precision="tf32"' if fmt.name == "tf32" else "",
        probes=json.dumps(asked).replace("]], ", "]],\n"),
        schema=SCHEMA,
    )
