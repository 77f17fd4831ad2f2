"""How every picture looks: one palette, one page colour, headings whose words are the legend."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure as Drawing
from matplotlib.font_manager import findfont, get_font
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

# M. Okabe and K. Ito, "Color universal design", 2008: told apart by colour-blind people
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE = "#56B4E9", "#CC79A7"
PAPER, INK, SOFT, FAINT, GREY = "#FCFBF8", "#22262B", "#62686F", "#E4E2DC", "#8C9196"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY)
DPI = 110
WIDTH = 8.2
"""Inches; with `DPI` about the column of a repository viewer."""

_HEADING_INCHES, _LEGEND_INCHES = 0.36, 0.26
_UNDRAWABLE = "\u25a1"
_RULES: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    # names of tracks may hold dollar signs, which are no formulas
    "text.parse_math": False,
    "text.color": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 8.5,
    "axes.titlesize": 9.0,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.5,
    "xtick.bottom": False,
    "ytick.left": False,
}


_Arguments = ParamSpec("_Arguments")
_Drawn = TypeVar("_Drawn")


def styled(function: Callable[_Arguments, _Drawn]) -> Callable[_Arguments, _Drawn]:
    """Let a function draw by the rules of every picture, and nobody else."""

    @wraps(function)
    def draw(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Drawn:
        with rc_context(_RULES):
            return function(*arguments, **named)

    return draw


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A drawing that a notebook shows as a PNG, of the same bytes on every run.

    Attributes
    ----------
    heading
        What it shows; also what is read to those who cannot see it.
    drawing
        A figure of matplotlib.
    """

    heading: str
    drawing: Drawing

    def png(self) -> bytes:
        """The picture as a file, without the version of the program that drew it."""
        file = BytesIO()
        with rc_context(_RULES):
            self.drawing.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
        return file.getvalue()

    def __repr__(self) -> str:
        return self.heading

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        return self.png(), {"alt": self.heading}


def picture(
    heading: str,
    height: float,
    legend: Mapping[str, str] | None = None,
    grid: tuple[int, int] = (1, 1),
    **layout: Any,
) -> tuple[Picture, list[Axes]]:
    """An empty picture under its heading, and its axes, row by row.

    Parameters
    ----------
    heading
        What is shown, as a title.
    height
        Inches below the heading.
    legend
        Colour by word; the words stand under the heading in their colours.
    grid
        Rows and columns of axes.
    layout
        Of :meth:`matplotlib.figure.Figure.subplots`.
    """
    top = _HEADING_INCHES + (_LEGEND_INCHES if legend else 0.0)
    total = height + top
    drawing = Drawing(figsize=(WIDTH, total), dpi=DPI)
    drawing.set_layout_engine(
        "constrained", rect=(0, 0, 1, height / total), w_pad=0.08, h_pad=0.06, wspace=0.05
    )
    left, first_line = 0.012, 1 - 0.09 / total
    drawing.text(left, first_line, legible(heading), va="top", fontsize=11.5, fontweight="bold")
    if legend:
        drawing.add_artist(_legend(legend, (left, 1 - _HEADING_INCHES / total), drawing))
    axes = drawing.subplots(*grid, squeeze=False, **layout).ravel().tolist()
    return Picture(heading, drawing), axes


def _legend(
    legend: Mapping[str, str], place: tuple[float, float], drawing: Drawing
) -> AnchoredOffsetbox:
    words: list[Any] = [
        TextArea(f"\u25cf {legible(word)}", textprops={"color": colour, "fontsize": 9.0})
        for word, colour in legend.items()
    ]
    box = AnchoredOffsetbox(
        "upper left",
        child=HPacker(children=words, pad=0, sep=12),
        pad=0,
        borderpad=0,
        frameon=False,
        bbox_to_anchor=place,
        bbox_transform=drawing.transFigure,
    )
    box.set_in_layout(False)
    return box


def plain_numbers(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis as 0.5 or 20, not as powers of ten."""
    axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


@styled
def nothing(heading: str, why: str) -> Picture:
    """A picture that says why there is nothing to see."""
    drawn, (axes,) = picture(heading, 0.5)
    axes.set_axis_off()
    axes.text(0.0, 0.5, legible(why, 120), transform=axes.transAxes, color=SOFT, va="center")
    return drawn


def legible(text: str, most: int = 90) -> str:
    """Text of any origin as the font can draw it, shortened; a box for what it lacks."""
    known = _drawable()
    flat = "".join(c if ord(c) in known else _UNDRAWABLE for c in " ".join(text.split(" ")))
    return flat if len(flat) <= most else f"{flat[: most - 1]}\u2026"


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    newline = frozenset({10})
    known = get_font(findfont("DejaVu Sans")).get_charmap()
    # the font has characters that turn text round, which nobody would see
    return newline | frozenset(c for c in known if chr(c).isprintable() or chr(c).isspace())
