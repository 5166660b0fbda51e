"""Which local posterior a family asks for: the loss on the labels, or on the network's own outputs at the checkpoint."""

from typing import Any

from ontogeny import config
from ontogeny.arrays.flat import Checkpoints, Mask
from ontogeny.errors import SpecificationError
from ontogeny.problem.behavioural import behavioural_loss, moving_mask, with_reference
from ontogeny.problem.problem import Batch, Problem
from ontogeny.sampling.objective import Loss
from ontogeny.sampling.target import Target


def chain_loss(problem: Problem, llc: config.LocalLearningCoefficient) -> Loss:
    """Return the loss that chains run on. It is equal in every call for one problem, so it is compiled once.

    Raises:
        SpecificationError: the task has no divergence of outputs, which a behavioural loss needs.
    """
    if not llc.behavioural:
        return problem.loss
    if problem.apply is None or problem.divergence is None:
        raise SpecificationError("llc.behavioural: the task has no `divergence` of outputs (see ontogeny.problem.problem.Task)")
    return behavioural_loss(problem.apply, problem.divergence)


def chain_examples(batch: Batch, llc: config.LocalLearningCoefficient) -> Any:
    """Return what `chain_loss` takes of a batch: a behavioural loss takes no targets."""
    return batch[0] if llc.behavioural else batch


def build_target(
    problem: Problem,
    llc: config.LocalLearningCoefficient,
    params: Checkpoints,
    *,
    mask: Mask | None = None,
    batch: Batch | None = None,
) -> tuple[Target, Checkpoints]:
    """Return the target that the config asks for, and the checkpoints as its loss takes them.

    Args:
        params: the parameters of the network at K checkpoints.
        mask: of the parameters of the network; None lets all move.
        batch: the n examples; None for those of the task.

    Raises:
        SpecificationError: the task has no divergence of outputs, which a behavioural loss needs; or the target cannot be made.
    """
    data = chain_examples(problem.data.sampling if batch is None else batch, llc)
    checkpoints, moving = (with_reference(params), moving_mask(params, mask)) if llc.behavioural else (params, mask)
    loss = chain_loss(problem, llc)
    try:
        target = Target.of(
            loss,
            data,
            checkpoints,
            inverse_temperature=llc.inverse_temperature,
            localization=llc.localization,
            batch_size=llc.batch_size,
            mask=moving,
            projection=llc.projection,
            control_variates=llc.control_variates,
        )
    except ValueError as fault:
        raise SpecificationError(f"llc: {fault}") from fault
    return target, checkpoints
