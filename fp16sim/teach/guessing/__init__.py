"""Guesses in a lesson: asked before a result, kept in a file beside the lesson, compared with the result, and scored.

    tie = guess("What does 2049 become in binary16?")      # asks for an answer, and how sure you are; Enter skips
    tie.compare(fs.round_to(2049, "binary16"))             # in a later cell: You said 2050 (sure). ...
    guesses()                                              # at the end: how sure you were against how often right

`asking` puts the question where somebody can answer; `answers` reads an answer and compares it; `kept` is the file;
`scoring` counts; `calls` has the two functions that a lesson calls. Nothing leaves the machine.
"""

from .calls import Guess, guess, guesses

__all__ = ["Guess", "guess", "guesses"]
