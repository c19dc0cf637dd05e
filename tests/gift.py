"""A reader of GIFT, Moodle's import format, that follows Moodle's own steps, and marks answers as Moodle does.

Blocks are separated by blank lines. Escaped characters are replaced by placeholders first, as Moodle does it, so that a
text is cut only at the bare ones.
"""

import re
from dataclasses import dataclass

ESCAPED = {"\\:": "\ue001", "\\#": "\ue002", "\\=": "\ue003", "\\{": "\ue004", "\\}": "\ue005", "\\~": "\ue006"}
LINE = "\ue010"


@dataclass
class Read:
    """One question: shares of 1 by answer, and whether its answers are typed."""

    title: str
    text: str
    answers: dict
    feedback: str
    typed: bool

    def mark(self, given):
        """Whether Moodle takes a typed answer for right: without case, and a bare * stands for any text."""
        return any(
            re.fullmatch(_pattern(answer), given.strip(), re.I) for answer, share in self.answers.items() if share
        )


def _pattern(answer):
    parts = re.split(r"(?<!\\)\*", answer)
    return ".*".join(re.escape(part.replace("\\*", "*")) for part in parts)


def _before(text):
    text = text.replace("\\\\", "\ue000")
    for escaped, placeholder in ESCAPED.items():
        text = text.replace(escaped, placeholder)
    return text.replace("\\n", LINE).replace("\ue000", "\\")


def _after(text):
    for escaped, placeholder in ESCAPED.items():
        text = text.replace(placeholder, escaped[1])
    return text.replace(LINE, "\n").strip()


def read(text):
    """The category and the questions of a file."""
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip()]
    assert blocks[0].startswith("$CATEGORY: ")
    return _before(blocks[0])[10:].strip(), [_question(_before(block.strip())) for block in blocks[1:]]


def _question(block):
    title, body = re.fullmatch(r"::(.*?)::(.*)", block, re.S).groups()
    assert body.count("{") == body.count("}") == 1, block
    text, inside, rest = re.fullmatch(r"\[plain\](.*)\{(.*)\}(.*)", body, re.S).groups()
    assert not rest.strip()
    answers, _, feedback = inside.partition("####")
    assert "->" not in answers, "Moodle would read pairs to be matched"
    assert not answers.strip().startswith("#"), "Moodle would read a numerical question"
    found = {}
    for sign, answer in re.findall(r"([=~])([^=~#]*)", answers.strip()):
        assert _after(answer), block
        found[_after(answer)] = sign == "="
    return Read(_after(title), _after(text), found, _after(feedback), "~" not in answers)
