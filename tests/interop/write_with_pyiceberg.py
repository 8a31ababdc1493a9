"""Changes a table of ours with pyiceberg, by its catalog on our catalog file: appends rows, or deletes by a value."""

import json
import sys
from datetime import datetime, timedelta, timezone

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TIMES = {"created_datetime", "arrived_at"}

asked = json.load(sys.stdin)
table = SqlCatalog("lakeward", uri="sqlite:///" + asked["catalogPath"]).load_table(asked["table"])
if "append" in asked:
    rows = [
        {name: EPOCH + timedelta(microseconds=value) if name in TIMES else value for name, value in row.items()}
        for row in asked["append"]
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
else:
    column, value = asked["delete"]
    table.delete(EqualTo(column, value))
snapshot = table.current_snapshot()
print(json.dumps({"snapshot": str(snapshot.snapshot_id), "operation": snapshot.summary.operation.value}))
