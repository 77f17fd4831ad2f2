"""The bytes of maps: JSON as `MapJson` describes it, and the same packed.

Packed, it is a line of JSON, blanks before its end, so that it has a multiple of 4 bytes; then come
for all points, little-endian, their rows (uint32), x (uint16, 0 for -1 and 65535 for 1), y, and the
places of their groups in the legend (uint8, 255 for none).
"""

from typing import Any

import numpy as np
import orjson

from recommender.drawing import NO_GROUP, Drawing
from recommender.generation import Generation
from recommender.maps import method_for

_DECIMALS = 4
_FULL = 65_535
_ALIGNMENT = 4


def map_json(asked: bytes, generation: Generation, drawing: Drawing) -> bytes:
    """The JSON of `MapJson`."""
    places = drawing.places.astype(np.float64).round(_DECIMALS)
    groups = np.where(drawing.groups == NO_GROUP, -1, drawing.groups.astype(np.int64))
    return orjson.dumps(
        {
            "query": orjson.Fragment(asked),
            **_head(generation, drawing),
            "rows": drawing.rows.tolist(),
            "ids": generation.arrays.names(drawing.rows),
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "groups": groups.tolist(),
        }
    )


def map_packed(asked: bytes, generation: Generation, drawing: Drawing) -> bytes:
    """The same without ids, packed."""
    head = {"query": orjson.Fragment(asked), **_head(generation, drawing)}
    line = orjson.dumps(head | {"n_points": len(drawing.rows)})
    blanks = b" " * (-(len(line) + 1) % _ALIGNMENT)
    whole = ((drawing.places.astype(np.float64) + 1.0) / 2.0 * _FULL).round().astype("<u2")
    columns = (drawing.rows.astype("<u4"), whole[:, 0], whole[:, 1], drawing.groups)
    return line + blanks + b"\n" + b"".join(column.tobytes() for column in columns)


def map_tracks_json(generation: Generation, rows: tuple[int, ...]) -> bytes:
    """The JSON of `MapTracksJson`."""
    documents = generation.catalog.documents(rows)
    tracks = [{"row": row, "track": orjson.Fragment(text)} for row, text in documents.items()]
    return orjson.dumps({"generation": generation.manifest.generation, "tracks": tracks})


def _head(generation: Generation, drawing: Drawing) -> dict[str, Any]:
    return {
        "generation": generation.manifest.generation,
        "space": generation.manifest.space_id,
        "method": method_for(len(generation.arrays.neighbours.lists)),
        "n_tracks": drawing.n_tracks,
        "legend": [group._asdict() for group in drawing.legend],
        "warnings": drawing.warnings,
    }
