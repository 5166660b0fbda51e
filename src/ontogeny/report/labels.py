"""The titles, units and meanings of curves on a page, and the colours and lines that they are drawn in.

The labels of observables stand on their cards (`config.observables`); here are those of λ̂, its diagnostics and the training.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
from plotly.colors import sample_colorscale

from ontogeny.config.observables import Label as CardLabel
from ontogeny.config.observables import built_in_cards, labels_on

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#332288", "#6B6B6B")
"""The colours of Okabe and Ito (2008); two that are too pale on white are replaced by colours of Tol."""
BLUE, ORANGE, GREEN, PURPLE = PALETTE[:4]
GREY = PALETTE[7]
LIGHTEST = 0.8
"""The end of the sequential scale that is still legible on white."""


class Label(NamedTuple):
    """The title of a curve, the text on its axis, and a sentence on what it measures."""

    title: str
    axis: str
    meaning: str = ""


LABELS = {
    "llc": Label("local learning coefficient", "λ̂", "The local learning coefficient estimate, nβ (E[L(w)] − L(w*))."),
    "llc_variance": Label("variance of the loss", "(nβ)² Var(L)", "Equals λ̂ where γ decides nothing; needs no baseline."),
    "held_by_localization": Label("decided by the localisation", "share of λ̂", "1 − (nβ)² Var(L) / λ̂; 0 where the loss decides."),
    "bayes_training_loss": Label("Bayes training loss", "nats per example", "−(1/n) Σ log E[p(xᵢ|w)] over the draws."),
    "gibbs_training_loss": Label("Gibbs training loss", "nats per example", "Mean over the draws of minus the log likelihood."),
    "functional_variance": Label("functional variance", "nats²", "Σ over the examples of the variance of log p(xᵢ|w)."),
    "singular_fluctuation": Label("singular fluctuation", "ν̂", "β/2 times the functional variance; d/2 for a regular model."),
    "waic": Label("WAIC", "nats per example", "Bayes training loss plus β V/n: estimates the Bayes generalisation loss."),
    "gibbs_generalization_loss": Label(
        "Gibbs generalisation loss", "nats per example", "Gibbs training loss plus β V/n: estimates it on new data."
    ),
    "wbic": Label("WBIC", "nats", "n times the Gibbs training loss at nβ = n / log n: local, under localisation."),
    "learning_rate": Label("learning rate", "learning rate", "A candidate that coincides with a jump here is void."),
    "gradient_norm": Label("gradient norm", "global norm", "Norm of the gradient, before clipping."),
    "effective_sample_size": Label("effective sample size", "independent draws", "Draws the correlated chains are worth."),
    "r_hat": Label("R̂", "ratio", "Spread between the chains over spread within; 1 where they agree."),
    "drift": Label("drift", "standard errors", "Middle third of the trace against its last third; near 0 where it has settled."),
    "full_gradient_norm": Label("|∇L(w*)|", "norm", "Norm of the gradient on the full data; 0 at a minimum."),
    "first_order": Label(
        "first-order term of λ̂",
        "λ̂",
        "nβ E[∇L(w*)·(w - w*)], the part of λ̂ that is there only because the checkpoint is no minimum; already in λ̂.",
    ),
    "share_below": Label(
        "draws below L(w*)", "share", "Share of twentieths of the traces whose mean loss is below that of the checkpoint."
    ),
}


GIVEN: ContextVar[Mapping[str, CardLabel]] = ContextVar("GIVEN")
"""The labels of the observables of a family, among them the user's own."""


@contextmanager
def given_labels(labels: Mapping[str, CardLabel]) -> Iterator[None]:
    """Let `label` also know these labels."""
    token = GIVEN.set(labels)
    try:
        yield
    finally:
        GIVEN.reset(token)


def label(observable: str) -> Label:
    """Return the label of an observable; its own name where no label is known."""
    if observable in LABELS:
        return LABELS[observable]
    plain = observable.replace("_", " ")
    card = GIVEN.get({}).get(observable) or labels_on(built_in_cards()).get(observable)
    return Label(card.title, card.unit, card.meaning) if card else Label(plain, plain)


def natural(name: str) -> list[tuple[int, str]]:
    """Return a sorting key under which heads.2 comes before heads.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def palette(count: int) -> list[str]:
    """Return distinct colours for up to eight curves, and a sequential scale from dark to light for more."""
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    scale = sample_colorscale("Viridis", list(np.linspace(0, LIGHTEST, count)), colortype="tuple")
    # As hexadecimal digits, which both Plotly and Matplotlib read.
    return ["#" + "".join(f"{round(255 * float(part)):02x}" for part in colour) for colour in scale]


def dashes(count: int) -> list[str]:
    """Return line styles that distinguish curves without colours."""
    styles = ("solid", "dash", "dot", "dashdot")
    return [styles[index % 4] for index in range(count)] if count <= len(PALETTE) else ["solid"] * count


def slug(*parts: object) -> str:
    """Return an identifier that HTML, JavaScript and a URL's fragment accept."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(str(part) for part in parts)).strip("-").lower()


def listed(words: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def capital(text: str) -> str:
    """Return the text with a capital first letter; λ̂ stays λ̂."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text
