"""A straight line learnt by gradient descent: a run whose jobs take a moment."""

from pathlib import Path

from ontogeny.jobs.job import Job

MINE = """
import jax.numpy as jnp
from flax import nnx
from ontogeny.problem.problem import Data, Task

def task(batch_size, *, slope=1.0, inputs=1, n=30):
    x = jnp.linspace(-1.0, 1.0, n * inputs).reshape(n, inputs)
    data = x, slope * x.sum(1) + 0.1 * (-1.0) ** jnp.arange(n, dtype=float)
    return Task(
        data=Data(train=lambda key, step: data, sampling=data, evaluation=data),
        output_loss=lambda outputs, targets: (outputs - targets) ** 2 / 2,
        shape={"inputs": inputs},
        is_log_likelihood=True,
    )

class Line(nnx.Module):
    def __init__(self, shape, rngs):
        self.slope = nnx.Param(jnp.zeros(shape["inputs"]))

    def __call__(self, x):
        return x @ self.slope[...]
"""
SECTIONS = {
    "task": {"kind": "mine.py:task"},
    "model": {"kind": "mine.py:Line"},
    "training": {"optimizer": {"name": "sgd", "learning_rate": 0.3}, "batch_size": 30, "steps": 60},
    "checkpoints": {"linear": 6},
}
CALIBRATION = {
    "sampler": {"kind": "sgld", "step_size": 0.01},
    **{"inverse_temperature": 30.0, "localization": 1.0, "chains": 2, "draws": 25, "burn_in": 5, "batch_size": None},
    "layout": {"microbatch": None, "vectorize_chains": True, "center": None, "checkpoints": 2},
    "digest": "",
    "curvature": [0.4],
    "gradient_variance": [0.0],
}


def job(folder: Path, name: str, **llc) -> Job:
    """A job of the run, with some keys of the section `llc`."""
    changes = llc.get("refine", {}).get("data", {})
    others = {name: SECTIONS["task"] | change for name, change in changes.items()}
    specification = {"seeds": [0], "lanes": [0], "code": "test", "llc": llc, "other_data": others, "transitions": {}, **SECTIONS}
    specification |= {"seed": 0, "runs": 8, "sweep": llc.pop("sweep", {}), "components": []}
    return Job(name=name, results=folder, base=folder, specification=specification, family="line", variant="base", block="seed~0")
