"""Text, character by character: windows of it, and for each character of a window the one that follows.

The bundled texts are in the public domain everywhere: Alice's Adventures in Wonderland by Lewis Carroll (1865), and the
first book of Paradise Lost by John Milton (1667). They have the words of the works alone: titles, notes and decorations
of the electronic editions were left out, spaces in a row became one, and quotation marks are straight.
"""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from ...conversion import Array
from ...wording import count, quoted, shortened
from .samples import Samples

PREFIX = "text:"
"""A name of data that begins with it is that of a file: "text:notes/diary.txt"."""

BUNDLED = ("alice",)
"""Texts that come with the package, to train a language model on."""

CONTEXT = 64
"""How many characters a window has, unless another number is given."""

HELD_OUT = 0.1
"""The part of a text, at its end, that is kept to test on."""

MOST_CHARACTERS = 1024
"""A text with more distinct characters is refused: most of them would be too rare to learn."""

MOST_BYTES = 64 << 20
"""A larger file is refused: its windows and their targets take 16 bytes a character in memory."""


@dataclass(frozen=True, eq=False)
class Passages(Samples):
    """Passages of text, as indices of characters in `vocabulary`, which has each once, in rising order."""

    vocabulary: str = ""

    def encode(self, text: str) -> Array:
        """The indices of characters; ValueError for one that is not in the vocabulary."""
        if (unknown := next((c for c in text if c not in self.vocabulary), None)) is not None:
            raise ValueError(
                f"{quoted(unknown)} is not in {self.name}, which has the characters {quoted(self.vocabulary)}"
            )
        return np.array([self.vocabulary.index(c) for c in text], np.int64)

    def decode(self, indices: Array) -> str:
        """The characters with these indices."""
        return "".join(self.vocabulary[k] for k in indices)


@dataclass(frozen=True, eq=False)
class Text(Passages):
    """A text as windows of `context` characters; the target of each is the next one. `text_data` makes it.

    Inputs and targets have the shape (windows, context). No two windows of a part overlap, so each character is a
    target once in an epoch.

    Attributes
    ----------
    name : str
    train_images, train_labels, test_images, test_labels, image_shape, validation_images, validation_labels
        As of `Samples`: the windows, and the characters that come next.
    vocabulary : str
        The distinct characters, in rising order.
    digest : str
        The first digits of the text's sha256, by which a resumed run knows it.
    """

    digest: str = ""

    @property
    def classes(self) -> int:
        """How many distinct characters there are."""
        return len(self.vocabulary)

    @property
    def context(self) -> int:
        """How many characters a window has."""
        return self.image_shape[0]

    @property
    def identity(self) -> str:
        """The name, and the digest of the text."""
        return f"{self.name} (sha256 {self.digest})"


def text_data(text: str, context: int = CONTEXT, *, name: str = "own text", held_out: float = HELD_OUT) -> Text:
    """A text as data for a language model; its end is kept to test on.

    Parameters
    ----------
    text : str
    context : int
        How many characters a window has: what the model sees at most.
    name : str
    held_out : float
        The part at the end of the text that is kept to test on.

    Returns
    -------
    Text

    Raises
    ------
    ValueError
        If the text is too short for a window in each part, or has fewer than 2 or more than 1,024 distinct characters.

    Examples
    --------
    >>> data = text_data("to be or not to be, that is the question" * 10, context=8)
    >>> data.train_images.shape, data.test_images.shape, data.vocabulary
    ((44, 8), (4, 8), ' ,abehinoqrstu')
    >>> data.decode(data.train_images[0]), data.decode(data.train_labels[0])
    ('to be or', 'o be or ')
    """
    if not isinstance(text, str):
        raise TypeError(f"text={quoted(text)} is not a text; give a str")
    if context < 1:
        raise ValueError(f"context={quoted(context)} must be 1 character or more")
    if not 0 < held_out < 1:
        raise ValueError(f"held_out={held_out} leaves nothing to test on or nothing to train on; use {HELD_OUT}")
    kept = len(text) - round(len(text) * held_out)
    if min(kept, len(text) - kept) <= context:
        least = -(-(context + 1) * 10 // round(10 * min(held_out, 1 - held_out) or 1))
        raise ValueError(
            f"{name} has {count(len(text), 'character')}, too few for windows of context={context} in both parts, of "
            f"which the smaller is {min(held_out, 1 - held_out):g} of the text; give about {least:,} or more, or use a "
            "smaller context (--context)"
        )
    vocabulary = "".join(sorted(set(text)))
    if not 2 <= len(vocabulary) <= MOST_CHARACTERS:
        raise ValueError(
            f"{name} has {count(len(vocabulary), 'distinct character')}, and a model takes 2 to {MOST_CHARACTERS}; "
            "leave out or replace the rare ones"
        )
    # Code points are looked up in a table; the largest is 0x10FFFF.
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    known = np.frombuffer(vocabulary.encode("utf-32-le", "surrogatepass"), np.uint32)
    indices = np.searchsorted(known, points)
    parts = (*_windows(indices[:kept], context), *_windows(indices[kept:], context))
    digest = hashlib.sha256(points.tobytes()).hexdigest()[:16]
    return Text(name, *parts, vocabulary=vocabulary, digest=digest)


def _windows(indices: Array, context: int) -> tuple[Array, Array]:
    """Windows that follow each other, and the same windows one character later."""
    whole = (len(indices) - 1) // context * context
    return indices[:whole].reshape(-1, context), indices[1 : whole + 1].reshape(-1, context)


def is_text(name: str) -> bool:
    """Whether a name of data is that of a text."""
    return name in BUNDLED or name.startswith(PREFIX)


def load_text(name: str, context: int = CONTEXT) -> Text:
    """A bundled text, or that of a file by "text:FILE", as windows of characters."""
    if not name.startswith(PREFIX):
        return text_data(bundled(name), context, name=name)
    return text_data(read_text(name.removeprefix(PREFIX)), context, name=name)


def bundled(name: str) -> str:
    """The bundled text of a name: "alice", or "paradise"."""
    return (files(__package__) / f"{name}.txt").read_text(encoding="utf-8")


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, with \\n at the ends of lines; ValueError for what is no such file."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"text={quoted(str(path))} is not a file; give a text in UTF-8 (--text FILE)")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"text={quoted(str(path))} has {size:,} bytes; give at most {MOST_BYTES:,}, as a part of it")
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    likely = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "latin1"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"text={quoted(str(path))} is not UTF-8: byte {content[error.start]:#04x} at {error.start:,}; convert it, "
            f"as with iconv -f {likely} -t utf-8 {shortened(path.name)}"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def authors(length: int = 64, *, test_share: float = 0.2, rng: int = 0) -> Passages:
    """Passages of two texts, and who wrote each: 0 Lewis Carroll, 1 John Milton. Data for a classifier of short texts.

    Both are cut into passages of `length` characters, as many of one as of the other, without line breaks.

    Parameters
    ----------
    length : int
        The characters of a passage.
    test_share : float
        The part that is kept for tests: the ends of both texts.
    rng : int
        The seed of the order.

    Examples
    --------
    >>> data = authors()
    >>> data.train_images.shape, data.classes, len(data.vocabulary)
    ((860, 64), 2, 64)
    >>> data.decode(data.test_images[-1])
    's, Frequent and full. After short silence then, And summons read'
    """
    if length < 1 or not 0 < test_share < 1:
        raise ValueError(
            f"length={quoted(length)} and test_share={test_share}: use a length of 1 or more, and a share of 0.2"
        )
    texts = [" ".join(bundled(name).split()) for name in ("alice", "paradise")]
    passages = min(map(len, texts)) // length
    cut = round(passages * (1 - test_share))
    if not 0 < cut < passages:
        raise ValueError(
            f"length={quoted(length)} gives {count(passages, 'passage')} of each author; use a smaller one"
        )
    vocabulary = "".join(sorted(set("".join(texts))))
    rows = np.array([[vocabulary.index(c) for c in text[: passages * length]] for text in texts], np.int64)
    rows = rows.reshape(2, passages, length)
    order = np.random.default_rng(rng).permutation(2 * cut)
    chosen, labels = rows[:, :cut].reshape(-1, length)[order], np.repeat([0, 1], cut)[order]
    tests, test_labels = rows[:, cut:].reshape(-1, length), np.repeat([0, 1], passages - cut)
    return Passages("authors", chosen, labels, tests, test_labels, vocabulary=vocabulary)
