"""A headless Chromium to open pages in, driven through a pair of pipes by the DevTools protocol."""

import base64
import fcntl
import json
import os
import select
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
)  # fmt: skip
_WAIT_S = 60


class Page:
    """One page. problems: what its console said that is no plain message, and exceptions. requests: URLs it asked for.

    with Page(1280, 800) as page: page.open(path); page.value("document.title")
    """

    def __init__(self, width: int, height: int) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._size = width, height
        self._next, self._buffer, self._answers = 0, b"", {}
        self._session: str | None = None

    def __enter__(self) -> "Page":
        self._folder = tempfile.TemporaryDirectory()
        # The browser reads descriptor 3 and writes 4; ours are out of the way of both first.
        ends = [os.pipe(), os.pipe()]
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for pair in ends for end in pair]
        for pair in ends:
            for end in pair:
                os.close(end)
        theirs_in, self._out, self._in, theirs_out = high
        self._pid = os.posix_spawn(
            CHROMIUM, [CHROMIUM, *_FLAGS, f"--user-data-dir={self._folder.name}"], os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs_in, 3), (os.POSIX_SPAWN_DUP2, theirs_out, 4),
                *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)),
            ],
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        width, height = self._size
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.prefer("light")
        return self

    def __exit__(self, *_: object) -> None:
        self._session = None
        self.call("Browser.close")
        os.waitpid(self._pid, 0)
        os.close(self._out)
        os.close(self._in)
        self._folder.cleanup()

    def open(self, path: Path) -> None:
        """Load a file, and wait until it has been drawn."""
        self.call("Page.navigate", url=path.absolute().as_uri())
        self.value("new Promise(done => document.readyState === 'complete' ? done(1) : addEventListener('load', done))")
        self.settle()

    def prefer(self, scheme: str) -> None:
        """What the system's theme is: light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def settle(self) -> None:
        """Wait for two frames."""
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def value(self, expression: str) -> Any:
        """What an expression of the page gives, a promise's when it is kept. Raises AssertionError when it throws."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """As a hand would: kind is mouseMoved, mousePressed, mouseReleased or mouseWheel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + _WAIT_S
        while self._next not in self._answers:
            self._read(until)
        answer = self._answers.pop(self._next)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _read(self, until: float) -> None:
        ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"the browser said nothing for {_WAIT_S} s"
        part = os.read(self._in, 1 << 20)
        assert part, "the browser ended"
        *whole, self._buffer = (self._buffer + part).split(b"\0")
        for text in whole:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, method: str, about: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(about["exceptionDetails"]))
        elif (method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning", "assert")) or (
            method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning")
        ):
            self.problems.append(json.dumps(about))
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
