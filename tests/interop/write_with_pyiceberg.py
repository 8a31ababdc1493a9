"""Changes a table of ours with pyiceberg, by the given catalog. One change a call."""

from datetime import datetime, timedelta, timezone

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, LessThan
from pyiceberg.types import StringType

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TIMES = {"created_datetime", "arrived_at"}


def append(table, rows):
    rows = [
        {name: EPOCH + timedelta(microseconds=value) if name in TIMES else value for name, value in row.items()}
        for row in rows
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))


def delete_partition(table, day, type_):
    start = EPOCH + timedelta(days=day)
    in_day = And(
        GreaterThanOrEqual("created_datetime", start.isoformat()),
        LessThan("created_datetime", (start + timedelta(days=1)).isoformat()),
    )
    table.delete(And(in_day, EqualTo("event_type", type_)))


def expire(table):
    """All but the current one."""
    current = table.current_snapshot().snapshot_id
    older = [s.snapshot_id for s in table.snapshots() if s.snapshot_id != current]
    table.maintenance.expire_snapshots().by_ids(older).commit()


def evolve(table, change):
    with table.update_schema() as update:
        change(update)


CHANGES = {
    "append": append,
    "delete": lambda table, value: table.delete(EqualTo(*value)),
    "deletePartition": lambda table, value: delete_partition(table, *value),
    "addColumn": lambda table, name: evolve(table, lambda update: update.add_column(name, StringType())),
    "renameColumn": lambda table, names: evolve(table, lambda update: update.rename_column(*names)),
    "expire": lambda table, _: expire(table),
}

def change(asked):
    table = load_catalog("lakeward", **asked["catalog"]).load_table(asked["table"])
    for name, value in asked["change"].items():
        CHANGES[name](table, value)
    snapshot = table.current_snapshot()
    rows = table.scan().to_arrow()
    return {
        "operation": snapshot.summary.operation.value,
        "snapshots": len(table.snapshots()),
        "columns": rows.column_names,
        "nonNull": {name: rows.num_rows - rows[name].null_count for name in rows.column_names},
    }
