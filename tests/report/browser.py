"""Drive a browser by the DevTools protocol over a pipe: open a page, click, read what it asked for and what it said."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 120.0
"""Seconds for one answer; a busy machine takes long."""
SETTLED = "typeof waiting === 'undefined' || typeof Plotly === 'undefined' || (!working && waiting.size === 0)"


class Browser:
    """A headless browser; its messages are JSON that ends in a zero byte."""

    def __init__(self, profile: Path) -> None:
        to_browser, self.outgoing = os.pipe()
        self.incoming, from_browser = os.pipe()

        def redirect() -> None:
            """Give the browser its ends under the numbers 3 and 4; first away from there, should one of them have the other's."""
            reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser))
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, close_fds=False, preexec_fn=redirect, **quiet)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer, self.count, self.events = b"", 0, []

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        os.close(self.outgoing)
        os.close(self.incoming)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that arrive meanwhile are kept."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        os.write(self.outgoing, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.message(until)
            if answer.get("id") == self.count:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def message(self, until: float) -> dict[str, Any]:
        """Return the next message; an event is kept as well."""
        while b"\0" not in self.buffer:
            ready = select.select([self.incoming], [], [], max(0.0, until - time.monotonic()))[0]
            assert ready, "the browser does not answer"
            self.buffer += os.read(self.incoming, 1 << 20)
        first, _, self.buffer = self.buffer.partition(b"\0")
        answer = json.loads(first)
        if "method" in answer:
            self.events.append(answer)
        return answer


class Page:
    """A tab of a given size and colour scheme."""

    def __init__(self, browser: Browser, width: int = 1400, height: int = 900, scheme: str = "light") -> None:
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.look(width, height, scheme)

    def look(self, width: int, height: int, scheme: str) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def appear(self, width: int = 1400, height: int = 900, scheme: str = "light") -> None:
        """Change the size and the colour scheme of an open page, and wait until it is drawn anew."""
        self.look(width, height, scheme)
        self.value("new Promise((done) => setTimeout(done, 300))")
        self.settle()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)

    def open(self, address: str) -> None:
        """Open an address and wait until all that is in view or unfolded is drawn."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")
        self.settle()

    def settle(self) -> None:
        self.wait(SETTLED)

    def wait(self, condition: str) -> None:
        until = time.monotonic() + PATIENCE
        while not self.value(f"Boolean({condition})"):
            assert time.monotonic() < until, f"never true: {condition}"
            time.sleep(0.05)

    def value(self, expression: str) -> Any:
        """Return the value of an expression in the page, of a promise what it resolves to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse."""
        place = self.value(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.scrollIntoView({{ block: 'center' }});"
            " const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
        self.settle()

    def screenshot(self, path: Path, whole: bool = False) -> None:
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def pdf(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"]))

    def seen(self, *methods: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of this tab that have a method."""
        mine = (event for event in self.browser.events if event.get("sessionId") == self.session)
        return [event["params"] for event in mine if event["method"] in methods]

    @property
    def console(self) -> list[str]:
        """What the page wrote to the console: its own calls, exceptions, and the browser's remarks."""
        said = [" ".join(str(one.get("value")) for one in event["args"]) for event in self.seen("Runtime.consoleAPICalled")]
        thrown = [event["exceptionDetails"]["text"] for event in self.seen("Runtime.exceptionThrown")]
        return said + thrown + [event["entry"]["text"] for event in self.seen("Log.entryAdded")]

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, itself among them, without what it carries and what its policy forbids."""
        forbidden = {event["requestId"] for event in self.seen("Network.loadingFailed") if event.get("blockedReason") == "csp"}
        asked = [event for event in self.seen("Network.requestWillBeSent") if event["requestId"] not in forbidden]
        addresses = [event["request"]["url"] for event in asked]
        return [address for address in addresses if not address.startswith(("data:", "blob:"))]


@contextmanager
def started(folder: Path) -> Iterator[Browser]:
    """Start a browser, and end it."""
    browser = Browser(folder / "profile")
    try:
        yield browser
    finally:
        browser.close()
