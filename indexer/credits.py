"""ATTRIBUTION.csv: licences, credits and curated names that a music folder brings along."""

import csv
import os

from indexer.plan import is_below
from recommender.errors import InvalidParameterError
from recommender.library_tables import CREDIT_FIELDS
from recommender.tags import clean_text

FILE_NAME = b"ATTRIBUTION.csv"


def read_credits(root: bytes) -> dict[bytes, dict[str, str]]:
    """Credit fields by absolute path, from the ATTRIBUTION.csv at the top of a music folder.

    Columns are ``path`` (relative to the folder) and any of title, artist, album, composer,
    licence and attribution; others are ignored. Non-empty fields outrank the tags of the file.

    Raises
    ------
    InvalidParameterError
        The file is not UTF-8, or has no column ``path``.
    """
    path = os.path.join(root, FILE_NAME)
    if not os.path.isfile(path):
        return {}
    try:
        # with or without the mark that spreadsheets put first
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "path" not in (reader.fieldnames or ()):
                raise InvalidParameterError(f"{os.fsdecode(path)} has no column named path")
            rows = {_absolute(root, row["path"]): _fields(row) for row in reader if row["path"]}
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidParameterError(f"{os.fsdecode(path)} is not UTF-8 CSV: {error}") from error
    # a folder speaks for its own files only
    return {path: fields for path, fields in rows.items() if is_below(path, [root])}


def _absolute(root: bytes, path: str) -> bytes:
    return os.path.normpath(os.path.join(root, os.fsencode(path)))


def _fields(row: dict[str, str]) -> dict[str, str]:
    return {name: clean_text(row.get(name) or "") for name in CREDIT_FIELDS}
