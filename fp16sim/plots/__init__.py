"""Pictures: each function draws data that others computed, on `ax` if given, and returns the Axes."""

from .cost import cost, cost_figure
from .training import training, training_figure

__all__ = ["cost", "cost_figure", "training", "training_figure"]
