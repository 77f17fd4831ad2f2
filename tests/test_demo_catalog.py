import csv
import hashlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from recommender.errors import InvalidParameterError
from tools import demo_catalog, demo_debian, synth_catalog
from tools.demo_catalog import main, make
from tools.demo_debian import CommandError, fetch, known_versions, run_command
from tools.demo_folder import Credit, DemoFolder
from tools.demo_packages import Package, PackagedTrack, read_packages
from tools.synth_catalog import SynthTrack

SONG = b"OggS a song"
MEMBER = "usr/share/games/lute/music/song.ogg"
LUTE = Package(
    name="lute-data",
    version="1.0-1",
    download_bytes=1_000,
    album="Lute",
    tracks=(
        PackagedTrack(MEMBER, "Song", "Ann", "CC0-1.0", "by Ann", hashlib.sha256(SONG).hexdigest()),
    ),
)


class FakeApt:
    """Answers apt-cache, apt-get and dpkg-deb from a table of packages, without a network."""

    def __init__(self, packages: Sequence[Package], version: str = "1.0-1"):
        self.packages = {package.name: package for package in packages}
        self.version = version
        self.empty_until_update = False
        self.failing: set[str] = set()
        self.content = {t.member: SONG for p in packages for t in p.tracks}
        self.commands: list[list[str]] = []

    def __call__(
        self,
        command: Sequence[str],
        *,
        timeout: float,
        cwd: Path | None = None,
        output: Path | None = None,
    ) -> str:
        self.commands.append(list(command))
        if command[0] == "apt-cache":
            return self.policy(command[2:])
        if command[-1] == "update":
            self.empty_until_update = False
        elif command[0] == "apt-get":
            self.download(command[-1], cwd)
        else:
            self.unpack(Path(command[-1]), output)
        return ""

    @property
    def downloads(self) -> list[str]:
        return [command[-1] for command in self.commands if "download" in command]

    def policy(self, names: Sequence[str]) -> str:
        if self.empty_until_update:
            return ""
        return "".join(
            f"{name}:\n  Installed: (none)\n  Candidate: "
            f"{self.version if name in self.packages else '(none)'}\n  Version table:\n"
            for name in names
        )

    def download(self, name: str, cwd: Path | None) -> None:
        if name in self.failing:
            raise CommandError("apt-get ended with code=100: no route")
        assert cwd is not None
        (cwd / f"{name}_{self.version}_all.deb").write_text(name)

    def unpack(self, archive: Path, output: Path | None) -> None:
        assert output is not None
        package = self.packages[archive.read_text()]
        with tarfile.open(output, "w") as tar:
            for track in package.tracks:
                if track.member in self.content:
                    data = self.content[track.member]
                    info = tarfile.TarInfo(f"./{track.member}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), highlight=False, markup=False, soft_wrap=True)


@pytest.fixture
def cheap_synth(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rendered: list[str] = []

    def write(out: Path, track: SynthTrack, seconds: float) -> Path:
        rendered.append(track.path)
        path = out / track.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(SONG)
        return path

    monkeypatch.setattr(synth_catalog, "write_track", write)
    return rendered


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "ATTRIBUTION.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def found(tool: str) -> str | None:
    return f"/usr/bin/{tool}"


def nowhere(tool: str) -> None:
    return None


def test_the_frozen_list_is_what_the_demo_promises() -> None:
    packages = read_packages()
    tracks = [track for package in packages for track in package.tracks]
    artists = [track.artist for track in tracks]
    assert 90 <= len(tracks) <= 120
    assert len({package.album for package in packages}) >= 10
    assert sum(package.download_bytes for package in packages) < 150e6
    assert sum(artists.count(artist) >= 3 for artist in set(artists) - {""}) >= 5
    assert all(t.licence and t.attribution and t.title and len(t.sha256) == 64 for t in tracks)
    assert all(".." not in t.member and not t.member.startswith("/") for t in tracks)


def test_tracks_of_a_package_never_share_a_file_name() -> None:
    for package in read_packages():
        names = [Path(track.member).name for track in package.tracks]
        assert len(set(names)) == len(names)


def test_packages_fill_the_folder_and_its_attribution(tmp_path: Path, console: Console) -> None:
    apt = FakeApt(read_packages())
    assert make(tmp_path / "demo", "auto", console, apt, found) == 0
    table = rows(tmp_path / "demo")
    assert list(table[0]) == [
        "path", "title", "artist", "album", "licence", "attribution", "source_package",
    ]  # fmt: skip
    assert len(table) == 100
    assert all((tmp_path / "demo" / row["path"]).read_bytes() == SONG for row in table)
    bach = next(row for row in table if row["artist"] == "Johann Sebastian Bach")
    assert bach["source_package"] == "gamine-data 1.0-1"
    assert bach["licence"] == "public domain"
    assert "100 tracks of 16 soundtracks, 0 MB, Debian packages" in printed(console)


def test_a_second_run_runs_no_command(tmp_path: Path, console: Console) -> None:
    make(tmp_path, "auto", console, FakeApt(read_packages()), found)
    before = (tmp_path / "ATTRIBUTION.csv").read_bytes()
    apt = FakeApt(read_packages())
    assert make(tmp_path, "auto", console, apt, found) == 0
    assert apt.commands == []
    assert (tmp_path / "ATTRIBUTION.csv").read_bytes() == before


def test_a_second_run_needs_no_apt(tmp_path: Path, console: Console) -> None:
    make(tmp_path, "debian", console, FakeApt(read_packages()), found)
    assert make(tmp_path, "debian", console, FakeApt([]), nowhere) == 0


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, console: Console) -> None:
    packages = read_packages()
    first = FakeApt(packages)
    first.failing = {package.name for package in packages[10:]}
    assert make(tmp_path, "debian", console, first, found) == 0
    second = FakeApt(packages)
    assert make(tmp_path, "debian", console, second, found) == 0
    assert second.downloads == [package.name for package in packages[10:]]
    assert len(rows(tmp_path)) == 100


def test_a_damaged_track_brings_its_package_again(tmp_path: Path, console: Console) -> None:
    make(tmp_path, "auto", console, FakeApt(read_packages()), found)
    (tmp_path / "gamine-data").rename(tmp_path / "elsewhere")
    (tmp_path / "ardentryst/holy.ogg").write_bytes(SONG[:-1])
    apt = FakeApt(read_packages())
    make(tmp_path, "auto", console, apt, found)
    assert apt.downloads == ["ardentryst", "gamine-data"]


def test_a_copied_folder_is_read_again_but_not_fetched(tmp_path: Path, console: Console) -> None:
    make(tmp_path, "auto", console, FakeApt(read_packages()), found)
    for path in tmp_path.rglob("*.ogg"):
        os.utime(path, (1, 1))
    apt = FakeApt(read_packages())
    assert make(tmp_path, "auto", console, apt, found) == 0
    assert apt.commands == []


def test_failures_in_a_row_end_the_fetching(tmp_path: Path, console: Console) -> None:
    apt = FakeApt(read_packages())
    apt.failing = set(apt.packages)
    assert make(tmp_path, "debian", console, apt, found) == 1
    assert len(apt.downloads) == 2
    assert "no route" in printed(console)
    assert "--source synth" in printed(console)


def test_without_apt_the_synthetic_catalog_takes_its_place(
    tmp_path: Path, console: Console, cheap_synth: list[str]
) -> None:
    assert make(tmp_path, "auto", console, FakeApt([]), nowhere) == 0
    assert len(cheap_synth) == 40
    assert {row["licence"] for row in rows(tmp_path)} == {"CC0-1.0"}
    assert {row["source_package"] for row in rows(tmp_path)} == {synth_catalog.SOURCE}
    assert "apt-get, apt-cache, dpkg-deb not on this machine" in printed(console)
    assert "40 tracks of 8 soundtracks" in printed(console)


def test_a_handful_of_packages_is_filled_up_with_synth(
    tmp_path: Path, console: Console, cheap_synth: list[str]
) -> None:
    assert make(tmp_path, "auto", console, FakeApt(read_packages()[:3]), found) == 0
    assert len(rows(tmp_path)) == 11 + 40
    assert "gamine-data: apt does not know it, left out" in printed(console)
    assert "Debian packages and rendered by Soundalike" in printed(console)


def test_synth_is_rendered_once(tmp_path: Path, console: Console, cheap_synth: list[str]) -> None:
    make(tmp_path, "synth", console)
    make(tmp_path, "synth", console)
    assert len(cheap_synth) == 40


@pytest.mark.parametrize(("user", "updates"), [(0, 1), (1000, 0)])
def test_only_root_refreshes_an_empty_package_list(
    user: int, updates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    apt = FakeApt([LUTE])
    apt.empty_until_update = True
    notes: list[str] = []
    versions = known_versions([LUTE], apt, notes.append)
    assert sum("update" in command for command in apt.commands) == updates
    assert versions == ({"lute-data": "1.0-1"} if updates else {})
    assert notes[0].startswith("apt knows none of the packages")


def test_a_package_unknown_to_apt_does_not_refresh_the_list_in_every_run(
    tmp_path: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for _ in range(2):
        apt = FakeApt(read_packages()[:-1])
        assert make(tmp_path, "auto", console, apt, found) == 0
        assert not any("update" in command for command in apt.commands)
    assert apt.downloads == []


def test_an_apt_that_fails_gives_way_to_synth(
    tmp_path: Path, console: Console, cheap_synth: list[str]
) -> None:
    def broken(
        command: Sequence[str],
        *,
        timeout: float,
        cwd: Path | None = None,
        output: Path | None = None,
    ) -> str:
        raise CommandError("apt-cache ended with code=100: lists are locked")

    assert make(tmp_path, "auto", console, broken, found) == 0
    assert "apt cannot say what it has: apt-cache ended with code=100" in printed(console)
    assert len(cheap_synth) == 40


def test_a_package_as_frozen_comes_without_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    folder = DemoFolder(tmp_path)
    credits_ = fetch(LUTE, "1.0-1", folder, FakeApt([LUTE]), notes.append)
    assert notes == []
    assert credits_ == (
        Credit("lute-data/song.ogg", "Song", "Ann", "Lute", "CC0-1.0", "by Ann", "lute-data 1.0-1"),
    )
    assert (tmp_path / "lute-data/song.ogg").read_bytes() == SONG
    assert folder.complete(LUTE.group)


def test_a_changed_track_is_kept_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    apt = FakeApt([LUTE], version="2.0-1")
    apt.content[MEMBER] = b"another take"
    folder = DemoFolder(tmp_path)
    (credit,) = fetch(LUTE, "2.0-1", folder, apt, notes.append)
    assert credit.source_package == "lute-data 2.0-1"
    assert notes == ["lute-data/song.ogg differs from the frozen list (version 2.0-1): kept"]


def test_a_track_that_is_gone_is_left_out_with_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    apt = FakeApt([LUTE])
    del apt.content[MEMBER]
    assert fetch(LUTE, "1.0-1", DemoFolder(tmp_path), apt, notes.append) == ()
    assert notes == [f"lute-data 1.0-1 has no usable {MEMBER}: left out"]


def test_nothing_but_music_and_records_is_left_in_the_folder(tmp_path: Path) -> None:
    fetch(LUTE, "1.0-1", DemoFolder(tmp_path), FakeApt([LUTE]), lambda _: None)
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert files == [".demo-stamp.json", "ATTRIBUTION.csv", "lute-data/song.ogg"]


def test_a_broken_archive_is_an_error_of_the_package(tmp_path: Path) -> None:
    def broken(command: Sequence[str], *, timeout: float, cwd: Path | None = None,
               output: Path | None = None) -> str:  # fmt: skip
        if output is not None:
            output.write_bytes(b"not a tar file")
        elif cwd is not None:
            (cwd / "lute-data_1.0-1_all.deb").touch()
        return ""

    with pytest.raises(CommandError, match="package=lute-data holds a broken archive"):
        fetch(LUTE, "1.0-1", DemoFolder(tmp_path), broken, lambda _: None)


def test_a_folder_with_other_files_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.ogg").write_bytes(SONG)
    assert main([str(tmp_path), "--source", "synth"]) == 2
    assert "holds other files; name an empty folder" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["mine.ogg"]


def test_a_stamp_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / ".demo-stamp.json").write_text("{}")
    with pytest.raises(InvalidParameterError, match="delete the folder and start again"):
        DemoFolder(tmp_path)


def test_an_outdir_that_is_a_file_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main([str(tmp_path / "file")]) == 1
    assert "demo_catalog: " in capsys.readouterr().out


def test_an_unknown_source_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--source", "tape"])
    assert stop.value.code == 2
    assert "invalid choice: 'tape'" in capsys.readouterr().err


def test_an_interrupt_ends_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_catalog, "make", interrupt)
    assert main([str(tmp_path)]) == 1
    assert "the same command goes on from here" in capsys.readouterr().out


def test_commands_return_what_they_print_or_fill_a_file(tmp_path: Path) -> None:
    assert run_command(["printf", "a\\nb"], timeout=10) == "a\nb"
    assert run_command(["pwd"], timeout=10, cwd=tmp_path) == f"{tmp_path}\n"
    assert run_command(["printf", "abc"], timeout=10, output=tmp_path / "out") == ""
    assert (tmp_path / "out").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("command", "timeout", "message"),
    [
        (["sh", "-c", "echo first >&2; echo last >&2; exit 3"], 60, "sh ended with code=3: last"),
        (["sleep", "30"], 0.2, "sleep did not end within timeout="),
        (["no-such-command-here"], 60, "no-such-command-here could not be started"),
    ],
)
def test_commands_that_fail_say_why(command: list[str], timeout: float, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run_command(command, timeout=timeout)


def test_apt_is_told_to_stay_bounded_and_to_write_as_root(tmp_path: Path) -> None:
    apt = FakeApt([LUTE])
    fetch(LUTE, "1.0-1", DemoFolder(tmp_path), apt, lambda _: None)
    command = apt.commands[0]
    assert command[0] == "apt-get"
    assert {"Acquire::Retries=1", "APT::Sandbox::User=root"} <= set(command)
    assert demo_debian.TOOLS == ("apt-get", "apt-cache", "dpkg-deb")
