import io

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen import id3

from recommender.tags import MAX_TEXT, read_metadata
from recommender.track import Metadata

MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


def sound(file_format: str) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(22_050, np.float32), 22_050, format=file_format)
    file.seek(0)
    return file


def tagged(file_format: str, **values: object) -> io.BytesIO:
    """A file with Vorbis comments, or with ID3 frames given as frame=instance."""
    file = sound(file_format)
    tags = mutagen.File(file)
    if file_format in {"OGG", "FLAC"}:
        tags.update(values)
    else:
        tags.add_tags()
        for frame in values.values():
            tags.tags.add(frame)
    file.seek(0)
    tags.save(file)
    return file


def raw_id3(name: bytes, body: bytes) -> io.BytesIO:
    frame = name + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    return io.BytesIO(b"ID3\3\0\0" + size + frame + sound("MP3").getvalue())


def id3v1(title: bytes) -> io.BytesIO:
    tag = b"TAG" + title.ljust(30, b"\0") + bytes(60) + b"2001" + bytes(30) + b"\x0c"
    return io.BytesIO(sound("MP3").getvalue() + tag)


def test_vorbis_comments_are_read() -> None:
    for file_format in ("OGG", "FLAC"):
        file = tagged(
            file_format,
            TITLE=["A title", "another"],
            artist="An artist",
            Album="An album",
            albumartist="Various",
            composer=["Clara Schumann", "another"],
            genre="Jazz",
            tracknumber="3/12",
            date="2001-05-03",
            musicbrainz_trackid=MBID.upper(),
        )
        assert read_metadata(file, "x.ogg") == Metadata(
            title="A title",
            artist="An artist",
            album="An album",
            album_artist="Various",
            composer="Clara Schumann",
            genre="Jazz",
            track_number=3,
            year=2001,
            musicbrainz_recording_id=MBID,
        )


@pytest.mark.parametrize("file_format", ["MP3", "WAV", "AIFF"])
def test_id3_frames_are_read(file_format: str) -> None:
    file = tagged(
        file_format,
        a=id3.TIT2(encoding=3, text="Заглавие"),  # type: ignore[no-untyped-call]
        b=id3.TPE1(encoding=3, text=["First", "Second"]),  # type: ignore[no-untyped-call]
        c=id3.TCON(encoding=3, text="(17)"),  # type: ignore[no-untyped-call]
        d=id3.TDRC(encoding=3, text="1999-12"),  # type: ignore[no-untyped-call]
        e=id3.UFID(owner="http://musicbrainz.org", data=MBID.encode()),  # type: ignore[no-untyped-call]
        f=id3.TXXX(encoding=3, desc="MusicBrainz Album Id", text=MBID),  # type: ignore[no-untyped-call]
        g=id3.TCOM(encoding=3, text=["Антонин Дворжак", "Second"]),  # type: ignore[no-untyped-call]
    )
    metadata = read_metadata(file, "x.mp3")
    assert (metadata.title, metadata.artist) == ("Заглавие", "First")
    assert (metadata.genre, metadata.year) == ("Rock", 1999)
    assert metadata.composer == "Антонин Дворжак"
    assert metadata.musicbrainz_recording_id == metadata.musicbrainz_album_id == MBID


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Café Übung".encode("latin-1"), "Café Übung"),
        ("Café Übung".encode(), "Café Übung"),
        ("Песня".encode("cp1251"), "Песня"),
        ("さくらの花".encode("cp932"), "さくらの花"),
        ("naïve été".encode("latin-1"), "naïve été"),
    ],
)
def test_text_that_claims_latin_1_is_repaired_only_where_that_is_sure(
    written: bytes, shown: str
) -> None:
    assert read_metadata(id3v1(written), "x.mp3").title == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\u202egnp.exe", "gnp.exe"),
        ("\x1b[31mred\nblue", "[31mred blue"),
        ("e\u0301", "é"),
        ("a" * 10_000_000, "a" * MAX_TEXT),
        ("before\0after", "before"),
        ("<script>'; DROP--", "<script>'; DROP--"),
        (" \t", "x"),
    ],
)
def test_text_is_safe_to_print_and_store(value: str, shown: str) -> None:
    assert read_metadata(tagged("FLAC", title=value), "x.flac").title == shown


@pytest.mark.parametrize(
    "file",
    [
        raw_id3(b"TIT2", b"\1\xff\xfea"),
        raw_id3(b"TIT2", b"\x09\xff"),
        raw_id3(b"TIT2", b"\3\xc3\x28"),
        raw_id3(b"\xff\xff\xff\xff", b"\0"),
        io.BytesIO(b"ID3\3\0\0\x7f\x7f\x7f\x7f"),
        io.BytesIO(b"OggS" + bytes(100)),
        io.BytesIO(b"\0\0\0\x10ftypM4A " + b"\0\0\0\x09moov\xff" * 2_000),
        io.BytesIO(b""),
    ],
)
def test_broken_tags_leave_the_file_name(file: io.BytesIO) -> None:
    assert read_metadata(file, "01 - Somebody - Something.mp3").title in ("Something", "a")


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("03 - Artist - Title.mp3", Metadata("Title", "Artist", track_number=3)),
        ("03. Title.mp3", Metadata("Title", track_number=3)),
        ("03 Title.mp3", Metadata("Title", track_number=3)),
        ("03_some_title.ogg", Metadata("some title", track_number=3)),
        ("99 Luftballons.mp3", Metadata("99 Luftballons")),
        ("1979.flac", Metadata("1979")),
        ("Artist - Title.with dots.ogg", Metadata("Title.with dots", "Artist")),
        ("bad\udcff\udcfe.ogg", Metadata("bad\ufffd\ufffd")),
        ("new\nline.ogg", Metadata("new line")),
        (" - .ogg", Metadata("-")),
    ],
)
def test_the_file_name_says_what_the_tags_do_not(file_name: str, expected: Metadata) -> None:
    assert read_metadata(sound("OGG"), file_name) == expected


def test_a_tagged_title_keeps_the_file_name_out_of_the_artist() -> None:
    metadata = read_metadata(tagged("OGG", title="T"), "Live - 2001.ogg")
    assert (metadata.title, metadata.artist) == ("T", "")


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("2001-05-03", 2001),
        ("3 May 1987", 1987),
        ("20010503", 2001),
        ("123456", 0),
        ("0", 0),
        ("99", 0),
    ],
)
def test_years_are_found_in_dates(date: str, year: int) -> None:
    assert read_metadata(tagged("OGG", date=date), "x.ogg").year == year


@pytest.mark.parametrize(("value", "number"), [("3", 3), ("3/12", 3), ("A1", 0), ("99999", 0)])
def test_track_numbers_are_whole_and_small(value: str, number: int) -> None:
    assert read_metadata(tagged("OGG", tracknumber=value), "x.ogg").track_number == number


def test_an_id_that_is_no_musicbrainz_id_is_left_out() -> None:
    metadata = read_metadata(tagged("OGG", musicbrainz_trackid="not-an-id"), "x.ogg")
    assert metadata.musicbrainz_recording_id == ""


def test_ape_tags_of_an_mp3_are_read() -> None:
    from mutagen.apev2 import APEv2

    file = sound("MP3")
    tags = APEv2()  # type: ignore[no-untyped-call]
    tags["Title"], tags["Year"], tags["Composer"] = "Ape", "1984", "Philip Glass"
    tags.save(file)
    metadata = read_metadata(file, "x.mp3")
    assert (metadata.title, metadata.year, metadata.composer) == ("Ape", 1984, "Philip Glass")


def encoded(container_format: str, codec: str) -> io.BytesIO:
    """A second of silence in a format that only FFmpeg writes."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=44_100, layout="mono", bit_rate=64_000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 44_100), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 44_100
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    file.seek(0)
    return file


def test_asf_attributes_are_read() -> None:
    file = encoded("asf", "wmav2")
    tags = mutagen.File(file)
    tags["Title"], tags["WM/Composer"], tags["WM/Year"] = ["T"], ["Ravi\nShankar"], ["1968"]
    file.seek(0)
    tags.save(file)
    assert read_metadata(file, "x.wma") == Metadata("T", composer="Ravi Shankar", year=1968)


def test_mp4_atoms_are_read() -> None:
    file = encoded("ipod", "aac")
    tags = mutagen.File(file)
    tags["\xa9nam"], tags["aART"], tags["trkn"] = ["T"], ["Various"], [(3, 10)]
    tags["\xa9day"], tags["\xa9wrt"] = ["2001-05-03T07:00:00Z"], ["Hildegard"]
    tags["----:com.apple.iTunes:MusicBrainz Track Id"] = [MBID.encode()]
    file.seek(0)
    tags.save(file)
    expected = Metadata(
        "T",
        album_artist="Various",
        composer="Hildegard",
        track_number=3,
        year=2001,
        musicbrainz_recording_id=MBID,
    )
    assert read_metadata(file, "x.m4a") == expected
