"""The page on the real service, over an index that the real indexer made."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from api.app import create_app
from indexer.__main__ import main
from recommender.settings import Settings
from tests.page_browser import Page, chromium
from tests.page_catalog import tone
from tests.page_server import serving


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("whole")
    music = folder / "music"
    music.mkdir()
    for pitch_hz in (220, 233, 880, 1760):
        (music / f"tone {pitch_hz}.wav").write_bytes(tone(pitch_hz, seconds=4))
    arguments = ["reindex", str(music), "--data-dir", str(folder / "data"), "--workers", "1"]
    assert main(arguments) == 0
    assert main([*arguments, "--embedder", "mfcc"]) == 0
    app = create_app(Settings(data_dir=folder / "data", clip_workers=1))
    with serving(app) as url, chromium(folder / "profile") as driver:
        yield Page(driver, url)


def test_what_was_indexed_is_listed_played_and_compared(page: Page) -> None:
    page.open()
    assert page.text("#legend") == "4 tracks"
    page.button("Play tone 220 by Unknown artist").click()
    page.wait(lambda: page.seconds() > 0)
    page.button("Sounds like this: tone 220 by Unknown artist").click()
    page.wait(lambda: page.text("#view-title") == "tone 220")
    assert len(page.texts("#tracks .number")) == 3
    assert page.texts("#tracks .row-title")[0] == "tone 233"
    assert page.complaints() == []


def test_a_clip_finds_its_own_recording(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(tone(880, seconds=4))
    page.open()
    page.one("#clip-file").send_keys(str(path))
    page.wait(lambda: page.text("#view-title") == "clip.wav")
    assert page.texts("#tracks .row-title")[0] == "tone 880"
    assert page.texts("#tracks .number")[0] == "1.00"
    assert page.complaints() == []


def test_what_is_no_recording_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear music")
    page.open()
    page.one("#clip-file").send_keys(str(path))
    page.wait(lambda: "not of an audio format" in page.text("[role=alert]"))


def test_a_like_recommends_what_it_is_not_by_each_embedder_alone(page: Page) -> None:
    page.open()
    page.button("Like: tone 220 by Unknown artist").click()
    page.button("Dislike: tone 1760 by Unknown artist").click()
    page.wait(lambda: page.text("#you-count") == "2")
    page.open_view("#/you?space=musicnn%2Bmfcc")
    page.wait(lambda: page.texts("#tracks .row-title") == ["tone 233", "tone 880"])
    assert page.texts("#space option") == ["musicnn", "mfcc"]
    Select(page.one("#space")).select_by_visible_text("mfcc")
    page.settle()
    assert page.texts("#tracks .row-title")[0] == "tone 233"
    assert page.complaints() == []


def test_embedders_side_by_side_answer_a_clip_alone_and_together(
    page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(tone(880, seconds=4))
    page.open("#clip")
    page.one("#clip-file").send_keys(str(path))
    page.wait(lambda: page.texts("#tracks .number"))
    assert page.texts("#space option") == ["musicnn", "mfcc", "all together"]
    for choice, places in (("mfcc", []), ("all together", ["Places: musicnn\xa01 · mfcc\xa01"])):
        Select(page.one("#space")).select_by_visible_text(choice)
        page.settle()
        assert page.texts("#tracks .row-title")[0] == "tone 880"
        assert page.texts("#tracks .number")[0] == "1.00"
        assert page.texts("#tracks .places")[:1] == places
    assert page.complaints() == []


def test_filters_reach_the_index_in_every_list(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(tone(880, seconds=4))
    page.open()
    page.button("Sounds like this: tone 220 by Unknown artist").click()
    page.wait(lambda: len(page.texts("#tracks .number")) == 3)
    page.button("Filters").click()
    page.one("#filter-tag").send_keys("tuba", Keys.ENTER)
    page.wait(lambda: "Tag: tuba is unknown in this space; it has" in page.text("#filters-problem"))
    page.one("#filter-tag").clear()
    page.one("#filter-duration_max").send_keys("0.05")
    page.button("Apply").click()
    page.wait(lambda: page.text("#empty-text") == "No track fits these filters.")
    page.one("#clip-file").send_keys(str(path))
    page.wait(lambda: page.text("#view-title") == "clip.wav")
    assert page.text("#empty-text") == "No track fits these filters."
    page.button("Clear filters").click()
    page.wait(lambda: len(page.texts("#tracks .number")) == 4)
    page.open_view("#/you?duration_max=3")
    assert page.text("#view-title") == "For you"
    assert page.text("#empty-text") == "No track fits these filters."


def test_a_small_index_is_said_to_be_exact(page: Page) -> None:
    page.open()
    page.one("#index-info").click()
    assert page.texts("#index-spaces .eyebrow") == ["Index of musicnn", "Index of mfcc"]
    assert page.texts(".facts dd")[0] == "exact search"
    assert page.complaints() == []


def test_a_space_that_is_not_served_is_refused_in_words(page: Page) -> None:
    page.open()
    page.button("Sounds like this: tone 220 by Unknown artist").click()
    page.wait(lambda: page.text("#view-title") == "tone 220")
    page.run("location.hash += '&space=yamnet'")
    page.wait(lambda: "space=yamnet is not served" in page.text("[role=alert]"))
    page.button("Ask the default embedder").click()
    page.wait(lambda: len(page.texts("#tracks .number")) == 3)
