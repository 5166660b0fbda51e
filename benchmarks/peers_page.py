"""docs/accuracy-peers.md, from the rows that `python -m benchmarks.peers` measured."""

from typing import Any

import numpy as np

from benchmarks.peers_problems import BURN_IN, CHAINS, DRAWS, INVERSE_TEMPERATURE, N


def table(rows: list[dict[str, Any]]) -> str:
    columns = ["problem", "seeds", "exact", "ontogeny", "`llc()`", "ours / theirs", "by hand", "ours / theirs"]
    if not rows[0]["batch"]:
        columns.append("ours / `llc()`, same draws")
    head = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    return "\n".join(head + [line(one) for one in rows])


def line(one: dict[str, Any]) -> str:
    def error(program: str) -> str:
        return f"{one['rmse'][program]:.3g} ({one['bias'][program]:+.2g})"

    cells = [one["problem"], str(one["seeds"]), f"{one['truth']:.4g}", error("ontogeny")]
    for program in ("llc()", "by hand"):
        cells += [error(program), interval(one["ratio"][program])]
    if one["without_burn_in"]:
        cells.append(interval(one["without_burn_in"]))
    return "| " + " | ".join(cells) + " |"


def interval(found: tuple[float, float, float]) -> str:
    return "{:.2f} [{:.2f}, {:.2f}]".format(*found)


def geometric_mean(rows: list[dict[str, Any]], program: str) -> float:
    return float(np.exp(np.mean([np.log(one["ratio"][program][0]) for one in rows])))


def means(rows: list[dict[str, Any]]) -> str:
    """Geometric means of the ratio, over groups of rows."""
    groups = {
        "minibatches, all": [one for one in rows if one["batch"]],
        "minibatches, noisy labels": [one for one in rows if one["batch"] and one["noisy"]],
        "minibatches, no noise": [one for one in rows if one["batch"] and not one["noisy"]],
        "full batches": [one for one in rows if not one["batch"]],
    }
    head = ["| geometric mean of ours / theirs | rows | `llc()` | by hand |", "|---|--:|--:|--:|"]
    lines = [
        f"| {name} | {len(some)} | {geometric_mean(some, 'llc()'):.2f} | {geometric_mean(some, 'by hand'):.2f} |"
        for name, some in groups.items()
        if some
    ]
    return "\n".join(head + lines)


def lost(rows: list[dict[str, Any]]) -> str:
    """The comparisons where our error is above 1.05 × theirs, surely or perhaps."""
    lines = []
    for one in rows:
        found = {**one["ratio"], "`llc()`'s reading of the same draws": one["without_burn_in"] or (0, 0, 0)}
        kind = f"batches of {one['batch']}" if one["batch"] else "full batch"
        lines += [
            f"- {one['problem']}, {kind}, beside {program}: {interval(values)}, "
            + ("surely" if values[1] > 1 else "within the noise of the seeds")
            for program, values in found.items()
            if values[0] > 1.05
        ]
    return "\n".join(lines or ["- none"])


def page(rows: list[dict[str, Any]]) -> str:
    minibatch, full = [one for one in rows if one["batch"]], [one for one in rows if not one["batch"]]
    same_draws = max(one["without_burn_in"][0] for one in full)
    sizes = "quadratics 20, the others 50"
    return f"""# The error of λ̂ beside devinterp 2.0.1

Written by `python -m benchmarks.peers --write`. The program's text says how the environment of devinterp is made.

{TEXT.format(chains=CHAINS, draws=DRAWS, burn_in=BURN_IN, n=N, nbeta=INVERSE_TEMPERATURE, gradients=CHAINS * (DRAWS + BURN_IN))}

## Figures

{means(rows)}

Asked for: 0.5 over the minibatch rows, 1.05 in each row of the full batches. There both are one Markov chain, and the last
column, on the same draws, says it best: at most {same_draws:.2f}. The other columns compare other seeds.

## Minibatches (of {sizes})

{table(minibatch)}

## Full batches

{table(full)}

## Rows where our error is above 1.05 × theirs

{lost(rows)}
"""


TEXT = """Root of the mean square error over seeds, its mean (the bias) in brackets; 95% intervals over resampled seeds.

**The same work.** Loss (one source for JAX and PyTorch), data, w*, ε, nβ = {nbeta:.3f}, γ, batch size, {chains} chains of
{burn_in} steps of burn-in and {draws} draws: {gradients} gradients each, float32, n = {n}. Plain SGLD in both: devinterp's
default `sgmcmc_sgld`, whose update is ours. ε, γ: 2e-4, 1 (quadratics); 1e-3, 10 (crossings); .04 / (nβ h_max), 1 (networks).

**Exact** is nβ E[L(w) - L(w*)] under the local posterior, which neither step nor batch enters: Σ nβ h / 2 / (nβ h + γ) for the
quadratics, the same with the Hessian's non-zero eigenvalues for the networks (Laplace's approximation on a smooth fibre),
quadrature for the crossings. What step and batch add counts as an error of both.

**devinterp in two ways.**

- `llc()`: as documented, `devinterp.slt.llc.llc`'s llc_mean with every argument that the work does not fix left at its
  default: `num_init_loss_batches=32`, `match_sampling_input_ids_across_chains=True`, `shuffle=True`. It averages burn-in
  in, by its docstring.
- by hand: `num_init_loss_batches` for one whole pass, `match_sampling_input_ids_across_chains=False`, and λ̂ from the stored
  `sampling_loss`, which has no burn-in. A user has to know to do it.

Both take `observables={{}}`: they cost evaluations and do not enter λ̂. A "sequence" is the number of an example, of one loss, by
`loss_fn`. The full batch is one sequence whose loss is the mean over all examples; there both ways read the same draws, and
`by hand` is the same Markov chain and the same average as ours: its ratio is 1 but for the noise of the seeds. `llc()` averages
the burn-in of that chain in; what this alone does is measured in the last column, on 200 repetitions of our own chains.
Ours draws batches independently, with replacement. devinterp goes through a permutation of the data and replays it: a batch
is read just after all the others of its pass have moved the chain away from it, which adds to λ̂ (the bias of `by hand`
where labels have noise).

**Burn-in is short**, in both, since `llc()` averages it in: what is left out here costs the variance of the draws thrown away.

**Where the difference comes from.** Ours subtracts the loss at w* on the same batch. Theirs subtracts a mean over other
batches, whose error, times nβ, stays in λ̂ however long the chains. Where labels have no noise the loss at w* is 0 and there
is nothing to pair."""
