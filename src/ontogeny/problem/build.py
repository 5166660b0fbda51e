"""Build a `Problem` from a family's task, model, observables and pictures.

A built-in kind is a module of the same name, imported when a family uses it. Any other kind is a file of the user's own.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from flax import nnx

from ontogeny import config
from ontogeny.errors import SpecificationError
from ontogeny.problem import user_files
from ontogeny.problem.network import Network, functional
from ontogeny.problem.problem import Batch, ObservableFunction, Params, Problem, Recorded, Task


def build_problem(
    task_section: config.Task,
    model_section: config.Model,
    *,
    base: Path,
    batch_size: int = 1,
    observables: Iterable[str] | None = (),
    pictures: Iterable[str] | None = (),
) -> Problem:
    """Return the problem that a task and a model make.

    Args:
        base: the folder that the paths of the user's files and corpora are relative to.
        batch_size: the examples of a training minibatch; only training needs it.
        observables: kinds of observables; None stands for all built-in kinds that fit.
        pictures: kinds of pictures; None stands for all built-in kinds that fit.

    Raises:
        SpecificationError: a part cannot be made, or parts do not fit.
    """
    task = build_task(task_section, batch_size, base)
    network = functional(build_model(model_section, task.shape, base))

    def loss(params: Params, batch: Batch):
        inputs, targets = batch
        return task.output_loss(network.apply(params, inputs), targets)

    return Problem(
        init=network.init,
        loss=loss,
        data=task.data,
        apply=network.apply,
        activations=network.activations,
        output_loss=task.output_loss,
        is_log_likelihood=task.is_log_likelihood,
        averages_over=task.averages_over,
        shape=task.shape,
        divergence=task.divergence,
        components=network.components,
        observables=build_observables(observables, network, task, base),
        pictures=build_pictures(pictures, network, task, base),
    )


def build_task(section: config.Task, batch_size: int, base: Path) -> Task:
    """Return the task of a section of the config, with minibatches of `batch_size`."""
    if isinstance(section, config.UserKind):
        return user_files.load(section.kind, base, Task)(batch_size, **section.options)
    return built_in("tasks", section.kind).build(section, batch_size=batch_size, base=base)


def other_examples(section: config.Task, shape: Mapping[str, int], base: Path) -> Batch:
    """Return the n examples of the local posterior of another task, for a network trained for `shape`.

    Raises:
        SpecificationError: the task needs another network.
    """
    task = build_task(section, 1, base)
    if task.shape != shape:
        raise SpecificationError(f"has the shape {dict(task.shape)}; the network was trained for {dict(shape)}")
    return task.data.sampling


def build_model(section: config.Model, shape: Mapping[str, int], base: Path) -> Callable[[nnx.Rngs], nnx.Module]:
    """Return the function that makes the module of a section of the config, for a task's shape.

    Raises:
        SpecificationError: the model does not fit the shape, or the user's file has faults.
    """
    if isinstance(section, config.UserKind):
        make = user_files.load(section.kind, base, nnx.Module)
        return lambda rngs: make(shape, rngs, **section.options)
    section.check_shape(shape)
    return built_in("models", section.kind).build(section, shape)


def build_observables(kinds: Iterable[str] | None, network: Network, task: Task, base: Path) -> dict[str, ObservableFunction]:
    """Return name -> function, of the observables of the given kinds; None stands for all built-in kinds that fit.

    Raises:
        SpecificationError: a kind does not fit the network and the task, or two kinds measure something of the same name.
    """
    if kinds is None:
        kinds = fitting("observables", config.OBSERVABLES, network, task)
    observables: dict[str, ObservableFunction] = {}
    for kind in kinds:
        added = build_kind("observables", kind, network, task, base)
        if twice := observables.keys() & added.keys():
            raise SpecificationError(f"observables {kind}: {', '.join(sorted(twice))} is measured by another kind already")
        observables |= added
    return observables


def build_pictures(kinds: Iterable[str] | None, network: Network, task: Task, base: Path) -> dict[str, Mapping[str, Recorded]]:
    """Return kind -> name -> what is recorded, of the given kinds; None stands for all built-in kinds that fit.

    Raises:
        SpecificationError: a kind does not fit the network and the task.
    """
    chosen = fitting("pictures", config.PICTURES, network, task) if kinds is None else kinds
    return {kind: build_kind("pictures", kind, network, task, base) for kind in chosen}


def fitting(room: str, kinds: Iterable[str], network: Network, task: Task) -> list[str]:
    """Return those of the built-in kinds that fit the network and the task."""
    return [kind for kind in kinds if not built_in(room, kind).NEEDS.missing(network, task)]


def build_kind(room: str, kind: str, network: Network, task: Task, base: Path) -> Mapping[str, Any]:
    """Return what one kind of observables or pictures measures.

    Args:
        room: `observables` or `pictures`.

    Raises:
        SpecificationError: the kind does not fit the network and the task.
    """
    if ".py:" in kind:
        return user_files.load_functions(kind, base, network, task)
    module = built_in(room, kind)
    if missing := module.NEEDS.missing(network, task):
        raise SpecificationError(f"{room} {kind} need {' and '.join(missing)}")
    return module.build(network, task)


def built_in(room: str, kind: str) -> ModuleType:
    return importlib.import_module(f"ontogeny.{room}.{kind}")
