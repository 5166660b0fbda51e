"""Which transitions the seeds of a variant share, how sure each seed is of them, and how far apart they lie in time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ontogeny.trajectory import ALL_LOSSES, STEPS, Axis
from ontogeny.transitions.matching import clearness, coincide
from ontogeny.transitions.records import UNNAMED, Agreement, Candidate, Certainty, Consensus, Development

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

    Transitions match if their intervals coincide, unless both have names and these differ: a name that one seed gives names the
    event. Then those of one name match wherever they lie. A transition is `supported` if more than half of the seeds make it
    and an independent observable changes with it in most of these. It is `weak` if one of the two holds or several seeds make
    it, else `unsupported`.

    Raises:
        ValueError: the seeds lie along different axes.
    """
    axes = {run.axis for run in by_seed.values()} or {STEPS}
    if len(axes) > 1:
        raise ValueError(f"the seeds lie along different axes: {', '.join(sorted(map(str, axes)))}")
    (axis,) = axes
    sightings = [Sighting(seed, candidate) for seed, run in sorted(by_seed.items()) for candidate in run.candidates]
    rows = [agreement(members, len(by_seed)) for members in by_name(by_place(sightings, axis))]
    transitions = tuple(sorted(rows, key=lambda row: row.location_median))
    return Consensus(seeds=tuple(sorted(by_seed)), transitions=transitions, axis=axis)


def is_named(sighting: Sighting) -> bool:
    return sighting.candidate.name != UNNAMED


def rank(sighting: Sighting) -> tuple[bool, tuple[float, float]]:
    """Return a key that sorts sightings: those with a name after those without, then the clearer ones later."""
    return is_named(sighting), clearness(sighting.candidate)


def by_place(sightings: Sequence[Sighting], axis: Axis) -> list[list[Sighting]]:
    """Return the sightings, each with the clearest that it coincides with, the named ones before the unnamed ones."""
    named = {(sighting.seed, sighting.candidate.name) for sighting in sightings if is_named(sighting)}
    groups: list[list[Sighting]] = []
    for sighting in sorted(sightings, key=rank, reverse=True):
        home = next((members for members in groups if belongs(sighting, members, named, axis)), None)
        if home is None:
            groups.append([sighting])
        else:
            home.append(sighting)
    return groups


def belongs(sighting: Sighting, members: Sequence[Sighting], named: Collection[tuple[int, str]], axis: Axis) -> bool:
    """Return whether a sighting is of the same transition as those of a group, by its place.

    A seed that makes a transition of the group's name elsewhere does not make it here too without a name.

    Args:
        named: the seeds and names of all named sightings.
    """
    first = members[0]
    if not coincide(first.candidate, sighting.candidate, axis):
        return False
    if is_named(sighting):
        return sighting.candidate.name == first.candidate.name
    return not is_named(first) or (sighting.seed, first.candidate.name) not in named


def by_name(groups: Sequence[list[Sighting]]) -> list[list[Sighting]]:
    """Return the groups, those of one name joined."""
    joined: dict[str, list[Sighting]] = {}
    for members in groups:
        if is_named(members[0]):
            joined.setdefault(members[0].candidate.name, []).extend(members)
    return [*joined.values(), *(members for members in groups if not is_named(members[0]))]


def agreement(members: Sequence[Sighting], of: int) -> Agreement:
    """Return how well the seeds agree on a transition.

    A seed that makes it twice counts once: by its named candidate, of two of these by the clearer one.

    Args:
        members: the sightings of the transition; the first has its name.
    """
    clearest = {sighting.seed: sighting.candidate for sighting in sorted(members, key=rank)}
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
        certainties=tuple(certainty(seed, clearest[seed], members[0].candidate.name) for seed in seeds),
    )


def certainty(seed: int, candidate: Candidate, name: str) -> Certainty:
    """Return how sure a seed is of a transition."""
    return Certainty(
        seed=seed,
        location=candidate.location,
        p_value=candidate.p_value,
        q_value=candidate.q_value,
        named=candidate.name == name != UNNAMED,
        independent=has_independent_evidence(candidate),
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
