"""PANNs and OpenL3 against the packages of their authors, where those are installed.

The golden numbers of `test_panns` and `test_openl3` come from the same packages, so that what is
skipped here is not untested. Nothing is downloaded: the packages reach for a network only through
``os.system`` and ``torch.hub``, and either would fail the test.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch

from recommender.arrays import FloatArray
from recommender.embedders import panns
from recommender.embedders.openl3 import POOLS
from recommender.embedders.openl3_frontend import create_front_end
from recommender.embedders.openl3_network import OpenL3Network
from recommender.embedders.panns import Panns
from recommender.embedders.panns_network import ARCHITECTURES, PannsNetwork
from recommender.weights_store import Installed
from tests import random_weights_openl3, random_weights_panns
from tests.signals import SIGNALS

SEED = 7
TOLERANCE = 1e-4


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*what: object, **_options: object) -> NoReturn:
        raise AssertionError(f"reached for {what}")

    monkeypatch.setattr("os.system", refuse)
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)


def assert_alike(found: FloatArray, expected: FloatArray) -> None:
    largest = float(np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * largest)


# what the packages and their dependencies warn of is not ours to mend
@pytest.mark.filterwarnings("ignore")
@needs("librosa", "matplotlib", "panns_inference", "torchlibrosa")
def test_panns_gives_what_panns_inference_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import originals

    tensors = random_weights_panns.random_tensors(SEED)
    theirs = originals.cnn14(originals.panns_inference(tmp_path), tensors)
    network = PannsNetwork(ARCHITECTURES["cnn14"], tensors)
    monkeypatch.setattr(panns, "installed", lambda _: Installed(Path(), "0" * 64, "random"))
    monkeypatch.setattr(Panns, "_load", lambda _: network)
    embedder = Panns()
    size = embedder.spec.window_samples
    windows = np.stack([np.resize(SIGNALS[name](), size) for name in ("chords", "hiss")])
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(windows), None)["embedding"].numpy()
    assert_alike(embedder.embed(windows).vectors, expected)


@pytest.mark.filterwarnings("ignore")
@needs("julius", "librosa", "resampy", "six", "torchopenl3")
@pytest.mark.parametrize(("representation", "size"), [("mel256", 512), ("linear", 6144)])
def test_openl3_gives_what_torchopenl3_gives(representation: str, size: int) -> None:
    from benchmarks import originals

    tensors = random_weights_openl3.random_tensors(SEED)
    package = importlib.import_module("torchopenl3")
    theirs = originals.torchopenl3_network(package, tensors, representation, size)
    seconds = np.stack([SIGNALS[name](4.0)[:48_000] for name in ("chords", "hiss")])
    levels = create_front_end(representation, "kapre014")(seconds)
    with torch.inference_mode():
        spectrogram, *_, vectors = theirs(torch.from_numpy(seconds)[:, None], keep_all_outputs=True)
    assert_alike(levels, spectrogram[:, 0].numpy())
    found = OpenL3Network(tensors, POOLS[representation, str(size)])(levels)
    assert_alike(found, vectors.numpy())
