"""Every error that Soundalike raises on purpose.

::

    SoundalikeError
    ├── AudioError                 the audio is at fault; ``reason`` is a stable slug
    │   ├── UnsupportedAudioError      not a format we decode                 (unsupported-media)
    │   ├── UndecodableAudioError      the decoder gave up                    (undecodable-audio)
    │   ├── AudioLimitError            beyond a limit: seconds, rate, …       (audio-limit-exceeded)
    │   ├── AudioTooShortError                                                (audio-too-short)
    │   ├── SilentAudioError           nothing to hear                        (silent-audio)
    │   ├── UnreadableFileError        not a regular file, or may not be read (unreadable-file)
    │   ├── FileChangedError           written to while it was read           (changed-while-read)
    │   └── ChildFailedError           the decoding child crashed or ran out  (decoder-crashed)
    ├── InvalidParameterError      a caller's value is out of its range
    ├── UnknownTrackError          ids that the generation does not hold
    ├── WeightsError               weights missing, or not the bytes they should be
    ├── RemoteEmbedderError        the server that embeds is not set, away, or no such server
    ├── PluginError                an embedder of another distribution is no use
    ├── MissingPackageError        an embedder or a file of weights needs a package not installed
    ├── SpaceMismatchError         vectors of different spaces must not meet
    ├── IndexUnavailableError      nothing valid is published
    │   ├── SpaceUnavailableError      one of the spaces cannot be read
    │   └── IndexOutdatedError         an earlier version made what is published
    ├── GenerationError            a generation is incomplete, damaged or does not fit together
    │   ├── OutdatedGenerationError    an earlier version made it, which this one does not serve
    │   └── RecallError                its index finds too little of what exact search finds
    ├── HistoryError               a file of listens is of no format that is known, or damaged
    ├── StorageError               a database could not be written: disk full, not permitted
    └── LockedError                another indexer is at work on the data folder

Messages say ``name=value`` and the next step. They never hold a secret, and the API never shows a
path to a caller.
"""

from collections.abc import Sequence


class SoundalikeError(Exception):
    """Base of every error in this tree."""


class AudioError(SoundalikeError):
    """Audio that cannot become a vector; `reason` names why in a stable slug."""

    reason = "bad-audio"


class UnsupportedAudioError(AudioError):
    """The content is not of a format that is decoded here."""

    reason = "unsupported-media"


class UndecodableAudioError(AudioError):
    """The format is known, but the decoder could not read this file."""

    reason = "undecodable-audio"


class AudioLimitError(AudioError):
    """The audio is larger than a limit: bytes, seconds, channels or sample rate."""

    reason = "audio-limit-exceeded"


class AudioTooShortError(AudioError):
    """Less audio than the shortest that can be compared."""

    reason = "audio-too-short"


class SilentAudioError(AudioError):
    """No window of the audio is loud enough to say anything."""

    reason = "silent-audio"


class UnreadableFileError(AudioError):
    """The path is not a regular file, or the system refuses to read it."""

    reason = "unreadable-file"


class FileChangedError(AudioError):
    """The file was written to while it was read; the next run tries again."""

    reason = "changed-while-read"


class ChildFailedError(AudioError):
    """The child process that held the audio crashed, hung or ran out of memory."""

    reason = "decoder-crashed"


class InvalidParameterError(SoundalikeError):
    """A value handed in by a caller is outside what the parameter allows."""


class UnknownTrackError(SoundalikeError):
    """Track ids that the served generation does not hold.

    Parameters
    ----------
    track_ids
        Every unknown id, in the order asked for.
    space
        Id of the space that was asked.
    """

    def __init__(self, track_ids: Sequence[str], space: str):
        self.track_ids = tuple(track_ids)
        super().__init__(
            f"track_id={', '.join(self.track_ids)} is not in the catalog of space={space}; "
            "GET /tracks?q=… finds ids"
        )


class WeightsError(SoundalikeError):
    """Weights are missing, or their digest is not the one that is pinned."""


class RemoteEmbedderError(SoundalikeError):
    """The server that an embedder asks is not set, cannot be reached, or answers something else."""


class MissingPackageError(SoundalikeError):
    """A package that is optional, because only some embedders need it, is not installed."""


class PluginError(SoundalikeError):
    """An embedder of another distribution cannot be imported, or is not what it should be."""


class SpaceMismatchError(SoundalikeError):
    """Two vectors of different spaces were about to be compared."""


class IndexUnavailableError(SoundalikeError):
    """No valid generation is published in the data folder."""


class SpaceUnavailableError(IndexUnavailableError):
    """A space is published, but its generation cannot be read; others may answer."""


class IndexOutdatedError(IndexUnavailableError):
    """An earlier version made what is published; the message names no path.

    Parameters
    ----------
    embedder
        Of the space.
    what
        What is said to be of an earlier version.
    """

    def __init__(self, embedder: str, what: str = "the index"):
        super().__init__(
            f"{what} was made by an earlier version, and this one does not serve it; on the server "
            f"run: python -m indexer reindex MUSIC_DIR --embedder {embedder} --data-dir DATA_DIR, "
            "where DATA_DIR is the --data-dir of the service; nothing is heard again"
        )


class GenerationError(SoundalikeError):
    """A generation is incomplete, damaged, or its parts do not fit together."""


class OutdatedGenerationError(GenerationError):
    """A generation was made by an earlier version, and is not served any more.

    Parameters
    ----------
    message
        What is wrong, and what mends it.
    embedder
        That of the generation.
    """

    def __init__(self, message: str, embedder: str = ""):
        super().__init__(message)
        self.embedder = embedder


class RecallError(GenerationError):
    """An index finds too little of what exact search finds, and is not published."""


class HistoryError(SoundalikeError):
    """A file of listens made elsewhere is of no format that is known, damaged, or too large."""


class StorageError(SoundalikeError):
    """A database could not be written; what was stored before is whole."""


class LockedError(SoundalikeError):
    """Another process holds the indexer's lock on the data folder."""
