"""Write checkpoints to disk and read them."""
