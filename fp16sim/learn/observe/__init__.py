"""What a run shows of itself: exponents, what was lost in each layer, why it died, how well it classifies."""
