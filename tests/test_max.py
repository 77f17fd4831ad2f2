"""``max`` against a server on the loopback that does and does not do what IBM's does."""

import json
import math
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from api.clips import LIMITS, _patience
from indexer import reindex
from indexer.__main__ import main
from indexer.workers import FILE_LIMITS, Analyst
from recommender.arrays import FloatArray
from recommender.audio import CATALOG_LIMITS
from recommender.building import LEVEL_QUANTILES
from recommender.embedders import patience_of
from recommender.embedders.environment import MAX_URL, embedder_environment
from recommender.embedders.max_address import Address
from recommender.embedders.max_client import NEEDED, MaxClient, levels_in
from recommender.embedders.max_exchange import MAX_ANSWER_BYTES
from recommender.embedders.max_server import ATTEMPTS, MaxServer
from recommender.embedders.max_windows import HOP_SAMPLES, ROWS, WINDOW_SAMPLES
from recommender.embedding import BATCH_WINDOWS, DEFAULT_WINDOWS, Embedder
from recommender.errors import InvalidParameterError, RemoteEmbedderError
from recommender.records import FileState
from recommender.sandbox import ChildLimits, ChildPool
from recommender.space import Space
from tests.contracts import EmbedderContract
from tests.fake_max import Behaviour, levels_of, serving_max


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behaviour]:
    with serving_max() as behaviour:
        monkeypatch.setenv(MAX_URL, behaviour.url)
        yield behaviour


@pytest.fixture
def waits() -> list[float]:
    """How long a client waited between attempts; it does not wait in fact."""
    return []


@pytest.fixture
def client(waits: list[float]) -> MaxClient:
    return MaxClient(server=partial(MaxServer, sleep=waits.append))


class TestMaxContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, server: Behaviour) -> Embedder:
        return MaxClient()


def noise(n_windows: int = 1, peak: float = 0.1) -> FloatArray:
    random = np.random.default_rng(3)
    return random.uniform(-peak, peak, (n_windows, WINDOW_SAMPLES)).astype(np.float32)


def good_rows() -> list[list[int]]:
    return [[(row + column) % 256 for column in range(128)] for row in range(ROWS)]


def answer(embedding: object, status: object = "ok") -> bytes:
    return json.dumps({"status": status, "embedding": embedding}).encode()


def with_number(number: object) -> list[list[Any]]:
    rows: list[list[Any]] = [list(row) for row in good_rows()]
    rows[3][5] = number
    return rows


def test_the_vector_is_the_mean_of_the_rows_scaled_back(
    server: Behaviour, client: MaxClient
) -> None:
    [vector] = client.embed(noise()).vectors
    levels = levels_of(server.asked[0]).astype(float)
    np.testing.assert_allclose(vector, (levels / 255 * 4 - 2).mean(axis=0), atol=1e-6)


def test_a_window_is_sent_as_16_bit_samples_clipped_at_full_scale(
    server: Behaviour, client: MaxClient
) -> None:
    window = noise(peak=0.9)
    window[0, :4] = 1.0, -1.0, 7.0, 0.5 / 32768
    client.embed(window)
    [samples] = server.asked
    assert samples[:4].tolist() == [32767, -32768, 32767, 0]
    np.testing.assert_array_equal(samples[4:], np.rint(window[0, 4:] * 32768))


def test_windows_lie_end_to_end_on_the_grid_of_the_originals_rows() -> None:
    assert HOP_SAMPLES == ROWS * 15_360
    assert WINDOW_SAMPLES - HOP_SAMPLES == 240


@pytest.mark.parametrize("keeps_alive", [True, False])
def test_every_window_is_asked_for_on_a_connection_of_its_own(
    server: Behaviour, client: MaxClient, waits: list[float], keeps_alive: bool
) -> None:
    server.keeps_alive = keeps_alive
    client.embed(noise(3))
    assert (len(server.asked), server.n_connections, waits) == (3, 3, [])


def test_a_window_with_nan_is_not_sent(server: Behaviour, client: MaxClient) -> None:
    windows = noise(2)
    windows[0, 7] = np.nan
    vectors = client.embed(windows).vectors
    assert np.isnan(vectors[0]).all()
    assert np.isfinite(vectors[1]).all()
    assert len(server.asked) == 1


def test_nothing_to_embed_is_not_asked_for(server: Behaviour, client: MaxClient) -> None:
    assert client.embed(noise(1)[:0]).vectors.shape == (0, 128)
    assert server.n_connections == 0


def test_rows_may_be_written_as_floats(server: Behaviour, client: MaxClient) -> None:
    as_integers = client.embed(noise()).vectors
    server.floats = True
    np.testing.assert_array_equal(client.embed(noise()).vectors, as_integers)


def test_faults_are_retried_with_longer_and_longer_waits(
    server: Behaviour, client: MaxClient, waits: list[float]
) -> None:
    server.answers = [(500, b"{}"), (503, b"<html>"), (502, b"")]
    assert np.isfinite(client.embed(noise()).vectors).all()
    assert waits == [0.5, 1.0, 2.0]


def test_a_server_that_only_fails_is_given_up(
    server: Behaviour, client: MaxClient, waits: list[float]
) -> None:
    server.answers = [(503, b"")] * 99
    with pytest.raises(RemoteEmbedderError, match=rf"failed {ATTEMPTS} times \(HTTP 503\)"):
        client.embed(noise())
    assert len(server.headers) == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 401, 404, 413, 429])
def test_a_refusal_is_not_retried(server: Behaviour, client: MaxClient, status: int) -> None:
    server.answers = [(status, b"")]
    with pytest.raises(RemoteEmbedderError, match=f"HTTP {status}"):
        client.embed(noise())
    assert len(server.headers) == 1


def test_redirects_are_not_followed(server: Behaviour, client: MaxClient) -> None:
    with serving_max() as other:
        server.location, server.answers = f"{other.url}/model/predict", [(307, b"")]
        with pytest.raises(RemoteEmbedderError, match="a redirect, which is not followed"):
            client.embed(noise())
        assert other.n_connections == 0


def test_an_answer_that_is_cut_short_is_asked_for_again(
    server: Behaviour, client: MaxClient
) -> None:
    server.cut = 10
    with pytest.raises(RemoteEmbedderError, match=rf"failed {ATTEMPTS} times .*cut short"):
        client.embed(noise())
    assert len(server.asked) == ATTEMPTS


def test_a_silent_server_is_given_up_in_time(server: Behaviour, waits: list[float]) -> None:
    server.stall = threading.Event()
    client = MaxClient(server=partial(MaxServer, patience_seconds=0.2, sleep=waits.append))
    with pytest.raises(RemoteEmbedderError, match=r"failed 1 times \(it took too long\)"):
        client.embed(noise())


def test_a_server_that_is_away_is_named_with_the_next_step(
    monkeypatch: pytest.MonkeyPatch, client: MaxClient, waits: list[float]
) -> None:
    with serving_max() as gone:
        pass
    monkeypatch.setenv(MAX_URL, gone.url)
    with pytest.raises(RemoteEmbedderError, match=f"max_url={gone.url} failed .*refused") as raised:
        client.embed(noise())
    assert "run again" in str(raised.value)
    assert len(waits) == ATTEMPTS - 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "what is not JSON"),
        (b"\x00\xff\xfe", "what is not JSON"),
        (b"<html>secret</html>", "what is not JSON"),
        (b"[" * 100_000, "what is not JSON"),
        (answer(with_number(float("nan"))), "what is not JSON"),
        (b"[]", "status is not ok"),
        (b"null", "status is not ok"),
        (answer(good_rows(), "error"), "status is not ok"),
        (answer(good_rows(), True), "status is not ok"),
        (json.dumps({"embedding": good_rows()}).encode(), "status is not ok"),
        (json.dumps({"status": "ok", "predictions": good_rows()}).encode(), "no embedding of 10"),
        (answer("secret"), "no embedding of 10 rows"),
        (answer([]), "no embedding of 10 rows"),
        (answer(good_rows()[:9]), "no embedding of 10 rows"),
        (answer([*good_rows(), good_rows()[0]]), "no embedding of 10 rows"),
        (answer([*good_rows()[:9], [1] * 127]), "not 128 wide"),
        (answer([row[:127] for row in good_rows()]), "not 128 wide"),
        (answer([*good_rows()[:9], 7]), "not 128 wide"),
        (answer(with_number(256)), "not whole, or not from 0 to 255"),
        (answer(with_number(-1)), "not whole, or not from 0 to 255"),
        (answer(with_number(0.5)), "not whole, or not from 0 to 255"),
        (answer(with_number(True)), "not whole, or not from 0 to 255"),
        (answer(with_number(None)), "not whole, or not from 0 to 255"),
        (answer(with_number("7")), "not whole, or not from 0 to 255"),
        (answer(with_number([7])), "not whole, or not from 0 to 255"),
        (answer(with_number(0)).replace(b" 0,", b" 1e999,"), "not whole"),
    ],
)
def test_an_answer_that_is_no_embedding_is_refused_and_not_quoted(
    server: Behaviour, client: MaxClient, content: bytes, said: str
) -> None:
    server.answers = [(200, content)]
    with pytest.raises(RemoteEmbedderError, match=f"answers with .*{said}") as raised:
        client.embed(noise())
    assert "secret" not in str(raised.value)
    assert len(server.headers) == 1


def test_a_right_answer_is_read() -> None:
    levels = levels_in(answer(good_rows()))
    assert levels.dtype == np.float32
    np.testing.assert_array_equal(levels, good_rows())


def test_an_endless_answer_is_not_read_to_the_end(server: Behaviour, client: MaxClient) -> None:
    server.answers = [(200, b" " * (MAX_ANSWER_BYTES + 2**16))]
    with pytest.raises(RemoteEmbedderError, match=f"more than {MAX_ANSWER_BYTES} bytes"):
        client.embed(noise())


def test_a_name_and_a_password_are_sent_and_never_shown(
    server: Behaviour, monkeypatch: pytest.MonkeyPatch, client: MaxClient
) -> None:
    server.prefix, server.answers = "/k3y", [(401, b"")]
    host = server.url.removeprefix("http://")
    monkeypatch.setenv(MAX_URL, f"http://me:s%3Acret@{host}/k3y/")
    with pytest.raises(RemoteEmbedderError, match=f"max_url=http://{host} answers") as raised:
        client.embed(noise())
    assert server.headers[0]["Authorization"] == "Basic bWU6czpjcmV0"
    client.embed(noise())
    address = Address.parse(f"http://me:s%3Acret@{host}/k3y/")
    for text in (str(raised.value), str(address), repr(address), repr(MaxServer(address))):
        assert "cret" not in text
        assert "k3y" not in text


def test_the_address_is_no_part_of_the_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAX_URL, "http://one:5000")
    one = MaxClient().spec
    monkeypatch.setenv(MAX_URL, "https://two")
    assert Space(MaxClient().spec, 12).id == Space(one, 12).id
    assert (one.name, one.tail, len(one.weights_sha256)) == ("max", "covered", 64)


def test_without_an_address_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(MAX_URL, raising=False)
    with pytest.raises(RemoteEmbedderError, match=f"{MAX_URL} is not set.*or use max-local"):
        _ = MaxClient().spec
    data = tmp_path / "data"
    assert main(["reindex", "--embedder", "max", "--data-dir", str(data), str(tmp_path)]) == 1
    assert f"{MAX_URL} is not set" in capsys.readouterr().err
    assert not data.exists()


def test_it_says_what_it_needs_to_be_described(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    assert MaxClient().spec.frame_dimension == 128


def test_it_takes_no_options() -> None:
    with pytest.raises(InvalidParameterError, match="it takes none"):
        MaxClient({"url": "http://max"})


def test_children_that_may_run_it_are_told_the_address_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(MAX_URL, raising=False)
    assert MAX_URL not in embedder_environment() | embedder_environment("max")
    monkeypatch.setenv(MAX_URL, "http://me:secret@max:5000")
    assert embedder_environment()[MAX_URL] == "http://me:secret@max:5000"
    assert embedder_environment("max") == embedder_environment()
    for other in ("musicnn", "openl3:size=6144", "max-local"):
        assert list(embedder_environment(other)) == ["SOUNDALIKE_WEIGHTS_DIR"]


def test_reindexing_with_another_embedder_tells_no_child_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MAX_URL, "http://me:secret@max:5000")
    soundfile.write(tmp_path / "a.wav", noise()[0], 16_000)
    seen: list[Mapping[str, str] | None] = []

    class Pool(ChildPool):
        def __init__(self, size: int, limits: ChildLimits, environment: Mapping[str, str]):
            seen.append(environment)
            super().__init__(size, limits, environment)

    monkeypatch.setattr(reindex, "ChildPool", Pool)
    arguments = ["reindex", "--embedder", "mfcc", "--data-dir", str(tmp_path / "data")]
    assert main([*arguments, str(tmp_path)]) == 0
    assert [list(environment or ()) for environment in seen] == [["SOUNDALIKE_WEIGHTS_DIR"]]


def embed_seeded_noise() -> bytes:
    return MaxClient().embed(noise()).vectors.tobytes()


def test_a_child_embeds_and_its_errors_are_those_of_the_server(server: Behaviour) -> None:
    with ChildPool(1, FILE_LIMITS, embedder_environment()) as pool:
        vectors = np.frombuffer(pool.call(embed_seeded_noise), np.float32)
        np.testing.assert_array_equal(vectors, MaxClient().embed(noise()).vectors[0])
        server.answers = [(404, b"")]
        with pytest.raises(RemoteEmbedderError, match="HTTP 404"):
            pool.call(embed_seeded_noise)


def test_the_servers_fault_is_not_recorded_as_a_files(
    server: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise RemoteEmbedderError("max_url=http://max failed")

    monkeypatch.setattr(ChildPool, "call", away)
    with ChildPool(1, FILE_LIMITS) as pool, pytest.raises(RemoteEmbedderError):
        Analyst(pool, Space(MaxClient().spec, None), ()).analyse(b"/music/a.flac", FileState(1, 1))


def test_a_server_at_its_slowest_ends_before_the_child_that_asks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or its fault would be taken for the recording's."""
    monkeypatch.setenv(MAX_URL, "http://max:5000")
    spec, seconds_for = MaxClient().spec, MaxServer(Address.parse("http://max")).seconds_for
    n_levels = 1 + len(LEVEL_QUANTILES)
    clip = n_levels * seconds_for(DEFAULT_WINDOWS)
    assert clip + LIMITS.wall_seconds < _patience(spec) * LIMITS.wall_seconds < 300
    n_windows = CATALOG_LIMITS.max_seconds * spec.sample_rate / spec.hop_samples
    n_batches = math.ceil(n_windows / BATCH_WINDOWS)
    recording = n_batches * seconds_for(BATCH_WINDOWS)
    assert recording < patience_of("max") * FILE_LIMITS.wall_seconds / 2
