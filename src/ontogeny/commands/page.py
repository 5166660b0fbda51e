"""`ontogeny page RUN`: open the page of a run, a family or the study, or write it as a single file to send."""

import argparse
from pathlib import Path

from ontogeny.commands.open import results_folder, show
from ontogeny.commands.parser import CONFIG, did_you_mean

INDEX = "index"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="such as FAMILY/VARIANT/seed~0, or FAMILY; a part of it that only one page has will do"
    )
    parser.add_argument("--configfile", type=Path, metavar="FILE", default=CONFIG, help="the study; config.yaml by default")
    text = "write the page, with all that it reads, as one file; FAMILY-VARIANT-seed~0.html by default"
    parser.add_argument("--single-file", nargs="?", const="", metavar="FILE", help=text)


def run(arguments: argparse.Namespace) -> int:
    page, name = find(arguments.run, results_folder(arguments))
    if arguments.single_file is None:
        show(page)
        return 0
    from ontogeny.report.single_file import single_file

    target = Path(arguments.single_file or f"{name.replace('/', '-')}.html")
    text = single_file(page)
    target.write_text(text, encoding="utf-8")
    print(f"{target} ({len(text.encode()) / 1e6:.1f} MB)")
    return 0


def find(wanted: str, results: Path) -> tuple[Path, str]:
    """Return a page and its name: `FAMILY/VARIANT/seed~0`, `FAMILY`, or `index`.

    Raises:
        SpecificationError: no page, or more than one, has such a name.
    """
    from ontogeny.errors import SpecificationError

    pages = {str(path.parent.relative_to(results)): path for path in sorted(results.rglob("report.html"))}
    if (results / "report" / "index.html").is_file():
        pages[INDEX] = results / "report" / "index.html"
    given = Path(wanted)
    if given.is_file():
        name = next((name for name, path in pages.items() if path.resolve() == given.resolve()), given.stem)
        return given, name
    asked = str(given.relative_to(results)) if given.is_relative_to(results) else wanted
    found = [asked] if asked in pages else [name for name in pages if asked in name]
    if len(found) == 1:
        return pages[found[0]], found[0]
    if found:
        raise SpecificationError(f"{len(found)} pages have {wanted!r} in their names: {', '.join(found[:8])}")
    hint = did_you_mean(asked, list(pages)) or (f" There are {', '.join(list(pages)[:8])}." if pages else " There is none yet.")
    raise SpecificationError(f"No page is called {wanted!r}.{hint}")
