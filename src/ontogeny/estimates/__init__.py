"""Estimates computed from draws: the local learning coefficient, its verdicts, information criteria, free energies."""
