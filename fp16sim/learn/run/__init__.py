"""Runs: configurations and recipes, the engine that takes a training step, the loop, checkpoints, evaluation."""
