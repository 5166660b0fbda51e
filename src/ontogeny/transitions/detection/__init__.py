"""Find transitions on the curves of a run: change points, their significance, and their shared errors."""
