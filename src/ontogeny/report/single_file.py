"""Make one self-contained file of a page: scripts, styles and pictures that lie beside it are written into it."""

import base64
import mimetypes
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ontogeny.errors import SpecificationError

SCRIPT = re.compile(r"<script\b([^>]*?)\ssrc=(\"[^\"]*\"|'[^']*'|[^\s>]+)([^>]*)>\s*</script>", re.IGNORECASE)
LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
IMAGE = re.compile(r"(<img\b[^>]*?\ssrc=)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
OWN_CODE = re.compile(r"(<script\b.*?</script>)", re.IGNORECASE | re.DOTALL)
"""Scripts that stand in the page itself: what they say is no markup."""


def single_file(page: Path) -> str:
    """Return a page whose local scripts, style sheets and pictures are part of its text.

    Raises:
        SpecificationError: a file that the page reads is missing.
    """
    whole = SCRIPT.sub(lambda match: script(page, match), page.read_text(encoding="utf-8"))
    parts = OWN_CODE.split(whole)
    return "".join(part if place % 2 else markup(page, part) for place, part in enumerate(parts))


def markup(page: Path, text: str) -> str:
    """Return a part of a page outside its scripts, with its style sheets and pictures."""
    text = LINK.sub(lambda match: style(page, match[0]), text)
    return IMAGE.sub(lambda match: image(page, match), text)


def script(page: Path, match: re.Match[str]) -> str:
    file = local(page, match[2])
    if file is None:
        return match[0]
    before, after = (re.sub(r"\s(defer|async|integrity=\S+|crossorigin\S*)(?=\s|$)", "", part) for part in (match[1], match[3]))
    code = re.sub(r"</(script)", r"<\\/\1", content(page, file), flags=re.IGNORECASE)
    return f"<script{before}{after}>{code}</script>"


def style(page: Path, link: str) -> str:
    href = re.search(r"\shref=(\"[^\"]*\"|'[^']*'|[^\s>]+)", link, re.IGNORECASE)
    file = local(page, href[1]) if href and re.search(r"rel=[\"']?stylesheet", link, re.IGNORECASE) else None
    return link if file is None else f"<style>{content(page, file)}</style>"


def image(page: Path, match: re.Match[str]) -> str:
    file = local(page, match[2])
    if file is None:
        return match[0]
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f'{match[1]}"data:{kind};base64,{base64.b64encode(read(page, file)).decode()}"'


def local(page: Path, address: str) -> Path | None:
    """Return the file that an address names, relative to the page; None where it is no file of this machine."""
    parts = urlsplit(address.strip("\"'"))
    return None if parts.scheme or parts.netloc or not parts.path else page.parent / unquote(parts.path)


def content(page: Path, file: Path) -> str:
    return read(page, file).decode("utf-8")


def read(page: Path, file: Path) -> bytes:
    """Return the bytes of a file that a page reads.

    Raises:
        SpecificationError: it is missing.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise SpecificationError(
            f"{page} reads {file}, which cannot be read: {error.strerror}. `ontogeny run` makes it again"
        ) from None
