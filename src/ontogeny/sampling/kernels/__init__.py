"""Samplers of the local posterior, one file per kind; a sampler is imported only where it is used."""
