"""Changes the columns of our tables with pyiceberg, step by step, and says what it then reads."""

import json
import sys
from datetime import datetime, timedelta, timezone

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import DecimalType, DoubleType, FloatType, IntegerType, LongType, NestedField, StringType, StructType

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TYPES = {
    "string": StringType(),
    "int": IntegerType(),
    "long": LongType(),
    "float": FloatType(),
    "double": DoubleType(),
    "decimal(9, 2)": DecimalType(9, 2),
    "decimal(18, 2)": DecimalType(18, 2),
}


def type_of(said):
    if isinstance(said, str):
        return TYPES[said]
    fields = [NestedField(-1 - i, name, type_of(inner), required=False) for i, (name, inner) in enumerate(said.items())]
    return StructType(*fields)


STEPS = {
    "rename": lambda update, name, to: update.rename_column(name, to),
    "widen": lambda update, name, to: update.update_column(name, type_of(to)),
    "makeOptional": lambda update, name: update.make_column_optional(name),
    "moveFirst": lambda update, name: update.move_first(name),
    "add": lambda update, name, said: update.add_column(name, type_of(said)),
    "addNested": lambda update, path, said: update.add_column(tuple(path), type_of(said)),
    "addRequired": lambda update, name, said: update.add_column(name, type_of(said), required=True),
    "drop": lambda update, name: update.delete_column(name),
}

asked = json.load(sys.stdin)
catalog = SqlCatalog("lakeward", uri="sqlite:///" + asked["catalogPath"])
seen = {}
for name, change in asked["tables"].items():
    table = catalog.load_table(name)
    for method, *arguments in change.get("steps", []):
        with table.update_schema(allow_incompatible_changes=True) as update:
            STEPS[method](update, *arguments)
    if row := change.get("append"):
        row = {**row, "happened_at": EPOCH + timedelta(microseconds=row["happened_at"])}
        table.append(pa.Table.from_pylist([row], schema=table.schema().as_arrow()))
    if not change.get("read"):
        continue
    rows = table.scan().to_arrow()
    seen[name] = {
        "rows": rows.num_rows,
        "nonNull": {column: rows.num_rows - rows[column].null_count for column in rows.column_names},
        "snapshots": [
            [str(s.snapshot_id), table.scan(snapshot_id=s.snapshot_id).to_arrow().num_rows]
            for s in table.snapshots()
            if s.manifests(table.io)
        ],
    }
print(json.dumps(seen))
