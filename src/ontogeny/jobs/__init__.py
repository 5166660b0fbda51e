"""The jobs of the workflow, one module per rule."""
