import io
import struct
from pathlib import Path

import av
import mutagen
import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr
from mutagen.id3 import TIT2

from recommender import audio, decoders
from recommender.audio import CATALOG_LIMITS, CLIP_LIMITS, AudioLimits, open_audio
from recommender.audio_formats import sniff
from recommender.errors import (
    AudioLimitError,
    AudioTooShortError,
    UndecodableAudioError,
    UnsupportedAudioError,
)

FORMATS = ("wav", "flac", "vorbis", "opus", "mp3", "aiff", "m4a")
Samples = npt.NDArray[np.float32]


def music(seconds: float = 8.0, sample_rate: int = 44_100, channels: int = 2) -> Samples:
    """A slow sweep and a little noise, different in every channel."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    sweep = 0.3 * np.sin(2 * np.pi * (200 + 40 * t) * t)
    noise = 0.01 * np.random.default_rng(0).standard_normal((len(t), channels))
    return np.asarray(sweep[:, None] * np.linspace(1, 0.6, channels) + noise, np.float32)


def encode(samples: Samples | npt.NDArray[np.int16], sample_rate: int, name: str) -> io.BytesIO:
    if name == "m4a":
        return encode_m4a(np.asarray(samples, np.float32), sample_rate)
    file_format, subtype = {
        "wav": ("WAV", "PCM_16"),
        "float": ("WAV", "FLOAT"),
        "adpcm": ("WAV", "IMA_ADPCM"),
        "flac": ("FLAC", "PCM_16"),
        "vorbis": ("OGG", "VORBIS"),
        "opus": ("OGG", "OPUS"),
        "mp3": ("MP3", None),
        "aiff": ("AIFF", "PCM_16"),
    }[name]
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format=file_format, subtype=subtype)
    file.seek(0)
    return file


def encode_m4a(samples: Samples, sample_rate: int, container_format: str = "ipod") -> io.BytesIO:
    file = io.BytesIO()
    with av.open(file, "w", format=container_format) as container:
        stream = container.add_stream("aac", rate=sample_rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T), format="fltp", layout="stereo"
        )
        frame.sample_rate = sample_rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    file.seek(0)
    return file


def wav_header(data_bytes: int, channels: int = 1, sample_rate: int = 44_100) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + data_bytes & 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, channels, sample_rate),
        *(sample_rate * channels * 2 & 0xFFFFFFFF, channels * 2, 16, b"data", data_bytes),
    )


def decode_all(file: io.BytesIO, sample_rate: int) -> Samples:
    """The reference: decode everything, mix, resample once."""
    with open_audio(file, CATALOG_LIMITS) as recording:
        decoder = decoders.open_decoder(file, recording._format)
        blocks = []
        while len(block := decoder.read(50_000)):
            blocks.append(block)
        decoder.close()
    mono = np.concatenate(blocks).mean(axis=1)
    return np.asarray(soxr.resample(mono, recording.sample_rate, sample_rate, quality="HQ"))


def content_id(file: io.BytesIO) -> str:
    with open_audio(file, CATALOG_LIMITS) as recording:
        return recording.content_id()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("sample_rate", [16_000, 22_050, 48_000])
def test_windows_equal_cuts_from_the_whole_recording(name: str, sample_rate: int) -> None:
    file = encode(music(sample_rate=48_000), 48_000, name)
    whole = decode_all(file, sample_rate)
    length = sample_rate
    with open_audio(file, CATALOG_LIMITS) as recording:
        # AAC noise substitution depends on where decoding began, so seeking changes a little
        tolerance = 0.1 if name == "m4a" else 1e-4
        assert abs(recording.n_samples(sample_rate) - len(whole)) <= 1
        starts = [5 * length, 17, 3 * length + 1]
        windows = recording.read_windows(starts, length, sample_rate)
    for start, window in zip(starts, windows, strict=True):
        expected = whole[start : start + length]
        assert np.abs(window - expected).max() < tolerance * np.sqrt(np.mean(expected**2))


@pytest.mark.parametrize(
    ("container_format", "name"), [("matroska", "matroska"), ("adts", "aac"), ("ipod", "mp4")]
)
def test_aac_is_read_to_its_end_in_every_container(container_format: str, name: str) -> None:
    file = encode_m4a(music(5), 44_100, container_format)
    with open_audio(file, CATALOG_LIMITS) as recording:
        assert sniff(file.getvalue()) == name
        assert recording.duration_seconds == pytest.approx(5.0, abs=0.1)
        last = recording.n_samples(16_000) - 16_000
        windows = recording.read_windows([last, 0, last // 2], 16_000, 16_000)
        assert len(recording.content_id()) == 32
    np.testing.assert_allclose(np.sqrt(np.mean(windows**2, axis=1)), 0.17, atol=0.02)


def test_windows_agree_whatever_else_is_read_with_them() -> None:
    file = encode(music(), 44_100, "vorbis")
    starts = list(range(0, 100_000, 9_001))
    with open_audio(file, CATALOG_LIMITS) as recording:
        together = recording.read_windows(starts, 8_000, 16_000)
        apart = [recording.read_windows([s], 8_000, 16_000)[0] for s in reversed(starts)]
    np.testing.assert_allclose(together, apart[::-1], atol=1e-5)


def test_outside_the_audio_are_zeros() -> None:
    samples = music(2.0, 16_000, 1)
    with open_audio(encode(samples, 16_000, "float"), CATALOG_LIMITS) as recording:
        windows = recording.read_windows([-100, 31_900, -9_000, 99_000], 200, 16_000)
    assert not windows[0, :100].any()
    np.testing.assert_array_equal(windows[0, 100:], samples[:100, 0])
    np.testing.assert_array_equal(windows[1, :100], samples[31_900:, 0])
    assert not windows[1, 100:].any()
    assert not windows[2:].any()


def test_mono_is_the_mean_of_the_channels() -> None:
    samples = music(2.0, 16_000, 8)
    with open_audio(encode(samples, 16_000, "float"), CATALOG_LIMITS) as recording:
        window = recording.read_windows([0], 32_000, 16_000)[0]
        assert (recording.channels, recording.sample_rate) == (8, 16_000)
    np.testing.assert_allclose(window, samples.mean(axis=1), atol=1e-6)


def test_few_windows_of_a_long_file_decode_little(monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(music(120, 16_000, 1), 16_000, "flac")
    with open_audio(file, CATALOG_LIMITS) as recording:
        counted: list[int] = []
        read = recording._decoder.read

        def counting(n_frames: int) -> Samples:
            counted.append(n_frames)
            return read(n_frames)

        monkeypatch.setattr(recording._decoder, "read", counting)
        recording.read_windows([160_000, 1_600_000], 48_000, 16_000)
    assert sum(counted) < 3 * 48_000


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"fLaC\0\0\0\x22", "flac"),
        (b"OggS" + bytes(24) + b"\x01vorbis", "ogg"),
        (b"OggS" + bytes(24) + b"OpusHead", "opus"),
        (b"OggS" + bytes(24) + b"\x80theora", None),
        (b"FORM\0\0\0\0AIFF", "aiff"),
        (b"\0\0\0\x20ftypM4A ", "mp4"),
        (wav_header(8), "wav"),
        (wav_header(8).replace(b"\x10\0\0\0\1\0", b"\x10\0\0\0\x11\0"), "wav-coded"),
        ((b"\xff\xf1\x50\x80\x01\x3f\xfc" + bytes(2)) * 2, "aac"),
        (b"\xff\xfb\x90\x00" + bytes(413), None),
        ((b"\xff\xfb\x90\x00" + bytes(413)) * 4, "mp3"),
        ((b"\xff\xfb\x90\x00" + bytes(413) + b"\xff\xfb\xa0\x00" + bytes(518)) * 2, "mp3-vbr"),
        (b"", None),
    ],
)
def test_the_format_is_told_by_content(header: bytes, name: str | None) -> None:
    assert sniff(header) == name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp3\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile secret.mp3\n",
        b'<?xml version="1.0"?><MPD><Period><BaseURL>secret.mp4</BaseURL></Period></MPD>',
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\n",
        b"<!DOCTYPE html><html></html>",
        b"PK\x03\x04" + bytes(500),
        b"\xff\xd8\xff\xe0" + bytes(500),
        b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + b"RIFF\0\0\0\0WAVEfmt ",
        np.random.default_rng(1).bytes(200_000),
    ],
)
def test_what_is_not_audio_never_reaches_a_decoder(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(audio, "open_decoder")
    with pytest.raises(UnsupportedAudioError):
        open_audio(io.BytesIO(content), CATALOG_LIMITS)


def test_a_demuxer_that_asks_for_a_second_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(encode(music(), 44_100, "wav").getvalue())
    playlist = f"ffconcat version 1.0\nfile {tmp_path}/secret.wav\n".encode()
    with pytest.raises(UndecodableAudioError):
        decoders._FfmpegDecoder(io.BytesIO(playlist), "concat", False)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"max_file_bytes": 1000}, "file_bytes"),
        ({"max_seconds": 1.5}, "duration_seconds"),
        ({"max_channels": 1}, "channels"),
        ({"min_sample_rate": 48_000}, "sample_rate"),
        ({"max_sample_rate": 22_050}, "sample_rate"),
    ],
)
def test_each_limit_is_kept(changes: dict[str, int], name: str) -> None:
    loose = dict(zip(AudioLimits.__slots__, (10**9, 9.0, 8, 1, 10**6, {"wav"}), strict=True))
    limits = AudioLimits(**(loose | changes))  # type: ignore[arg-type]
    with pytest.raises(AudioLimitError, match=f"^{name}="):
        open_audio(encode(music(2), 44_100, "wav"), limits)


def test_clips_take_fewer_formats_than_catalogs() -> None:
    file = encode(music(2, channels=1), 44_100, "adpcm")
    open_audio(file, CATALOG_LIMITS).close()
    with pytest.raises(UnsupportedAudioError, match="format=wav-coded"):
        open_audio(file, CLIP_LIMITS)


def test_eight_channels_at_192_khz_are_taken() -> None:
    with open_audio(encode(music(1.5, 192_000, 8), 192_000, "wav"), CLIP_LIMITS) as recording:
        assert recording.duration_seconds == 1.5


@pytest.mark.parametrize("name", ["mp3", "vorbis", "flac"])
def test_a_cut_file_is_as_long_as_what_decodes(name: str) -> None:
    content = encode(music(), 44_100, name).getvalue()
    with open_audio(io.BytesIO(content[: len(content) * 6 // 10]), CATALOG_LIMITS) as recording:
        assert 3.0 < recording.duration_seconds < 6.0
        n_samples = recording.n_samples(16_000)
        assert recording.read_windows([0, n_samples - 16_000], 16_000, 16_000).any(axis=1).all()


def test_a_header_that_claims_4_gb_is_not_believed() -> None:
    samples = encode(music(3, channels=1), 44_100, "wav").getvalue()[44:]
    with open_audio(io.BytesIO(wav_header(0xFFFFFFF0) + samples), CATALOG_LIMITS) as recording:
        assert recording.duration_seconds == 3.0


def test_a_header_without_audio_is_too_short() -> None:
    with pytest.raises(AudioTooShortError):
        open_audio(io.BytesIO(wav_header(0)), CATALOG_LIMITS)


@pytest.mark.parametrize("header", [wav_header(999, channels=0), wav_header(999, sample_rate=0)])
def test_a_header_without_sense_is_refused(header: bytes) -> None:
    with pytest.raises((UndecodableAudioError, AudioLimitError)):
        open_audio(io.BytesIO(header + bytes(999)), CATALOG_LIMITS)


def test_counting_stops_at_the_limit_when_the_header_is_silent() -> None:
    file = encode(music(8), 48_000, "opus")
    with open_audio(file, CATALOG_LIMITS) as recording:
        assert recording.n_frames == len(soundfile.read(io.BytesIO(file.getvalue()))[0])
    limits = AudioLimits(10**9, 2.0, 8, 1, 10**6, frozenset({"opus"}))
    with pytest.raises(AudioLimitError, match="n_frames="):
        open_audio(file, limits)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_sound_are_refused(value: float) -> None:
    samples = music(2)
    samples[50_000, 1] = value
    with (
        open_audio(encode(samples, 44_100, "float"), CATALOG_LIMITS) as recording,
        pytest.raises(UndecodableAudioError),
    ):
        recording.read_windows([0], 32_000, 16_000)


def test_errors_do_not_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "private name.flac"
    path.write_bytes(b"fLaC" + bytes(1000))
    with path.open("rb") as file, pytest.raises(UndecodableAudioError) as caught:
        open_audio(file, CATALOG_LIMITS)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("name", ["mp3", "vorbis", "opus", "flac", "m4a"])
def test_the_content_id_survives_new_tags(name: str) -> None:
    original = encode(music(), 44_100 if name != "opus" else 48_000, name)
    retagged = io.BytesIO(original.getvalue())
    tags = mutagen.File(retagged)
    if name == "mp3":
        tags.add_tags()
        title = TIT2(encoding=3, text=["another title"] * 4_000)  # type: ignore[no-untyped-call]
        tags.tags.add(title)
    else:
        tags["\xa9nam" if name == "m4a" else "title"] = ["another title" * 8_000]
    retagged.seek(0)
    tags.save(retagged)
    assert len(retagged.getvalue()) > len(original.getvalue()) + 50_000
    assert content_id(retagged) == content_id(original)


def test_lossless_copies_share_their_content_id() -> None:
    samples = np.asarray(music() * 32767, np.int16)  # so that no encoder has to round
    ids = {content_id(encode(samples, 44_100, name)) for name in ("wav", "flac", "aiff")}
    assert len(ids) == 1
    assert len(ids.pop()) == 32


def test_different_audio_has_different_content_ids() -> None:
    first, second = music(), music()
    second[len(second) // 7 * 3] *= 0.5
    second[-1] = 0.25
    ids = [content_id(encode(x, 44_100, "wav")) for x in (first, second, first[:-1])]
    assert len(set(ids)) == 3


def test_the_content_id_does_not_depend_on_what_was_read_before() -> None:
    file = encode(music(), 48_000, "vorbis")
    with open_audio(file, CATALOG_LIMITS) as recording:
        fresh = recording.content_id()
        recording.read_windows([12_345, 40_000], 16_000, 16_000)
        assert recording.content_id() == fresh
