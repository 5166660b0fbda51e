"""Test passages by simulation of curves without a transition."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ontogeny.transitions.detection.curves import Curve
from ontogeny.transitions.detection.noise import centred
from ontogeny.transitions.detection.search import MOST_PASSAGES, Null, Search, Trend
from ontogeny.transitions.detection.significance import p_value, tail

DRAWS = 399
"""Simulated curves. The largest tenth is enough to fit a tail to, which thresholds below 1 / draws need (`p_value`)."""
BATCHES = (39, 80, 120, 160)
"""Curves that are simulated at once, before it is looked whether they suffice."""
SMALLEST_P_VALUE = 1e-3
"""The smallest p-value that is stated. The tail of the simulations is trusted so far; smaller ones only order the curves."""
CURVES_PER_DRAW = 4
"""Curves of a run for each simulated one, at most: so many thresholds are within reach of the tail."""
CLEAR, FEWEST_CLEAR = 0.02, 119
"""Share of its threshold that the p-value of a clear passage is below, after at least so many simulated curves."""
WITHOUT_RELAXATION = 8.0
"""Log likelihood by which a smooth trend in which nothing relaxes is worse, up to which it has to be ruled out as well."""
ORDINARY = 0.2
"""A p-value under one null from which on no other is simulated."""
UNSURPRISING = 15
"""Simulated curves that reach an observed statistic, after which it needs no more of them."""
FEWEST_UNSURPRISING = 3


@dataclass(frozen=True)
class Passage:
    """A passage of a curve, and how surprising it was when it was tested.

    Attributes:
        index: the passage, among those of the search.
        together: several passages that were tested together in its place; the p-value is then theirs.
    """

    index: int
    p_value: float
    together: Sequence[int] = ()


@dataclass(frozen=True)
class Rule:
    """When simulated curves suffice.

    Attributes:
        first: whether first passages are tested, or further ones.
        draws: the largest number of simulated curves.
        unsurprising: how many have to reach an observed statistic.
        fewest: the number after which a clear passage needs no more.
        clear: the p-value of a clear passage.
    """

    first: bool
    draws: int
    unsurprising: int
    fewest: int
    clear: float

    @classmethod
    def of_first(cls, tests: int, alpha: float) -> "Rule":
        """Return the rule for the first passages of a run with so many curves."""
        draws, fewest = max(DRAWS, tests // CURVES_PER_DRAW), max(FEWEST_CLEAR, tests // CURVES_PER_DRAW)
        return cls(True, draws, UNSURPRISING, fewest, CLEAR * alpha / tests)

    @classmethod
    def of_further(cls, level: float) -> "Rule":
        """Return the rule for a further passage that is tested at a level."""
        enough = max(FEWEST_UNSURPRISING, int(np.ceil(level * (DRAWS + 1))))
        return cls(False, DRAWS, enough, FEWEST_CLEAR, CLEAR * level)


def p_values_under(
    trend: Trend, nulls: Sequence[Null], statistics: Float[np.ndarray, " B"], seed: int | Sequence[int], rule: Rule
) -> Float[np.ndarray, " B"]:
    """Return how often each statistic is reached on curves without a transition, simulated from several nulls in equal parts.

    They suffice once each of the observed statistics was reached often: a p-value stays valid when one stops for that (Besag
    and Clifford 1991). They also suffice where one lies far beyond them.
    """
    generator, simulated, batches = np.random.default_rng(seed), np.zeros(0), list(BATCHES)
    waiting = statistics[statistics > 0]
    while len(simulated) < rule.draws and len(waiting):
        draws = min(batches.pop(0) if batches else BATCHES[-1], rule.draws - len(simulated))
        simulated = np.append(simulated, trend.simulated(generator, nulls, draws, float(waiting.min()), rule.first))
        beyond = np.array([np.sum(simulated >= own) < rule.unsurprising for own in waiting])
        if len(simulated) >= rule.fewest:
            beyond &= np.array([tail(own, simulated) >= rule.clear for own in waiting])
        waiting = waiting[beyond]
    return np.array([p_value(own, simulated) if own > 0 else 1.0 for own in statistics])


def first_passages(
    search: Search,
    group: Sequence[Curve],
    tests: int,
    seed: int,
    alpha: float = 0.05,
    done: Callable[[int], None] = lambda count: None,
) -> list[Passage]:
    """Return the most likely passage, or several, of each curve of a group, tested against no passage at all.

    The p-value is the largest under the nulls that are nearly as likely as the best.

    Args:
        group: curves that share their search.
        tests: the number of curves of the run.
        done: called with the number of curves that have just been tested.
    """
    trend, columns = search.beside(), np.column_stack([centred(curve)[0] for curve in group])
    result, p_values, rule = trend.first(columns), np.zeros(len(group)), Rule.of_first(tests, alpha)
    plausible = [tuple(trend.plausible(result, member)) for member in range(len(group))]
    for numbers in dict.fromkeys(plausible):
        members = np.array([member for member, own in enumerate(plausible) if own == numbers])
        nulls, near = [trend.null(columns, result, number, members) for number in numbers], trend.near(result, members)
        p_values[members] = p_values_under(near, nulls, result.statistic[members], seed, rule)
        done(len(members))
    if len(search.relaxations) > 1:
        # What is nearly a relaxation, as a power law is, may be a smooth trend.
        plain = result.worse[: len(search.nulls.noise)].min(axis=0) <= WITHOUT_RELAXATION
        near = np.flatnonzero(plain & (p_values < ORDINARY))
        smooth = (
            first_passages(search.relaxing(()), [group[member] for member in near.tolist()], tests, seed, alpha)
            if len(near)
            else []
        )
        p_values[near] = np.maximum(p_values[near], [passage.p_value for passage in smooth])
    return list(map(Passage, result.passage.tolist(), p_values.tolist(), result.together))


def further_passages(curve: Curve, search: Search, first: Passage, level: float, seed: int) -> list[Passage]:
    """Return all passages of a flagged curve: each is tested with the earlier ones as part of the trend.

    The search ends at the first passage that is not surprising. The jth passage is tested at level / j; if all were tested at
    the level, one in twenty passages would be false. Of several passages that were surprising together, each is left out in
    turn, in order of place, and what is then most likely is tested in its stead. There j counts those accepted so far, which
    are not tested again where a later one is dropped.
    """
    waiting, accepted = list(first.together), [] if first.together else [first]
    column, member = centred(curve)[0][:, None], np.zeros(1, int)
    while len(accepted) < MOST_PASSAGES:
        waiting = waiting[1:]
        known = [*(passage.index for passage in accepted), *waiting]
        trend = search.relaxing_beside(column, known).beside(known)
        result, level_of_next = trend.scan(column), level / (len(accepted) + 1)
        nulls = [trend.null(column, result, number, member) for number in trend.plausible(result, 0)]
        rule, near = Rule.of_further(level_of_next), trend.near(result, member)
        p = float(p_values_under(near, nulls, result.statistic, [seed, len(accepted)], rule)[0])
        if p <= level_of_next:
            accepted.append(Passage(int(result.passage[0]), p))
        elif not waiting:
            break
    return accepted
