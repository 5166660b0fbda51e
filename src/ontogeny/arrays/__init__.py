"""Work on arrays in parts, within the memory and caches of a device."""
