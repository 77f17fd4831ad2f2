import hashlib
from functools import partial
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile as sf

from recommender.errors import InvalidParameterError
from tools import synth_voices as voices
from tools.synth_catalog import STYLES, SynthTrack, plan, render, render_catalog
from tools.synth_mix import Note, Part, Song, decibels, mix
from tools.synth_theory import SCALES, Harmony, melody, rhythm

FIXTURE_STYLES = ("chiptune", "chapel", "garage")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[SynthTrack, ...]]:
    out = tmp_path_factory.mktemp("synth")
    return out, render_catalog(out, FIXTURE_STYLES, tracks_per_style=2, seconds=6.0)


def digest(track: SynthTrack) -> str:
    return hashlib.sha256(render(track, 3.0).tobytes()).hexdigest()


def fundamental(waveform: voices.FloatArray, near: float) -> float:
    windowed = waveform * np.hanning(waveform.size)
    spectrum = np.abs(np.fft.rfft(windowed, 1 << 19))
    hz = np.fft.rfftfreq(1 << 19, 1 / voices.RATE)
    around = (hz > near * 0.9) & (hz < near * 1.1)
    return float(hz[around][spectrum[around].argmax()])


def test_the_full_catalog_has_forty_tracks_by_eight_labelled_ensembles() -> None:
    tracks = plan()
    assert len(tracks) == 40
    assert len({track.artist for track in tracks}) == 8
    assert len({track.album for track in tracks}) == 8
    assert len({track.path for track in tracks}) == 40
    assert all(track.artist.startswith("Soundalike Synth: ") for track in tracks)


def test_a_track_does_not_depend_on_what_else_is_rendered() -> None:
    alone = plan(["bronze"], tracks_per_style=1)[0]
    among = next(track for track in plan(tracks_per_style=7) if track.path == alone.path)
    assert digest(alone) == digest(among)


def test_tracks_differ_within_a_style() -> None:
    assert len({digest(track) for track in plan(["lateroom"], tracks_per_style=3)}) == 3


@pytest.mark.parametrize("style", sorted(STYLES))
def test_every_style_keeps_the_levels_of_released_music(style: str) -> None:
    waveform = render(plan([style], tracks_per_style=1)[0], 4.0)
    assert waveform.shape == (4 * voices.RATE, 2)
    assert waveform.dtype == np.float32
    assert np.isfinite(waveform).all()
    assert np.abs(waveform).max() <= 10 ** (-1 / 20)
    assert -24.0 <= decibels(waveform) <= -12.0
    assert np.abs(waveform[:, 0] - waveform[:, 1]).max() > 0.01


def test_files_carry_the_tags_of_the_plan(
    catalog: tuple[Path, tuple[SynthTrack, ...]],
) -> None:
    out, tracks = catalog
    assert len(tracks) == 6
    for track in tracks:
        tags = mutagen.File(out / track.path).tags
        assert tags["title"] == [track.title]
        assert tags["artist"] == [track.artist]
        assert tags["album"] == [track.album]
        assert tags["genre"] == [track.genre]
        assert tags["tracknumber"] == [str(track.number)]
        assert tags["date"] == ["2025"]


def test_decoded_files_keep_length_and_headroom(
    catalog: tuple[Path, tuple[SynthTrack, ...]],
) -> None:
    out, tracks = catalog
    for track in tracks:
        waveform, rate = sf.read(out / track.path, dtype="float32")
        assert rate == 44_100
        assert waveform.shape == (6 * 44_100, 2)
        assert np.abs(waveform).max() <= 10 ** (-1 / 20)


def test_only_whole_files_are_left_in_the_folder(
    catalog: tuple[Path, tuple[SynthTrack, ...]],
) -> None:
    out, tracks = catalog
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {track.path for track in tracks}


def test_an_unknown_style_is_named_with_the_known_ones() -> None:
    with pytest.raises(InvalidParameterError, match=r"styles=polka .*chiptune"):
        plan(["chiptune", "polka"])


@pytest.mark.parametrize("count", [0, 31])
def test_a_count_beyond_the_titles_is_refused(count: int) -> None:
    with pytest.raises(InvalidParameterError, match=f"tracks_per_style={count}"):
        plan(tracks_per_style=count)


def test_the_largest_album_has_distinct_titles() -> None:
    tracks = plan(tracks_per_style=30)
    assert len({(track.album, track.title) for track in tracks}) == 240


def test_a_length_below_one_second_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"seconds=0\.5"):
        render(plan()[0], 0.5)


@pytest.mark.parametrize("hz", [110.0, 329.63, 880.0])
@pytest.mark.parametrize(
    "voice",
    [
        voices.pluck,
        voices.electric_piano,
        voices.organ,
        voices.bass,
        partial(voices.pulse, vibrato=0.0),
        voices.triangle,
        voices.flute,
    ],
)
def test_voices_are_in_tune_within_ten_cents(voice: voices.Voice, hz: float) -> None:
    sound = voice(hz, 1.0, 0.8)
    assert abs(1200 * np.log2(fundamental(sound, hz) / hz)) < 10.0


def test_a_voice_peaks_at_its_velocity_and_ends_in_silence() -> None:
    for voice in (voices.pluck, voices.bell, voices.pad, voices.choir, voices.overdrive):
        sound = voice(220.0, 0.5, 0.6)
        assert np.abs(sound).max() == pytest.approx(0.6, rel=1e-3)
        assert abs(sound[-1]) < 0.01


def test_a_note_sounds_at_its_beat() -> None:
    note = Note(start=2.0, beats=0.5, pitch=69, velocity=1.0)
    song = Song(tempo=120.0, parts=(Part(voices.triangle, (note,), reverb=0.0),))
    waveform = mix(song, 3.0, np.random.default_rng(0))
    onset = np.argmax(np.abs(waveform).max(axis=1) > 0.05) / voices.RATE
    assert onset == pytest.approx(1.0, abs=0.02)


def test_chords_stay_in_the_key_and_near_their_centre() -> None:
    harmony = Harmony(root=60, scale=SCALES["major"], degrees=(0, 3, 4), size=4)
    assert harmony.chord(0, 62) == (59, 60, 64, 67)
    assert [harmony.bass(bar) for bar in range(3)] == [36, 29, 31]


def test_melodies_use_notes_of_the_scale_only() -> None:
    harmony = Harmony(root=60, scale=SCALES["dorian"], degrees=(0, 3))
    notes = melody(harmony, ("x.xx", "xxxx"), 8, np.random.default_rng(1))
    assert {(note.pitch - 60) % 12 for note in notes} <= set(SCALES["dorian"])
    assert [note.start for note in notes] == sorted(note.start for note in notes)


def test_a_rhythm_places_accents_and_rests() -> None:
    notes = rhythm("X.o.", 2, np.random.default_rng(2))
    assert [note.start for note in notes] == [0.0, 2.0, 4.0, 6.0]
    assert notes[0].velocity > notes[1].velocity
