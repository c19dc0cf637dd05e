"""What to change: forecasts before a run, a diagnosis after it, its costs, and advice on saved tensors."""
