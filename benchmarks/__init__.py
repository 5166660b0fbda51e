"""Measurements: each module prints a table, and writes JSON with --output."""
