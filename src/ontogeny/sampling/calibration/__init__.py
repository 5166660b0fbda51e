"""Choose a sampler's step size and burn-in from the curvature at the checkpoints."""
