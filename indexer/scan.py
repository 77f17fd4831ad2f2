"""Find the audio files below some folders, without opening any of them."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from recommender.records import FileState

AUDIO_SUFFIXES = frozenset(
    b".aac .ac3 .aif .aifc .aiff .alac .ape .au .caf .flac .m4a .m4b .mka .mp2 .mp3 .mp4 .oga .ogg "
    b".opus .snd .wav .wave .webm .wma .wv".split()
)


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies below the folders.

    Attributes
    ----------
    files
        State of every regular file with an audio suffix, by absolute path.
    irregular
        Paths with an audio suffix that are no regular files: FIFOs, sockets, devices.
    links
        Symbolic links, to audio or to folders, which are not followed.
    unreadable
        Folders that could not be listed; nothing below them counts as gone.
    """

    files: dict[bytes, FileState] = field(default_factory=dict)
    irregular: list[bytes] = field(default_factory=list)
    links: list[bytes] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)


def scan(roots: Sequence[bytes]) -> Scan:
    """List the audio below `roots`.

    Symbolic links are not followed: they could lead out of the folders, or in circles. Hidden files
    and folders (a leading dot) are left alone; so are AppleDouble companions, which start with one.

    Parameters
    ----------
    roots
        Absolute paths of folders.
    """
    found = Scan()
    pending = list(roots)
    while pending:
        folder = pending.pop()
        for entry in _entries(folder, found):
            if entry.name.startswith(b"."):
                continue
            is_audio = os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif entry.is_symlink():
                if is_audio or entry.is_dir():
                    found.links.append(entry.path)
            elif is_audio:
                _note(entry, found)
    return found


def _entries(folder: bytes, found: Scan) -> Iterator["os.DirEntry[bytes]"]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError:
        found.unreadable.append(folder)


def _note(entry: "os.DirEntry[bytes]", found: Scan) -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        # gone between listing and looking: as if it had never been there
        return
    if stat.S_ISREG(status.st_mode):
        found.files[entry.path] = FileState.of(status)
    else:
        found.irregular.append(entry.path)
