"""From a study to its jobs: the plan, its cost, digests, provenance, files and progress."""
