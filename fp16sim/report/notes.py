"""What stands under the table of results, in the report and on the terminal: how its numbers were measured."""

from __future__ import annotations

from collections.abc import Sequence

from ..learn import Config, History
from ..learn.chance import Answers
from ..learn.run.settings import compare_settings
from ..learn.run.train import ranking
from ..wording import decimal, joined, percent


def accuracy_text(answers: Answers | None) -> str:
    """The accuracy in percent, with its interval; "-" if it was not measured.

    >>> accuracy_text(Answers(359, (1, 2, 3, 4, 5, 6)))
    '98.3% (96.4 to 99.2)'
    """
    if answers is None:
        return "-"
    low, high = (percent(x).removesuffix("%") for x in answers.interval)
    return f"{percent(answers.accuracy)} ({low} to {high})"


def reached_text(history: History) -> str:
    """What a run reached: the accuracy with its interval, or a language model's bits per character."""
    return decimal(history.epochs[-1].bits_per_character) if history.writes else accuracy_text(history.answers)


def counted(histories: Sequence[History]) -> str:
    """On which steps the numbers of the table were counted."""
    every = sorted({h.look_every for h in histories})
    rest = "updates without effect (absorption) and overflows on every step."
    if every == [0]:
        return f"Gradients that became 0 (underflow) were not counted; {rest}"
    where = "every step" if every == [1] else f"one step in {joined(map(str, every), 'or')}"
    return f"Gradients that became 0 (underflow) were counted on {where}; {rest}"


def compared(histories: Sequence[History]) -> str:
    """What the accuracies are of, and which differences between them are more than chance; "" if all runs died."""
    if any(h.writes and not h.death for h in histories):
        return (
            "Bits per character are -log2 of the probability of each next character of the last tenth of the text, on "
            "average, computed in binary64 from the logits."
        )
    images = {h.answers.images for h in histories if h.answers and not h.death}
    if not images:
        return ""
    found, of = ranking(histories), joined((f"{n:,}" for n in sorted(images)), "or")
    tests = f"; pairs are compared by McNemar's exact test. {found}" if found else "."
    return f"Accuracies are those of {of} test images, with Wilson's 95 % interval{tests}"


def shared_settings(configs: Sequence[Config]) -> str:
    """The settings that all runs share, in a sentence."""
    return f"{'Settings of all runs' if len(configs) > 1 else 'Settings'}: {compare_settings(configs)}."
