"""What a run refuses before it changes anything: each would lose tracks that are still wanted."""

import os
from collections.abc import Sequence

from indexer.plan import KnownFiles, is_below
from indexer.scan import Scan
from recommender.errors import InvalidParameterError


def check_folders(roots: Sequence[bytes]) -> None:
    """Refuse what is not a folder.

    Raises
    ------
    InvalidParameterError
        Naming the first one.
    """
    for root in roots:
        if not os.path.isdir(root):
            raise InvalidParameterError(f"MUSIC_DIR={os.fsdecode(root)} is not a folder")


def check_listed(roots: Sequence[bytes], found: Scan) -> None:
    """Refuse a music folder that cannot be listed.

    Raises
    ------
    InvalidParameterError
        Naming it.
    """
    if unlisted := set(roots) & set(found.unreadable):
        raise InvalidParameterError(
            f"MUSIC_DIR={os.fsdecode(min(unlisted))} cannot be listed; check its permissions"
        )


def check_not_emptied(roots: Sequence[bytes], found: Scan, known: KnownFiles) -> None:
    """Refuse a folder without any music: a disk that is not mounted looks the same.

    Raises
    ------
    InvalidParameterError
        Naming the first one, and how many of its files are known.
    """
    for root in roots:
        if any(is_below(path, [root]) for path in found.files):
            continue
        here = sum(is_below(path, [root]) for path in known)
        links = sum(is_below(path, [root]) for path in found.links)
        raise InvalidParameterError(
            f"MUSIC_DIR={os.fsdecode(root)} holds no audio ({here} of its files are known, {links} "
            "symbolic links were left alone); name the folder that does, mount it, or pass "
            "--allow-empty to take what is gone out of the catalog"
        )


def check_other_folders(roots: Sequence[bytes], known: KnownFiles, lost: set[str]) -> None:
    """Refuse to replace a space when tracks in folders outside this run would leave it.

    Parameters
    ----------
    roots
        The music folders of this run.
    known
        The library's files.
    lost
        Ids of the tracks of the served space that have no vector in the one to take its place.

    Raises
    ------
    InvalidParameterError
        Naming how many there are, and one of them.
    """
    without = sorted(
        path
        for path, (_, track_id) in known.items()
        if track_id in lost and not is_below(path, roots)
    )
    if without:
        raise InvalidParameterError(
            f"{len(without)} files in other folders, {os.fsdecode(without[0])} the first, were "
            "indexed with other --windows, --pooling or weights and would leave the space; name "
            "their folders as well, use the same options as before, or pass --allow-empty to drop "
            "them"
        )
