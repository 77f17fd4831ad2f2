import io

import numpy as np
import pytest

from recommender.arrays import FloatArray
from recommender.audio import CLIP_LIMITS, open_audio
from recommender.audio_formats import identify
from recommender.degradations import DEGRADATIONS, PHONE_RATE, degrade
from recommender.errors import InvalidParameterError
from tests.signals import noise

RATE = 44_100


def sine(hz: float, seconds: float = 3.0, rate: int = RATE, amplitude: float = 0.25) -> FloatArray:
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def music(seconds: float = 2.0, rate: int = RATE) -> FloatArray:
    """Tones over a bed of noise, so that codecs have something to do."""
    n_samples = round(seconds * rate)
    return (
        sine(330.0, seconds, rate) + sine(1245.0, seconds, rate) + 0.05 * noise(n_samples, 3)
    ).astype(np.float32)


def heard(clip: bytes) -> tuple[FloatArray, int]:
    """Samples and rate of a clip file, as the way of uploaded clips reads them."""
    with open_audio(io.BytesIO(clip), CLIP_LIMITS) as audio:
        return audio.read_windows([0], audio.n_frames, audio.sample_rate)[0], audio.sample_rate


def damaged(name: str, waveform: FloatArray, rate: int = RATE) -> FloatArray:
    return heard(degrade(name, waveform, rate))[0]


def decibels(power: float) -> float:
    return float(10 * np.log10(power))


def power(waveform: FloatArray) -> float:
    return float(np.mean(np.square(waveform, dtype=np.float64)))


def level_change(name: str, hz: float) -> float:
    """Decibels that a sine gains, measured away from its ends."""
    wave = sine(hz)
    after, rate = heard(degrade(name, wave, RATE))
    return decibels(power(after[rate // 2 : -rate // 2]) / power(wave))


def loudest_hz(waveform: FloatArray, rate: int = RATE) -> float:
    # padded, so that the bins of the spectrum lie closely
    n_fft = 2**21
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), n_fft))
    return float(spectrum.argmax() * rate / n_fft)


def test_every_degradation_has_a_name_and_the_first_does_nothing() -> None:
    assert list(DEGRADATIONS) == [
        "clean",
        "mp3 64 kbit/s",
        "opus 64 kbit/s",
        "noise 20 dB",
        "noise 10 dB",
        "+1 semitone",
        "-1 semitone",
        "tempo +5 %",
        "tempo -5 %",
        "eq",
        "reverb",
        "clipping",
        "phone band",
        "-12 dB",
    ]
    np.testing.assert_array_equal(damaged("clean", music()), music())


def test_an_unknown_degradation_is_refused_by_name() -> None:
    with pytest.raises(InvalidParameterError, match="degradation=wow is not known"):
        degrade("wow", music(), RATE)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
@pytest.mark.parametrize("name", DEGRADATIONS)
def test_clips_of_any_rate_are_the_same_each_time_and_as_loud_as_what_happened(
    name: str, rate: int
) -> None:
    wave = music(1.0, rate)
    after, clip_rate = heard(degrade(name, wave, rate))
    again = damaged(name, wave, rate)
    # sums and transforms round by where in memory their input lies: the last bit may differ
    np.testing.assert_allclose(after, again, rtol=0, atol=1e-6)
    assert len(after) / clip_rate == pytest.approx(1.0, abs=0.1)
    gain = {"-12 dB": -12.0, "clipping": 10.0, "reverb": 3.0}.get(name, 0.0)
    assert decibels(power(after) / power(wave)) == pytest.approx(gain, abs=3.0)


@pytest.mark.parametrize(("name", "kind"), [("mp3 64 kbit/s", "mp3"), ("opus 64 kbit/s", "opus")])
def test_codecs_have_the_bit_rate_that_they_are_named_after(name: str, kind: str) -> None:
    clip = degrade(name, music(5.0), RATE)
    assert identify(io.BytesIO(clip)) == kind
    assert len(clip) * 8 / 5.0 == pytest.approx(64_000, rel=0.05)


@pytest.mark.parametrize("name", ["mp3 64 kbit/s", "opus 64 kbit/s"])
def test_codecs_keep_pitch_and_length_but_not_the_samples(name: str) -> None:
    after, rate = heard(degrade(name, sine(1000.0), RATE))
    assert loudest_hz(after, rate) == pytest.approx(1000.0, abs=0.5)
    assert len(after) / rate == pytest.approx(3.0, abs=0.08)


@pytest.mark.parametrize(("name", "snr_db"), [("noise 20 dB", 20.0), ("noise 10 dB", 10.0)])
def test_noise_lies_exactly_so_far_below_the_clip(name: str, snr_db: float) -> None:
    wave = music()
    added = damaged(name, wave).astype(np.float64) - wave
    assert decibels(power(wave) / float(np.mean(added**2))) == pytest.approx(snr_db, abs=0.01)


def test_noise_is_pink_down_to_twenty_hertz() -> None:
    wave = music(10.0)
    spectrum = np.abs(np.fft.rfft(damaged("noise 10 dB", wave).astype(np.float64) - wave)) ** 2
    hz = np.fft.rfftfreq(len(wave), 1 / RATE)
    octaves = [spectrum[(hz >= low) & (hz < 2 * low)].sum() for low in (160, 640, 2560, 10240)]
    assert decibels(max(octaves) / min(octaves)) < 0.5
    assert spectrum[hz < 19].sum() < 1e-6 * spectrum.sum()


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_silence_stays_silent(name: str) -> None:
    after = damaged(name, np.zeros(RATE, np.float32))
    assert np.abs(after).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "ratio"), [("+1 semitone", 1.0594631), ("-1 semitone", 0.9438743)]
)
def test_transposing_moves_pitch_and_keeps_tempo(name: str, ratio: float) -> None:
    after = damaged(name, sine(440.0))
    assert loudest_hz(after) == pytest.approx(440.0 * ratio, abs=0.3)
    assert len(after) / RATE == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize(("name", "ratio"), [("tempo +5 %", 1.05), ("tempo -5 %", 0.95)])
def test_another_tempo_keeps_pitch(name: str, ratio: float) -> None:
    after = damaged(name, sine(440.0))
    assert loudest_hz(after) == pytest.approx(440.0, abs=0.3)
    assert len(after) / RATE == pytest.approx(3.0 / ratio, abs=0.01)


@pytest.mark.parametrize(("hz", "gain_db"), [(25.0, 6.0), (700.0, 0.0), (16_000.0, -6.0)])
def test_the_equaliser_lifts_bass_and_lowers_treble(hz: float, gain_db: float) -> None:
    assert level_change("eq", hz) == pytest.approx(gain_db, abs=0.5)


def test_the_room_rings_for_a_second_as_strong_as_the_direct_sound() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[0] = 0.5
    response = damaged("reverb", click).astype(np.float64) / 0.5
    tail = response[1:] ** 2
    assert tail.sum() == pytest.approx(1.0, rel=0.1)
    # Schroeder's backward integral, over the fall from -5 to -35 dB
    left = 10 * np.log10(tail[: RATE - 1][::-1].cumsum()[::-1] / tail.sum())
    fall = np.flatnonzero((left < -5) & (left > -35))
    slope = np.polyfit(fall / RATE, left[fall], 1)[0]
    assert -60 / slope == pytest.approx(1.0, rel=0.05)


def test_a_tenth_of_the_samples_is_clipped() -> None:
    after = np.abs(damaged("clipping", music()))
    assert after.max() == 1.0
    assert np.mean(after == 1.0) == pytest.approx(0.1, abs=0.001)


def test_clipping_leaves_a_clip_alone_that_is_silent_but_for_a_click() -> None:
    click = np.zeros(RATE, np.float32)
    click[:100] = 0.5
    np.testing.assert_array_equal(damaged("clipping", click), click)


@pytest.mark.parametrize(
    ("hz", "low_db", "high_db"),
    [(75.0, -60, -40), (1_000.0, -1, 0.5), (3_400.0, -7, -5), (6_000.0, -999, -60)],
)
def test_the_telephone_lets_only_its_band_through(hz: float, low_db: float, high_db: float) -> None:
    assert low_db < level_change("phone band", hz) < high_db


def test_the_telephone_speaks_at_its_own_rate() -> None:
    assert heard(degrade("phone band", music(), RATE))[1] == PHONE_RATE


def test_twelve_decibels_less_is_exactly_that() -> None:
    wave = music()
    gain = decibels(power(damaged("-12 dB", wave)) / power(wave))
    assert gain == pytest.approx(-12.0, abs=1e-5)


def test_loud_clips_are_not_clipped_by_the_file() -> None:
    wave = music() * np.float32(20.0)
    np.testing.assert_array_equal(damaged("clean", wave), wave)
