"""Published files: verified, converted, and found where other packages keep them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.errors import MissingPackageError, WeightsError
from recommender.weights_intake import (
    as_found,
    check_terms,
    converter_of,
    file_digests,
    found_elsewhere,
    take_in,
    verified,
)
from recommender.weights_store import is_installed
from tests.published_weights import CONTENT, SOURCE, TENSORS


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "TORCH_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(CONTENT)
    return path


def test_a_published_file_becomes_tensors(published: Path) -> None:
    kept = take_in(SOURCE, published)
    np.testing.assert_array_equal(kept.load()["dense/bias"], TENSORS["dense/bias"])
    assert kept.origin == SOURCE.digest
    assert published.exists()


@pytest.mark.parametrize(
    "digest",
    [
        f"sha256:{hashlib.sha256(CONTENT).hexdigest()}",
        f"sha512:{hashlib.sha512(CONTENT).hexdigest().upper()}",
        f"md5:{hashlib.md5(CONTENT).hexdigest()}",
        f"git-sha1:{hashlib.sha1(b'blob %d' % len(CONTENT) + bytes(1) + CONTENT).hexdigest()}",
    ],
)
def test_every_kind_of_digest_is_checked(published: Path, digest: str) -> None:
    source = replace(SOURCE, digest=digest)
    assert verified(source, published) == SOURCE.digest
    published.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(WeightsError, match=f"{digest.partition(':')[0]}=.* should be"):
        verified(source, published)


def test_known_digests(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert file_digests(tmp_path / "empty", {"md5", "git-sha1"}) == {
        "md5": "d41d8cd98f00b204e9800998ecf8427e",
        "git-sha1": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    }


def test_another_size_is_refused_before_it_is_read(published: Path) -> None:
    published.write_bytes(CONTENT + b"?")
    with pytest.raises(WeightsError, match=r"n_bytes=\d+ of weights.bin should be"):
        take_in(SOURCE, published)


def test_nothing_is_parsed_that_is_not_verified(published: Path) -> None:
    published.write_bytes(CONTENT[:-1] + b"?")
    crashing = replace(SOURCE, converter="tests.published_weights:convert_with_a_crash")
    with pytest.raises(WeightsError, match="should be"):
        take_in(crashing, published)


@pytest.mark.parametrize(
    ("converter", "words"),
    [
        ("convert_with_a_crash", "cannot be converted from weights.bin: KeyError"),
        ("convert_to_doubles", "tensor=dense/bias of .* is not finite float32"),
    ],
)
def test_a_failed_conversion_stores_nothing(published: Path, converter: str, words: str) -> None:
    source = replace(SOURCE, converter=f"tests.published_weights:{converter}")
    with pytest.raises(WeightsError, match=words):
        take_in(source, published)
    assert not is_installed(source)


def test_a_missing_package_is_named() -> None:
    source = replace(SOURCE, converter="nonesuch_package:convert")
    with pytest.raises(MissingPackageError, match="pip install nonesuch_package"):
        converter_of(source)


def test_terms_must_be_accepted() -> None:
    strict = replace(SOURCE, commercial=False, digest="")
    with pytest.raises(WeightsError, match="--accept-licence"):
        check_terms(strict, accept_licence=False, accept_unverified=True)
    with pytest.raises(WeightsError, match="--accept-unverified"):
        check_terms(strict, accept_licence=True, accept_unverified=False)
    check_terms(strict, accept_licence=True, accept_unverified=True)
    check_terms(SOURCE, accept_licence=False, accept_unverified=False)


@pytest.mark.parametrize(
    "place",
    [
        "panns_data",
        ".cache/torch/hub/checkpoints",
        ".cache/torch/hub/owner_model_v1",
        ".cache/huggingface/hub/models--owner--model/snapshots/0123",
    ],
)
def test_files_of_other_packages_are_found(tmp_path: Path, place: str) -> None:
    path = tmp_path / "home" / place / SOURCE.file_name
    assert found_elsewhere(SOURCE) is None
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[1:])
    assert found_elsewhere(SOURCE) is None
    path.write_bytes(CONTENT)
    assert found_elsewhere(SOURCE) == path


def test_the_openl3_package_is_looked_into_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "openl3"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / SOURCE.file_name).write_bytes(CONTENT)
    monkeypatch.syspath_prepend(package.parent)
    assert found_elsewhere(SOURCE) == package / SOURCE.file_name


def test_an_unpacked_file_is_found_and_has_no_published_digest(tmp_path: Path) -> None:
    packed = replace(SOURCE, file_name="weights.bin.gz")
    path = tmp_path / "home" / "panns_data" / "weights.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert found_elsewhere(packed) == path
    form = as_found(packed, path)
    with pytest.raises(WeightsError, match="--accept-unverified"):
        check_terms(form, accept_licence=False, accept_unverified=False)
    assert take_in(form, path).origin == SOURCE.digest
    assert as_found(packed, path.with_name("weights.bin.gz")) == packed
    assert as_found(SOURCE, path) == SOURCE
