"""Tasks: examples, the loss of outputs against targets, and what observables may use. A task does not know the network."""
