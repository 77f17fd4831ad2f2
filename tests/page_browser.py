"""Headless Chromium, and short words for what a person does with the page."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_SECONDS = 15
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --mute-audio "
    "--disable-background-networking --disable-component-update --disable-sync"
)

# asking the driver for every name is slow: this only passes those on that can have the name
CONTROLS = """
    const shown = [...document.querySelectorAll('button, a, input')].filter((e) => e.offsetParent);
    const words = (e) => [e.ariaLabel, e.textContent, e.labels?.[0]?.textContent];
    return shown.filter((e) => words(e).some((text) => text?.trim() === arguments[0]))"""

Seen = TypeVar("Seen")


def find_chromium() -> tuple[str, str]:
    """Paths of the browser and its driver; without them CI fails and others skip, visibly."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((path for path in map(shutil.which, names) if path), None)
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    message = "chromium and chromedriver are needed to test the page; install both"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def chromium(profile: Path) -> Iterator[WebDriver]:
    """A browser with an empty profile, closed at the end of the block."""
    browser, driver_path = find_chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The page in a browser."""

    def __init__(self, driver: WebDriver, url: str):
        self.driver = driver
        self.url = url

    def open(self, fragment: str = "", width: int = 1280, height: int = 800) -> None:
        """Load the page anew, at this address and size, with nothing left of an earlier test."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(f"{self.url}icon.svg")
        self.run("localStorage.clear()")
        self.driver.get(f"{self.url}{fragment}")
        self.settle()
        self.complaints()

    def open_view(self, fragment: str) -> None:
        """Go to this address within the page that is loaded, and wait for what it shows."""
        self.run("location.hash = arguments[0]", fragment)
        # the event that shows it comes after the script
        self.driver.execute_async_script("setTimeout(arguments[0], 0)")
        self.settle()

    def command(self, name: str, parameters: dict[str, Any]) -> None:
        self.driver.execute("executeCdpCommand", {"cmd": name, "params": parameters})

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, look: Callable[[], Seen]) -> Seen:
        """What `look` sees once that is true."""
        return WebDriverWait(self.driver, PATIENCE_SECONDS, 0.03).until(lambda _: look())

    def settle(self) -> None:
        self.wait(lambda: self.one("#results").get_attribute("aria-busy") == "false")

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Text of every such element, read in one go: the list may be redrawn at any time."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.run(script, selector))

    def text(self, selector: str) -> str:
        return " ".join(self.texts(selector))

    def button(self, name: str) -> WebElement:
        """The visible button, link or switch with exactly this accessible name."""
        found = [c for c in self.run(CONTROLS, name) if c.accessible_name == name]
        assert len(found) == 1, f"{len(found)} controls are called {name!r}"
        control: WebElement = found[0]
        return control

    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def seconds(self) -> float:
        """Where the player is."""
        return float(self.run("return document.getElementById('audio').currentTime"))

    def complaints(self) -> list[str]:
        """What the browser's console holds since the last call: errors, policy violations."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]  # type: ignore[attr-defined]
