"""Two synthetic runs that look like the real ones: a polygon that gains a corner, a transformer that forms induction heads."""

import numpy as np
import pandas as pd
import pytest
from synthetic import llc_rows, per_chain, rise, rows, sampled, traces

from ontogeny.report.tables import RunReport, RunSummary
from ontogeny.transitions.records import Candidate, Consensus, Development, from_json


def passage(observable="loss", component="", **fields):
    """Return the evidence of a candidate as JSON."""
    start, end = fields.get("start", 600.0), fields.get("end", 800.0)
    location = fields.get("location", (start + end) / 2)
    return {
        "observable": observable,
        "component": component,
        "start": start,
        "location": location,
        "location_low": location - 50,
        "location_high": location + 50,
        "end": end,
        "change": 1.0,
        "change_standard_error": 0.01,
        "p_value": 0.005,
        "q_value": 0.012,
        "direction": "up",
        **fields,
    }


def candidate(name="unnamed", evidence=(("loss", "", -0.42),), **fields):
    """Return a candidate as JSON.

    Args:
        evidence: observable, component and change of each curve.
    """
    place = {key: fields[key] for key in ("start", "location", "end") if key in fields}
    passages = [passage(observable, component, change=change, **place) for observable, component, change in evidence]
    return {"name": name, **passages[0], "change": 1.0, "co_timing_p_value": 1.0, "evidence": passages, **fields}


CHANGES = {
    "delta_llc": 1.53,
    "delta_llc_standard_error": 0.21,
    "delta_loss": -0.0354,
    "delta_loss_standard_error": 0.0002,
    "free_energy_condition": True,
    "critical_sample_size": 380.2,
    "critical_sample_size_low": 301.0,
    "critical_sample_size_high": 492.0,
}


def changed(name, start, location, end, evidence, **fields):
    """Return a candidate with known changes of λ̂ and the loss as JSON."""
    return candidate(name, evidence, **{"start": start, "location": location, "end": end, **CHANGES, **fields})


def development(**content):
    """Return what is read from a transitions.json with this content."""
    empty = {"candidates": [], "stages": [], "boundaries": [], "void": [], "undecided": []}
    return from_json(Development, {**empty, **content}, "transitions.json")


def consensus(*agreements):
    """Return what is read from a consensus.json with these transitions."""
    return from_json(Consensus, {"seeds": [0, 1, 2, 3], "transitions": agreements}, "consensus.json")


def stages(*bounds):
    return [{"start": low, "end": high, "delta_llc": 0.1, "delta_loss": None, "type": kind} for low, high, kind in bounds]


def certainty(seed, location, q_value, named=True, independent=True):
    sure = {"p_value": q_value / 2, "q_value": q_value, "named": named, "independent": independent}
    return {"seed": seed, "location": location, **sure}


def polygon_report(seed=3):
    random = np.random.default_rng(seed)
    steps = np.linspace(0, 225_000, 151).round().astype(int)
    middle = 121_000 + 4_000 * seed
    health = sampled(random, steps, rise(steps, middle, 900, 4.8, 6.3))
    tables = [
        llc_rows(health),
        rows(steps, "population_loss", rise(steps, middle, 700, 0.1042, 0.0687)),
        rows(steps, "loss", rise(steps, middle, 700, 0.1050, 0.0690)),
        rows(steps, "polygon_vertices", np.where(steps < middle, 4, 5)),
        rows(steps, "positive_dead_biases", np.where(steps < middle, 1, 0)),
    ]
    tables += [
        rows(steps, "feature_norm", rise(steps, middle, 900, 0.1, 1.0 + 0.03 * place), f"features.{place}") for place in range(6)
    ]
    corner = changed(
        "4-gon → 5-gon",
        float(middle - 2000),
        float(middle),
        float(middle + 2000),
        [("polygon_vertices", "", 1.0), ("population_loss", "", -0.0354), ("feature_norm", "features.2", 0.9), ("llc", "", 1.5)],
    )
    minor = {
        **changed("unnamed", 1500.0, 2200.0, 3000.0, [("loss", "", -0.002)]),
        "delta_llc": None,
        "critical_sample_size": None,
        "free_energy_condition": None,
    }
    training = pd.DataFrame(
        {
            "step": steps,
            "loss": rise(steps, middle, 700, 0.105, 0.069) + random.normal(0, 0.002, 151),
            "learning_rate": 0.005,
            "gradient_norm": random.uniform(0.1, 0.3, 151),
        }
    )
    return RunReport(
        family="superposition",
        variant="base",
        seed=seed,
        description="The toy model of superposition: six features in two dimensions, started near the 4-gon.",
        trajectory=pd.concat(tables, ignore_index=True),
        training=training,
        llc=per_chain(random, health),
        health=health,
        traces=traces(random, health, 400),
        transitions=development(
            candidates=[minor, corner],
            stages=stages((0.0, middle - 2000.0, "quiet"), (middle + 2000.0, 225_000.0, "hidden")),
            undecided=[{"observable": "feature_norm", "component": "features.0", "reason": "constant"}],
        ),
        consensus=consensus(
            {
                "name": "4-gon → 5-gon",
                "support": "supported",
                "seeds": [0, 1, 3],
                "of": 4,
                "location_median": 120_000.0,
                "location_low": 99_000.0,
                "location_high": 150_000.0,
                "reason": "3 of 4 seeds; an independent observable changes with it",
                "certainties": [
                    certainty(0, 99_000.0, 0.012),
                    certainty(1, 120_000.0, 0.03, named=False, independent=False),
                    certainty(3, 150_000.0, 0.001),
                ],
            }
        ),
        calibration={
            "inverse_temperature": 144.76,
            "localization": 1.0,
            "sampler": {"kind": "sgld", "step_size": 1e-3},
            "burn_in": 100,
            "settled_after": 80,
            "mala_acceptance": 0.93,
            "sweep": {
                "inverse_temperature": [18.1, 36.2, 72.4, 144.8, 289.5, 579.0, 1158.1],
                "llc": [2.1, 3.9, 4.6, 4.8, 4.9, 4.7, 3.2],
                "standard_error": [0.1] * 7,
                "flat_from": 72.4,
                "flat_to": 579.0,
            },
            "n": 1000,
            "batch_size": None,
            "chains": 8,
            "draws": 400,
            "stability": {"value": 0.3, "verdict": "too long"},
        },
        specification={
            "task": {"kind": "sparse_features", "features": 6},
            "model": {"kind": "superposition", "hidden": 2},
            "note": "</script><b>",
        },
        provenance={
            "train": {
                "digest": "2b6f",
                "seconds": 5.2,
                "versions": {"jax": "0.10.2"},
                "machine": {"devices": ["cpu"]},
                "commit": None,
            }
        },
    )


def induction_report(layers=2, seed=0):
    random = np.random.default_rng(seed + 10 * layers)
    steps = np.unique([*range(0, 2001, 25), *np.geomspace(1, 2000, 8).round().astype(int)])
    sampled_steps = steps[np.linspace(0, len(steps) - 1, 30).round().astype(int)]
    forms = layers == 2
    llc = 65 + rise(sampled_steps, 60, 20, 0, 35) + (rise(sampled_steps, 700, 30, 0, 30) if forms else 0)
    health = sampled(random, sampled_steps, llc)
    loss = 4.8 - rise(steps, 50, 25, 0, 1.9) - (rise(steps, 700, 35, 0, 0.42) if forms else 0)
    tables = [
        llc_rows(health),
        rows(steps, "loss", loss),
        rows(steps, "evaluation_loss", loss + 0.03),
        rows(steps, "in_context_learning_score", rise(steps, 700, 35, 0, -0.8 if forms else -0.02)),
        rows(steps, "cross_entropy_to_bigram", 3 + 1.5 * np.exp(-steps / 100) + steps / 9000),
    ]
    for layer in range(layers):
        for head in range(2):
            height = 0.62 + 0.2 * head if forms and layer == 1 else 0.08
            tables.append(
                rows(steps, "prefix_matching_score", rise(steps, 700, 30, 0.05, height), f"layers.{layer}.heads.{head}")
            )
            tables.append(
                rows(
                    steps,
                    "previous_token_score",
                    rise(steps, 400, 40, 0.05, 0.6 if layer == 0 and head else 0.1),
                    f"layers.{layer}.heads.{head}",
                )
            )
    tables += [rows(steps, "loss_by_position", loss + 1.5 / (1 + place), f"positions.{place + 1}") for place in range(31)]
    candidates = [changed("bigram learning", 16.0, 52.0, 125.0, [("cross_entropy_to_bigram", "", -1.3)])]
    if forms:
        candidates += [
            changed(
                "previous-token head formation",
                325.0,
                400.0,
                475.0,
                [("previous_token_score", "layers.0.heads.1", 0.5)],
                delta_loss=0.001,
                delta_loss_standard_error=0.01,
                free_energy_condition=False,
                critical_sample_size=None,
            ),
            changed(
                "induction-head formation",
                600.0,
                700.0,
                800.0,
                [
                    ("prefix_matching_score", "layers.1.heads.0", 0.57),
                    ("prefix_matching_score", "layers.1.heads.1", 0.77),
                    ("in_context_learning_score", "", -0.8),
                    ("loss", "", -0.42),
                    *[("copying_score", f"layers.1.heads.{head}", 0.1) for head in range(3)],
                ],
                named_by=[
                    {"observable": "prefix_matching_score", "component": "layers.1.heads.1", "before": 0.077, "after": 0.793},
                    {"observable": "in_context_learning_score", "component": "", "before": -0.03, "after": -0.77},
                ],
                delta_llc=30.1,
                delta_llc_standard_error=2.1,
                delta_loss=-0.42,
            ),
        ]
    warm = np.minimum(steps / 50, 1) * 5e-3
    return RunReport(
        family="induction",
        variant=f"layers~{layers}",
        seed=seed,
        description="Attention-only transformers on repeated text; one layer is the negative control.",
        trajectory=pd.concat(tables, ignore_index=True),
        training=pd.DataFrame(
            {
                "step": steps,
                "loss": loss + random.normal(0, 0.05, len(steps)),
                "learning_rate": warm,
                "gradient_norm": random.uniform(0.3, 1.2, len(steps)),
            }
        ),
        llc=per_chain(random, health),
        health=health,
        traces=traces(random, health, 100),
        transitions=development(candidates=candidates, stages=stages((0.0, 16.0, "complexity bought"), (800.0, 2000.0, "quiet"))),
        consensus=consensus(
            {
                "name": "induction-head formation",
                "support": "supported",
                "seeds": [0, 1],
                "of": 2,
                "location_median": 700.0,
                "location_low": 690.0,
                "location_high": 715.0,
                "reason": "2 of 2 seeds",
            }
        ),
        calibration={"inverse_temperature": 100.0, "localization": 100.0, "step_size": 1e-3},
        specification={"model": {"kind": "transformer", "layers": layers}},
        provenance={},
    )


def bare_report():
    """A run of which nothing is known but its name."""
    empty = polygon_report().trajectory.iloc[:0]
    return RunReport(family="superposition", variant="base", seed=0, description="", trajectory=empty)


def summary(report):
    return RunSummary(
        variant=report.variant,
        seed=report.seed,
        trajectory=report.trajectory,
        transitions=report.transitions,
        href=f"{report.variant}/seed~{report.seed}/report.html",
    )


@pytest.fixture(scope="session")
def polygon():
    return polygon_report()


@pytest.fixture(scope="session")
def induction():
    return induction_report()


@pytest.fixture(scope="session")
def bare():
    return bare_report()


@pytest.fixture(scope="session")
def make_rows():
    return rows


@pytest.fixture(scope="session")
def make_candidate():
    """Return a function that makes a candidate from those of its fields that matter."""
    return lambda **fields: from_json(Candidate, candidate(**fields), "transitions.json")


@pytest.fixture(scope="session")
def make_development():
    return development


@pytest.fixture(scope="session")
def make_consensus():
    return consensus


@pytest.fixture(scope="session")
def make_passage():
    return passage


@pytest.fixture(scope="session")
def summaries():
    """Two seeds of the transformer with one layer and with two."""
    return [summary(induction_report(layers, seed)) for layers in (1, 2) for seed in (0, 1)]
