"""Tracks as the OpenSubsonic API describes media."""

import os
from pathlib import PurePath
from typing import Any

from api.audio_response import UNKNOWN_TYPE, media_type_of
from recommender.track import Track

Child = dict[str, Any]


def child_of(track: Track, file: bytes) -> Child:
    """A track as a `Child`: what is not known is left out.

    Fields that OpenSubsonic added are always there, empty when not known, as it asks for.

    Parameters
    ----------
    track
        What the catalog says.
    file
        Path of its file. Only its suffix is told, and its name when there is no title.
    """
    metadata = track.metadata
    name = PurePath(os.fsdecode(file).encode(errors="replace").decode())
    title, suffix = metadata.title or name.stem, name.suffix[1:].lower()
    content_type = media_type_of(file)
    known = {
        "album": metadata.album,
        "artist": metadata.artist,
        "track": metadata.track_number,
        "year": metadata.year,
        "genre": metadata.genre,
        "suffix": suffix,
        "contentType": content_type if content_type != UNKNOWN_TYPE else "",
    }
    return {
        "id": track.id,
        "isDir": False,
        "title": title,
        **{name: value for name, value in known.items() if value},
        "duration": round(track.duration_seconds),
        "path": _path(track, title, suffix),
        "isVideo": False,
        "type": "music",
        "mediaType": "song",
        "musicBrainzId": metadata.musicbrainz_recording_id,
        "displayArtist": metadata.artist,
        "displayAlbumArtist": metadata.album_artist,
        "displayComposer": metadata.composer,
        "genres": [{"name": metadata.genre}] if metadata.genre else [],
    }


def _path(track: Track, title: str, suffix: str) -> str:
    """Where the file would lie on a shelf: where it does lie is nobody's business."""
    metadata = track.metadata
    artist = metadata.album_artist or metadata.artist or "Unknown Artist"
    number = f"{metadata.track_number:02} - " if metadata.track_number else ""
    file = f"{number}{title}" + (f".{suffix}" if suffix else "")
    parts = (artist, metadata.album or "Unknown Album", file)
    return "/".join(part.replace("/", "_") for part in parts)
