"""Metadata of other distributions that are broken: their own problem, with their name on it."""

import pytest

from indexer.__main__ import main
from recommender.embedders import EMBEDDERS, create_embedder, embedder_names
from recommender.embedders.plugins import GROUP, installed_plugins
from recommender.errors import InvalidParameterError
from tests.plugin_sites import Site, listed, problem, site

__all__ = ["site"]
OURS = f"[{GROUP}]\n".encode()


@pytest.mark.parametrize(
    "content",
    [
        b"[console_scripts]\nno equals sign\n",
        b"no section = x:Y\n[other\n",
        b"\xff\xfe\x00",
        b"[other]\n\xe9 = a:B\n",
        b"",
    ],
)
def test_a_broken_file_without_our_group_says_nothing(
    site: Site, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    site.broken("bad", content)
    site.tiny()
    assert embedder_names() == [*EMBEDDERS, "tiny"]
    assert create_embedder("tiny").spec.name == "tiny"
    assert main(["weights", "list"]) == 0
    assert main(["embedders"]) == 0
    assert main(["reindex", "/nowhere", "--embedder", "nonesuch"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_line_without_a_value_is_blamed_on_its_distribution(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b"[console_scripts]\nbroken too\n" + OURS + b"# a comment\n\nbroken\n"
    site.broken("bad", lines + b"tiny = tiny_module:Tiny\n")
    site.install("other", {}, tiny_module="")
    facts = listed(capsys)
    assert facts["broken"]["distributions"] == ["bad 1.0"]
    assert not facts["broken"]["ready"]
    assert "distribution=bad 1.0 has an entry point that is no name = module" in problem("broken")
    assert facts["musicnn"]["ready"]
    assert "# a comment" not in facts


def test_letters_that_are_none_are_blamed_on_their_distribution(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.broken("bad", OURS + b"caf\xe9 = a:B\n")
    [name] = set(embedder_names()) - set(EMBEDDERS)
    assert "distribution=bad 1.0" in listed(capsys)[name]["problem"]


@pytest.mark.parametrize("metadata", [b"", b"Version: 1.0\n", b"\xff\xfe"])
def test_a_distribution_without_a_name_is_called_by_its_folder(site: Site, metadata: bytes) -> None:
    site.broken("bad", OURS + b"broken = nonesuch:X\n", metadata)
    assert f"distribution=unknown in {site.folder}" in problem("broken")


def test_of_two_installations_the_first_on_the_path_counts(site: Site) -> None:
    site.broken("a_b", OURS + b"tiny = first:Tiny\n")
    site.broken("A.B", OURS + b"tiny = second:Tiny\n")
    assert len([plugin for plugin in installed_plugins() if plugin.name == "tiny"]) == 1


@pytest.mark.parametrize("name", ["evil name", "plus+name", "\x1b[31mred", "a:b"])
def test_names_that_are_refused_are_not_offered(
    site: Site, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.broken("evil", OURS + f"{name} = os:path\nzither = os:path\n".encode())
    with pytest.raises(InvalidParameterError, match=r"max-local, zither$"):
        create_embedder("nonesuch")
    # and are told of all the same
    base = name.partition(":")[0]
    assert "evil 1.0" in listed(capsys)[base]["problem"]


def test_a_name_that_two_claim_is_not_offered(site: Site) -> None:
    site.broken("one", OURS + b"zither = os:path\n")
    site.broken("two", OURS + b"zither = os:path\n")
    with pytest.raises(InvalidParameterError, match=r"max-local$"):
        create_embedder("nonesuch")
