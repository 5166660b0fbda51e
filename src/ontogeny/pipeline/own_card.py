"""The card in a Python file of the user's own: a text called `CARD` at the top of the module, read without running the file."""

import ast

NAME = "CARD"


def card_in(source: str) -> str:
    """Return the text of the card in Python source; "" where it has none, or is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    return next((text for node in tree.body if (text := card_text(node)) is not None), "")


def without_card(tree: ast.Module) -> ast.Module:
    """Return a module without its card, which changes nothing that is measured."""
    return ast.Module([node for node in tree.body if card_text(node) is None], tree.type_ignores)


def card_text(node: ast.stmt) -> str | None:
    """Return the text that a statement assigns to the name of the card; None where it assigns none."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
        return None
    named = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return node.value.value if named == [NAME] else None
