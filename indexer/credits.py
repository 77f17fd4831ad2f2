"""ATTRIBUTION.csv: licences, credits and curated names that a music folder brings along."""

import csv
import os
from collections.abc import Sequence

from recommender.errors import InvalidParameterError
from recommender.library_tables import CREDIT_FIELDS

FILE_NAME = b"ATTRIBUTION.csv"
MAX_FIELD = 500


def read_credits(roots: Sequence[bytes]) -> dict[bytes, dict[str, str]]:
    """Credit fields by absolute path, from the ATTRIBUTION.csv at the top of each folder.

    Columns are ``path`` (relative to the folder) and any of title, artist, album, licence and
    attribution; others are ignored. Non-empty fields outrank the tags of the file.

    Raises
    ------
    InvalidParameterError
        The file is not UTF-8, or has no column ``path``.
    """
    found: dict[bytes, dict[str, str]] = {}
    for root in roots:
        path = os.path.join(root, FILE_NAME)
        if os.path.isfile(path):
            found.update(_read(root, path))
    return found


def _read(root: bytes, path: bytes) -> dict[bytes, dict[str, str]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if "path" not in (reader.fieldnames or ()):
                raise InvalidParameterError(f"{os.fsdecode(path)} has no column named path")
            return {
                os.path.join(root, os.fsencode(row["path"])): _fields(row)
                for row in reader
                if row["path"]
            }
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidParameterError(f"{os.fsdecode(path)} is not UTF-8 CSV: {error}") from error


def _fields(row: dict[str, str]) -> dict[str, str]:
    return {name: (row.get(name) or "").strip()[:MAX_FIELD] for name in CREDIT_FIELDS}
