"""Sampling the local posterior: kernels, the compiled program of chains, calibration, health of the chains."""
