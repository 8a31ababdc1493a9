"""Reads tables with DuckDB's own Iceberg reader, by metadata file, and says what it saw and how many files it opened."""

import json
import sys
from pathlib import Path

import duckdb
import duckdb_ext

connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
# In this order: iceberg asks for the other two, and would try to download what is not loaded.
for extension in ["avro", "httpfs", "iceberg"]:
    (file,) = [f for f in Path(list(duckdb_ext.__path__)[0]).glob(f"extensions/*/*/{extension}.duckdb_extension")]
    connection.execute(f"load '{file}'")
connection.execute("set timezone = 'UTC'")


def ask(sql):
    return connection.execute(sql).fetchall()


def contents(scan, columns):
    key, group, time, content = (columns[each] for each in ["key", "group", "time", "content"])
    ((rows, keys, micros, digest),) = ask(
        f"""select count(*), count(distinct {key}), sum(epoch_us({time}))::varchar,
              sha256(string_agg(sha256({content}), '' order by sha256({content}))) from {scan}"""
    )
    return {
        "rows": rows,
        "keys": keys,
        "groups": dict(ask(f"select {group}, count(*) from {scan} group by 1")),
        "days": dict(ask(f"select epoch_us({time}) // 86400000000, count(*) from {scan} group by 1")),
        "micros": micros,
        "digest": digest,
    }


def files_read(plan):
    own = plan.get("extra_info", {}).get("Total Files Read", 0)
    return int(own) + sum(files_read(child) for child in plan.get("children", []))


def pruning(scan, conditions):
    found = []
    for condition in conditions:
        counted = f"select count(*) from {scan} where {condition}"
        ((_, plan),) = ask(f"explain (analyze, format json) {counted}")
        found.append({"files": files_read(json.loads(plan)), "rows": ask(counted)[0][0]})
    return found


def facts(table):
    location = table["location"].replace("'", "''")
    scan = f"iceberg_scan('{location}')"
    snapshots = ask(f"select snapshot_id::varchar, sequence_number from iceberg_snapshots('{location}') order by 2")
    return {
        "columns": [list(row[:2]) for row in ask(f"describe select * from {scan}")],
        "contents": contents(scan, table["columns"]),
        "pruning": pruning(scan, table["conditions"]),
        "snapshots": [id for id, _ in snapshots],
        "files": sorted(row[0] for row in ask(f"select file_path from iceberg_metadata('{location}')")),
    }


print(json.dumps([facts(table) for table in json.load(sys.stdin)["tables"]]))
