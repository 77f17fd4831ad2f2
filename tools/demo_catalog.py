"""Make a folder of music to try Soundalike with: ``python -m tools.demo_catalog OUTDIR``.

On Debian and Ubuntu it fetches about a hundred tracks from the soundtracks of free games; elsewhere
it renders a small catalog of its own. Either way ATTRIBUTION.csv says whose music it is. A second
run only checks what is there, and an interrupted run goes on where it stopped.

Exit codes: 0 there is a catalog, 1 there is none, 2 wrong usage.
"""

import argparse
import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from recommender.errors import InvalidParameterError, SoundalikeError
from tools import demo_debian, synth_catalog
from tools.demo_folder import Credit, DemoFolder
from tools.demo_packages import Package, read_packages

LEAST_TRACKS = 30
SYNTH_SECONDS = 30.0
_SOURCES = ("auto", "debian", "synth")
_FAILURES_IN_A_ROW = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_catalog", description=__doc__)
    parser.add_argument("outdir", type=Path, metavar="OUTDIR", help="an empty folder, or a new one")
    parser.add_argument("--source", choices=_SOURCES, default="auto", help="default: %(default)s")
    arguments = parser.parse_args(argv)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    try:
        return make(arguments.outdir, arguments.source, console)
    except InvalidParameterError as error:
        console.print(f"demo_catalog: {error}")
        return 2
    except (SoundalikeError, OSError) as error:
        console.print(f"demo_catalog: {error}")
        return 1
    except KeyboardInterrupt:
        console.print("demo_catalog: interrupted; the same command goes on from here")
        return 1


def make(
    out: Path,
    source: str,
    console: Console,
    run: demo_debian.Runner = demo_debian.run_command,
    which: Callable[[str], str | None] = shutil.which,
) -> int:
    """Fill a folder.

    Parameters
    ----------
    out
        The folder.
    source
        "debian", "synth", or "auto" for the first that works.
    run, which
        How commands are run and found.

    Returns
    -------
    0 when the folder holds a catalog, else 1.

    Raises
    ------
    InvalidParameterError
        The folder holds something else.
    """
    folder = DemoFolder(out)
    if source != "synth":
        add_packages(folder, console, run, which)
    enough = len(folder.credits) >= LEAST_TRACKS
    if source == "synth" or (source == "auto" and not enough):
        add_synth(folder, console)
    elif not enough:
        console.print(
            f"only {len(folder.credits)} tracks came together from packages; "
            "--source synth needs no packages"
        )
        return 1
    console.print(summary(folder))
    return 0


def add_packages(
    folder: DemoFolder,
    console: Console,
    run: demo_debian.Runner,
    which: Callable[[str], str | None],
) -> None:
    """Fetch every package that the folder does not have; say what could not be had."""
    packages = read_packages()
    missing = [package for package in packages if not folder.complete(package.group)]
    absent = [tool for tool in demo_debian.TOOLS if which(tool) is None]
    if missing and absent:
        console.print(f"{', '.join(absent)} not on this machine: no packages can be fetched")
    elif missing:
        versions = demo_debian.known_versions(packages, run, console.print)
        for package in missing:
            if package.name not in versions:
                console.print(f"{package.name}: apt does not know it, left out")
        _fetch_all([p for p in missing if p.name in versions], versions, folder, console, run)


def add_synth(folder: DemoFolder, console: Console) -> None:
    """Render the tracks of the synthetic catalog that the folder does not have."""
    tracks = synth_catalog.plan()
    albums = {track.album: [t for t in tracks if t.album == track.album] for track in tracks}
    with _progress(console) as progress:
        task = progress.add_task("rendering", total=len(tracks), unit="tracks")
        for album, members in albums.items():
            progress.update(task, description=f"rendering {album}")
            group = f"{synth_catalog.SOURCE} {SYNTH_SECONDS:g} s {album}"
            if not folder.complete(group):
                folder.finish(group, [_rendered(folder, track) for track in members])
            progress.advance(task, len(members))


def summary(folder: DemoFolder) -> str:
    """Say what a folder holds in one line."""
    tracks = folder.credits
    albums = {track.album for track in tracks}
    synthetic = sum(track.source_package == synth_catalog.SOURCE for track in tracks)
    kinds = [
        name
        for name, count in (
            ("Debian packages", len(tracks) - synthetic),
            ("rendered by Soundalike", synthetic),
        )
        if count
    ]
    megabytes = folder.total_bytes / 1e6
    return (
        f"{len(tracks)} tracks of {len(albums)} soundtracks, {megabytes:.0f} MB, "
        f"{' and '.join(kinds)}, in {folder.path}"
    )


def _fetch_all(
    packages: Sequence[Package],
    versions: Mapping[str, str],
    folder: DemoFolder,
    console: Console,
    run: demo_debian.Runner,
) -> None:
    """Fetch packages one by one; one may fail, but failures in a row mean there is no network."""
    failures = 0
    with _progress(console) as progress:
        total = sum(package.download_bytes for package in packages)
        task = progress.add_task("packages", total=total / 1e6, unit="MB")
        for number, package in enumerate(packages, start=1):
            label = f"package {number}/{len(packages)} {package.name}"
            progress.update(task, description=label)
            try:
                found = demo_debian.fetch(
                    package, versions[package.name], folder, run, console.print
                )
                console.print(f"{label}: tracks={len(found)}")
                failures = 0
            except demo_debian.CommandError as error:
                console.print(f"{label}: {error}")
                failures += 1
            if failures == _FAILURES_IN_A_ROW:
                console.print("giving up on packages; the same command tries again")
                return
            progress.advance(task, package.download_bytes / 1e6)


def _rendered(folder: DemoFolder, track: synth_catalog.SynthTrack) -> tuple[Credit, str]:
    path = synth_catalog.write_track(folder.path, track, SYNTH_SECONDS)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    credit = Credit(
        path=track.path,
        title=track.title,
        artist=track.artist,
        album=track.album,
        licence=synth_catalog.LICENCE,
        attribution=synth_catalog.ATTRIBUTION,
        source_package=synth_catalog.SOURCE,
    )
    return credit, digest


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[unit]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


if __name__ == "__main__":
    sys.exit(main())
