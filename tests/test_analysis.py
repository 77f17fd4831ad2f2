"""What children are asked and answer, for spaces of every pooling."""

import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.numpy import load, save

from recommender.analysis import embed_clip, embed_file, embeddings_from
from recommender.embedders import create_embedder
from recommender.embedding import EmbedderSpec
from recommender.errors import ChildFailedError, SpaceMismatchError
from recommender.pooling import POOLINGS
from recommender.records import FileState
from recommender.space import Space
from tests.signals import SAMPLE_RATE, chords

DEFAULT = Space(create_embedder("mfcc").spec, 4)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of chords."""
    path = tmp_path_factory.mktemp("recording") / "chords.wav"
    soundfile.write(path, chords(20.0), SAMPLE_RATE, subtype="FLOAT")
    return path


def answer_of(path: Path, space: Space) -> bytes:
    return embed_file(os.fsencode(path), FileState.of(path.stat()), space.listening)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_tracks_and_clips_are_pooled_as_the_space_says(pooling: str, recording: Path) -> None:
    space = replace(DEFAULT, pooling=pooling)
    (track,) = embeddings_from(answer_of(recording, space), space)
    clip = embed_clip(os.fsencode(recording), space.clip_listening, [-20.0])
    as_it_is, levelled = embeddings_from(clip, space)
    assert as_it_is.vector.tobytes() == track.vector.tobytes()
    assert levelled.vector.shape == track.vector.shape == (space.dimension,)


def test_means_stand_before_deviations_and_maxima(recording: Path) -> None:
    names = ("mean", "max", "mean+std", "mean+max")
    spaces = [replace(DEFAULT, pooling=name) for name in names]
    mean, maximum, with_deviation, with_maximum = (
        embeddings_from(answer_of(recording, space), space)[0].vector for space in spaces
    )
    half = DEFAULT.dimension
    np.testing.assert_array_equal(with_deviation[:half], mean)
    np.testing.assert_array_equal(with_maximum, [*mean, *maximum])
    assert (with_deviation[half:] >= 0).all()


def test_an_answer_that_was_pooled_otherwise_is_refused(recording: Path) -> None:
    space = replace(DEFAULT, pooling="mean+std")
    with pytest.raises(ChildFailedError, match=f"unfit for space={space.id}"):
        embeddings_from(answer_of(recording, DEFAULT), space)


@pytest.mark.parametrize(
    "change", [{"weights_sha256": "0" * 64}, {"front_end": "another"}, {"version": "0"}], ids=str
)
def test_audio_is_not_embedded_for_a_space_of_other_weights_or_another_front_end(
    change: dict[str, str], recording: Path
) -> None:
    spec = EmbedderSpec(**asdict(DEFAULT.embedder) | change)
    other = replace(DEFAULT, embedder=spec)
    with pytest.raises(SpaceMismatchError, match="embedder=mfcc now has other weights"):
        embed_clip(os.fsencode(recording), other.clip_listening, [])
    with pytest.raises(SpaceMismatchError, match="run reindex"):
        answer_of(recording, other)


@pytest.mark.parametrize("name", ["vectors", "tags", "level_dbfs"])
def test_an_answer_that_is_not_of_numbers_is_refused(name: str, recording: Path) -> None:
    space = Space(create_embedder("musicnn").spec, 1)
    arrays = load(answer_of(recording, space))
    arrays[name] = np.full_like(arrays[name], np.nan)
    with pytest.raises(ChildFailedError, match="unfit for space=musicnn"):
        embeddings_from(save(arrays), space)
