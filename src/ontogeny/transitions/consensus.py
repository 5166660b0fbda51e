"""Which transitions the seeds of a variant share, and how far apart they lie in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.trajectory import ALL_LOSSES, STEPS, Axis
from ontogeny.transitions.matching import clearness, coincide
from ontogeny.transitions.records import UNNAMED, Agreement, Candidate, Consensus, Development

NOT_INDEPENDENT = {"llc", *ALL_LOSSES}
"""Observables that change in every transition; independent evidence, behavioural or structural, is any other."""
SUPPORTED, WEAK, UNSUPPORTED = "supported", "weak", "unsupported"


@dataclass(frozen=True)
class Sighting:
    """A candidate of one seed."""

    seed: int
    candidate: Candidate


def consensus(by_seed: Mapping[int, Development]) -> Consensus:
    """Match the transitions of a variant over its seeds.

    Transitions match by name, unnamed ones if their intervals coincide. A transition is `supported` if more than half of the
    seeds make it and an independent observable changes with it in most of these. It is `weak` if one of the two holds or
    several seeds make it, else `unsupported`.

    Raises:
        ValueError: the seeds lie along different axes.
    """
    axes = {run.axis for run in by_seed.values()} or {STEPS}
    if len(axes) > 1:
        raise ValueError(f"the seeds lie along different axes: {', '.join(sorted(map(str, axes)))}")
    (axis,) = axes
    sightings = [Sighting(seed, candidate) for seed, run in sorted(by_seed.items()) for candidate in run.candidates]
    groups = [*by_name(sightings), *by_interval(sightings, axis)]
    rows = [agreement(members, len(by_seed)) for members in groups]
    transitions = tuple(sorted(rows, key=lambda row: row.location_median))
    return Consensus(seeds=tuple(sorted(by_seed)), transitions=transitions, axis=axis)


def by_name(sightings: Sequence[Sighting]) -> list[list[Sighting]]:
    """Return the named sightings, those of one name together."""
    names = dict.fromkeys(sighting.candidate.name for sighting in sightings if sighting.candidate.name != UNNAMED)
    return [[sighting for sighting in sightings if sighting.candidate.name == name] for name in names]


def by_interval(sightings: Sequence[Sighting], axis: Axis) -> list[list[Sighting]]:
    """Return the unnamed sightings, each with the clearest that it coincides with."""
    unnamed = [sighting for sighting in sightings if sighting.candidate.name == UNNAMED]
    groups: list[list[Sighting]] = []
    for sighting in sorted(unnamed, key=lambda sighting: clearness(sighting.candidate), reverse=True):
        home = next((members for members in groups if coincide(members[0].candidate, sighting.candidate, axis)), None)
        if home is None:
            groups.append([sighting])
        else:
            home.append(sighting)
    return groups


def agreement(members: Sequence[Sighting], of: int) -> Agreement:
    """Return how well the seeds agree on a transition; a seed that makes it twice counts once, by its clearer candidate."""
    clearest = {
        sighting.seed: sighting.candidate for sighting in sorted(members, key=lambda sighting: clearness(sighting.candidate))
    }
    seeds = tuple(sorted(clearest))
    locations = np.array([clearest[seed].location for seed in seeds])
    support, reason = support_of([has_independent_evidence(clearest[seed]) for seed in seeds], of)
    return Agreement(
        name=members[0].candidate.name,
        support=support,
        seeds=seeds,
        of=of,
        location_median=float(np.median(locations)),
        location_low=float(locations.min()),
        location_high=float(locations.max()),
        reason=reason,
    )


def has_independent_evidence(candidate: Candidate) -> bool:
    """Return whether an observable other than loss and λ̂ changes with a transition."""
    return any(passage.observable not in NOT_INDEPENDENT for passage in candidate.evidence)


def support_of(independent: Sequence[bool], of: int) -> tuple[str, str]:
    """Return how well a transition is supported, and why.

    Args:
        independent: for each seed that makes the transition, whether independent evidence changes with it.
        of: the number of seeds compared.
    """
    count = len(independent)
    common, evident = 2 * count > of > 1, 2 * sum(independent) > count
    evidence = "an independent observable changes with it" if evident else "nothing independent of the loss changes with it"
    reason = f"{count} of {of} seeds; {evidence}"
    if common and evident:
        return SUPPORTED, reason
    return (WEAK if common or evident or count > 1 else UNSUPPORTED), reason
