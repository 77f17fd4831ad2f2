from typing import Any

import numpy as np
import pytest
from nbconvert.filters.markdown import markdown2html

from indexer.evaluation.figures import Figure
from notebooks import curves, maps, plots
from notebooks.style import PALETTE, Picture, legible, nothing
from notebooks.text import escaped

PNG = b"\x89PNG\r\n\x1a\n"


def known(
    subject: str = "served",
    condition: str = "same artist",
    metric: str = "MAP",
    value: float = 0.5,
    n: int = 9,
) -> Figure:
    return Figure("retrieval", subject, condition, metric, value, value - 0.1, value + 0.1, n)


def words_in(picture: Picture) -> str:
    return "\n".join(text.get_text() for text in _artists(picture) if hasattr(text, "get_text"))


def _artists(picture: Picture) -> list[Any]:
    return list(picture.drawing.findobj())


def lines(picture: Picture, panel: int = 0) -> list[Any]:
    return list(picture.drawing.axes[panel].lines)


def points(picture: Picture, panel: int = 0) -> list[tuple[float, float]]:
    dots = [line for line in lines(picture, panel) if line.get_marker() == "o"]
    return [(float(dot.get_xdata()[0]), float(dot.get_ydata()[0])) for dot in dots]


def test_a_dot_lies_at_its_value_within_its_interval() -> None:
    picture = plots.dots("Title", [known(value=0.25)], ["MAP"])
    assert points(picture) == [(0.25, 0.0)]
    assert list(lines(picture)[0].get_xdata()) == pytest.approx([0.15, 0.35])


def test_rows_are_named_with_the_number_of_queries() -> None:
    assert "same artist  (n = 9)" in words_in(plots.dots("Title", [known()], ["MAP"]))


def test_two_subjects_share_a_row_in_colours_that_the_legend_names() -> None:
    picture = plots.dots("Title", [known(), known("random", value=0.1)], ["MAP"])
    assert len(picture.drawing.axes[0].get_yticks()) == 1
    assert "random" in words_in(picture)
    assert len({y for _, y in points(picture)}) == 2


def test_each_metric_has_a_panel() -> None:
    figures = [known(), known(metric="hit rate@10", value=0.9)]
    picture = plots.dots("Title", figures, ["hit rate@10", "MAP"])
    assert points(picture, 0)[0][0] == 0.9
    assert points(picture, 1)[0][0] == 0.5


def test_subjects_have_colours_of_their_own_however_many_there_are() -> None:
    colours = plots.colours_of(["served", "random", "a", "b"])
    assert len(set(colours.values())) == 4
    assert len(plots.colours_of([str(i) for i in range(2 * len(PALETTE))])) == 2 * len(PALETTE)


def test_names_that_would_overlap_are_moved_apart_in_order() -> None:
    places = plots.spread([0.0, 0.0, 0.1, 5.0], apart=1.0)
    assert np.all(np.diff(places) >= 1.0 - 1e-6)
    assert places[-1] == 5.0


def test_a_line_joins_the_figures_of_a_subject_in_the_order_of_the_quantity() -> None:
    figures = [known(condition=f"{s} s, clean", value=s / 20) for s in (10, 3, 5)]
    picture = curves.lines("Title", figures, "MAP", curves.leading_number, "seconds")
    (line,) = lines(picture)
    assert list(line.get_xdata()) == [3, 5, 10]
    assert list(line.get_ydata()) == pytest.approx([0.15, 0.25, 0.5])


def test_the_curve_of_the_index_has_a_point_for_each_search() -> None:
    figures = [
        known(subject, "", metric, value)
        for subject, recall, time in (("effort 10", 0.8, 0.2), ("exact, as served", 1.0, 2.0))
        for metric, value in (("recall@10", recall), ("latency (ms)", time))
    ]
    picture = curves.search_curve("Title", figures, "recall@10")
    assert points(picture) == [(0.2, 0.8), (2.0, 1.0)]


def test_what_is_dearer_and_worse_is_not_named() -> None:
    figures = [known(name, value=v) for name, v in (("cheap", 0.6), ("default", 0.5), ("bad", 0.4))]
    costs = {"cheap": 1.0, "default": 2.0, "bad": 3.0}
    priced = [known(name, metric="cost", value=cost) for name, cost in costs.items()]
    assert [f.subject for f in curves.unbeaten(figures, costs)] == ["cheap", "default"]
    same = [known(name, value=0.5) for name in ("one", "other")]
    assert len(curves.unbeaten(same, {"one": 1.0, "other": 1.0})) == 1
    said = words_in(curves.trade("Title", [*figures, *priced], "cost", "MAP"))
    assert "cheap" in said
    assert "bad" not in said


def test_the_map_puts_each_track_somewhere_and_names_shared_labels() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    places = maps.places(vectors, seed=1)
    assert places.shape == (40, 2)
    assert np.array_equal(places, maps.places(vectors, seed=1))
    said = words_in(maps.scatter("Title", places, ["one"] * 20 + ["two"] * 19 + ["alone"]))
    assert "one" in said
    assert "alone" not in said


@pytest.mark.parametrize("n_tracks", [2, 3, 6, 10])
def test_few_tracks_without_labels_have_a_map(n_tracks: int) -> None:
    vectors = np.eye(n_tracks, 12, dtype=np.float32)
    picture = maps.scatter("Title", maps.places(vectors, 0), [""] * n_tracks)
    assert "no label" in words_in(picture)
    assert picture.png().startswith(PNG)


def test_the_heat_map_writes_shares() -> None:
    picture = maps.heat("Title", ["a", "b"], np.array([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]]))
    said = words_in(picture)
    assert "75%" in said
    assert "others" in said


def test_hubs_are_counted_and_described() -> None:
    counts = np.array([0, 0, 0, 0, 8])
    assert "most often 8 times\nnever 80%" in words_in(maps.hubs("Title", {"served": counts}, 2))


@pytest.mark.parametrize(
    "picture",
    [
        plots.dots("Title", [], ["MAP"]),
        curves.lines("Title", [], "MAP", curves.last_number, "seconds"),
        curves.search_curve("Title", [], "recall@10"),
        curves.trade("Title", [], "cost", "MAP"),
        maps.heat("Title", [], np.zeros((0, 1))),
        maps.heat("Title", ["alone"], np.ones((1, 2))),
        maps.hubs("Title", {}, 10),
        nothing("Title", "Why."),
    ],
)
def test_a_picture_of_nothing_says_so(picture: Picture) -> None:
    assert picture.png().startswith(PNG)
    assert len(words_in(picture)) > len("Title\n")


def test_a_picture_has_the_same_bytes_on_every_run_and_words_for_the_blind() -> None:
    one, other = (plots.dots("Title", [known()], ["MAP"]) for _ in range(2))
    assert one.png() == other.png()
    assert one._repr_png_()[1] == {"alt": "Title"}


@pytest.mark.parametrize("name", ["$x^2$", "$", "_" * 200, "\u97f3\u697d", "a\nb\x00", "\\frac"])
def test_names_of_any_kind_are_drawn(name: str) -> None:
    picture = plots.dots("Title", [known(condition=name)], ["MAP"])
    assert picture.png().startswith(PNG)
    assert "\u97f3" not in legible(name)


def test_names_cannot_turn_the_text_of_a_picture_round() -> None:
    assert legible("a\u202eb\x1bc\u00a0d\ne") == "a\u25a1b\u25a1c\u00a0d\ne"


def test_names_cannot_become_markup() -> None:
    assert escaped("<b>*a* | [x](y)") == r"&lt;b&gt;\*a\* \| \[x\]\(y\)"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Guns N' Roses", "Guns N' Roses"),
        ("http://x.y/?a=b", "http://x.y/?a=b"),
        ("www.x.org me@x.org", "www.x.org me@x.org"),
        ('"A" & <B> &amp;', "&quot;A&quot; &amp; &lt;B&gt; &amp;amp;"),
        ("$x$ `y` ~~z~~ \\(q\\)", "$x$ `y` ~~z~~ \\(q\\)"),
        ("a\x1b[2J\x9b\u202eb\u2066\n\udc80c", "a[2Jb c"),
    ],
)
def test_a_page_shows_names_as_they_are(name: str, shown: str) -> None:
    assert markdown2html(f"**{escaped(name)}**").strip() == f"<p><strong>{shown}</strong></p>"
