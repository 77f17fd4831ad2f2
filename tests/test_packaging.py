"""The distribution: three packages whose names nobody else may own, and a command that starts."""

import importlib
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["recommender", "indexer", "api"]


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_wheel_holds_the_three_packages(pyproject: dict[str, Any]) -> None:
    assert pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES


def test_it_cannot_be_uploaded_by_accident(pyproject: dict[str, Any]) -> None:
    # names as general as these would break other people's programs
    assert "Private :: Do Not Upload" in pyproject["project"]["classifiers"]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_a_package_of_ours(
    package: str, pyproject: dict[str, Any]
) -> None:
    owners = set(packages_distributions().get(package, []))
    assert owners <= {pyproject["project"]["name"]}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_under_test_are_those_of_this_folder(package: str) -> None:
    assert Path(importlib.import_module(package).__path__[0]) == ROOT / package


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_of_tests_hides_a_package(package: str) -> None:
    assert not (ROOT / "tests" / package).exists()
    assert (ROOT / "tests" / "__init__.py").is_file()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert (ROOT / package / "__init__.py").is_file()


def test_every_console_script_resolves(pyproject: dict[str, Any]) -> None:
    scripts = pyproject["project"]["scripts"]
    assert "soundalike" in scripts
    for target in scripts.values():
        module, name = target.split(":")
        command: Callable[..., object] = getattr(importlib.import_module(module), name)
        assert callable(command)


def test_the_licence_files_are_there(pyproject: dict[str, Any]) -> None:
    missing = [f for f in pyproject["project"]["license-files"] if not (ROOT / f).is_file()]
    assert missing == []


def test_what_is_imported_is_declared(pyproject: dict[str, Any]) -> None:
    declared = {
        requirement.replace(">", " ").replace("=", " ").replace("<", " ").split()[0]
        for requirement in pyproject["project"]["dependencies"]
    }
    for needed in (
        "numpy",
        "faiss-cpu",
        "sqlalchemy",
        "alembic",
        "fastapi",
        "uvicorn",
        "python-multipart",
    ):
        assert needed in declared
