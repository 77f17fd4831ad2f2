"""Which audio is taken: containers told by their first bytes, and the limits of a recording.

A format is never told by the name of a file. What is not listed here never reaches a decoder:
playlists, manifests and scripts that name other files are refused before anything is opened.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from recommender.errors import AudioLimitError, UnsupportedAudioError

HEADER_BYTES = 65_536

CLIP_FORMATS = frozenset({"wav", "flac", "ogg", "opus", "mp3", "mp3-vbr", "aiff", "mp4", "aac"})
ALL_FORMATS = CLIP_FORMATS | {
    "wav-coded", "rf64", "w64", "au", "asf", "caf", "matroska", "wavpack", "ape",
}  # fmt: skip

_MAGIC = (
    (0, b"fLaC", "flac"),
    (0, b"RF64", "rf64"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b".snd", "au"),
    (4, b"ftyp", "mp4"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"caff", "caf"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"wvpk", "wavpack"),
    (0, b"MAC ", "ape"),
)
_OGG_CODECS = ((b"\x01vorbis", "ogg"), (b"\x7fFLAC", "ogg"), (b"OpusHead", "opus"))
_AFTER_ID3 = frozenset({"mp3", "mp3-vbr", "aac", "flac"})

_PLAIN_WAV_TAGS = (1, 3)
_EXTENSIBLE_WAV_TAG = 0xFFFE

# ISO 11172-3 and 13818-3: kbit/s by (MPEG-1?, layer), Hz by version bits
_KBITS = {
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_CHAIN_FRAMES = 3


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """How large a recording may be, and of which formats.

    Attributes
    ----------
    max_file_bytes
        Size of the file.
    max_seconds
        Length; a header's claim beyond it is believed, to refuse early.
    max_channels
        Channels, at least one.
    min_sample_rate, max_sample_rate
        Hz.
    formats
        Names that :func:`sniff` gives.
    """

    max_file_bytes: int
    max_seconds: float
    max_channels: int
    min_sample_rate: int
    max_sample_rate: int
    formats: frozenset[str]

    def check_shape(self, sample_rate: int, channels: int, seconds: float) -> None:
        """Raise AudioLimitError when what a header claims is beyond a limit."""
        low, high = self.min_sample_rate, self.max_sample_rate
        require(sample_rate >= low, "sample_rate", sample_rate, low)
        require(sample_rate <= high, "sample_rate", sample_rate, high)
        require(channels <= self.max_channels, "channels", channels, self.max_channels)
        require(seconds <= self.max_seconds, "duration_seconds", seconds, self.max_seconds)


def require(within: bool, name: str, value: float, limit: float) -> None:
    """Raise AudioLimitError, with the value and the limit, unless `within`."""
    if not within:
        raise AudioLimitError(f"{name}={value:g} is beyond the limit of {limit:g}")


CATALOG_LIMITS = AudioLimits(
    max_file_bytes=4 * 1024**3,
    max_seconds=6 * 3600.0,
    max_channels=8,
    min_sample_rate=4_000,
    max_sample_rate=384_000,
    formats=ALL_FORMATS,
)
"""For files of the operator's own catalog."""

CLIP_LIMITS = AudioLimits(
    max_file_bytes=64 * 1024**2,
    max_seconds=600.0,
    max_channels=8,
    min_sample_rate=8_000,
    max_sample_rate=192_000,
    formats=CLIP_FORMATS,
)
"""For clips from strangers: only formats whose decoders are widely used and tested."""


def sniff(header: bytes) -> str | None:
    """Name the format that `header` begins, or None when it is not one that is decoded here.

    Parameters
    ----------
    header
        The first bytes of the audio, after any ID3v2 tag; `HEADER_BYTES` of them are enough.

    Returns
    -------
    str or None
        One of `ALL_FORMATS`. ``"wav"`` is plain PCM or float, ``"wav-coded"`` is any other WAV;
        ``"mp3-vbr"`` is MP3 of changing bit rate without a table of its length.
    """
    if header[:4] == b"RIFF" and header[8:12] == b"WAVE":
        return "wav" if _is_plain_wav(header) else "wav-coded"
    if header[:4] == b"FORM" and header[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if header[:4] == b"OggS":
        return next((name for magic, name in _OGG_CODECS if header[28:].startswith(magic)), None)
    for offset, magic, name in _MAGIC:
        if header[offset:].startswith(magic):
            return name
    return "aac" if _begins_adts(header) else _sniff_mpeg(header)


def identify(file: BinaryIO) -> str:
    """Name the format of an open file by its content; leaves the file at its beginning.

    Raises
    ------
    UnsupportedAudioError
        The content is of no format that is decoded here.
    """
    tag_bytes = _id3_bytes(file)
    file.seek(tag_bytes)
    name = sniff(file.read(HEADER_BYTES))
    file.seek(0)
    if name is None or (tag_bytes and name not in _AFTER_ID3):
        raise UnsupportedAudioError(
            "the content is not of an audio format that is decoded here; "
            "WAV, FLAC, Ogg Vorbis, Opus, MP3, AIFF and M4A are"
        )
    return name


def _id3_bytes(file: BinaryIO) -> int:
    """Length of the ID3v2 tags that stand before the audio; some writers leave two of them."""
    total = 0
    for _ in range(4):
        file.seek(total)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            break
        footer = 10 if head[5] & 0x10 else 0
        total += (
            10 + footer + sum((b & 127) << s for b, s in zip(head[6:], (21, 14, 7, 0), strict=True))
        )
    return total


def _is_plain_wav(header: bytes) -> bool:
    """Whether the first fmt chunk says PCM or float, directly or as an extensible sub-format."""
    position = 12
    while position + 8 <= len(header):
        name, size = struct.unpack_from("<4sI", header, position)
        if name == b"fmt ":
            return _is_plain_fmt(header[position + 8 : position + 8 + size])
        position += 8 + size + size % 2
    return False


def _is_plain_fmt(fmt: bytes) -> bool:
    tag = int.from_bytes(fmt[:2], "little")
    if tag == _EXTENSIBLE_WAV_TAG:
        tag = int.from_bytes(fmt[24:26], "little")
    return tag in _PLAIN_WAV_TAGS


def _begins_adts(header: bytes) -> bool:
    """Two ADTS headers, the second where the first says that its frame ends."""
    length = _adts_bytes(header, 0)
    return length > 0 and _adts_bytes(header, length) > 0


def _adts_bytes(data: bytes, position: int) -> int:
    head = data[position : position + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _sniff_mpeg(header: bytes) -> str | None:
    """MP3 or MP2 by a chain of frames: single frame syncs also occur in random bytes."""
    position = header.find(b"\xff")
    while position >= 0:
        frames = list(_mpeg_frames(header, position))
        if len(frames) >= _CHAIN_FRAMES:
            return _mpeg_kind(header, position, frames)
        position = header.find(b"\xff", position + 1)
    return None


def _mpeg_kind(header: bytes, position: int, frames: list[tuple[int, int]]) -> str:
    first = header[position : position + frames[0][0]]
    has_table = any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))
    return "mp3" if has_table or len({kbits for _, kbits in frames}) == 1 else "mp3-vbr"


def _mpeg_frames(data: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Bytes and kbit/s of each frame of the chain that starts at `position`."""
    kind = data[position + 1 : position + 2]
    while data[position + 1 : position + 2] == kind:
        frame = _mpeg_frame(data[position : position + 4])
        if frame is None:
            return
        yield frame
        position += frame[0]


def _mpeg_frame(head: bytes) -> tuple[int, int] | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    kbits_index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer not in (2, 3) or kbits_index in (0, 15) or rate_index == 3:
        return None
    kbits = _KBITS[version == 3, layer][kbits_index]
    half = version != 3 and layer == 3
    length = (72_000 if half else 144_000) * kbits // _MPEG_RATES[version][rate_index]
    return length + (head[2] >> 1 & 1), kbits
