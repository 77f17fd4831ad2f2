import os
from pathlib import Path

import pytest

from indexer.scan import scan


def write(path: Path, content: bytes = b"x") -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return os.fsencode(path)


def found(root: Path) -> set[bytes]:
    return set(scan([os.fsencode(root)]).files)


def test_files_are_told_by_suffix_in_any_case_at_any_depth(tmp_path: Path) -> None:
    wanted = {write(tmp_path / name) for name in ("a.mp3", "B.FLAC", "deep/er/c.Ogg")}
    for name in ("cover.jpg", "list.m3u", "noext", "mp3"):
        write(tmp_path / name)
    assert found(tmp_path) == wanted


def test_state_is_size_and_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", b"12345")
    os.utime(path, ns=(1, 1_234_567_890_123_456_789))
    state = scan([os.fsencode(tmp_path)]).files[path]
    assert (state.size, state.mtime_ns) == (5, 1_234_567_890_123_456_789)


def test_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "._a.mp3")
    write(tmp_path / ".Trash" / "b.mp3")
    assert found(tmp_path) == set()


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "secret.mp3")
    root = tmp_path / "root"
    write(root / "a.mp3")
    (root / "link.mp3").symlink_to(os.fsdecode(outside))
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    (root / "dangling.mp3").symlink_to(root / "nowhere")
    assert found(root) == {os.fsencode(root / "a.mp3")}


def test_fifos_and_folders_with_audio_names_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.mp3")
    (tmp_path / "folder.mp3").mkdir()
    inside = write(tmp_path / "folder.mp3" / "a.wav")
    result = scan([os.fsencode(tmp_path)])
    assert set(result.files) == {inside}
    assert result.irregular == [os.fsencode(tmp_path / "fifo.mp3")]


@pytest.mark.parametrize("name", [b"new\nline.mp3", b"\xff\xfe.mp3", "🎵 é.mp3".encode(), b" .mp3"])
def test_odd_names_are_kept_byte_for_byte(tmp_path: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "wb"):
        pass
    assert found(tmp_path) == {path}


def test_a_folder_that_cannot_be_listed_is_reported(tmp_path: Path) -> None:
    missing = os.fsencode(tmp_path / "missing")
    assert scan([missing]).unreadable == [missing]


def test_roots_that_overlap_give_each_file_once(tmp_path: Path) -> None:
    path = write(tmp_path / "inner" / "a.mp3")
    roots = [os.fsencode(tmp_path), os.fsencode(tmp_path / "inner")]
    assert list(scan(roots).files) == [path]
