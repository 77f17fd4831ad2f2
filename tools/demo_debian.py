"""Real music from the packages of Debian's and Ubuntu's free games.

Packages are downloaded, never installed: only the music is taken out of them.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from recommender.errors import SoundalikeError
from tools.demo_folder import Credit, DemoFolder, replacing
from tools.demo_packages import Package, PackagedTrack

TOOLS = ("apt-get", "apt-cache", "dpkg-deb")
_MAX_TRACK_BYTES = 100_000_000
_WORK = ".download"
_APT = (
    "apt-get",
    "-qq",
    "-o", "Acquire::Retries=1",
    "-o", "Acquire::http::Timeout=30",
    "-o", "Acquire::https::Timeout=30",
    # As root, apt downloads as the user _apt, who may not write into most folders.
    "-o", "APT::Sandbox::User=root",
)  # fmt: skip

Report = Callable[[str], None]


class CommandError(SoundalikeError):
    """A command failed, took too long, or is not there."""


class Runner(Protocol):
    """Run a command to its end."""

    def __call__(
        self,
        command: Sequence[str],
        *,
        timeout: float,
        cwd: Path | None = None,
        output: Path | None = None,
    ) -> str:
        """Return what it printed; write that to `output` instead when one is named.

        Raises
        ------
        CommandError
            It failed, or did not end in `timeout` seconds.
        """


def run_command(
    command: Sequence[str], *, timeout: float, cwd: Path | None = None, output: Path | None = None
) -> str:
    """Run a command as :class:`Runner` says."""
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        with (output or Path(os.devnull)).open("wb") as file:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=environment,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                stdout=file if output else subprocess.PIPE,
                stderr=subprocess.PIPE,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{command[0]} did not end within timeout={timeout:.0f} s") from error
    except OSError as error:
        raise CommandError(f"{command[0]} could not be started: {error}") from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="backslashreplace").strip().rpartition("\n")[2]
        raise CommandError(f"{command[0]} ended with code={done.returncode}: {last or 'no reason'}")
    return (done.stdout or b"").decode(errors="backslashreplace")


def known_versions(packages: Sequence[Package], run: Runner, report: Report) -> dict[str, str]:
    """Ask apt which of the packages it can download.

    An empty package list is refreshed once where that is allowed, which is for root.

    Returns
    -------
    Version by package name; packages that apt does not know are left out.
    """
    try:
        versions = _candidates(packages, run)
        if not versions and os.geteuid() == 0:
            report("apt knows none of the packages: refreshing its list once")
            run([*_APT, "update"], timeout=300.0)
            versions = _candidates(packages, run)
    except CommandError as error:
        report(f"apt cannot say what it has: {error}")
        return {}
    if not versions:
        report("apt knows none of the packages; 'sudo apt-get update' may help")
    return versions


def fetch(
    package: Package, version: str, folder: DemoFolder, run: Runner, report: Report
) -> tuple[Credit, ...]:
    """Download one package and put its music into the folder.

    Parameters
    ----------
    version
        The version that apt knows.

    Returns
    -------
    The tracks that were found.

    Raises
    ------
    CommandError
        The download or the unpacking failed.
    """
    work = folder.path / _WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        run([*_APT, "download", package.name], timeout=900.0, cwd=work)
        archive = next(work.glob("*.deb"), None)
        if archive is None:
            raise CommandError(f"apt-get left no file for package={package.name}; try again")
        content = work / "content.tar"
        run(["dpkg-deb", "--fsys-tarfile", str(archive)], timeout=120.0, output=content)
        files = list(_unpack(package, version, content, folder, report))
    except tarfile.TarError as error:
        raise CommandError(f"package={package.name} holds a broken archive: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    folder.finish(package.group, files)
    return tuple(credit for credit, _ in files)


def _unpack(
    package: Package, version: str, content: Path, folder: DemoFolder, report: Report
) -> Iterator[tuple[Credit, str]]:
    """Copy the tracks out of a package's archive; yield credit and digest of each."""
    with tarfile.open(content) as archive:
        members = {member.name.removeprefix("./"): member for member in archive}
        for track in package.tracks:
            member = members.get(track.member)
            source = None
            if member is not None and member.isreg() and member.size <= _MAX_TRACK_BYTES:
                source = archive.extractfile(member)
            if source is None:
                report(f"{package.name} {version} has no usable {track.member}: left out")
                continue
            path = f"{package.name}/{PurePosixPath(track.member).name}"
            with source, replacing(folder.path / path) as target:
                shutil.copyfileobj(source, target)
            with (folder.path / path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != track.sha256:
                report(f"{path} differs from the frozen list (version {version}): kept")
            yield _credit(package, version, track, path), digest


def _credit(package: Package, version: str, track: PackagedTrack, path: str) -> Credit:
    return Credit(
        path=path,
        title=track.title,
        artist=track.artist,
        album=package.album,
        licence=track.licence,
        attribution=track.attribution,
        source_package=f"{package.name} {version}",
    )


def _candidates(packages: Sequence[Package], run: Runner) -> dict[str, str]:
    """Read the candidate versions out of what ``apt-cache policy`` prints."""
    versions: dict[str, str] = {}
    name = ""
    for line in run(
        ["apt-cache", "policy", *(package.name for package in packages)], timeout=60.0
    ).splitlines():
        if not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:"):
            version = line.split(":", 1)[1].strip()
            if version != "(none)":
                versions[name] = version
    return versions
