"""Find passages between stages of development, test them, name them, and match them over seeds."""
