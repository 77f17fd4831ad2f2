"""Decoders: one interface over libsndfile and FFmpeg.

Both work on an open file object, never on a path: libsndfile looks for companion files beside a
path, and FFmpeg opens whatever a playlist names. FFmpeg is used only for what libsndfile lacks,
with a demuxer fixed by the content and every request for a second file refused.
"""

from collections.abc import Iterator
from typing import BinaryIO, NoReturn, Protocol

import av
import numpy as np
import soundfile

from recommender.arrays import FloatArray
from recommender.errors import UndecodableAudioError

MAX_AMPLITUDE = 10_000.0
"""80 dB over full scale; no recording is louder, and squares and sums stay finite below it."""

# FFmpeg's name of the demuxer, and whether its time stamps allow seeking to an exact frame
_DEMUXERS = {
    "mp4": ("mov", True),
    "matroska": ("matroska", False),
    "aac": ("aac", False),
    "asf": ("asf", False),
    "caf": ("caf", False),
    "wavpack": ("wv", False),
    "ape": ("ape", False),
    "opus": ("ogg", False),  # libsndfile refuses many files that FFmpeg wrote
    "mp3-vbr": ("mp3", False),  # libsndfile stops early in these
}
_PREROLL_FRAMES = 8_192  # what the transforms of AAC, SBR and Opus remember, with room to spare
_SKIP_FRAMES = 65_536
_UNKNOWN_FRAMES = 2**56  # libsndfile claims about 2**63 for a stream that does not say


class Decoder(Protocol):
    """A position in the frames of a file.

    Attributes
    ----------
    sample_rate, channels
        Of what is decoded.
    claimed_frames
        Length by the header, 0 when it does not say; not to be trusted.
    """

    sample_rate: int
    channels: int
    claimed_frames: int

    def seek(self, frame: int) -> None:
        """Go to `frame`; raises UndecodableAudioError."""
        ...

    def read(self, n_frames: int) -> FloatArray:
        """Samples (n, channels), n < `n_frames` only at the end; raises UndecodableAudioError."""
        ...

    def close(self) -> None:
        """Free the decoder; the file stays open."""
        ...


def open_decoder(file: BinaryIO, audio_format: str) -> Decoder:
    """Open the decoder for a format that :func:`recommender.audio_formats.identify` named.

    Raises
    ------
    UndecodableAudioError
        The decoder cannot make sense of the file.
    """
    if audio_format in _DEMUXERS:
        return _FfmpegDecoder(file, *_DEMUXERS[audio_format])
    return _SoundFileDecoder(file)


def read_exactly(decoder: Decoder, n_frames: int) -> FloatArray:
    """Samples (n_frames, channels), all finite and at most `MAX_AMPLITUDE`.

    Raises
    ------
    UndecodableAudioError
        The audio ends or is damaged before, or holds other samples.
    """
    block = decoder.read(n_frames)
    if len(block) < n_frames:
        raise UndecodableAudioError(
            f"read {len(block)} of {n_frames} frames: the file is damaged, or changed meanwhile"
        )
    # written so that NaN fails as well
    if not max(float(block.max()), -float(block.min())) <= MAX_AMPLITUDE:
        raise UndecodableAudioError(
            f"samples are NaN, infinite or beyond {MAX_AMPLITUDE:g}; full scale is 1"
        )
    return block


class _SoundFileDecoder:
    """What libsndfile reads."""

    def __init__(self, file: BinaryIO):
        file.seek(0)
        try:
            self._sound = soundfile.SoundFile(file)
        except soundfile.LibsndfileError as error:
            raise UndecodableAudioError(_message("cannot open the file", error)) from error
        self.sample_rate: int = self._sound.samplerate
        self.channels: int = self._sound.channels
        frames: int = self._sound.frames
        self.claimed_frames = frames if frames < _UNKNOWN_FRAMES else 0

    def seek(self, frame: int) -> None:
        try:
            # libsndfile's short seeks forwards in Vorbis end up to 2,000 frames beside the target
            self._sound.seek(0)
            self._sound.seek(frame)
        except soundfile.LibsndfileError as error:
            raise UndecodableAudioError(_message(f"cannot seek to {frame=}", error)) from error

    def read(self, n_frames: int) -> FloatArray:
        try:
            block: FloatArray = self._sound.read(n_frames, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, ValueError) as error:
            raise UndecodableAudioError(_message("gave up", error)) from error
        return block

    def close(self) -> None:
        self._sound.close()


class _FfmpegDecoder:
    """What FFmpeg reads beyond libsndfile: seeks by exact time stamps, else decodes forwards."""

    def __init__(self, file: BinaryIO, demuxer: str, exact_stamps: bool):
        self._file, self._demuxer = file, demuxer
        self._start()
        if not len(self._buffer):
            self.close()
            raise UndecodableAudioError("the file holds no decodable audio")
        self.channels: int = self._buffer.shape[1]
        # stamps in milliseconds, which some writers use, do not name a frame; 2 is for SBR
        self._exact_stamps = exact_stamps and self._time_base() * self.sample_rate <= 2
        duration = self._stream.duration if self._exact_stamps else None
        self.claimed_frames = round(float((duration or 0) * self._time_base()) * self.sample_rate)

    def _start(self) -> None:
        """Open the container anew: frame 0 is the first that decodes."""
        self._file.seek(0)
        try:
            self._container = av.open(
                self._file,
                mode="r",
                format=self._demuxer,
                io_open=_refuse_second_file,
                metadata_errors="replace",
            )
        except (av.FFmpegError, ValueError) as error:
            raise UndecodableAudioError(_message("cannot open the file", error)) from error
        if not self._container.streams.audio:
            self.close()
            raise UndecodableAudioError("the file holds no audio stream")
        self._stream = self._container.streams.audio[0]
        self._origin = self._decode_on(0)
        self._position = 0

    def _time_base(self) -> float:
        return float(self._stream.time_base or 0.0)

    def _decode_on(self, default: int) -> int:
        """Decode the first block from where the container stands; its time stamp in frames."""
        self._stamp = default
        self._blocks = self._decode()
        self._buffer = next(self._blocks, np.empty((0, 1), np.float32))
        return self._stamp

    def _decode(self) -> Iterator[FloatArray]:
        packed = av.AudioResampler(format="flt")
        fresh = True
        try:
            for frame in self._container.decode(self._stream):
                if fresh:
                    self.sample_rate = frame.sample_rate
                    seconds = (frame.pts or 0) * float(frame.time_base or 0)
                    self._stamp = round(seconds * frame.sample_rate)
                    fresh = False
                for converted in packed.resample(frame):
                    samples = np.asarray(converted.to_ndarray(), dtype=np.float32)
                    yield samples.reshape(-1, converted.layout.nb_channels)
        except (av.FFmpegError, ValueError) as error:
            raise UndecodableAudioError(_message("gave up", error)) from error

    def seek(self, frame: int) -> None:
        near = self._position <= frame <= self._position + _PREROLL_FRAMES
        if self._exact_stamps and not near and frame > _PREROLL_FRAMES:
            self._seek_by_stamp(frame - _PREROLL_FRAMES)
        if self._position > frame:
            self.close()
            self._start()
        while self._position < frame:
            if not len(self.read(min(_SKIP_FRAMES, frame - self._position))):
                return

    def _seek_by_stamp(self, frame: int) -> None:
        target = frame + self._origin
        try:
            offset = int(target / self.sample_rate / self._time_base())
            self._container.seek(offset, stream=self._stream)
        except av.FFmpegError as error:
            raise UndecodableAudioError(_message(f"cannot seek to {frame=}", error)) from error
        self._position = self._decode_on(target) - self._origin

    def read(self, n_frames: int) -> FloatArray:
        parts, missing = [self._buffer[:n_frames]], n_frames - len(self._buffer)
        self._buffer = self._buffer[n_frames:]
        while missing > 0 and (block := next(self._blocks, None)) is not None:
            parts.append(block[:missing])
            self._buffer = block[missing:]
            missing -= len(block)
        samples = np.concatenate(parts)
        self._position += len(samples)
        return samples

    def close(self) -> None:
        self._container.close()


def _refuse_second_file(url: str, flags: int, options: dict[str, str]) -> NoReturn:  # noqa: ARG001
    raise UndecodableAudioError("the file names another file; only self-contained audio is read")


def _message(what: str, error: Exception) -> str:
    """Words of the decoder, never `str(error)`: that would name the path of the file."""
    words = getattr(error, "error_string", None) or getattr(error, "strerror", None)
    return f"the decoder {what}: {words or type(error).__name__}"
