"""How smoothly the map moves in a browser: of a whole catalog, and of a thousand of its tracks.

::

    python -m benchmarks.map_frames DATA_DIR [--frames 300]

Serves DATA_DIR, opens the map in headless Chromium without a graphics card, and moves it by some
pixels with every frame, as a hand that drags does; first as a whole, then from nearby. `draw` is
what the page computes for a frame, `frame` what lies between two of them: a screen of 60 Hz shows
one every 16.7 ms, and nothing comes sooner.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from api.app import create_app
from benchmarks.output import Report, Table, add_json
from recommender.settings import Settings
from tests.page_browser import Page, chromium
from tests.page_map import MapOnPage
from tests.page_server import serving

FEW = 1_000
CLOSER = 8
_MOVE = """
    const [frames, done] = arguments;
    const { map } = window;
    const draws = [], times = [];
    const draw = map.canvas.draw.bind(map.canvas);
    map.canvas.draw = (...given) => {
      const began = performance.now();
      draw(...given);
      draws.push(performance.now() - began);
    };
    const step = (time) => {
      times.push(time);
      if (times.length > frames) {
        delete map.canvas.draw;
        done([draws, times.slice(1).map((time, place) => time - times[place])]);
        return;
      }
      const turn = times.length / 20;
      map.moved(() => map.frame.pan(4 * Math.cos(turn), 3 * Math.sin(turn)));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);"""
_FEWER = """
    const { map } = window;
    const step = map.data.x.length / arguments[0];
    const some = (column) => column.filter((_, place) => place % Math.ceil(step) === 0);
    const { x, y, rows, groups } = map.data;
    map.data = { ...map.data, x: some(x), y: some(y), rows: some(rows), groups: some(groups) };
    map.order = Uint32Array.from(map.data.x.keys());
    map.frame.reset();"""
COLUMNS = {
    "tracks": ",",
    "zoom": ".0f",
    "draw median ms": ".2f",
    "draw p95 ms": ".2f",
    "frame median ms": ".1f",
    "frame p95 ms": ".1f",
}


def moved(shown: MapOnPage, frames: int) -> dict[str, Any]:
    """One line: milliseconds while the map moves."""
    shown.page.driver.set_script_timeout(120)
    draws, between = shown.page.driver.execute_async_script(_MOVE, frames)
    line: dict[str, Any] = {
        "tracks": shown.page.run("return window.map.data.x.length"),
        "zoom": shown.page.run("return window.map.frame.zoom"),
    }
    for name, values in (("draw", draws), ("frame", between)):
        line[f"{name} median ms"], line[f"{name} p95 ms"] = np.quantile(values, (0.5, 0.95))
    return line


def measured(shown: MapOnPage, frames: int) -> list[dict[str, Any]]:
    """The map as a whole and from nearby, then the same of fewer tracks."""
    lines = []
    for fewer in (False, True):
        if fewer:
            shown.page.run(_FEWER, FEW)
        lines.append(moved(shown, frames))
        shown.page.run(f"window.map.moved(() => window.map.frame.zoomBy({CLOSER}))")
        lines.append(moved(shown, frames))
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--frames", type=int, default=300)
    add_json(parser)
    options = parser.parse_args()
    report = Report.of("benchmarks.map_frames", options)
    app = create_app(Settings(data_dir=options.data_dir, clip_workers=1))
    with (
        tempfile.TemporaryDirectory() as profile,
        serving(app) as url,
        chromium(Path(profile)) as driver,
    ):
        lines = measured(MapOnPage(Page(driver, url)), options.frames)
    report.add(Table("Frames of the map while it moves", COLUMNS, lines))


if __name__ == "__main__":
    main()
