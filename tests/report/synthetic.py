"""Build the tables of synthetic runs: curves, λ̂ with its health, and traces of chains."""

import numpy as np
import pandas as pd

CHAINS = 8


def rows(steps, observable, values, component="", errors=None, verdicts=""):
    return pd.DataFrame(
        {
            "step": np.asarray(steps),
            "observable": observable,
            "component": component,
            "value": np.asarray(values, dtype=float),
            "standard_error": np.nan if errors is None else errors,
            "verdict": verdicts,
        }
    )


def rise(steps, middle, width, low, high):
    return low + (high - low) / (1 + np.exp(-(np.asarray(steps) - middle) / width))


def sampled(random, steps, llc):
    """λ̂ with errors, one checkpoint that fails a check, and one where every chain died."""
    verdicts = ["ok"] * len(steps)
    verdicts[len(steps) // 3], verdicts[len(steps) // 2] = "r_hat, drift", "all chains dead"
    values = llc + random.normal(0, 0.1, len(steps))
    values[len(steps) // 2] = np.nan
    return pd.DataFrame(
        {
            "step": steps,
            "llc": values,
            "standard_error": np.where(np.isfinite(values), 0.3, np.nan),
            "effective_sample_size": random.uniform(80, 400, len(steps)),
            "r_hat": np.where(np.array(verdicts) == "ok", random.uniform(1, 1.05, len(steps)), 1.3),
            "dead_chains": np.where(np.isfinite(values), 0, CHAINS),
            "share_below": random.uniform(0, 0.1, len(steps)),
            "drift": random.normal(0, 1, len(steps)),
            "verdict": verdicts,
        }
    )


def traces(random, health, draws):
    parts = [
        pd.DataFrame(
            {"step": row.step, "chain": chain, "draw": range(draws), "value": row.llc / 144 + random.normal(0, 0.01, draws)}
        )
        for row in health.itertuples()
        for chain in range(CHAINS)
    ]
    return pd.concat(parts, ignore_index=True)


def per_chain(random, health):
    parts = [
        pd.DataFrame(
            {
                "step": health["step"],
                "component": "",
                "chain": chain,
                "llc": health["llc"] + random.normal(0, 0.5),
                "dead": health["llc"].isna(),
            }
        )
        for chain in range(CHAINS)
    ]
    return pd.concat(parts, ignore_index=True)


def llc_rows(health):
    return rows(health["step"], "llc", health["llc"], errors=health["standard_error"], verdicts=health["verdict"])
