"""Tasks: examples, the loss of outputs against targets, and what observables may use. They know no network."""
