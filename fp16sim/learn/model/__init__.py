"""Networks: an autograd, its table of vector-Jacobian products, layers, losses, models, initialisers, optimizers."""
