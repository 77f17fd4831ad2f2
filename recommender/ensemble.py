"""One or several spaces that answer together.

Cosines of two spaces cannot be compared, places in a list can: several spaces are fused by
reciprocal rank (G. V. Cormack, C. L. A. Clarke and S. Büttcher, "Reciprocal rank fusion outperforms
Condorcet and individual rank learning methods", SIGIR 2009).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence

from recommender.allowed import not_in_catalog
from recommender.choosing import album_of, numbered
from recommender.embedding import Embedding
from recommender.engine import Recommender
from recommender.errors import InvalidParameterError, UnknownTrackError
from recommender.questions import Answer, Options, Preference, Question
from recommender.ranking import SIMILARITY_DECIMALS, Cap, Capped, picked
from recommender.segments import ClipWindows
from recommender.text import folded
from recommender.track import Match, Reasons, SpaceRank, TagStrength, Track

RANK_CONSTANT = 60
DEPTH = 1000
_DEEPER = 4

Rankings = dict[str, list[str]]
"""Ids of tracks, best first, by space."""


def fused(rankings: Sequence[Sequence[str]]) -> list[tuple[str, float]]:
    """Ids by reciprocal rank, best first, with a score in (0, 1].

    The score is the mean over rankings of (C + 1) / (C + rank), where C is `RANK_CONSTANT`: 1 for a
    track that is first in all of them. One that does not rank a track counts as 0. Equal scores are
    in the order of ids.

    Parameters
    ----------
    rankings
        Ids, best first, of every space that was asked.
    """
    scores = dict[str, float]()
    for ranking in rankings:
        for rank, id_ in enumerate(ranking, start=1):
            scores[id_] = scores.get(id_, 0.0) + (RANK_CONSTANT + 1) / (RANK_CONSTANT + rank)
    means = {
        id_: round(total / len(rankings), SIMILARITY_DECIMALS) for id_, total in scores.items()
    }
    return sorted(means.items(), key=lambda item: (-item[1], item[0]))


class Ensemble:
    """Asks its members the same question; a single member's answer is passed on as it is.

    Parameters
    ----------
    members
        At least one.
    """

    def __init__(self, members: Sequence[Recommender]):
        self.members = tuple(members)

    def only(self) -> Recommender:
        """The one member; raises InvalidParameterError when there are several."""
        if len(self.members) > 1:
            raise InvalidParameterError("space names several spaces; name one")
        return self.members[0]

    def similar(self, track_id: str, options: Options) -> Answer:
        """See :meth:`recommender.engine.Recommender.about_track`."""
        return self._answer(lambda member: member.about_track(track_id), options)

    def similar_to_clip(
        self,
        embeddings: Sequence[Sequence[Embedding]],
        options: Options,
        windows: ClipWindows | None = None,
    ) -> Answer:
        """See :meth:`recommender.engine.Recommender.about_clip`; embedded once for each member.

        `windows` are of the only member: places in a list say nothing of moments in a track.
        """
        heard = dict(zip(self.members, embeddings, strict=True))
        return self._answer(lambda member: member.about_clip(heard[member], windows), options)

    @property
    def has_segments(self) -> bool:
        """Whether a clip can be looked for in time."""
        return len(self.members) == 1 and self.members[0].generation.segments is not None

    def recommend(
        self, positive: Sequence[Preference], negative: Sequence[Preference], options: Options
    ) -> Answer:
        """See :meth:`recommender.engine.Recommender.about_taste`."""
        return self._answer(lambda member: member.about_taste(positive, negative), options)

    def _answer(self, ask: Callable[[Recommender], Question], options: Options) -> Answer:
        if len(self.members) == 1:
            return self.members[0].answer(ask(self.members[0]), options)
        questions, warnings = self._questions(ask)
        rankings, best = self._ranked(questions, options)
        manifests = [member.generation.manifest for member in self.members]
        return Answer(
            generation="+".join(manifest.generation for manifest in manifests),
            space="+".join(manifest.space_id for manifest in manifests),
            matches=self._matches(questions, rankings, best, options),
            warnings=(
                *warnings,
                *self._unknown_exclusions(options),
                *_in_vain_everywhere(questions, options),
            ),
        )

    def _questions(
        self, ask: Callable[[Recommender], Question]
    ) -> tuple[dict[Recommender, Question], list[str]]:
        """The question as each member understands it; who lacks a track is left out, and named."""
        questions, errors = dict[Recommender, Question](), dict[Recommender, UnknownTrackError]()
        for member in self.members:
            try:
                questions[member] = ask(member)
            except UnknownTrackError as error:
                errors[member] = error
        if not questions:
            first, missing = self.members[0], [set(error.track_ids) for error in errors.values()]
            everywhere = set.intersection(*missing) or missing[0]
            raise UnknownTrackError(sorted(everywhere), first.generation.manifest.space_id)
        return questions, [
            f"space={member.generation.manifest.space_id} does not hold "
            f"track_id={', '.join(error.track_ids)} and was not asked"
            for member, error in errors.items()
        ]

    def _ranked(
        self, questions: dict[Recommender, Question], options: Options
    ) -> tuple[Rankings, list[tuple[str, float]]]:
        """Every member's ranking, and the best tracks with their fused scores."""
        if options.limit < 1:
            raise InvalidParameterError(f"limit={options.limit} must be at least 1")
        if options.diversity:
            raise InvalidParameterError(
                f"diversity={options.diversity:g} is found in one space; name one"
            )
        largest = max(len(member.generation.index) for member in questions)
        depth = max(DEPTH, options.limit)
        telling = [
            member
            for member in questions
            if options.collapses_duplicates and member.generation.arrays.has_copies
        ]
        while True:
            rankings = {
                member.generation.manifest.space_id: member.nearest_ids(question, options, depth)
                for member, question in questions.items()
            }
            best = self._kept(fused(list(rankings.values())), questions, telling, options)
            # a rank beyond the depth counts as none; only a cap may have left too few tracks
            has_caps = telling or (options.max_per_artist, options.max_per_album) != (None, None)
            if len(best) == options.limit or not has_caps or depth >= largest:
                return rankings, best
            depth *= _DEEPER

    def _kept(
        self,
        scores: list[tuple[str, float]],
        questions: dict[Recommender, Question],
        telling: Sequence[Recommender],
        options: Options,
    ) -> list[tuple[str, float]]:
        """The best tracks, of each recording one by what members know that tell copies."""
        close = dict(item for item in scores if item[1] >= options.min_similarity)
        ids = list(close)
        caps = self._caps(ids, options)
        caps += [_by_recording(member, questions[member], ids, options) for member in telling]
        if caps:
            ids = [ids[place] for place in picked(caps, options.limit, len(ids))]
        return [(id_, close[id_]) for id_ in ids[: options.limit]]

    def _caps(self, ids: Sequence[str], options: Options) -> list[Capped]:
        most = options.max_per_artist, options.max_per_album
        if most == (None, None):
            return []
        tracks = self._tracks(ids)
        metadata = [tracks[id_].metadata for id_ in ids]
        names: list[list[Hashable]] = [
            [folded(one.artist) for one in metadata],
            [album_of(one) for one in metadata],
        ]
        return [
            (Cap(count), numbered(of_all, {}))
            for count, of_all in zip(most, names, strict=True)
            if count is not None
        ]

    def _tracks(self, ids: Sequence[str]) -> dict[str, Track]:
        """Tracks by id, each from the first member that holds it."""
        found = dict[str, Track]()
        for member in self.members:
            missing = [id_ for id_ in ids if id_ not in found]
            found |= {track.id: track for track in member.tracks(missing)}
        return found

    def _matches(
        self,
        questions: dict[Recommender, Question],
        rankings: Rankings,
        best: list[tuple[str, float]],
        options: Options,
    ) -> tuple[Match, ...]:
        ids = [id_ for id_, _ in best]
        documents = {id_: track.document() for id_, track in self._tracks(ids).items()}
        tags, reasons = dict[str, tuple[TagStrength, ...]](), dict[str, Reasons]()
        for member, question in questions.items():
            tags = member.tags_shared(question, ids) | tags
            reasons = member.reasons(question, ids, options) | reasons
        places = {
            space: {id_: rank for rank, id_ in enumerate(ranking, start=1)}
            for space, ranking in rankings.items()
        }
        return tuple(
            Match(
                rank=rank,
                similarity=score,
                document=documents[id_],
                shared_tags=tags.get(id_, ()),
                space_ranks=tuple(
                    SpaceRank(space, ranks[id_]) for space, ranks in places.items() if id_ in ranks
                ),
                reasons=reasons[id_],
            )
            for rank, (id_, score) in enumerate(best, start=1)
        )

    def _unknown_exclusions(self, options: Options) -> list[str]:
        known = self._tracks(options.exclude_ids)
        return not_in_catalog(id_ for id_ in options.exclude_ids if id_ not in known)


def _by_recording(
    member: Recommender, question: Question, ids: Sequence[str], options: Options
) -> Capped:
    """One track of each recording, by what a member knows of copies."""
    arrays = member.generation.arrays
    room, _ = member.retrieval.room(question.seeds, options)
    cap = Cap(1, arrays.recordings.take(room.excluded).tolist())
    rows = (arrays.row_of(id_) for id_ in ids)
    return cap, [-1 if row is None else int(arrays.recordings[row]) for row in rows]


def _in_vain_everywhere(members: Iterable[Recommender], options: Options) -> list[str]:
    """What :meth:`recommender.retrieval.Retrieval.in_vain` says of each of some members."""
    first, *others = (member.retrieval.in_vain(options) for member in members)
    return [warning for warning in first if all(warning in other for other in others)]
