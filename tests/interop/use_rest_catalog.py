"""Works with tables by the REST catalog of our server, as a program does that knows nothing of Lakeward."""

import json
import sys
from datetime import datetime, timezone

import pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.expressions import EqualTo
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType, TimestamptzType

NAME = "marts.by_python"


def rows(*numbers, kind="a"):
    at = datetime(2026, 1, 10, tzinfo=timezone.utc)
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("at", pa.timestamp("us", tz="UTC")),
            pa.field("kind", pa.string()),
        ]
    )
    return pa.Table.from_pylist([{"id": n, "at": at, "kind": kind} for n in numbers], schema=schema)


def ids(table):
    return sorted(table.scan(selected_fields=("id",)).to_arrow()["id"].to_pylist())


def create(catalog):
    catalog.create_namespace("marts", {"owner": "me"})
    schema = Schema(
        NestedField(10, "id", LongType(), required=True),
        NestedField(20, "at", TimestamptzType(), required=False),
        NestedField(30, "kind", StringType(), required=False),
    )
    spec = PartitionSpec(
        PartitionField(20, 1000, DayTransform(), "at_day"), PartitionField(30, 1001, IdentityTransform(), "kind")
    )
    table = catalog.create_table(NAME, schema, partition_spec=spec, properties={"made-by": "pyiceberg"})
    table.append(rows(1, 2), snapshot_properties={"by": "hand"})
    return {
        "ids": ids(table),
        "columns": [field.field_id for field in table.schema().fields],
        "by": table.current_snapshot().summary.additional_properties["by"],
        "namespaces": catalog.list_namespaces(),
        "tables": catalog.list_tables("marts"),
        "owner": catalog.load_namespace_properties("marts")["owner"],
    }


def stale(catalog):
    """Two that read the same version: the one that commits second is told so, and does it again."""
    first, second = catalog.load_table(NAME), catalog.load_table(NAME)
    # What it would do by itself is what this is about.
    second.metadata.properties["commit.retry.num-retries"] = "0"
    first.append(rows(3))
    try:
        second.append(rows(4))
        refused = False
    except CommitFailedException:
        refused = True
        second.refresh()
        second.append(rows(4))
    return {"refused": refused, "ids": ids(second)}


def evolve(catalog):
    table = catalog.load_table(NAME)
    with table.update_schema() as update:
        update.add_column("size", LongType(), "how large")
        update.rename_column("kind", "sort")
    table.overwrite(
        pa.Table.from_pylist([{"id": 9, "at": None, "sort": "b", "size": 7}], schema=table.schema().as_arrow()),
        overwrite_filter=EqualTo("id", 1),
    )
    table.delete(EqualTo("id", 2))
    with table.transaction() as transaction:
        transaction.set_properties({"changed": "yes"})
    return {"ids": ids(table), "columns": table.schema().column_names, "changed": table.properties["changed"]}


def expire(catalog):
    table = catalog.load_table(NAME)
    table.manage_snapshots().create_tag(table.history()[0].snapshot_id, "first").commit()
    current = table.current_snapshot().snapshot_id
    kept = {current, table.refs()["first"].snapshot_id}
    table.maintenance.expire_snapshots().by_ids(
        [snapshot.snapshot_id for snapshot in table.snapshots() if snapshot.snapshot_id not in kept]
    ).commit()
    again = catalog.load_table(NAME)
    return {
        "snapshots": len(again.snapshots()),
        "current": str(again.current_snapshot().snapshot_id),
        "ids": ids(again),
        "first": sorted(again.scan(snapshot_id=again.refs()["first"].snapshot_id).to_arrow()["id"].to_pylist()),
    }


def ours(catalog):
    """A table that Lakeward wrote: read, and appended to."""
    table = catalog.load_table(asked["table"])
    found = table.scan(row_filter=EqualTo(*asked["where"])).to_arrow()
    row = found.slice(0, 1)
    position = row.schema.get_field_index("event_uuid")
    changed = row.set_column(position, row.schema.field(position), pa.array([asked["uuid"]], row.schema.field(position).type))
    table.append(changed.cast(table.schema().as_arrow()))
    return {"rows": found.num_rows, "files": len(list(table.scan(row_filter=EqualTo(*asked["where"])).plan_files()))}


def finish(catalog):
    catalog.rename_table(NAME, "marts.renamed")
    seen = ids(catalog.load_table("marts.renamed"))
    catalog.purge_table("marts.renamed")
    try:
        catalog.load_table("marts.renamed")
        gone = False
    except NoSuchTableError:
        gone = True
    catalog.drop_namespace("marts")
    return {"ids": seen, "gone": gone, "namespaces": catalog.list_namespaces()}


STEPS = {"create": create, "stale": stale, "evolve": evolve, "expire": expire, "ours": ours, "finish": finish}
asked = json.load(sys.stdin)
client = RestCatalog("lakeward", uri=asked["uri"], token=asked["token"])
print(json.dumps({step: STEPS[step](client) for step in asked["steps"]}))
