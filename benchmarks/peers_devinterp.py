"""The peer of `benchmarks.peers`: devinterp 2.0.1 in its own environment, a request a line in, its answer a line out.

A request is JSON: loss, folder (its .npy files are parameters and data), batch_size (null for all examples), variant,
stream (where the seeds start), seeds, settings. The answer is λ̂ of every seed, in two readings of the same draws:

- `llc`: what `devinterp.slt.llc.llc` returns as llc_mean;
- `draws`: n_beta (mean of sampling_loss - mean of init_loss), that is, with the burn-in left out.
"""

import gc
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from datasets import Dataset  # pyright: ignore[reportMissingImports]
from devinterp.slt.llc import compute_llc  # pyright: ignore[reportMissingImports]
from devinterp.slt.sampling import sample  # pyright: ignore[reportMissingImports]

from benchmarks.peers_losses import LOSSES


class Model(torch.nn.Module):
    """Parameters by name; the loss does the rest."""

    def __init__(self, parameters: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.weights = torch.nn.ParameterDict({name: torch.nn.Parameter(leaf.clone()) for name, leaf in parameters.items()})


def load(folder: Path, kind: str) -> dict[str, torch.Tensor]:
    return {path.stem: torch.from_numpy(np.load(path)) for path in sorted((folder / kind).glob("*.npy"))}


def numbered(count: int) -> Any:
    """devinterp wants sequences of tokens: sequence i is (i, 0), of one loss, and the loss looks example i up."""
    return Dataset.from_dict({"input_ids": [[number, 0] for number in range(count)]}).with_format("torch")


def loss_of_examples(loss: Any, data: dict[str, torch.Tensor]) -> Any:
    def loss_fn(model: Model, tokens: torch.Tensor) -> torch.Tensor:
        batch = {name: leaf[tokens[:, 0]] for name, leaf in data.items()}
        return loss(dict(model.weights.items()), batch)[:, None]

    return loss_fn


def loss_of_all(loss: Any, data: dict[str, torch.Tensor]) -> Any:
    """The full batch as one sequence whose loss is the mean over all examples."""
    return lambda model, tokens: loss(dict(model.weights.items()), data).mean().reshape(1, 1)


def options(variant: str, examples: int, batch_size: int) -> dict[str, Any]:
    """devinterp's defaults, or the best that its arguments offer: own batches per chain, a whole pass for init_loss."""
    if variant == "defaults":
        return {}
    return {"match_sampling_input_ids_across_chains": False, "num_init_loss_batches": examples // batch_size}


def estimate(request: dict[str, Any], seed: int) -> dict[str, float]:
    folder, loss = Path(request["folder"]), LOSSES[request["loss"]]
    data = load(folder, "data")
    full = request["batch_size"] is None
    examples = 1 if full else len(next(iter(data.values())))
    batch_size = request["batch_size"] or 1
    settings = request["settings"]
    with tempfile.TemporaryDirectory() as place:
        tree = sample(
            Model(load(folder, "parameters")),
            numbered(examples),
            {},
            lr=settings["step_size"],
            n_beta=settings["inverse_temperature"],
            localization=settings["localization"],
            num_chains=settings["chains"],
            num_draws=settings["draws"],
            num_burnin_steps=settings["burn_in"],
            batch_size=batch_size,
            init_seed=request["stream"] + 1000 * seed,
            device="cpu",
            output_path=Path(place) / "samples.zarr",
            loss_fn=(loss_of_all if full else loss_of_examples)(loss, data),
            **options(request["variant"], examples, batch_size),
        )
        rise = float(tree.dataset.sampling_loss.mean()) - float(tree.dataset.init_loss.mean())
        return {"llc": float(compute_llc(tree)["llc_mean"]), "draws": settings["inverse_temperature"] * rise}


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    gc.freeze()  # devinterp collects garbage twice a chain; what is imported need not be looked through
    for line in sys.stdin:
        request = json.loads(line)
        answers = [estimate(request, seed) for seed in request["seeds"]]
        print(json.dumps({name: [answer[name] for answer in answers] for name in answers[0]}), flush=True)


if __name__ == "__main__":
    main()
