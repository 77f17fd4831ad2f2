"""The documentation names everything there is, and nothing that is not."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import BaseModel

from api import schemas
from api.__main__ import _parser as api_parser
from api.app import create_app
from api.problems import KINDS
from api.questions import RecommendingQuestion
from indexer.__main__ import _parser as indexer_parser
from indexer.embedders_command import SMALLEST_NETWORK, as_if_present
from recommender import errors
from recommender.embedders import (
    EMBEDDERS,
    cost_of,
    create_embedder,
    embedder_module,
    parameters_of,
)
from recommender.index import recipes
from recommender.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command by name, those of a group as ``group command``."""
    return dict(commands_of(indexer_parser(Settings())))


def commands_of(
    parser: argparse.ArgumentParser, group: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield group + name, command
                yield from commands_of(command, f"{group}{name} ")


def flags(parser: argparse.ArgumentParser) -> set[str]:
    return {flag for action in parser._actions for flag in action.option_strings} - {"-h", "--help"}


def test_every_setting_is_documented_with_its_default() -> None:
    text = page("settings.md")
    for setting in fields(Settings):
        default = str(setting.default).lower() if setting.type is bool else str(setting.default)
        cell = f"`{default}`" if default else "none"
        assert f"| `{PREFIX}{setting.name.upper()}` | {cell} |" in text


def test_no_setting_is_documented_that_is_not_there() -> None:
    names = {PREFIX + setting.name.upper() for setting in fields(Settings)}
    for path in PAGES:
        assert set(re.findall(PREFIX + r"[A-Z_]+", path.read_text(encoding="utf-8"))) <= names


def test_every_command_and_flag_is_documented() -> None:
    text = page("cli.md")
    for name, parser in commands().items():
        assert f"`{name}" in text
        for flag in flags(parser):
            assert f"`{flag}" in text, flag
    for flag in flags(api_parser(Settings())):
        assert f"`{flag}" in text, flag


def test_no_flag_is_documented_that_is_not_there() -> None:
    parsers = [*commands().values(), api_parser(Settings())]
    known = set().union(*(flags(parser) for parser in parsers))
    assert set(re.findall(r"`(--[a-z-]+)", page("cli.md"))) <= known


def test_every_kind_of_index_is_documented_with_what_it_takes() -> None:
    for name, kind in recipes.KINDS.items():
        taken = f"{kind.bytes_per_vector(200):.0f} | {kind.least_rows or 'any'}"
        assert f"| `{name}` | {kind.purpose} | {taken} |" in page("cli.md")


def test_every_route_is_documented() -> None:
    text = page("api.md")
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            if method != "head":
                assert f"`{method.upper()} {path}" in text


def test_every_field_of_an_answer_is_documented() -> None:
    text = page("api.md")
    models = [model for model in vars(schemas).values() if isinstance(model, type)]
    answers = [model for model in models if issubclass(model, BaseModel)]
    for name in {name for model in answers for name in model.model_fields}:
        assert re.search(rf"`(\w+\.)?{name}`", text), name


def test_every_option_of_a_recommending_call_is_documented() -> None:
    for name in RecommendingQuestion.model_fields:
        assert f"| `{name}` |" in page("api.md")


def test_every_problem_and_every_reason_is_documented() -> None:
    for slug in KINDS:
        assert f"`{slug}`" in page("api.md")
    for kind in errors.AudioError.__subclasses__():
        assert f"`{kind.reason}`" in page("cli.md")
        assert kind.reason in KINDS


@pytest.mark.parametrize("name", EMBEDDERS)
def test_every_embedder_is_documented_with_its_dimension(name: str) -> None:
    with as_if_present(name):
        dimension = create_embedder(name).spec.frame_dimension
    assert f"| `{name}` | {dimension}:" in page("embedders.md")


@pytest.mark.parametrize("name", EMBEDDERS)
def test_every_embedder_is_documented_with_its_size_and_cost(name: str) -> None:
    costs = page("embedders.md").partition("## Cost, memory, parity")[2]
    [row] = re.findall(rf"^\| `{name}` \|(.*)$", costs, re.M)
    dimension, sizes, relative, *_ = (cell.strip() for cell in row.split("|"))
    with as_if_present(name):
        assert int(dimension) == create_embedder(name).spec.frame_dimension
    assert relative == f"{cost_of(name):g}"
    for number in parameters_of(name).values():
        assert number < SMALLEST_NETWORK or f"{number / 1e6:.3g}" in sizes


def test_every_option_of_every_embedder_is_documented_with_its_values() -> None:
    for name in EMBEDDERS:
        for option, values in getattr(embedder_module(name), "CHOICES", {}).items():
            pattern = rf"^\| `{name}` \| `{option}` \|(.*)$"
            [line] = re.findall(pattern, page("embedders.md"), re.M)
            assert set(re.findall(r"`([^`]+)`", line)) == set(values)


def test_the_error_tree_is_drawn_whole() -> None:
    drawn = set(re.findall(r"[A-Z]\w+Error", errors.__doc__ or ""))
    made = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.SoundalikeError)
    }
    assert drawn == made


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_place_is_left_to_be_filled(path: Path) -> None:
    assert not re.search(r"^[A-Z]+$|TODO|TBD", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_make_test_is_what_ci_runs() -> None:
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(), flags=re.MULTILINE)
