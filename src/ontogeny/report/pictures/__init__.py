"""Pictures of the network on the pages: what `observe` recorded and the candidates in, HTML out.

A kind is a module of the name that it has in `ontogeny.pictures`. Its `films(recording)` returns what the slider runs through;
its `stills(recording, trajectory, development)`, where it has one, returns pictures of all of training. `network.py` lists the
kinds.
"""
