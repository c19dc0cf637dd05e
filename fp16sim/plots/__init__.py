"""Pictures: each function draws data that others computed, on `ax` if given, and returns the Axes."""

from .training import training, training_figure

__all__ = ["training", "training_figure"]
