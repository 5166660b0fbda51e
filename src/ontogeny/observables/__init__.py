"""Observables: named scalars measured at a checkpoint, one file per kind.

A kind pairs what a task provides with what a network exposes: `fits(network, task)` says whether it can, and
`build(network, task)` returns name -> function of the parameters, or raises ValueError saying what is lacking.
"""
