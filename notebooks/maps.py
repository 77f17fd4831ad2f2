"""Pictures of the whole catalog: where tracks lie, which labels are confused, who is a hub."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from notebooks.plots import colours_of, spread
from notebooks.style import (
    BLUE,
    FAINT,
    GREY,
    INK,
    PALETTE,
    PAPER,
    SOFT,
    Picture,
    legible,
    nothing,
    picture,
    styled,
)
from recommender.arrays import FloatArray, Rows
from recommender.evaluation import anti_hub_share, hub_skewness

LEAST_FOR_TSNE = 10
MOST_POINTS = 3_000
"""t-SNE of more takes minutes; a random choice shows the same shape."""

Points = npt.NDArray[np.float64]


def places(vectors: FloatArray, seed: int) -> Points:
    """Points in a plane, shape (n_tracks, 2): t-SNE, or the main components of few tracks.

    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.

    Parameters
    ----------
    vectors
        Unit vectors, shape (n_tracks, dimension), n_tracks at least 2.
    seed
        The same seed gives the same points.
    """
    n_tracks = len(vectors)
    if n_tracks < LEAST_FOR_TSNE:
        found: Points = PCA(2, random_state=seed).fit_transform(vectors)
        return found
    perplexity = min(30.0, (n_tracks - 1) / 3)
    # squared distances of unit vectors are their cosines, so neighbours stay neighbours
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    # threads that wait for each other make it hundreds of times slower where cores are busy
    with threadpool_limits(1):
        near: Points = tsne.fit_transform(vectors).astype(np.float64)
    return near


@styled
def scatter(heading: str, points: Points, names: Sequence[str]) -> Picture:
    """Tracks in a plane, the commonest labels in colour and named where most of them are.

    Parameters
    ----------
    heading
        Title.
    points
        Shape (n_tracks, 2).
    names
        The label of each track, "" when unknown.
    """
    common = [
        name for name, count in Counter(filter(None, names)).most_common(len(PALETTE)) if count > 1
    ]
    drawn, (panel,) = picture(heading, 5.6)
    panel.set(xticks=[], yticks=[])
    panel.spines.bottom.set_visible(False)
    labels = np.array(names)
    others = ~np.isin(labels, common)
    panel.scatter(points[others, 0], points[others, 1], s=14, color=GREY, alpha=0.35, lw=0)
    for name, colour in zip(common, PALETTE, strict=False):
        own = points[labels == name]
        panel.scatter(own[:, 0], own[:, 1], s=26, color=colour, alpha=0.85, lw=0.6, edgecolor=PAPER)
    _name_groups(panel, {name: points[labels == name] for name in common})
    panel.margins(0.08)
    if not common:
        panel.set_xlabel("no label is shared by two tracks, so all are grey", loc="left")
    return drawn


def _name_groups(panel: Axes, groups: Mapping[str, Points]) -> None:
    """A name above the track of each group that is nearest to all of its others."""
    low, high = panel.get_ylim()
    above = np.array([0.0, 0.015 * (high - low)])
    anchors = {name: _medoid(own) + above for name, own in groups.items()}
    names = sorted(anchors, key=lambda name: float(anchors[name][1]))
    heights = spread([float(anchors[name][1]) for name in names], 0.045 * (high - low))
    colours = dict(zip(groups, PALETTE, strict=False))
    for name, height in zip(names, heights, strict=True):
        text = panel.text(
            float(anchors[name][0]),
            height,
            legible(name, 34),
            color=colours[name],
            ha="center",
            va="bottom",
            fontweight="bold",
            zorder=5,
        )
        text.set_path_effects([patheffects.withStroke(linewidth=3, foreground=PAPER)])


def _medoid(points: Points) -> Points:
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    chosen: Points = points[int(distances.sum(axis=1).argmin())]
    return chosen


@styled
def heat(heading: str, labels: Sequence[str], shares: npt.NDArray[np.float64]) -> Picture:
    """Shares of the answers by label: rows are what was asked, columns what came.

    Parameters
    ----------
    heading
        Title.
    labels
        What rows and columns are called.
    shares
        Shape (n_labels, n_labels + 1), in [0, 1]; the last column is all other tracks.
    """
    if len(labels) < 2:
        return nothing(heading, "Fewer than two labels are shared: there is nothing to confuse.")
    drawn, (panel,) = picture(heading, 1.4 + 0.34 * len(labels))
    colours = LinearSegmentedColormap.from_list("paper to blue", [PAPER, BLUE])
    panel.imshow(shares, cmap=colours, vmin=0.0, vmax=1.0, aspect="auto")
    names = [legible(label, 26) for label in labels]
    panel.set_yticks(range(len(names)), names)
    panel.set_xticks(
        range(len(names) + 1), [*names, "others"], rotation=38, ha="right", rotation_mode="anchor"
    )
    panel.grid(visible=False)
    panel.set(ylabel="asked", xlabel="answered")
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.0095:
            ink = PAPER if share > 0.55 else INK
            panel.text(column, row, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=8)
    return drawn


@styled
def hubs(heading: str, counts: Mapping[str, Rows], k: int) -> Picture:
    """How often tracks are among the k nearest of others, with skewness and anti-hubs.

    Parameters
    ----------
    heading
        Title.
    counts
        k-occurrences by subject, shape (n_tracks,) each.
    k
        Length of the lists.
    """
    if not counts:
        return nothing(heading, "There are no neighbours to count.")
    most = max(int(one.max(initial=0)) for one in counts.values())
    bins = np.linspace(-0.5, most + 0.5, min(most + 1, 40) + 1)
    drawn, axes = picture(heading, 2.9, None, (1, len(counts)), sharey=True, sharex=True)
    for panel, (subject, colour) in zip(axes, colours_of(list(counts)).items(), strict=True):
        panel.hist(counts[subject], bins=bins.tolist(), color=colour, alpha=0.85, lw=0)
        panel.axvline(float(counts[subject].mean()), color=FAINT, lw=1.0)
        panel.set_title(legible(subject, 40), color=colour, loc="left", fontweight="bold")
        facts = (
            f"skewness {hub_skewness(counts[subject]):.2f}\n"
            f"most often {int(counts[subject].max(initial=0))} times\n"
            f"never {anti_hub_share(counts[subject]):.0%}"
        )
        panel.text(0.97, 0.95, facts, transform=panel.transAxes, ha="right", va="top", color=SOFT)
        panel.set_xlabel(f"times among the first {k} of another track")
    axes[0].set_ylabel("tracks")
    axes[0].set_ylim(0, 1.35 * axes[0].get_ylim()[1])  # room for the facts above the bars
    return drawn
