"""Checkpoints and chains spread over the devices of a process: the numbers stay what they are on one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from ontogeny.sampling.over_devices import spread_over

PROGRAM = """
import json, jax, jax.numpy as jnp, numpy as np, ontogeny

rng = np.random.default_rng(0)
data = jnp.asarray(rng.normal(size=(200, 3)), jnp.float32)
seen = {}
for checkpoints, chains in ((1, 4), (5, 4), (5, 3)):
    centers = jnp.asarray(rng.normal(size=(checkpoints, 3)), jnp.float32)
    traces = ontogeny.sample(
        lambda w, x: (x @ w) ** 2 + jnp.sum(w**4), centers, data, key=jax.random.key(0), sampler=ontogeny.SGLD(step_size=1e-4),
        chains=chains, draws=20, burn_in=3, batch_size=16, collect={"sum": jnp.sum}, thin=3,
    )
    fields = {name: np.asarray(getattr(traces, name)).tolist() for name in ("values", "first_order", "baseline")}
    fields["collected"] = np.asarray(traces.collected["sum"]).tolist()
    seen[f"{checkpoints} × {chains}"] = {**fields, "devices": len(traces.values.devices())}
print(json.dumps({"devices": jax.local_device_count(), "seen": seen}))
"""


@pytest.mark.parametrize(
    ("devices", "checkpoints", "chains", "spread"),
    [
        (1, 5, 4, (1, 1)),
        (2, 6, 4, (2, 1)),
        (2, 5, 4, (1, 2)),
        (2, 5, 3, (2, 1)),
        (2, 1, 4, (1, 2)),
        (2, 1, 3, (1, 1)),
        (8, 3, 4, (3, 2)),
        (4, 3, 4, (1, 4)),
    ],
)
def test_the_busiest_device_has_as_little_to_do_as_can_be(devices, checkpoints, chains, spread):
    assert spread_over(devices, checkpoints, chains) == spread


@pytest.mark.end_to_end
def test_the_numbers_do_not_depend_on_the_number_of_devices():
    """One checkpoint and five, whose chains are spread; and five of three chains, so that one place is filled up."""

    def on(devices: int) -> dict:
        environment = {**os.environ, "JAX_NUM_CPU_DEVICES": str(devices), "JAX_PLATFORMS": "cpu"}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    one, two = on(1), on(2)
    assert (one["devices"], two["devices"]) == (1, 2)
    for case, seen in two["seen"].items():
        assert seen.pop("devices") == 2
        assert one["seen"][case].pop("devices") == 1
        for name, values in one["seen"][case].items():
            # Fewer checkpoints side by side are summed in another order; the noise is the same to the last bit.
            np.testing.assert_allclose(seen[name], values, rtol=1e-5, atol=1e-6)
