"""Embedders of other distributions: found by metadata, imported when asked for, blamed by name."""

import pytest

from indexer.__main__ import main
from recommender.embedders import (
    EMBEDDERS,
    create_embedder,
    embedder_names,
    require_packages,
    sources,
    weights_of,
)
from recommender.embedders.musicnn import Musicnn
from recommender.embedding import Embedder
from recommender.errors import InvalidParameterError, MissingPackageError, WeightsError
from tests.contracts import EmbedderContract
from tests.plugin_sites import NEW_INIT, TINY, Site, listed, problem, site
from tests.published_weights import SOURCE

__all__ = ["site"]

SOURCES = """
from dataclasses import replace
from tests.published_weights import SOURCE
WEIGHTS = (replace(SOURCE, name="tiny-one"),)
"""


def test_names_are_read_from_metadata_alone(site: Site) -> None:
    site.install("some", {"zither": "zither_module:Zither", "banjo": "banjo_module:Banjo"})
    site.tiny()
    assert embedder_names() == [*EMBEDDERS, "banjo", "tiny", "zither"]
    with pytest.raises(InvalidParameterError, match=r"nonesuch is unknown.*mfcc.*banjo, tiny"):
        create_embedder("nonesuch")
    assert site.imported() == set()


def test_only_what_is_asked_for_is_imported(site: Site) -> None:
    site.install("broken", {"broken": "broken_module:X"}, broken_module="raise RuntimeError")
    site.tiny()
    create_embedder("tiny")
    create_embedder("mfcc")
    assert site.imported() == {"tiny_module"}


class TestTinyContract(EmbedderContract):
    @pytest.fixture
    def embedder(self, site: Site) -> Embedder:
        body = "self.spec.require_windows(windows)"
        site.tiny(f"""
plain = Tiny.embed
def embed(self, windows):
    {body}
    with np.errstate(over="ignore"):
        return plain(self, np.clip(windows, -1e9, 1e9))
Tiny.embed = embed
""")
        return create_embedder("tiny")


def test_a_name_of_ours_stays_ours(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"musicnn": "evil:Evil", "musicnn:model=msd": "evil:Evil", "mfcc": "evil:Evil"}
    site.install("evil-twin", names, evil="raise RuntimeError")
    assert isinstance(create_embedder("musicnn"), Musicnn)
    assert isinstance(create_embedder("musicnn:model=msd"), Musicnn)
    assert embedder_names() == list(EMBEDDERS)
    musicnn = listed(capsys, "musicnn")["musicnn"]
    assert (musicnn["ready"], musicnn["problem"], musicnn["dimension"]) == (True, "", 400)
    assert set(musicnn["refused"]) == {"evil-twin 1.0"}
    assert main(["embedders", "mfcc"]) == 0
    assert "evil-twin 1.0 offers an embedder of this name too" in capsys.readouterr().out
    assert site.imported() == set()


def test_a_name_that_two_claim_is_nobodys(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.tiny()
    site.install("second-plugin", {"tiny": "tiny_module:Tiny"})
    assert "claimed by second-plugin 1.0 and tiny-plugin 1.0; uninstall" in problem()
    tiny = listed(capsys, "tiny", "mfcc")["tiny"]
    assert not tiny["ready"]
    assert "second-plugin 1.0 and tiny-plugin 1.0" in tiny["problem"]
    assert site.imported() == set()


@pytest.mark.parametrize("name", ["Tiny", "a_b", "a,b", "a+b", "-a", "ä", "a b"])
def test_a_name_of_other_letters_is_refused(site: Site, name: str) -> None:
    site.install("tiny-plugin", {name: "tiny_module:Tiny"}, tiny_module=TINY_OF_ANY_NAME)
    assert f"is called {name};" in problem(name)
    assert "distribution=tiny-plugin 1.0" in problem(name)


@pytest.mark.parametrize("name", ["a:b", ":", "musicnn2:x"])
def test_a_name_with_options_is_refused(
    site: Site, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install("tiny-plugin", {name: "tiny_module:Tiny"}, tiny_module=TINY_OF_ANY_NAME)
    base = name.partition(":")[0]
    assert f"is called {name};" in problem(base)
    assert not listed(capsys)[base]["ready"]


TINY_OF_ANY_NAME = "class Tiny: pass"


def test_options_that_a_plugin_refuses_are_the_callers_fault(site: Site) -> None:
    body = "from recommender.embedders.options import complete; complete('tiny', {}, options)"
    site.tiny(NEW_INIT.format(body=body))
    with pytest.raises(InvalidParameterError, match="no option x=1"):
        create_embedder("tiny:x=1")
    assert create_embedder("tiny").spec.name == "tiny"


def test_weights_of_a_plugin_take_part(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.tiny(SOURCES)
    [source] = weights_of("tiny")
    assert sources()["tiny-one"] == source
    assert main(["weights", "list"]) == 0
    assert "weights fetch tiny-one" in capsys.readouterr().out


def test_weights_that_are_missing_are_said_so(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    lazy = "from recommender.weights_store import installed\n"
    digest = "dataclasses.replace(plain, weights_sha256=installed(WEIGHTS[0]).sha256)"
    site.tiny(f"{SOURCES}{lazy}import dataclasses\nplain = Tiny.spec\n"
              f"Tiny.spec = property(lambda _: {digest})")  # fmt: skip
    with pytest.raises(WeightsError, match="weights fetch tiny-one"):
        create_embedder("tiny").spec  # noqa: B018 - asking is enough
    fact = listed(capsys, "tiny")["tiny"]
    assert (fact["ready"], fact["dimension"], fact["weights"]) == (False, 2, {"tiny-one": False})


def test_weights_that_are_known_already_stay(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EMBEDDERS, "fake", "tests.weighted_embedder:Weighted")
    code = SOURCES.replace("tiny-one", "fake-one").replace("SOURCE,", "SOURCE, licence='mine',")
    site.install("evil", {"fake-one": "evil_module:Tiny"}, evil_module=TINY + code)
    assert weights_of("fake-one")[0].licence == "mine"
    assert sources()["fake-one"] == SOURCE


def test_a_broken_plugin_hides_no_weights(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.install("broken", {"broken": "broken_module:X"}, broken_module="raise RuntimeError")
    site.tiny(SOURCES)
    assert "tiny-one" in sources()
    assert main(["weights", "verify"]) == 0


def test_packages_that_a_plugin_wants_are_asked_for(site: Site) -> None:
    site.tiny("REQUIRES = ('nonesuch_package',)")
    with pytest.raises(MissingPackageError, match="pip install nonesuch_package"):
        require_packages("tiny")
