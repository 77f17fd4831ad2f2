"""The page's colours, held to WCAG 2.2 level AA in light and in dark."""

import re

import pytest

from tests.page_server import PAGE_FOLDER


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _palettes() -> list[dict[str, str]]:
    roots = re.findall(r":root \{(.*?)\}", (PAGE_FOLDER / "style.css").read_text(), re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", root)) for root in roots]


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark"])
def test_colours_reach_wcag_aa(palette: dict[str, str]) -> None:
    for ground in ("ground", "surface"):
        for text in ("ink", "muted", "accent"):
            assert _contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
        assert _contrast(palette["edge"], palette[ground]) >= 3, ground
    assert _contrast(palette["ink"], palette["tint"]) >= 4.5
    assert _contrast(palette["on-accent"], palette["accent"]) >= 4.5
