"""Where the workflow lies: in the installed package, or in the clone that an editable installation points to."""

from importlib.resources import files
from pathlib import Path

import ontogeny
from ontogeny.errors import SpecificationError

INSTALLED = "_workflow"
"""The folder of the wheel that holds Snakefile, workflow/ and profiles/."""


def snakefile() -> Path:
    """Return the Snakefile of the workflow.

    Raises:
        SpecificationError: the installation is not whole.
    """
    installed = Path(str(files("ontogeny"))) / INSTALLED / "Snakefile"
    clone = Path(ontogeny.__file__).resolve().parents[2] / "Snakefile"
    for path in (installed, clone):
        if path.is_file() and (path.parent / "workflow" / "rules" / "common.smk").is_file():
            return path
    raise SpecificationError(f"The workflow is missing: there is no {installed}. Install ontogeny again")
