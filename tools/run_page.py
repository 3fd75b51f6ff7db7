#!/usr/bin/env python3
"""Opens the page of a race in headless Chromium with the network off, moves the slider, plays, and looks.

    tools/run_page.py BUILD_FOLDER [SCREENSHOT_FOLDER]

Races examples/race/ravine.dlg with the dlg of BUILD_FOLDER. The browser is driven over a pipe (DevTools protocol): real
mouse events, every console message, every request. Exit code 77 (skipped) where there is no Chromium.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from source_files import ROOT

SKIPPED = 77
SECONDS = 60
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
VALUES = "[...document.querySelectorAll('#values td')].map(cell => cell.textContent)"
DOTS = "[...document.querySelectorAll('#plane circle')].map(dot => dot.getAttribute('cx') + ' ' + dot.getAttribute('cy'))"


class Browser:
    """One page of one browser process, with all that it reported."""

    def __init__(self, program, profile):
        command_read, command_write = os.pipe()
        answer_read, answer_write = os.pipe()

        def place_pipes():  # the browser reads commands from 3 and answers on 4
            os.dup2(command_read, 13)
            os.dup2(answer_write, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
                   "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1280,1400", f"--user-data-dir={profile}"]
        self.process = subprocess.Popen([program, *options], preexec_fn=place_pipes, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(command_read)
        os.close(answer_write)
        self.commands = os.fdopen(command_write, "wb", buffering=0)
        self.answers = os.fdopen(answer_read, "rb")
        os.set_blocking(self.answers.fileno(), False)
        self.rest = b""
        self.number = 0
        self.session = None
        self.events = []

    def read(self, until):
        """Messages until one fits; the events among them are kept."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            chunk = self.answers.read(1 << 16)
            if not chunk:
                time.sleep(0.01)
            *whole, self.rest = (self.rest + (chunk or b"")).split(b"\0")
            found = None
            for message in map(json.loads, whole):
                self.events.append(message)
                found = message if until(message) else found
            if found:
                return found
        raise TimeoutError("the browser does not answer")

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        number = self.number
        answer = self.read(lambda m: m.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, url):
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.send(f"{domain}.enable")
        self.send("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.send("Page.navigate", url=url)
        self.read(lambda m: m.get("method") == "Page.loadEventFired")

    def value(self, expression):
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def click(self, element, across=0.5):
        """A press and release of the mouse on an element, at this share of its width."""
        box = self.value(f"(b => [b.x, b.y, b.width, b.height])(document.getElementById('{element}').getBoundingClientRect())")
        place = {"x": box[0] + across * box[2], "y": box[1] + box[3] / 2, "button": "left", "clickCount": 1}
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            self.send("Input.dispatchMouseEvent", type=kind, **place)

    def screenshot(self, path):
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def complaints(self):
        """Console errors and warnings, exceptions, log entries, and requests that leave the file."""
        for event in self.events:
            parameters = event.get("params", {})
            method = event.get("method")
            if method == "Runtime.exceptionThrown":
                yield parameters["exceptionDetails"]["text"]
            elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
                yield str(parameters["args"])
            elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                yield parameters["entry"]["text"]
            elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("file:", "data:")):
                yield "asked for " + parameters["request"]["url"]


def check(condition, what):
    print(("ok   " if condition else "FAIL ") + what)
    return bool(condition)


def look(browser, pictures):
    step = lambda: int(browser.value("document.getElementById('step').value"))
    last = int(browser.value("document.getElementById('step').max"))
    before, dots = browser.value(VALUES), browser.value(DOTS)
    good = check(step() == 0 and len(before) == 9 * 6 and len(dots) == 9, "nine rules stand at step 0")
    good &= check(all(text not in ("NaN", "undefined") for text in before), "every value is a number")
    good &= check("w.v[0] = 0.0000" in " ".join(before), "the states of a rule are shown by name")
    if pictures:
        browser.screenshot(pictures / "page_start.png")
    browser.click("step", 0.2)
    moved, moved_dots = browser.value(VALUES), browser.value(DOTS)
    good &= check(0 < step() < last, f"a click moves the slider (to {step()} of {last})")
    good &= check(moved != before and moved_dots != dots, "values and points move with it")
    good &= check(str(step()) in moved, "the table shows the values of that step")
    if pictures:
        browser.screenshot(pictures / "page_moved.png")
    at = step()
    browser.click("play")
    time.sleep(1)
    good &= check(step() > at, f"play goes on (to {step()})")
    browser.click("play")
    at = step()
    time.sleep(0.5)
    good &= check(step() == at, "pause holds")
    good &= check(browser.value("document.querySelectorAll('#plane path').length") > 20, "there are contours")
    if pictures:
        browser.screenshot(pictures / "page_played.png")
    complaints = list(browser.complaints())
    good &= check(not complaints, "no error, no warning, no request: " + ("; ".join(complaints) or "none"))
    return good


def main():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print("skipped: there is no Chromium (scripts/install test installs it)")
        return SKIPPED
    dlg = Path(sys.argv[1]).resolve() / "dlg"
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        subprocess.run([dlg, "race", ROOT / "examples/race/ravine.dlg", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        browser = Browser(program, Path(folder) / "profile")
        try:
            browser.open((Path(folder) / "race.html").resolve().as_uri())
            good = look(browser, pictures)
        finally:
            browser.process.kill()
            browser.process.wait()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
