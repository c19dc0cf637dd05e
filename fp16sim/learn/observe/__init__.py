"""What a run shows: exponents, what rounding lost in each layer, why a run died, how well a model classifies."""
