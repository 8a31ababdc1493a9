"""Reads marts with pyiceberg: columns, partitions, rows, and what a filter leaves."""

import json
import sys

from pyiceberg.catalog import load_catalog

asked = json.load(sys.stdin)
catalog = load_catalog("lakeward", **asked["catalog"])
table = catalog.load_table(asked["name"])
rows = table.scan().to_arrow().to_pylist()
filtered = table.scan(row_filter=asked["filter"])
print(
    json.dumps(
        {
            "schema": {field.name: str(field.field_type) for field in table.schema().fields},
            "spec": [[field.name, str(field.transform)] for field in table.spec().fields],
            "rows": sorted(([str(value) for value in row.values()] for row in rows)),
            "files": len(list(filtered.plan_files())),
            "filtered": filtered.to_arrow().num_rows,
        }
    )
)
