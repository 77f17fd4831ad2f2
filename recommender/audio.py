"""Audio in: open a recording, read mono windows of it at any sample rate, tell it from others."""

import hashlib
import math
import os
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soxr

from recommender.arrays import FloatArray
from recommender.audio_formats import CATALOG_LIMITS, CLIP_LIMITS, AudioLimits, identify, require
from recommender.closing import Closing
from recommender.decoders import open_decoder, read_exactly
from recommender.errors import AudioTooShortError, UndecodableAudioError, UnsupportedAudioError
from recommender.ogg import digest_packets

__all__ = ["CATALOG_LIMITS", "CLIP_LIMITS", "AudioFile", "AudioLimits", "open_audio"]

BLOCK_FRAMES = 16_384
# more than soxr's HQ filter reaches to either side, in samples of the lower rate
_MARGIN_SAMPLES = 512
_ID_SLICES = 8
_OGG = ("ogg", "opus")
_ID_SLICE_SECONDS = 2


def open_audio(file: BinaryIO, limits: AudioLimits) -> "AudioFile":
    """Open a recording and find how long it really is.

    Parameters
    ----------
    file
        An open, seekable binary file. It stays open, and is not to be read by anyone else until
        the result is closed.
    limits
        What is taken.

    Raises
    ------
    UnsupportedAudioError
        The content is not of one of ``limits.formats``.
    AudioLimitError
        The file is larger, longer, wider or of another sample rate than the limits allow.
    AudioTooShortError
        Nothing decodes.
    UndecodableAudioError
        The decoder gave up.
    """
    n_bytes = file.seek(0, os.SEEK_END)
    require(n_bytes <= limits.max_file_bytes, "file_bytes", n_bytes, limits.max_file_bytes)
    audio_format = identify(file)
    if audio_format not in limits.formats:
        raise UnsupportedAudioError(
            f"format={audio_format} is not taken here; convert it to WAV, FLAC, Ogg, MP3 or M4A"
        )
    return AudioFile(file, audio_format, limits)


class AudioFile(Closing):
    """An open recording, an :class:`~recommender.embedding.AudioSource`; made by `open_audio`.

    Attributes
    ----------
    sample_rate
        Hz of the recording itself.
    channels
        How many the recording has; what is read is their mean.
    n_frames
        Frames that really decode, whatever a header says.
    """

    def __init__(self, file: BinaryIO, audio_format: str, limits: AudioLimits):
        self._file, self._format = file, audio_format
        self._decoder = open_decoder(file, audio_format)
        self.sample_rate = self._decoder.sample_rate
        self.channels = self._decoder.channels
        try:
            claimed_seconds = self._decoder.claimed_frames / self.sample_rate
            limits.check_shape(self.sample_rate, self.channels, claimed_seconds)
            self.n_frames = self._count_frames(int(limits.max_seconds * self.sample_rate))
        except BaseException:
            self.close()
            raise

    @property
    def duration_seconds(self) -> float:
        """Length that really decodes."""
        return self.n_frames / self.sample_rate

    def close(self) -> None:
        """Free the decoder; the file stays open."""
        self._decoder.close()

    def _count_frames(self, max_frames: int) -> int:
        """Frames that decode: the header's claim if the end is where it says, else a full count."""
        claimed = self._decoder.claimed_frames
        tail_start = max(0, claimed - self.sample_rate)
        frames = claimed and self._decode_from(tail_start, max_frames)
        if claimed == 0 or abs(frames - claimed) > self.sample_rate // 10:
            self._restart()
            frames = self._decode_from(0, max_frames)
            self._restart()
        require(frames <= max_frames, "n_frames", frames, max_frames)
        if frames == 0:
            raise AudioTooShortError("n_frames=0: the file has a header, but no audio decodes")
        return frames

    def _decode_from(self, start: int, max_frames: int) -> int:
        """Where decoding from `start` ends: at the end, at damage, or just beyond `max_frames`."""
        end = start
        try:
            self._decoder.seek(start)
            while end <= max_frames and (n := len(self._decoder.read(BLOCK_FRAMES))):
                end += n
        except UndecodableAudioError:
            if end == 0:
                raise
        return end

    def n_samples(self, sample_rate: int) -> int:
        """Length in samples once resampled to `sample_rate`."""
        return self.n_frames * sample_rate // self.sample_rate

    def read_windows(
        self, starts: Sequence[int], window_samples: int, sample_rate: int
    ) -> FloatArray:
        """Mono windows at `sample_rate`, equal to cuts from the whole recording resampled at once.

        Only the windows and a margin for the resampler's filter are decoded where the format
        allows seeking. Windows in ascending order are quickest.

        Parameters
        ----------
        starts
            First sample of each window; may be negative.
        window_samples
            Length of each; may reach beyond the end.
        sample_rate
            Hz of `starts`, `window_samples` and the result.

        Returns
        -------
        ndarray
            float32, shape (len(starts), window_samples), zeros outside the audio.

        Raises
        ------
        UndecodableAudioError
            The audio is damaged here, or holds NaN, infinity or absurd samples.
        """
        windows = np.zeros((len(starts), window_samples), np.float32)
        for members in _neighbours(starts, window_samples + 2 * _MARGIN_SAMPLES):
            first = starts[members[0]]
            segment = self._resampled(first, starts[members[-1]] + window_samples, sample_rate)
            for i in members:
                windows[i] = segment[starts[i] - first :][:window_samples]
        return windows

    def _resampled(self, first: int, last: int, sample_rate: int) -> FloatArray:
        """Samples `first` to `last` of the recording at `sample_rate`, zeros outside it."""
        segment = np.zeros(last - first, np.float32)
        low, high = max(first, 0), min(last, self.n_samples(sample_rate))
        if low >= high:
            return segment
        common = math.gcd(self.sample_rate, sample_rate)
        up, down = sample_rate // common, self.sample_rate // common
        margin = _MARGIN_SAMPLES * max(1, math.ceil(up / down))
        # source and result only share sampling instants every `down` frames, `up` samples
        period = max(0, low - margin) // up
        end = min(self.n_frames, math.ceil((high + margin) * down / up))
        mono = self._mono(period * down, end)
        if up != down:
            mono = soxr.resample(mono, self.sample_rate, sample_rate, quality="HQ")
        part = mono[low - period * up : high - period * up]
        segment[low - first : low - first + len(part)] = part
        return segment

    def _mono(self, start: int, end: int) -> FloatArray:
        """Frames `start` to `end`, the mean of the channels; blockwise, so memory stays small."""
        mono = np.empty(end - start, np.float32)
        weights = np.full(self.channels, 1.0 / self.channels, np.float32)
        self._decoder.seek(start)
        for at in range(0, len(mono), BLOCK_FRAMES):
            target = mono[at : at + BLOCK_FRAMES]
            np.matmul(read_exactly(self._decoder, len(target)), weights, out=target)
        return mono

    def content_id(self) -> str:
        """Digest of the sound: the same for a file that was renamed, moved or re-tagged.

        BLAKE2b over sample rate, channels, length and 8 slices of 2 s, rounded to 16 bits; lossless
        copies agree. MP3 and AAC agree as long as one version of the decoder reads them. Of Ogg
        files the encoded packets are digested; see `recommender.ogg`.

        Returns
        -------
        str
            32 hexadecimal digits.

        Raises
        ------
        UndecodableAudioError
            A slice does not decode, or holds samples that :meth:`read_windows` refuses.
        """
        shape = np.array((self.sample_rate, self.channels), "<i8").tobytes()
        digest = hashlib.blake2b(shape, digest_size=16)
        if self._format in _OGG and digest_packets(self._file, digest):
            self._restart()
            return digest.hexdigest()
        self._restart()
        digest.update(np.array(self.n_frames, "<i8").tobytes())
        length = min(self.n_frames, _ID_SLICE_SECONDS * self.sample_rate)
        for i in range(_ID_SLICES):
            self._decoder.seek(i * (self.n_frames - length) // (_ID_SLICES - 1))
            digest.update(_int16_bytes(read_exactly(self._decoder, length)))
        return digest.hexdigest()

    def _restart(self) -> None:
        """Forget what was read: damage breaks a decoder, and its state colours what comes next."""
        self._decoder.close()
        self._decoder = open_decoder(self._file, self._format)


def _int16_bytes(block: FloatArray) -> bytes:
    samples: npt.NDArray[np.float32] = np.clip(np.rint(block * 32768.0), -32768, 32767)
    return samples.astype("<i2").tobytes()


def _neighbours(starts: Sequence[int], reach: int) -> list[list[int]]:
    """Indices of `starts` in ascending order, grouped where the next begins within `reach`."""
    groups: list[list[int]] = []
    for i in sorted(range(len(starts)), key=starts.__getitem__):
        if groups and starts[i] <= starts[groups[-1][-1]] + reach:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups
