"""The YAML of config.yaml: without duplicate keys, binary values and sets, and of bounded size."""

from collections import Counter
from typing import Any

import yaml
from yaml.constructor import ConstructorError

MOST_NODES, DEEPEST = 1_000_000, 100
"""The most values of a file, and the deepest nesting. An alias counts as what it stands for."""


class Loader(yaml.SafeLoader):
    """Reject duplicate keys (PyYAML silently keeps the last one), values that JSON lacks, and aliases that grow without bound."""

    def get_single_node(self) -> yaml.Node | None:
        """Return the root of the document, whose size is checked before any value is made."""
        root = super().get_single_node()
        if root is not None:
            extent(root, {})
        return root

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node; raise ConstructorError if a key stands in it twice."""
        keys = Counter(str(key.value) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge")
        if keys and (double := keys.most_common(1)[0])[1] > 1:
            raise ConstructorError(None, None, f"the key {double[0]} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def reject(loader: Loader, node: yaml.Node) -> None:
    """Raise ConstructorError: JSON, in which jobs get their specifications, has no such values."""
    raise ConstructorError(None, None, f"values of the kind {node.tag.rpartition(':')[2]} are not allowed", node.start_mark)


for kind in ("binary", "set"):
    Loader.add_constructor(f"tag:yaml.org,2002:{kind}", reject)


def extent(node: yaml.Node, extents: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Return the number of values in a node and the depth of their nesting, with every alias written out.

    Args:
        node: a value of the document.
        extents: the results by `id` of the node; None for a node that is being counted.

    Raises:
        ConstructorError: the node contains itself, or holds too many values, or is nested too deeply.
    """
    if id(node) not in extents:
        extents[id(node)] = None
        entries = [item for pair in node.value for item in pair] if isinstance(node, yaml.MappingNode) else node.value
        parts = [extent(entry, extents) for entry in entries] if isinstance(node, yaml.CollectionNode) else []
        size, depth = 1 + sum(size for size, _ in parts), 1 + max((depth for _, depth in parts), default=0)
        if size > MOST_NODES:
            raise ConstructorError(None, None, f"more than {MOST_NODES} values with every alias written out", node.start_mark)
        if depth > DEEPEST:
            raise ConstructorError(None, None, f"nested more than {DEEPEST} levels deep", node.start_mark)
        extents[id(node)] = size, depth
    known = extents[id(node)]
    if known is None:
        raise ConstructorError(None, None, "an alias stands for a value that contains it", node.start_mark)
    return known
