"""What is said of the index of a generation: how it was asked for, made and measured."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from recommender.manifest import Manifest


def index_facts(manifest: Manifest) -> dict[str, Any]:
    """The index of a generation as plain values."""
    record = manifest.index
    return {
        "kind": record.recipe.kind,
        "factory": record.recipe.factory,
        "dimension": manifest.dimension,
        "rows": manifest.n_rows,
        "dead_rows": manifest.n_rows - manifest.n_tracks,
        "added_rows": manifest.n_rows - record.n_built,
        "parent": manifest.parent,
        **asdict(record.measurement),
        "options": asdict(record.options),
        "warnings": list(record.recipe.warnings),
        "segments": _segment_facts(manifest),
    }


def _segment_facts(manifest: Manifest) -> dict[str, Any] | None:
    record = manifest.index.segments
    if record is None:
        return None
    return {
        "windows": record.n_windows,
        "tracks": record.n_tracks,
        "step_seconds": record.step_seconds,
        "kind": record.recipe.kind,
        "recall_at_10": record.measurement.recall_at_10,
        "bytes": manifest.bytes_of(record.files),
    }


def index_lines(fact: Mapping[str, Any]) -> Iterator[str]:
    """An index in a line, from :func:`index_facts`, and a line for each warning."""
    rows = "1 row" if fact["rows"] == 1 else f"{fact['rows']} rows"
    dead = f", {fact['dead_rows']} dead" if fact["dead_rows"] else ""
    yield f"index {fact['kind']}, {rows}{dead}; {_measured(fact)}; {_made(fact)}"
    if segments := fact["segments"]:
        yield (
            f"segments {segments['kind']}, {segments['windows']} windows of {segments['tracks']} "
            f"tracks, one every {segments['step_seconds']:.1f} s, {segments['bytes']} bytes"
        )
    for warning in fact["warnings"]:
        yield f"warning: {warning}"


def curve_lines(fact: Mapping[str, Any]) -> Iterator[str]:
    """What was measured at each effort, as a table; nothing when there was no choice."""
    if len(fact["curve"]) < 2:
        return
    yield "  effort  recall@10  recall@100       ms"
    for point in fact["curve"]:
        mark = "*" if point["effort"] == fact["effort"] else " "
        yield (
            f"{mark} {point['effort']:6}  {point['recall_at_10']:9.4f}  "
            f"{point['recall_at_100']:10.4f}  {point['milliseconds']:7.3f}"
        )


def _measured(fact: Mapping[str, Any]) -> str:
    if not fact["queries"]:
        return "not measured"
    effort = f" at effort {fact['effort']}" if fact["effort"] else ""
    listed = fact["listed_recall_at_10"]
    lists = "" if listed is None else f"lists of neighbours @10 {listed:.4f}, "
    return (
        f"recall@10 {fact['recall_at_10']:.4f}, @100 {fact['recall_at_100']:.4f}{effort}, {lists}"
        f"{fact['milliseconds']:.3f} ms a query, {fact['bytes_per_vector']:.0f} bytes of the index "
        f"for a vector of {fact['dimension']} numbers"
    )


def _made(fact: Mapping[str, Any]) -> str:
    return f"an update of {fact['parent']}" if fact["parent"] else "built as a whole"
