"""What `ontogeny run` shows: the jobs of a study while they run, and what was found at the end."""
