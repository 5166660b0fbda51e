"""Pages that show what was found: one per run, one per family, an index. Pure functions from tables to HTML."""
