"""Models: Flax NNX modules. A module does not know the task that it is trained on."""
