"""ontogeny: train, sample the local learning coefficient along training, find phase transitions, report."""
