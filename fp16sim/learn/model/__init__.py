"""Networks: the graph and its gradients, layers, losses, models, first weights, optimizers and updates of weights."""
