"""
pyiceberg for as long as stdin lasts: one JSON document a line names a question, one a line on stdout answers it.
"""

import json
import os
import struct
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable
from read_with_pyiceberg import prune, read
from write_with_pyiceberg import change

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def path_of(location):
    return location.removeprefix("file://")


def avro(location):
    with open(path_of(location), "rb") as file:
        reader = fastavro.reader(file)
        header = {key: value if isinstance(value, str) else value.decode() for key, value in reader.metadata.items()}
        return header, list(reader)


def plain(value):
    """Maps of Iceberg are lists of pairs in Avro; what has no JSON becomes text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return (value.replace(tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return value.toordinal() - EPOCH.toordinal()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float):
        return struct.pack("<d", value).hex()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict) and set(value[0]) == {"key", "value"}:
        return {str(each["key"]): plain(each["value"]) for each in value}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def file_of(location):
    header, records = avro(location)
    schema = json.loads(header.pop("avro.schema"))
    return {"header": header, "schema": schema, "records": plain(records)}


def dump(asked):
    """Every snapshot's manifest list, and the manifests that it brought, as Avro: no Iceberg library takes part."""
    with open(path_of(asked["metadata"])) as file:
        metadata = json.load(file)
    found = []
    for snapshot in metadata["snapshots"]:
        listed = file_of(snapshot["manifest-list"])
        own = [m for m in listed["records"] if m["added_snapshot_id"] == snapshot["snapshot-id"]]
        found.append(
            {
                "id": str(snapshot["snapshot-id"]),
                "number": snapshot["sequence-number"],
                "summary": snapshot["summary"],
                "list": listed,
                "manifests": [file_of(manifest["manifest_path"]) for manifest in own],
            }
        )
    return found


class Mirror:
    """A table of pyiceberg's own, with the schema, the spec and the order of another."""

    def __init__(self, folder, like, properties):
        os.makedirs(folder)
        source = StaticTable.from_metadata(like)
        catalog = SqlCatalog("mirror", uri=f"sqlite:///{folder}/catalog.sqlite", warehouse=f"file://{folder}")
        catalog.create_namespace("mirror")
        self.table = catalog.create_table(
            "mirror.table",
            Schema(*source.schema().fields),
            partition_spec=source.spec(),
            sort_order=source.sort_order(),
            properties=properties,
        )
        self.arrow = self.table.schema().as_arrow()

    def append(self, rows):
        self.table.append(rows.cast(self.arrow))


def mirror_commits(asked):
    """Appends, commit by commit, the rows of the files that the other table's commits brought, in their order."""
    mirror = Mirror(asked["folder"], asked["metadata"], asked["properties"])
    for snapshot in dump(asked):
        files = [e["data_file"]["file_path"] for m in snapshot["manifests"] for e in m["records"]]
        tables = [pq.read_table(path_of(file), partitioning=None).select(mirror.arrow.names) for file in files]
        mirror.append(pa.concat_tables([mirror.arrow.empty_table(), *(t.cast(mirror.arrow) for t in tables)]))
    return {"metadata": mirror.table.metadata_location}


QUESTIONS = {
    "dump": dump,
    "mirrorCommits": mirror_commits,
    "read": read,
    "prune": prune,
    "change": change,
}

# What libraries print goes to stderr; stdout is for answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    ((name, asked),) = json.loads(line).items()
    try:
        said = {"answer": QUESTIONS[name](asked)}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), file=answers, flush=True)
