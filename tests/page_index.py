"""Indexes that the page's stand-in server says it has."""

from typing import Any


def _point(effort: int, recall_at_10: float, milliseconds: float) -> dict[str, Any]:
    recall = {"recall_at_10": recall_at_10, "recall_at_100": recall_at_10 - 0.01}
    return {"effort": effort, "milliseconds": milliseconds} | recall


EXACT: dict[str, Any] = {
    "kind": "flat",
    "factory": "Flat",
    "target_recall": 0.98,
    "measurement": _point(0, 1.0, 0.0123)
    | {"recall_at_100": 1.0, "queries": 60, "bytes_per_vector": 800.4, "curve": [_point(0, 1, 1)]}
    | {"listed_recall_at_10": 1.0},
    "warnings": [],
}
UNMEASURED = EXACT | {"measurement": None}
GRAPH = EXACT | {
    "kind": "hnsw",
    "factory": "HNSW32",
    "measurement": _point(32, 0.98996, 0.0521)
    | {"queries": 400, "bytes_per_vector": 1083.6, "listed_recall_at_10": 0.9961}
    | {"curve": [_point(16, 0.9512, 0.031), _point(32, 0.9911, 0.0521)]},
    "warnings": ["index=ivf-pq needs 1,000 tracks; it is hnsw"],
}
