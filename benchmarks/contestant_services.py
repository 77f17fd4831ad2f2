"""Databases that people would pick instead of a library: milvus-lite and sqlite-vec."""

from typing import Any

import numpy as np

from benchmarks.contestants import CANDIDATES, LEAST, LINKS, Allowed, Contestant, Stock
from recommender.arrays import FloatArray, Rows

_ROWS = 1000


class Milvus(Contestant):
    """milvus-lite by pymilvus: its HNSW, asked over gRPC; filters are expressions on fields."""

    name, efforts, filters = "milvus-lite HNSW", (LEAST, 4096), True
    _COLLECTION = "tracks"

    def build(self, stock: Stock) -> None:
        """Insert in parts, flush, index, load."""
        from pymilvus import DataType, MilvusClient

        self._client = MilvusClient(str(self._folder / "milvus.db"))
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=stock.vectors.shape[1])
        for field in stock.fields:
            schema.add_field(field, DataType.FLOAT)
        self._client.create_collection(self._COLLECTION, schema=schema)
        for start in range(0, len(stock.vectors), _ROWS):
            rows = range(start, min(start + _ROWS, len(stock.vectors)))
            self._client.insert(self._COLLECTION, [_row(i, stock) for i in rows])
        self._client.flush(self._COLLECTION)
        # after the rows: an index that is there before is made later, in the background
        index = self._client.prepare_index_params()
        how = {"M": LINKS, "efConstruction": CANDIDATES}
        index.add_index("vector", index_type="HNSW", metric_type="IP", params=how)
        self._client.create_index(self._COLLECTION, index)
        self._client.load_collection(self._COLLECTION)

    def search(self, query: FloatArray, k: int) -> Rows:
        """One query."""
        return self._found(query[np.newaxis], k, "")

    def search_allowed(self, query: FloatArray, k: int, allowed: Allowed) -> Rows:
        """With the filter as an expression."""
        return self._found(query[np.newaxis], k, f"{allowed.field} < {allowed.below}")

    def batch(self, queries: FloatArray, k: int) -> None:
        """Its own call."""
        self._found(queries, k, "")

    def _found(self, queries: FloatArray, k: int, expression: str) -> Rows:
        found: Any = self._client.search(
            self._COLLECTION,
            list(queries),
            limit=k,
            filter=expression,
            output_fields=["id"],
            search_params={"params": {"ef": self.effort}},
        )
        return np.array([hit["id"] for hit in found[0]], np.int64)

    def n_bytes(self) -> int:
        """Of its folder."""
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())

    def close(self) -> None:
        """Remove what was built."""
        self._client.close()
        super().close()


def _row(number: int, stock: Stock) -> dict[str, Any]:
    numbers = {name: float(values[number]) for name, values in stock.fields.items()}
    return {"id": number, "vector": stock.vectors[number], **numbers}


class SqliteVec(Contestant):
    """sqlite-vec: exact search in SQLite, filtered by columns of its table."""

    name, filters = "sqlite-vec", True

    def build(self, stock: Stock) -> None:
        """Insert in one transaction."""
        # the sqlite3 of some Pythons loads no extensions
        import apsw
        import sqlite_vec

        self._database = apsw.Connection(str(self._file()))
        self._database.enable_load_extension(True)
        sqlite_vec.load(self._database)
        columns = "".join(f", {name} float" for name in stock.fields)
        self._database.execute(
            f"create virtual table tracks using vec0(id integer primary key{columns}, "
            f"vector float[{stock.vectors.shape[1]}] distance_metric=cosine)"
        )
        marks = ", ".join("?" for _ in range(2 + len(stock.fields)))
        values = (
            (row, *(float(of[row]) for of in stock.fields.values()), vector.tobytes())
            for row, vector in enumerate(stock.vectors)
        )
        with self._database:
            self._database.executemany(
                f"insert into tracks(id{''.join(f', {name}' for name in stock.fields)}, vector) "
                f"values({marks})",
                values,
            )

    def search(self, query: FloatArray, k: int) -> Rows:
        """One query, all vectors."""
        return self._found(query, k, "")

    def search_allowed(self, query: FloatArray, k: int, allowed: Allowed) -> Rows:
        """With the filter in the query."""
        return self._found(query, k, f"and {allowed.field} < {allowed.below}")

    def _found(self, query: FloatArray, k: int, condition: str) -> Rows:
        rows = self._database.execute(
            f"select id from tracks where vector match ? and k = ? {condition} order by distance",
            (query.tobytes(), k),
        )
        return np.array([row[0] for row in rows], np.int64)

    def n_bytes(self) -> int:
        """Of its file."""
        return self._file().stat().st_size

    def close(self) -> None:
        """Remove what was built."""
        self._database.close()
        super().close()
