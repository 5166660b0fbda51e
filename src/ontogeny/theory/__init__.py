"""Learning coefficients that are known exactly, and λ̂ at finite nβ by quadrature. Nothing here samples."""
