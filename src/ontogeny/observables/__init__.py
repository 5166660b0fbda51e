"""Observables: named scalars measured at a checkpoint.

A kind is a module and a card. The module says in `NEEDS` what it needs of a network and a task, and `build(network, task)`
returns name -> function of the parameters. The card, a YAML file beside it, holds titles, units, meanings and naming rules.
"""
