"""Which transitions the seeds of a family share, and how far their times lie apart."""

from collections.abc import Mapping, Sequence

import numpy as np

from ontogeny.trajectory import ALL_LOSSES
from ontogeny.transitions.events import clearness, coincide
from ontogeny.transitions.naming import UNNAMED

NOT_INDEPENDENT = {"llc", *ALL_LOSSES}
"""What every transition shows; behavioural or structural evidence is anything else."""
SUPPORTED, WEAK, UNSUPPORTED = "supported", "weak", "unsupported"


def consensus(by_seed: Mapping[int, dict]) -> dict:
    """The content of consensus.json: the transitions of a family matched over its seeds.

    Transitions match by name; unnamed ones if their intervals coincide. One is `supported` if more than half of the seeds
    make it and most of those show an independent observable changing with it, `weak` if one of the two holds or several seeds
    make it, else `unsupported`.

    Args:
        by_seed: seed -> the content of its transitions.json (`candidates`).

    Returns:
        {"transitions": [{"name", "support", "seeds", "of", "location_median", "location_low", "location_high", "reason"}]},
        in the order of their times; low and high are the earliest and the latest seed.
    """
    sightings = [(seed, entry) for seed, run in sorted(by_seed.items()) for entry in run["candidates"]]
    groups = [*by_name(sightings), *by_interval(sightings)]
    rows = [agreed(members, len(by_seed)) for members in groups]
    return {"transitions": sorted(rows, key=lambda row: row["location_median"])}


Sightings = list[tuple[int, dict]]


def by_name(sightings: Sightings) -> list[Sightings]:
    names = dict.fromkeys(entry["name"] for _, entry in sightings if entry["name"] != UNNAMED)
    return [[sighting for sighting in sightings if sighting[1]["name"] == name] for name in names]


def by_interval(sightings: Sightings) -> list[Sightings]:
    """Unnamed transitions, each gathered by the clearest that it coincides with."""
    unnamed = [sighting for sighting in sightings if sighting[1]["name"] == UNNAMED]
    groups: list[Sightings] = []
    for sighting in sorted(unnamed, key=lambda sighting: clearness(sighting[1]), reverse=True):
        home = next((members for members in groups if coincide(members[0][1], sighting[1])), None)
        if home is None:
            groups.append([sighting])
        else:
            home.append(sighting)
    return groups


def agreed(members: Sightings, of: int) -> dict:
    """One row of the consensus; a seed that shows a transition twice counts once, by its clearer showing."""
    clearest: dict[int, dict] = {}
    for seed, entry in sorted(members, key=lambda sighting: clearness(sighting[1])):
        clearest[seed] = entry
    seeds = sorted(clearest)
    locations = np.array([clearest[seed]["location"] for seed in seeds])
    support, reason = judged([independent(clearest[seed]) for seed in seeds], of)
    return {
        "name": members[0][1]["name"],
        "support": support,
        "seeds": seeds,
        "of": of,
        "location_median": float(np.median(locations)),
        "location_low": float(locations.min()),
        "location_high": float(locations.max()),
        "reason": reason,
    }


def independent(entry: Mapping) -> bool:
    """Whether something besides loss and λ̂ was detected to change with a transition."""
    return any(row["observable"] not in NOT_INDEPENDENT for row in entry["evidence"])


def judged(with_evidence: Sequence[bool], of: int) -> tuple[str, str]:
    """How well a transition is supported, and why."""
    count = len(with_evidence)
    common, shown = 2 * count > of > 1, 2 * sum(with_evidence) > count
    evidence = "an independent observable changes with it" if shown else "nothing independent of the loss changes with it"
    reason = f"{count} of {of} seeds; {evidence}"
    if common and shown:
        return SUPPORTED, reason
    return (WEAK if common or shown or count > 1 else UNSUPPORTED), reason
