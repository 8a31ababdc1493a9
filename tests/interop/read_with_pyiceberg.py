"""Reads tables with pyiceberg, by each of the given catalogs and by metadata file alone, and says what it saw."""

import hashlib
import json
from collections import Counter
from datetime import datetime, timedelta, timezone

from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, In, LessThanOrEqual
from pyiceberg.table import StaticTable

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def value_of(table, column, value):
    if str(table.schema().find_field(column).field_type) != "timestamptz":
        return value
    return (EPOCH + timedelta(microseconds=value)).isoformat()


def expression(table, where):
    found = AlwaysTrue()
    for each in where:
        column = each["column"]
        if "min" in each:
            found = And(found, GreaterThanOrEqual(column, value_of(table, column, each["min"])))
        if "max" in each:
            found = And(found, LessThanOrEqual(column, value_of(table, column, each["max"])))
        if "in" in each:
            found = And(found, In(column, [value_of(table, column, value) for value in each["in"]]))
    return found


def micros(time):
    return (time - EPOCH) // timedelta(microseconds=1)


def digest(contents):
    hashes = sorted(hashlib.sha256(c if isinstance(c, bytes) else c.encode()).hexdigest() for c in contents)
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def contents(table, columns):
    rows = table.scan(selected_fields=tuple(columns.values())).to_arrow()
    times = [micros(time) for time in rows[columns["time"]].to_pylist()]
    return {
        "rows": rows.num_rows,
        "keys": len(set(rows[columns["key"]].to_pylist())),
        "groups": Counter(rows[columns["group"]].to_pylist()),
        "days": Counter(time // 86_400_000_000 for time in times),
        "micros": str(sum(times)),
        "digest": digest(rows[columns["content"]].to_pylist()),
    }


def pruning(table, filters):
    found = []
    for where in filters:
        scan = table.scan(row_filter=expression(table, where))
        files = sorted(task.file.file_path for task in scan.plan_files())
        found.append({"files": files, "rows": scan.count()})
    return found


def inspection(table):
    inspect = table.inspect
    return {
        "snapshots": [
            {
                "id": str(row["snapshot_id"]),
                "parent": None if row["parent_id"] is None else str(row["parent_id"]),
                "committed_ms": row["committed_at"].replace(tzinfo=timezone.utc).timestamp() * 1000,
                "operation": row["operation"],
                "manifestList": row["manifest_list"],
                "summary": dict(row["summary"]),
            }
            for row in inspect.snapshots().to_pylist()
        ],
        "history": [
            {"id": str(row["snapshot_id"]), "onMain": row["is_current_ancestor"]}
            for row in inspect.history().to_pylist()
        ],
        "refs": [{"name": row["name"], "id": str(row["snapshot_id"])} for row in inspect.refs().to_pylist()],
        "manifests": [
            {
                "files": row["added_data_files_count"] + row["existing_data_files_count"],
                "snapshot": str(row["added_snapshot_id"]),
            }
            for row in inspect.manifests().to_pylist()
        ],
        "partitions": sorted(
            (
                {
                    "partition": plain(row["partition"]),
                    "rows": row["record_count"],
                    "files": row["file_count"],
                    "size_bytes": row["total_data_file_size_in_bytes"],
                }
                for row in inspect.partitions().to_pylist()
            ),
            key=lambda row: json.dumps(row["partition"]),
        ),
        "files": sorted(
            (
                {
                    "location": row["file_path"],
                    "partition": plain(row["partition"]),
                    "rows": row["record_count"],
                    "size_bytes": row["file_size_in_bytes"],
                    "sortOrder": row["sort_order_id"],
                    "bounds": {
                        column: [plain_value(metrics["lower_bound"]), plain_value(metrics["upper_bound"])]
                        for column, metrics in row["readable_metrics"].items()
                    },
                }
                for row in inspect.files().to_pylist()
            ),
            key=lambda row: row["location"],
        ),
        "entries": len(inspect.entries()),
        "metadataLog": [row["file"] for row in inspect.metadata_log_entries().to_pylist()],
    }


def plain_value(value):
    if isinstance(value, datetime):
        return micros(value)
    if hasattr(value, "toordinal"):
        return value.toordinal() - EPOCH.toordinal()
    return value


def plain(partition):
    return [plain_value(value) for value in partition.values()]


def facts(table, asked):
    return {
        "format": table.metadata.format_version,
        "schema": [[f.field_id, f.name, str(f.field_type), f.required] for f in table.schema().fields],
        "spec": [[f.source_id, f.field_id, f.name, str(f.transform)] for f in table.spec().fields],
        "contents": contents(table, asked["columns"]),
        "pruning": pruning(table, asked["filters"]),
        "inspection": inspection(table),
    }


def names(catalog):
    return sorted(".".join(name) for ns in catalog.list_namespaces() for name in catalog.list_tables(ns))


def read(asked):
    catalogs = [load_catalog("lakeward", **properties) for properties in asked["catalogs"]]
    return {
        "byCatalogs": [
            {
                "names": names(catalog),
                "tables": [facts(catalog.load_table(table["name"]), table) for table in asked["tables"]],
            }
            for catalog in catalogs
        ],
        "byFile": [facts(StaticTable.from_metadata(table["location"]), table) for table in asked["tables"]],
    }


def prune(asked):
    return pruning(load_catalog("lakeward", **asked["catalog"]).load_table(asked["table"]), asked["filters"])
