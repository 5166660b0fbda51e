"""The PyTorch peers of `benchmarks.speed`, in an environment of their own: devinterp 2.0.1 and canonical-interp 0.2.7.

devinterp runs through its documented function `llc`, canonical-interp through `LLCEstimator`, eager and compiled.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor  # pyright: ignore[reportMissingImports]

from benchmarks.speed_workloads import WORKLOADS, Workload

Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


class Model(torch.nn.Module):
    """Parameters by name, and the loss of every example (of every token of a window) as the forward pass."""

    def __init__(self, name: str, parameters: dict[str, Any], data: dict[str, Tensor], attention: Attention) -> None:
        super().__init__()
        # Parameters may have no dots in their names.
        self.weights = torch.nn.ParameterDict(
            {name.replace(".", "_"): torch.nn.Parameter(torch.from_numpy(leaf.copy())) for name, leaf in parameters.items()}
        )
        self.shape, self.data = WORKLOADS[name].shape, data
        losses = {"dln": linear_network, "tf": partial(transformer, attention), "tfl": partial(transformer, attention)}
        self.loss = losses.get(name, superposition)

    def forward(self, indices: Tensor) -> Tensor:
        return self.loss(self.weights, {name: leaf[indices] for name, leaf in self.data.items()}, self.shape)


def superposition(parameters: Any, batch: Any, shape: dict[str, int]) -> Tensor:
    weight, x = parameters["weight"], batch["x"]
    return ((torch.relu(x @ weight.T @ weight + parameters["bias"]) - x) ** 2).sum(-1)


def linear_network(parameters: Any, batch: Any, shape: dict[str, int]) -> Tensor:
    outputs = batch["x"]
    for layer in range(shape["layers"]):
        outputs = outputs @ parameters[f"layer{layer}"]
    return ((outputs - batch["y"]) ** 2).sum(-1)


def fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def written_out(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """As a model has to that lets one look at its attention patterns, TransformerLens and ontogeny's own among them."""
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(-1) @ value


def transformer(attention: Attention, parameters: Any, batch: Any, shape: dict[str, int]) -> Tensor:
    """The losses of the tokens of each window; the model of `ontogeny.models.transformer`."""
    functional, width, tokens = torch.nn.functional, shape["width"], batch["tokens"]

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (width,), parameters[f"{name}_scale"], parameters[f"{name}_bias"])

    x = parameters["embedding"][tokens[:, :-1]]
    for layer in range(shape["layers"]):
        inside = f"layers_{layer}_attention"
        located = norm(x + parameters["positions"], f"{inside}_norm")
        sources = {"query": located, "key": located, "value": norm(x, f"{inside}_norm")}
        query, key, value = (
            torch.einsum("btd,dhe->bhte", source, parameters[f"{inside}_{part}"]) + parameters[f"{inside}_{part}_bias"][:, None]
            for part, source in sources.items()
        )
        mixed = attention(query, key, value)
        x = x + torch.einsum("bhte,hed->btd", mixed, parameters[f"{inside}_output"]) + parameters[f"{inside}_output_bias"]
    logits = norm(x, "norm") @ parameters["unembedding"] + parameters["unembedding_bias"]
    return functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")


def devinterp(model: Model, work: Workload, seed: int) -> float:
    """Sequences of tokens are what it samples: sequence i is (i, 0), and the loss looks example i up."""
    from datasets import Dataset  # pyright: ignore[reportMissingImports]
    from devinterp.slt.llc import llc  # pyright: ignore[reportMissingImports]

    def loss_fn(model: Model, tokens: Tensor) -> Tensor:
        losses = model(tokens[:, 0])
        return losses.reshape(len(losses), -1).mean(-1, keepdim=True)

    numbered = Dataset.from_dict({"input_ids": [[number, 0] for number in range(work.n)]}).with_format("torch")
    with tempfile.TemporaryDirectory() as folder:
        found = llc(
            model,
            numbered,
            {},
            lr=work.step_size,
            n_beta=work.inverse_temperature,
            localization=work.localization,
            num_chains=work.chains,
            num_draws=work.draws,
            num_burnin_steps=work.burn_in,
            batch_size=work.batch_size,
            init_seed=seed,
            device="cpu",
            output_path=Path(folder) / "samples.zarr",
            loss_fn=loss_fn,
        )
    return float(found["llc_mean"])


def canonical(model: Model, work: Workload, seed: int, *, compiled: bool) -> float:
    from canonical_interp.slt import LLCEstimator  # pyright: ignore[reportMissingImports]
    from torch.utils.data import DataLoader, TensorDataset  # pyright: ignore[reportMissingImports]

    numbers = torch.arange(work.n)
    estimator = LLCEstimator(
        draws=work.draws,
        chains=work.chains,
        burnin_steps=work.burn_in,
        learning_rate=work.step_size,
        localization=work.localization,
        nbeta=work.inverse_temperature,
    )
    return float(
        estimator.estimate_llc(
            model,
            DataLoader(TensorDataset(numbers, numbers), batch_size=work.batch_size, shuffle=True),
            criterion_fn=lambda losses, _: losses.mean(),
            seed=seed,
            compile="reduce-overhead" if compiled else False,
            show_progress=False,
        )
    )


PROGRAMS = {
    "devinterp": devinterp,
    "devinterp, attention written out": devinterp,
    "canonical-interp": lambda *arguments: canonical(*arguments, compiled=False),
    "canonical-interp, compiled": lambda *arguments: canonical(*arguments, compiled=True),
}


class Taken(NamedTuple):
    """Of each checkpoint: λ̂, CPU seconds, wall seconds; and the CPU seconds of the process up to the last."""

    llc: list[float]
    used: list[float]
    wall: list[float]
    whole: float


def run(program: str, name: str, stacked: dict[str, Any], data: dict[str, Any], threads: int) -> Taken:
    """A checkpoint after another, on so many threads."""
    torch.set_num_threads(threads)
    work = WORKLOADS[name]
    tensors = {name: torch.from_numpy(array) for name, array in data.items()}
    tensors = {name: tensor.long() if not tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    taken = Taken([], [], [], 0.0)
    for place in range(work.checkpoints):
        used, wall = time.process_time(), time.perf_counter()
        parameters = {leaf: array[place] for leaf, array in stacked.items()}
        model = Model(name, parameters, tensors, written_out if "written out" in program else fused)
        taken.llc.append(PROGRAMS[program](model, work, place))
        taken.used.append(time.process_time() - used)
        taken.wall.append(time.perf_counter() - wall)
    return taken._replace(whole=time.process_time())
