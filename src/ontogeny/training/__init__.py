"""Train networks: the compiled loop, the optimisers, and the steps that are kept."""
