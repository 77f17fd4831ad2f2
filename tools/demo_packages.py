"""The frozen list of packages whose music makes the demo catalog.

``demo_packages.json`` names packages, versions, files, digests and licences as they were when the
list was made; a distribution may have other versions of them, or none.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).with_name("demo_packages.json")


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """A music file of a package.

    Attributes
    ----------
    member
        Path inside the package.
    sha256
        Digest in the version that the list was made from.
    """

    member: str
    title: str
    artist: str
    licence: str
    attribution: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """A package, the size of its download, and the music in it."""

    name: str
    version: str
    download_bytes: int
    album: str
    tracks: tuple[PackagedTrack, ...]

    @property
    def group(self) -> str:
        """Name that changes when the list's entry changes."""
        return f"{self.name} {hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"


def read_packages(path: Path = PACKAGES) -> tuple[Package, ...]:
    """Read the frozen list of packages."""
    return tuple(_package(entry) for entry in json.loads(path.read_bytes())["packages"])


def _package(entry: dict[str, Any]) -> Package:
    """Read one entry of the list; a track may name its own artist, licence and attribution."""
    tracks = tuple(
        PackagedTrack(
            member=f"{entry['folder']}/{track['path']}",
            title=track["title"],
            artist=track.get("artist", entry["artist"]),
            licence=track.get("licence", entry["licence"]),
            attribution=track.get("attribution", entry["attribution"]),
            sha256=track["sha256"],
        )
        for track in entry["tracks"]
    )
    name, version, size = entry["package"], entry["version"], entry["download_bytes"]
    return Package(name, version, size, entry["album"], tracks)
