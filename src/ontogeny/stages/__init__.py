"""The stages of the pipeline: each reads what earlier ones left, calls the library, and writes its results."""
