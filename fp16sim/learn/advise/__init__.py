"""What would help: forecasts before a run, a diagnosis after it, its costs, and a verdict on saved tensors."""
