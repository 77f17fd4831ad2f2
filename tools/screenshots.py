"""Take the pictures of the page that the documentation shows, in headless Chromium.

::

    python -m tools.screenshots [--data-dir data] [--out docs] [--seed TITLE] [--to TITLE]
                                [--like TITLE ...] [--dislike TITLE ...]

Serves the index of DATA_DIR for as long as it takes, with listeners of its own, and writes
``page.png``, ``you.png`` and ``path.png`` into the folder. Titles are what the catalog has; the
defaults are tracks of free games. Chromium and chromedriver have to be installed.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.keys import Keys

from api.app import create_app
from recommender.settings import Settings
from tests.page_browser import Page, chromium
from tests.page_server import serving

WIDTH, HEIGHT = 1280, 900
SEED, TO = "Dystopic Mayhem", "Elf Land"
LIKED = ("Dystopic Mayhem", "Orbital Elevator", "Elf Land", "Heroes Rite")
DISLIKED = ("Armygeddon",)
SECONDS_PLAYED = 4
_RESULTS = "#tracks .row-title"


class Photographer:
    """Goes through the page as a listener would."""

    def __init__(self, page: Page, out: Path):
        self.page = page
        self.out = out

    def find(self, title: str) -> str:
        """Search for a title; gives the id of the first track that is found."""
        self.page.open_view(f"#q={title}")
        if not self.page.texts(_RESULTS):
            raise LookupError(f"title={title} is not in this catalog; give others")
        return str(self.page.one("#tracks .row").get_attribute("data-track-id"))

    def judge(self, title: str, opinion: str) -> None:
        """Like or dislike the first track that is found."""
        self.find(title)
        before = len(self.page.all(".entry"))
        self.page.one(f"#tracks .{opinion}").click()
        self.page.wait(lambda: len(self.page.all(".entry")) > before)
        self.page.run("document.getElementById('news').hidden = true")

    def take(self, name: str, fragment: str) -> None:
        """A picture of a view, without focus rings and tooltips."""
        self.page.open_view(fragment)
        # told events draw the list anew
        self.page.driver.execute_async_script("setTimeout(arguments[0], 1000)")
        self.page.settle()
        self.page.run("document.activeElement.blur(); scrollTo(0, 0)")
        self.page.driver.save_screenshot(str(self.out / f"{name}.png"))

    def play(self) -> None:
        """Play the first track of the list for some seconds."""
        self.page.one("#tracks .disc").send_keys(Keys.ENTER)
        self.page.wait(lambda: self.page.seconds() > SECONDS_PLAYED)


@contextmanager
def opened(data_dir: Path) -> Iterator[Page]:
    """The page of a service over `data_dir`, which has no listeners yet."""
    with tempfile.TemporaryDirectory() as folder:
        listeners = f"sqlite:///{folder}/listeners.db"
        app = create_app(Settings(data_dir=data_dir, listeners_url=listeners))
        with serving(app) as url, chromium(Path(folder) / "profile") as driver:
            page = Page(driver, url)
            page.command("Emulation.setScrollbarsHidden", {"hidden": True})
            page.open(width=WIDTH, height=HEIGHT)
            yield page


def take_pictures(page: Page, out: Path, arguments: argparse.Namespace) -> None:
    """All pictures, one after the other."""
    photographer = Photographer(page, out)
    seed, to = photographer.find(arguments.seed), photographer.find(arguments.to)
    for opinion in ("like", "dislike"):
        for title in getattr(arguments, opinion):
            photographer.judge(title, opinion)
    photographer.take("you", "#/you")
    photographer.take("path", f"#/path?from={seed}&to={to}")
    page.open_view(f"#similar={seed}")
    photographer.play()
    photographer.take("page", f"#similar={seed}&max_per_album=3")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 when a track is not there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="(data)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="(docs)")
    parser.add_argument("--seed", default=SEED, help="what matches and the path start from")
    parser.add_argument("--to", default=TO, help="where the path ends")
    parser.add_argument("--like", nargs="*", default=LIKED, help="titles that are liked")
    parser.add_argument("--dislike", nargs="*", default=DISLIKED, help="titles that are disliked")
    given = parser.parse_args(arguments)
    with opened(given.data_dir) as page:
        try:
            take_pictures(page, given.out, given)
        except (LookupError, TimeoutException) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
