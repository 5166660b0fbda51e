"""The card in a Python file of the user's own: a text called `CARD` at the top of the module, read without running the file."""

import ast

NAME = "CARD"


def card_in(source: str) -> str:
    """Return the text of the card in Python source; "" where it has none, or is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    return next((node.value.value for node in tree.body if is_card(node)), "")


def without_card(tree: ast.Module) -> ast.Module:
    """Return a module without its card, which changes nothing that is measured."""
    return ast.Module([node for node in tree.body if not is_card(node)], tree.type_ignores)


def is_card(node: ast.stmt) -> bool:
    """Return whether a statement assigns a text to the name of the card."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
        return False
    return [target.id for target in node.targets if isinstance(target, ast.Name)] == [NAME]
