"""``weights`` as a user calls it: terms first, exit codes, JSON, what is found elsewhere."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indexer import weights_command, weights_listing
from indexer.__main__ import main
from recommender.embedders import EMBEDDERS, sources
from recommender.weights_fetch import Fetcher
from recommender.weights_store import Source, installed, store
from tests.file_server import Behaviour, serving_file
from tests.published_weights import CONTENT, NON_COMMERCIAL, SOURCE, TENSORS, UNVERIFIED


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "*")
    known(monkeypatch, SOURCE, UNVERIFIED, NON_COMMERCIAL)
    return tmp_path / "weights"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "a file.bin"
    path.write_bytes(CONTENT)
    return path


def known(monkeypatch: pytest.MonkeyPatch, *all_there_are: Source) -> None:
    by_name = {source.name: source for source in all_there_are}
    monkeypatch.setattr(weights_command, "sources", lambda: by_name)
    monkeypatch.setattr(weights_listing, "sources", lambda: by_name)
    monkeypatch.setattr(weights_listing, "wanted_by", lambda: {name: ["fake"] for name in by_name})


def trust(monkeypatch: pytest.MonkeyPatch, does: Behaviour) -> None:
    """Let the command ask the test's own server, as it would an https one."""
    known(monkeypatch, *(replace(s, url=does.url) for s in (SOURCE, UNVERIFIED, NON_COMMERCIAL)))
    fetcher = partial(Fetcher, trusts=lambda url: url == does.url, sleep=lambda _: None)
    monkeypatch.setattr(weights_command, "Fetcher", fetcher)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["weights", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_list_says_what_is_missing_and_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    store(UNVERIFIED, TENSORS, "")
    assert main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fake"
    assert lines[1].startswith("  fake-one  missing  CC BY 4.0  0.2 MB  trained on AudioSet")
    assert lines[2] == f"    from {SOURCE.url}; run: python -m indexer weights fetch fake-one"
    assert lines[3].startswith("  fake-unverified  present  CC BY 4.0  below 1 MB")
    assert "fake-nc  missing  CC BY-NC 4.0 (no commercial use)" in lines[4]
    assert lines[5].endswith("weights fetch fake-nc --accept-licence")


def test_a_size_that_is_not_known_is_that_of_the_numbers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known(monkeypatch, replace(UNVERIFIED, n_parameters=157_975_648))
    assert main(["weights", "list"]) == 0
    assert "  about 632 MB  " in capsys.readouterr().out
    [fact] = answer(capsys, "list")
    assert (fact["n_bytes"], fact["numbers_bytes"]) == (0, 631_902_592)


def test_list_as_json_holds_the_whole_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    store(SOURCE, TENSORS, "")
    first, second, _ = answer(capsys, "list")
    assert (first["name"], first["present"]) == ("fake-one", True)
    assert (first["digest"], first["attribution"]) == (SOURCE.digest, SOURCE.attribution)
    assert (second["present"], second["terms"]) == (False, ["--accept-unverified"])


def test_list_offers_what_another_package_has_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "home" / "panns_data" / SOURCE.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert main(["weights", "list"]) == 0
    [line] = [s for s in capsys.readouterr().out.splitlines() if f"add {SOURCE.name} " in s]
    assert line.strip().startswith(f"found at {path}; run: python -m indexer")
    command = shlex.split(line.partition("python -m indexer ")[2])
    assert main(command) == 0
    assert not installed(SOURCE).damage()


def test_list_without_any_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known(monkeypatch)
    assert main(["weights", "list"]) == 0
    assert "no embedder needs weights" in capsys.readouterr().out


def test_fetch_prints_the_licence_and_keeps_tensors_alone(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving_file(CONTENT) as does:
        trust(monkeypatch, does)
        assert main(["weights", "fetch", "fake-one"]) == 0
        printed = capsys.readouterr()
        assert "licence: CC BY 4.0" in printed.err
        assert "A. Author, 2020; trained on AudioSet" in printed.err
        assert f"made of {SOURCE.digest}" in printed.out
        assert len(list(folder.iterdir())) == 2
        kept = answer(capsys, "fetch", "fake-one")
    assert len(does.asked) == 1
    assert [one["sha256"] for one in kept] == [installed(SOURCE).sha256]


def test_fetch_replaces_damaged_weights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = store(SOURCE, TENSORS, "")
    kept.path.write_bytes(b"damaged")
    assert main(["weights", "verify"]) == 65
    assert "run: python -m indexer weights fetch fake-one" in capsys.readouterr().out
    with serving_file(CONTENT) as does:
        trust(monkeypatch, does)
        assert main(["weights", "fetch", "fake-one"]) == 0
    assert answer(capsys, "verify") == {"fake-one": ""}


@pytest.mark.parametrize(
    ("name", "flag"),
    [("fake-nc", "--accept-licence"), ("fake-unverified", "--accept-unverified")],
)
def test_what_needs_accepting_is_not_asked_for_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, flag: str
) -> None:
    with serving_file(CONTENT) as does:
        trust(monkeypatch, does)
        assert main(["weights", "fetch", name]) == 1
        assert f"add {flag}" in capsys.readouterr().err
        assert not does.asked
        assert main(["weights", "fetch", name, flag]) == 0


def test_a_converter_that_cannot_run_is_said_before_the_download(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving_file(CONTENT) as does:
        trust(monkeypatch, does)
        known(monkeypatch, replace(SOURCE, url=does.url, converter="nonesuch_package:convert"))
        assert main(["weights", "fetch", "fake-one"]) == 1
    assert not does.asked
    assert "pip install nonesuch_package" in capsys.readouterr().err


def test_a_failed_conversion_keeps_the_download_for_the_next_run(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    with serving_file(CONTENT) as does:
        trust(monkeypatch, does)
        crashing = "tests.published_weights:convert_with_a_crash"
        known(monkeypatch, replace(SOURCE, url=does.url, converter=crashing))
        assert main(["weights", "fetch", "fake-one"]) == 1
        trust(monkeypatch, does)
        assert main(["weights", "fetch", "fake-one"]) == 0
    assert len(does.asked) == 1
    assert not list(folder.glob("*.download"))


def test_add_takes_a_local_file_and_leaves_it(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = answer(capsys, "add", "fake-one", str(published))
    assert kept["origin"] == SOURCE.digest
    assert published.read_bytes() == CONTENT


def test_add_checks_as_fetch_does(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weights", "add", "fake-nc", str(published)]) == 1
    published.write_bytes(CONTENT[:-1] + b"?")
    assert main(["weights", "add", "fake-one", str(published)]) == 1
    assert "sha256=" in capsys.readouterr().err
    assert main(["weights", "add", "fake-one", str(tmp_path / "nonesuch")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


def test_verify_of_nothing_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify"]) == 0
    assert "holds nothing yet" in capsys.readouterr().out


def test_verify_finds_a_damaged_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(SOURCE, TENSORS, "")
    (folder / "fake-one.json").write_text("{")
    assert main(["weights", "verify"]) == 65
    assert "fake-one.json is no record" in capsys.readouterr().out


def test_unknown_weights_are_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["weights", "fetch", "nonesuch"]) == 2
    assert "use one of fake-one, fake-unverified, fake-nc, or the name of an embedder" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("arguments", [[], ["nonesuch"], ["fetch"], ["add", "fake-one"]])
def test_usage_errors_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["weights", *arguments])
    assert stop.value.code == 2


def test_sources_are_collected_from_the_modules_of_embedders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(EMBEDDERS, "fake", "tests.weighted_embedder:Weighted")
    collected = sources()
    assert collected["fake-one"] == SOURCE
    assert all(name == source.name for name, source in collected.items())


def test_what_is_not_published_by_https_is_to_be_added(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known(monkeypatch, replace(SOURCE, url="http://example.org/weights.bin"))
    assert main(["weights", "list"]) == 0
    assert "which is not https; run: python -m indexer weights add fake-one FILE" in (
        capsys.readouterr().out
    )
    assert main(["weights", "fetch", "fake-one"]) == 1
    assert "weights add fake-one FILE" in capsys.readouterr().err


def test_verify_takes_names_and_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    store(SOURCE, TENSORS, "")
    assert main(["weights", "verify", "fake-one"]) == 0
    assert capsys.readouterr().out == "fake-one: ok\n"
    assert main(["weights", "verify", "fake-one", "fake-nc"]) == 65
    out = capsys.readouterr().out
    assert "fake-one: ok" in out
    assert "weights=fake-nc are not in" in out
    assert "weights fetch fake-nc --accept-licence" in out


def test_collecting_sources_loads_no_torch() -> None:
    script = (
        "import sys\nfrom recommender.embedders import sources\nsources()\n"
        "print(*{'torch', 'tensorflow', 'transformers', 'h5py', 'av'} & sys.modules.keys())"
    )
    root = Path(__file__).parent.parent
    loaded = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert loaded.split() == []
