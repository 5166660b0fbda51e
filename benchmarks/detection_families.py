"""`python -m benchmarks.detection_families`: whether detection keeps its error rate on what real runs have.

Each family draws curves of 100 checkpoints (30 or 51 where it says so) at alpha = .05: without a transition under noise that is
not white, on relaxations and power laws, or with one sharp change. Flagged, recall and precision are those of
`benchmarks.detection`. `--only` takes the names that contain a text; `--runs` tests ten smooth trends at once.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ontogeny.transitions.detection.detect import detect_transitions

Noise = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
Trend = Callable[[np.random.Generator, np.ndarray], np.ndarray]
TOLERANCE = 1.5
LEVEL = 20.0
CHAINS, SHARED, WANDER = 8, 0.9, 0.3
LOGARITHMIC = np.geomspace(10, 1e6, 100).round()
SHORT = np.geomspace(10, 1e6, 30).round()
LINEAR = np.arange(51) * 4500.0
FALL, LOSS, LOSS_ERROR = 5.4, 3.0, 0.004
"""Of a loss that falls from 8.4 to 3 nats."""


def white(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return white noise and its standard deviation."""
    return generator.standard_normal(count), np.ones(count)


def student(freedom: float) -> Noise:
    """Return Student's t noise of standard deviation 1."""

    def noise(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        return generator.standard_t(freedom, count) / np.sqrt(freedom / (freedom - 2)), np.ones(count)

    return noise


def growing(factor: float) -> Noise:
    """Return white noise that grows geometrically by a factor, of standard deviation 1 halfway."""

    def noise(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        sizes = factor ** (np.linspace(0, 1, count) - 0.5)
        return sizes * generator.standard_normal(count), sizes

    return noise


def autoregressive(correlation: float, innovations: Noise = white) -> Noise:
    """Return noise with a correlation between neighbours, of the standard deviation of the innovations."""

    def noise(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        values, sizes = innovations(generator, count)
        for place in range(1, count):
            values[place] = correlation * values[place - 1] + np.sqrt(1 - correlation**2) * values[place]
        return values, sizes

    return noise


def moving_average(width: int) -> Noise:
    """Return means of so many white values in a row, of standard deviation 1."""

    def noise(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        values = generator.standard_normal(count + width - 1)
        return np.convolve(values, np.ones(width), "valid") / np.sqrt(width), np.ones(count)

    return noise


def with_outliers(share: float, size: float) -> Noise:
    """Return white noise that is so many times larger at a share of the checkpoints."""

    def noise(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        return np.where(generator.uniform(size=count) < share, size, 1) * generator.standard_normal(count), np.ones(count)

    return noise


def flat(generator: np.random.Generator, steps: np.ndarray) -> np.ndarray:
    """Return no trend."""
    return np.zeros(len(steps))


def relaxation(size: float, share: float | tuple[float, float], stretch: float = 1.0) -> Trend:
    """Return an exponential relaxation whose time is a share of the whole, or is drawn geometrically between two shares."""

    def trend(generator: np.random.Generator, steps: np.ndarray) -> np.ndarray:
        time = share if isinstance(share, float) else np.exp(generator.uniform(*np.log(share)))
        return size * (1 - np.exp(-((steps / (time * steps[-1])) ** stretch)))

    return trend


def power_law(size: float, exponent: float, start: float = 100.0) -> Trend:
    """Return a power law that falls by a size."""

    def trend(generator: np.random.Generator, steps: np.ndarray) -> np.ndarray:
        fall = (1 + steps / start) ** -exponent
        return size * (fall - fall[-1]) / (fall[0] - fall[-1])

    return trend


def both(first: Trend, second: Trend) -> Trend:
    """Return the sum of two trends."""
    return lambda generator, steps: first(generator, steps) + second(generator, steps)


@dataclass(frozen=True)
class Family:
    """A family of curves.

    Attributes:
        stated: whether the errors are given to detection.
        step: the size of a sharp change within the middle 70% of the axis, in errors at its place; 0 for none.
        late: whether the change lies at 60 to 90% of the axis instead.
        chains: the errors are those of the mean of 8 chains, which checkpoints share with a correlation that fades over so many
            checkpoints, beside a wander of .3 that the chains do not show; 0 for errors of the noise.
        burst: the factor of the chains' spread on six checkpoints in a row.
    """

    name: str
    noise: Noise = white
    trend: Trend = flat
    steps: np.ndarray = field(default_factory=lambda: LOGARITHMIC)
    stated: bool = False
    step: float = 0.0
    late: bool = False
    chains: float = 0.0
    burst: float = 1.0
    level: float = LEVEL
    error: float = 1.0


@dataclass(frozen=True)
class Drawn:
    """A curve's table, its chains where it has any, and where its change lies in log(step + 1)."""

    table: pd.DataFrame
    chains: dict | None
    place: float | None


NOISES: dict[str, Noise] = {
    "white": white,
    "t(3)": student(3),
    "noise growing 10 x": growing(10),
    "AR(1) .8": autoregressive(0.8),
}
LOSSES = {"a power law": power_law(FALL, 0.5), "a relaxation": relaxation(-FALL, 0.003)}
UNTUNED = (
    Family(
        "two relaxations of 10, times .0005 to .005 and .02 to .2",
        trend=both(relaxation(10, (5e-4, 5e-3)), relaxation(10, (0.02, 0.2))),
    ),
    Family("moving average of 4", moving_average(4)),
    Family("outliers of 10 errors, 3%", with_outliers(0.03, 10)),
)
"""Without a transition, and not looked at while the method was made."""
FAMILIES = (
    *(Family(name, noise) for name, noise in NOISES.items()),
    Family("AR(1) .6 with t(4) innovations", autoregressive(0.6, student(4))),
    Family("noise shrinking 5 x on a power law -.5 of 30", growing(0.2), power_law(30, 0.5)),
    Family("white, 30 checkpoints", steps=SHORT),
    Family("noise growing 10 x, 30 checkpoints", growing(10), steps=SHORT),
    Family("noise growing 10 x, errors stated", growing(10), stated=True),
    Family("t(3), errors stated", student(3), stated=True),
    Family("chains' errors fade over 8", chains=8),
    Family("chains' errors, burst x 3", chains=8, burst=3),
    Family("chains' errors, burst x 6", chains=8, burst=6),
    Family("relaxation of 20, time .01", trend=relaxation(20, 0.01)),
    Family("relaxation of 20, any time", trend=relaxation(20, (0.0003, 0.3))),
    Family("relaxation of 100, any time", trend=relaxation(100, (0.0003, 0.3)), level=100),
    Family("relaxation of 20, time .2, 51 linear", trend=relaxation(20, 0.2), steps=LINEAR),
    Family("stretched relaxation (.7) of 20, any time", trend=relaxation(20, (0.001, 0.1), 0.7)),
    Family("power law -.5 of 20", trend=power_law(20, 0.5)),
    Family("power law -1 of 100", trend=power_law(100, 1.0)),
    *UNTUNED,
    *(Family(f"step of 5, {name}", noise, step=5) for name, noise in NOISES.items()),
    Family("step of 5, chains fade over 8", chains=8, step=5),
    Family("step of 5 on a power law of 20", trend=power_law(20, 0.5), step=5),
    Family("step of 5 on a relaxation of 20", trend=relaxation(20, 0.01), step=5),
    Family("step of 10 on a relaxation of 20", trend=relaxation(20, 0.01), step=10),
    *(
        Family(f"late drop of {drop} on {name}", trend=trend, step=-drop / LOSS_ERROR, late=True, level=LOSS, error=LOSS_ERROR)
        for drop in (0.3, 0.5)
        for name, trend in LOSSES.items()
    ),
)


def draw(family: Family, seed: int) -> Drawn:
    """Return a curve of a family."""
    generator = np.random.default_rng([seed, *map(ord, family.name)])
    steps, count = family.steps, len(family.steps)
    positions = np.log1p(steps)
    low, high = (0.6, 0.9) if family.late else (0.15, 0.85)
    after = int(np.searchsorted(positions, positions[0] + generator.uniform(low, high) * np.ptp(positions)))
    noise, sizes = family.noise(generator, count)
    change = family.step * sizes[after] * family.error * (np.arange(count) >= after)
    trend = family.trend(generator, steps)
    levels = family.level + (-trend[-1] if trend[0] > trend[-1] else 0) + trend + change
    place = float(positions[after - 1] + positions[after]) / 2 if family.step else None
    table = pd.DataFrame({"step": steps.astype(int), "observable": "llc", "component": "", "verdict": "ok"})
    if not family.chains:
        stated = family.error * sizes if family.stated else np.nan
        return Drawn(table.assign(value=levels + family.error * noise, standard_error=stated), None, place)
    distance = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    correlation = SHARED * np.exp(-distance / family.chains) + (1 - SHARED) * np.eye(count)
    burst = np.ones(count)
    first = int(generator.integers(10, count - 16))
    burst[first : first + 6] = family.burst
    draws = np.linalg.cholesky(correlation) @ generator.standard_normal((count, CHAINS))
    chains = np.sqrt(CHAINS) * burst[:, None] * draws
    chains += (levels + WANDER * generator.standard_normal(count))[:, None]
    errors = chains.std(axis=1, ddof=1) / np.sqrt(CHAINS)
    return Drawn(table.assign(value=chains.mean(axis=1), standard_error=errors), {("llc", ""): chains}, place)


def outcome(family: Family, seed: int) -> tuple[int, int, bool]:
    """Return the number of candidates of a curve, of those that are right, and whether its change is found."""
    drawn = draw(family, seed)
    detected = detect_transitions(drawn.table, chains=drawn.chains)
    places = np.log1p(detected.loc[detected["decision"] == "candidate", "location"].to_numpy(float))
    if drawn.place is None:
        return len(places), 0, False
    spacing = float(np.median(np.diff(np.log1p(family.steps))))
    right = np.abs(places - drawn.place) <= TOLERANCE * spacing
    return len(places), int(right.sum()), bool(right.any())


def measured(family: Family, seeds: range) -> dict:
    """Return the rates of a family."""
    start = time.process_time()
    candidates, right, recalled = map(np.array, zip(*(outcome(family, seed) for seed in seeds), strict=True))
    row = {"family": family.name, "curves": len(seeds), "flagged": float(np.mean(candidates > 0))}
    if family.step:
        precision = float(right.sum() / candidates.sum()) if candidates.sum() else None
        row |= {"recall": float(recalled.mean()), "precision": precision}
    return row | {"seconds": (time.process_time() - start) / len(seeds)}


def run_of_trends(seed: int) -> bool:
    """Return whether a run of five power laws and five relaxations of one time-scale is flagged."""
    generator = np.random.default_rng([seed, 10])
    share = float(np.exp(generator.uniform(*np.log((0.001, 0.1)))))
    tables = []
    for number in range(10):
        exponent, size = generator.uniform(0.3, 1.0), generator.uniform(10, 40)
        start = share * LOGARITHMIC[-1]
        trend = power_law(size, exponent, start) if number % 2 else relaxation(size, share * float(generator.uniform(0.7, 1.4)))
        values = 50 + trend(generator, LOGARITHMIC) + generator.standard_normal(len(LOGARITHMIC))
        tables.append(pd.DataFrame({"step": LOGARITHMIC.astype(int), "observable": f"observable {number}", "value": values}))
    return bool((detect_transitions(pd.concat(tables))["decision"] == "candidate").any())


def table(rows: list[dict]) -> str:
    """Return the rows as a table of Markdown."""
    lines = ["| family | curves | flagged | recall | precision |", "|---|---|---|---|---|"]
    for row in rows:
        shares = [f"{100 * row[name]:.1f}%" if row.get(name) is not None else "" for name in ("flagged", "recall", "precision")]
        lines.append(f"| {row['family']} | {row['curves']} | {' | '.join(shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure the families, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0, help="where the seeds of the curves start")
    parser.add_argument("--steps-curves", type=int, help="curves of the families with a change; else as many as of the others")
    parser.add_argument("--only", nargs="*", default=[""], help="families whose name contains one of these")
    parser.add_argument("--runs", type=int, default=0, help="measure so many runs of ten smooth trends instead")
    parser.add_argument("--output", type=Path, help="write the rows here as JSON")
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + (arguments.runs or arguments.curves))
    if arguments.runs:
        print(f"{np.mean([run_of_trends(seed) for seed in seeds]):.1%} of {len(seeds)} runs of ten smooth trends are flagged")
        return
    rows = []
    for family in FAMILIES:
        if any(text in family.name for text in arguments.only):
            fewer = seeds[: arguments.steps_curves] if family.step else seeds
            rows.append(measured(family, fewer))
            print(rows[-1], flush=True)
            if arguments.output:
                arguments.output.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
