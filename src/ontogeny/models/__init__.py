"""Networks: Flax NNX modules and what makes them functional. They know no data."""
