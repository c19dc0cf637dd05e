"""fp16sim inspect: what formats would do to tensors from elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..learn.advise.inspect import KINDS, inspect
from ..learn.advise.parts import as_blocks
from ..learn.advise.tensor_table import FEW
from .output import console, print_json, print_text, progress
from .parsing import Parser, add_options, format_names, integer, refuse_unused


def configure(parser: Parser) -> None:
    """What the command does, and its options."""
    parser.description = (
        "Say what formats would do to the tensors of a file. For gradients: what would\n"
        "become 0, become subnormal or overflow, and the loss scale that suits them.\n"
        "For other values (weights, activations, indices): what would overflow, become 0\n"
        "or be rounded, and how many distinct values would be left."
    )
    parser.epilog = (
        "examples:\n  fp16sim inspect grads.npz\n"
        "  fp16sim inspect model.npz --format e4m3fn,e5m2 --histogram\n"
        "  fp16sim inspect model.safetensors --blocks mxfp8,nvfp4 --per-channel 0\n"
        "  fp16sim inspect x.npy --as bfloat16 --json\nto save gradients from PyTorch:\n"
        "  grads = {n: p.grad.float().cpu().numpy() for n, p in model.named_parameters()}\n"
        '  numpy.savez("grads.npz", **grads)'
    )
    file_help = "a .safetensors, .pt, .npz or .npy file, or a model or checkpoint of fp16sim train"
    parser.add_argument("file", type=Path, metavar="FILE", help=file_help)
    add_options(parser, "formats", default="binary16,bfloat16")
    kind_help = (
        "what the tensors are: gradients or values (default: gradients if the name of the file or all names of "
        "tensors have the word grad, else values)"
    )
    parser.add_argument("--kind", choices=tuple(KINDS), metavar="KIND", help=kind_help)
    as_help = "the format of arrays whose dtype NumPy does not know, such as |V2; one format for each size"
    parser.add_argument("--as", dest="read_as", type=format_names, default=(), metavar="F,G", help=as_help)
    channel_help = "also show the channel that loses most; channels are the indices of this axis"
    parser.add_argument("--per-channel", type=integer, metavar="AXIS", help=channel_help)
    block_help = "also show what blocks with a common scale lose: mxfp8, mxfp4, nvfp4 ..."
    parser.add_argument("--blocks", type=block_names, default=(), metavar="B,C", help=block_help)
    parser.add_argument("--histogram", action="store_true", help="show the histogram of exponents in each format")
    each_help = f"show every tensor, even if there are more than {FEW}; with --histogram each with its own"
    parser.add_argument("--each", action="store_true", help=each_help)
    add_options(parser, "max_bytes", "json")


def block_names(text: str) -> tuple[str, ...]:
    """An option's list of blocks."""
    try:
        return tuple(as_blocks([name.strip() for name in text.split(",")]))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace) -> None:
    """Inspect a file, and print what `print(fs.learn.inspect(...))` prints, or JSON."""
    if options.json:
        refuse_unused(options, "the JSON has every tensor and every histogram", "histogram", "each")
    read = {name: getattr(options, name) for name in ("read_as", "per_channel", "blocks", "max_bytes")}
    with progress(options.json, "tensors") as bar:
        found = inspect(options.file, options.format, options.kind, **read, on_progress=bar("inspect"))
    if options.json:
        print_json(found.to_dict())
    else:
        print_text(found.text(options.histogram, options.each, min(100, console().width)))
