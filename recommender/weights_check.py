"""Whether weights are there and hold what was installed, in words that end with what mends them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recommender.errors import WeightsError
from recommender.weights_store import Source, command_for, installed, is_installed, weights_dir


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with some files of weights.

    Attributes
    ----------
    missing
        Those that are not in the folder.
    damaged
        For those that are there and no use what is wrong with them, in words.
    """

    missing: Sequence[Source] = ()
    damaged: Mapping[Source, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """All of it in one sentence, "" when nothing is wrong."""
        words = [f"weights={s.name} are damaged: {why}" for s, why in self.damaged.items()]
        if self.missing:
            names = ", ".join(source.name for source in self.missing)
            words.insert(0, f"weights={names} are not in {weights_dir()}")
        if not words:
            return ""
        return f"{'; '.join(words)}; run: {command_for([*self.missing, *self.damaged])}"


def chosen(alternatives: Sequence[Source]) -> Source:
    """Of the same weights as several publish them the first that is there, else the first."""
    return next(filter(is_installed, alternatives), alternatives[0])


def examine(sources: Iterable[Source], *, digests: bool = True) -> Findings:
    """Look for weights, and read them to the last byte unless `digests` is False.

    Reading takes about a second for a gigabyte that was read before. Nothing is parsed.
    """
    known = list(sources)
    there = [source for source in known if is_installed(source)]
    damaged = {source: _damage(source) for source in there} if digests else {}
    return Findings(
        [source for source in known if source not in there],
        {source: why for source, why in damaged.items() if why},
    )


def require_sound(sources: Iterable[Source]) -> None:
    """Make sure that weights are there and undamaged.

    Raises
    ------
    WeightsError
        They are not; it names all that are missing or damaged, and the command that brings them.
    """
    if problem := examine(sources).problem:
        raise WeightsError(problem)


def _damage(source: Source) -> str:
    try:
        return installed(source).damage()
    except WeightsError:
        return f"{source.name}.json is no record of them"
