"""What became of a history: counts, and the names that matter most."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from indexer.output import harmless
from recommender.history_entries import Broken, HistoryEntry
from recommender.track import Track

# names that are counted; beyond, those that were played least are let go
MAX_NAMES = 50_000
SHOWN = 20
MAX_TOLD = 1_000


class Name(NamedTuple):
    """What a history calls a recording."""

    artist: str
    title: str
    album: str
    recording_mbid: str

    @classmethod
    def of(cls, entry: HistoryEntry) -> "Name":
        """That of an entry."""
        return cls(entry.artist, entry.title, entry.album, "".join(entry.recording_mbids[:1]))

    @property
    def text(self) -> str:
        """For a line."""
        return f"{self.artist} - {self.title}" if self.title else self.recording_mbid


class Plays:
    """How often each name came up, of bounded memory.

    When there are too many names, the half that was played least is let go.
    """

    def __init__(self, n_names: int = MAX_NAMES) -> None:
        self._n_names = n_names
        self._counts = Counter[Name]()
        self.total = 0
        self.is_cut = False

    def add(self, name: Name) -> None:
        """Count a play."""
        self.total += 1
        self._counts[name] += 1
        if len(self._counts) > self._n_names:
            self._counts = Counter(dict(self._counts.most_common(self._n_names // 2)))
            self.is_cut = True

    def most_played(self) -> list[tuple[Name, int]]:
        """Names, the most played first, then in their order."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))


@dataclass
class Report:
    """Counts of an import, and what it could not use.

    Attributes
    ----------
    formats, ignored
        What the history is, and files of its archive that are none.
    by_id, by_name
        Entries whose track was found by its MusicBrainz id, and by artist and title.
    kinds
        Of those, how many of each kind of event.
    stored, known, expired
        Of those, how many were new, were there before, and are older than events are kept.
    ambiguous, missing
        Those for which several tracks fit, and none.
    candidates
        The tracks that fit, for names that are ambiguous.
    left_out
        Entries by the reason why they say nothing of taste.
    n_broken, broken
        Places that cannot be understood: how many, and the first of them.
    """

    formats: Sequence[str]
    ignored: Sequence[str]
    by_id: int = 0
    by_name: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    known: int = 0
    expired: int = 0
    ambiguous: Plays = field(default_factory=Plays)
    missing: Plays = field(default_factory=Plays)
    candidates: dict[Name, list[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    n_broken: int = 0
    broken: list[Broken] = field(default_factory=list)

    @property
    def n_entries(self) -> int:
        """All that was read."""
        matched = self.by_id + self.by_name
        others = self.left_out.total() + self.n_broken
        return matched + self.ambiguous.total + self.missing.total + others

    def add_broken(self, broken: Broken) -> None:
        """Count a place that cannot be understood."""
        self.n_broken += 1
        if len(self.broken) < MAX_TOLD:
            self.broken.append(broken)

    def add_ambiguous(self, entry: HistoryEntry, tracks: Sequence[Track]) -> None:
        """Count an entry for which several tracks fit."""
        name = Name.of(entry)
        self.ambiguous.add(name)
        if len(self.candidates) < MAX_TOLD:
            self.candidates.setdefault(name, [track.id for track in tracks])

    def facts(self, dry_run: bool) -> dict[str, Any]:
        """For JSON."""
        return {
            "formats": list(self.formats),
            "ignored_files": list(self.ignored),
            "dry_run": dry_run,
            "entries": self.n_entries,
            "matched": {"by_id": self.by_id, "by_name": self.by_name},
            "kinds": dict(sorted(self.kinds.items())),
            "stored": self.stored,
            "known": self.known,
            "expired": self.expired,
            "ambiguous": self.ambiguous.total,
            "missing": self.missing.total,
            "left_out": dict(sorted(self.left_out.items())),
            "broken": self.n_broken,
            "ambiguous_names": [
                {"plays": plays, **name._asdict(), "track_ids": self.candidates.get(name, [])}
                for name, plays in self.ambiguous.most_played()[:MAX_TOLD]
            ],
            "names_are_cut": self.ambiguous.is_cut or self.missing.is_cut,
            "missing_names": [
                {"plays": plays, **name._asdict()}
                for name, plays in self.missing.most_played()[:MAX_TOLD]
            ],
            "broken_places": [{"place": b.place, "why": b.why} for b in self.broken],
        }

    def lines(self, dry_run: bool) -> list[str]:
        """For people."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.kinds.items())) or "none"
        written = f"{self.stored} stored, {self.known} known before"
        if self.expired:
            written += f", {self.expired} older than events are kept"
        return [
            f"{', '.join(self.formats)}: {self.n_entries} entries",
            f"matched: {self.by_id} by MusicBrainz id, {self.by_name} by name ({kinds})",
            "dry run: nothing was stored" if dry_run else written,
            f"ambiguous: {self.ambiguous.total}, not stored",
            *_played(self.ambiguous),
            f"missing from the catalog: {self.missing.total}",
            *_played(self.missing),
            *(f"left out: {n}: {why}" for why, n in sorted(self.left_out.items())),
            f"broken: {self.n_broken}",
            *_cut([f"  {harmless(b.place)}: {b.why}" for b in self.broken], self.n_broken),
            *(f"not a history: {name}" for name in self.ignored[:SHOWN]),
        ]


def _played(plays: Plays) -> list[str]:
    names = plays.most_played()
    shown = [f"  {n} × {name.text}" for name, n in names[:SHOWN]]
    return _cut(shown, len(names))


def _cut(lines: list[str], total: int) -> list[str]:
    rest = total - min(len(lines), SHOWN)
    return lines[:SHOWN] + ([f"  … and {rest} more; see --json"] if rest > 0 else [])
