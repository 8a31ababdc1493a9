"""
Compares every file of a table's current snapshot with what the Iceberg spec says about it and with what the table's
metadata claims of it: metadata, manifest list, manifests (as Avro), data files (as Parquet). No Iceberg library takes
part. Prints one line per finding.
"""

import json
import os
import struct
import sys
from datetime import datetime, timedelta, timezone

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ARROW = {
    "string": pa.string(),
    "double": pa.float64(),
    "int": pa.int32(),
    "binary": pa.binary(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
DECODE = {
    "string": lambda b: b.decode(),
    "double": lambda b: struct.unpack("<d", b)[0],
    "int": lambda b: struct.unpack("<i", b)[0],
    "date": lambda b: struct.unpack("<i", b)[0],
    "timestamptz": lambda b: struct.unpack("<q", b)[0],
    "binary": lambda b: b,
}
BOUND_LENGTH = 16
findings = []


def expect(what, is_so, *why):
    if not is_so:
        findings.append(": ".join([what, *map(str, why)]))


def path_of(location):
    return location.removeprefix("file://")


def avro(location):
    with open(path_of(location), "rb") as file:
        reader = fastavro.reader(file)
        header = {key: value if isinstance(value, str) else value.decode() for key, value in reader.metadata.items()}
        return header, json.loads(header["avro.schema"]), list(reader)


def without_ids(schema, at=""):
    """Where an Avro schema lacks the ids by which Iceberg finds fields."""
    if isinstance(schema, list):
        return [missing for each in schema for missing in without_ids(each, at)]
    if not isinstance(schema, dict):
        return []
    if schema["type"] == "record":
        own = [f"{at}.{f['name']}" for f in schema["fields"] if "field-id" not in f]
        return own + [m for f in schema["fields"] for m in without_ids(f["type"], f"{at}.{f['name']}")]
    if schema["type"] == "array":
        own = [] if "element-id" in schema or schema.get("logicalType") == "map" else [f"{at}[]"]
        return own + without_ids(schema["items"], f"{at}[]")
    return without_ids(schema["type"], at) if isinstance(schema["type"], (dict, list)) else []


def field(schema, name):
    (found,) = [f for f in schema["fields"] if f["name"] == name]
    return found


def record_in(type_):
    return next(each for each in (type_ if isinstance(type_, list) else [type_]) if isinstance(each, dict))


def check_metadata(metadata):
    snapshots = {s["snapshot-id"]: s for s in metadata["snapshots"]}
    current = metadata["current-snapshot-id"]
    schema = next(s for s in metadata["schemas"] if s["schema-id"] == metadata["current-schema-id"])
    expect("format", metadata["format-version"] == 2)
    expect("main", metadata["refs"]["main"] == {"snapshot-id": current, "type": "branch"}, metadata["refs"])
    expect("snapshot log", metadata["snapshot-log"][-1]["snapshot-id"] == current)
    expect("last column id", metadata["last-column-id"] == max(f["id"] for f in schema["fields"]))
    expect("ids are 63 bit", all(0 < id < 2**63 for id in snapshots))
    parent = None
    for number, snapshot in enumerate(metadata["snapshots"], 1):
        expect("sequence number", snapshot["sequence-number"] == number, snapshot)
        expect("parent", snapshot.get("parent-snapshot-id") == parent, snapshot)
        expect("time", snapshot["timestamp-ms"] <= metadata["last-updated-ms"], snapshot)
        parent = snapshot["snapshot-id"]
    expect("last sequence number", metadata["last-sequence-number"] == len(metadata["snapshots"]))
    return snapshots[current], schema


def check_list(metadata, snapshot):
    header, schema, manifests = avro(snapshot["manifest-list"])
    expect("list header", header["snapshot-id"] == str(snapshot["snapshot-id"]), header)
    expect("list header", header["sequence-number"] == str(snapshot["sequence-number"]), header)
    expect("list header", header["parent-snapshot-id"] == str(snapshot.get("parent-snapshot-id", "null")), header)
    expect("list header", header["format-version"] == "2", header)
    expect("list record", schema["name"] == "manifest_file", schema["name"])
    expect("list field ids", without_ids(schema) == [], without_ids(schema))
    for manifest in manifests:
        check_manifest(metadata, manifest)
    return manifests


def check_manifest(metadata, manifest):
    location = manifest["manifest_path"]
    header, schema, entries = avro(location)
    spec = specs_of(metadata)[manifest["partition_spec_id"]]
    expect("manifest length", manifest["manifest_length"] == os.path.getsize(path_of(location)), location)
    expect("manifest schema", json.loads(header["schema"]) in metadata["schemas"], header["schema"])
    expect("manifest schema id", header["schema-id"] == "0", header)
    expect("manifest spec", json.loads(header["partition-spec"]) == spec["fields"], header["partition-spec"])
    expect("manifest spec id", header["partition-spec-id"] == str(spec["spec-id"]), header)
    expect("manifest format", (header["format-version"], header["content"]) == ("2", "data"), header)
    expect("manifest field ids", without_ids(schema) == [], without_ids(schema))
    data_file = record_in(field(schema, "data_file")["type"])
    partition = record_in(field(data_file, "partition")["type"])
    names = [schema["name"], data_file["name"], partition["name"]]
    expect("manifest records", names == ["manifest_entry", "r2", "r102"], names)
    expect("partition fields", [f["name"] for f in partition["fields"]] == [f["name"] for f in spec["fields"]], partition)
    for each in spec["fields"]:
        if each["transform"] == "day":
            day = field(partition, each["name"])["type"]
            expect("day is a date", record_in(day) == {"type": "int", "logicalType": "date"}, day)
    check_counts(manifest, entries)
    check_partitions(manifest, [list(e["data_file"]["partition"].values()) for e in entries], spec)


def check_counts(manifest, entries):
    for status, name in enumerate(["existing", "added", "deleted"]):
        files = [e["data_file"] for e in entries if e["status"] == status]
        expect(f"{name} files", manifest[f"{name}_files_count"] == len(files), manifest)
        expect(f"{name} rows", manifest[f"{name}_rows_count"] == sum(f["record_count"] for f in files), manifest)
    for entry in entries:
        numbers = [entry["snapshot_id"], entry["file_sequence_number"]]
        if entry["status"] == 1:
            # Only a file that replaces others says a sequence number: theirs, which is older than its own snapshot's.
            older = entry["sequence_number"] is None or entry["sequence_number"] < manifest["sequence_number"]
            expect("an added file inherits", numbers == [None, None] and older, entry)
        else:
            expect("others are explicit", None not in [*numbers, entry["sequence_number"]], entry)
    live = [e["sequence_number"] for e in entries if e["status"] != 2]
    least = min([manifest["sequence_number"] if number is None else number for number in live], default=None)
    expect("least sequence number", least in (None, manifest["min_sequence_number"]), manifest)


def check_partitions(manifest, tuples, spec):
    expect("partition summaries", len(manifest["partitions"]) == len(spec["fields"]), manifest["partitions"])
    for at, summary in enumerate(manifest["partitions"]):
        values = [plain(each[at]) for each in tuples if each[at] is not None]
        decode = DECODE["date" if spec["fields"][at]["transform"] == "day" else "string"]
        bounds = (decode(summary["lower_bound"]), decode(summary["upper_bound"]))
        expect("partition bounds", bounds == (min(values), max(values)), bounds, min(values), max(values))
        expect("partition nulls", summary["contains_null"] == (len(values) < len(tuples)), summary)


def plain(value):
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if hasattr(value, "toordinal"):
        return value.toordinal() - EPOCH.toordinal()
    return value


def check_data_file(data_file, spec_id, metadata, schema):
    location = data_file["file_path"]
    say = lambda what: f"{os.path.basename(location)} {what}"
    file = pq.ParquetFile(path_of(location))
    ids = {int(f.metadata[b"PARQUET:field_id"]): f for f in file.schema_arrow}
    expect(say("size"), data_file["file_size_in_bytes"] == os.path.getsize(path_of(location)))
    expect(say("format"), data_file["file_format"] == "PARQUET" and data_file["content"] == 0, data_file)
    expect(say("rows"), data_file["record_count"] == file.metadata.num_rows > 0)
    columns = [(f["id"], f["name"], ARROW[f["type"]]) for f in schema["fields"]]
    expect(say("columns"), [(id, f.name, f.type) for id, f in ids.items()] == columns, file.schema_arrow)
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    starts = [min(start_of(g.column(i)) for i in range(g.num_columns)) for g in groups]
    expect(say("split offsets"), data_file["split_offsets"] in (None, starts), data_file["split_offsets"], starts)
    maps = ["column_sizes", "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds", "upper_bounds"]
    metrics = {name: {e["key"]: e["value"] for e in data_file[name] or []} for name in maps}
    rows = file.read()
    for at, f in enumerate(schema["fields"]):
        size = sum(g.column(at).total_compressed_size for g in groups)
        expect(say("column size"), metrics["column_sizes"][f["id"]] == size, f["name"], metrics["column_sizes"], size)
        check_column(say, f, [plain(v) for v in rows[f["name"]].to_pylist()], metrics)
    check_partition(say, data_file, specs_of(metadata)[spec_id], metadata, rows)
    check_order(say, data_file, metadata, rows)


def start_of(column):
    dictionary = column.dictionary_page_offset
    return column.data_page_offset if dictionary is None else min(dictionary, column.data_page_offset)


def check_column(say, f, values, metrics):
    id, name, type_ = f["id"], f["name"], f["type"]
    held = [v for v in values if v is not None]
    expect(say("values"), metrics["value_counts"][id] == len(values), name)
    expect(say("nulls"), metrics["null_value_counts"][id] == len(values) - len(held), name)
    expect(say("required"), not f["required"] or len(held) == len(values), name)
    if type_ == "double":
        expect(say("NaN"), metrics["nan_value_counts"].get(id) == 0, name)
    lower, upper = metrics["lower_bounds"].get(id), metrics["upper_bounds"].get(id)
    if lower is None or upper is None:
        # A document's first letters prune nothing; DuckDB gives no bounds for long text that is not ASCII.
        without = name == "document" or type_ == "binary" or not held
        without = without or any(isinstance(v, str) and len(v.encode()) > 64 and not v.isascii() for v in held)
        expect(say("has bounds"), without, name)
        return
    least, most = DECODE[type_](lower), DECODE[type_](upper)
    if type_ != "string":
        expect(say("bounds are exact"), (least, most) == (min(held), max(held)), name, least, most)
        return
    expect(say("bounds hold"), least <= min(held) and max(held) <= most, name, least, most, min(held), max(held))
    expect(say("bounds are short"), max(len(least), len(most)) <= BOUND_LENGTH, name, least, most)
    expect(say("lower bound is tight"), least == min(held)[:BOUND_LENGTH], name, least, min(held))
    expect(say("upper bound is tight"), most[: BOUND_LENGTH - 1] <= max(held), name, most, max(held))


def specs_of(metadata):
    return {spec["spec-id"]: spec for spec in metadata["partition-specs"]}


def check_partition(say, data_file, spec, metadata, rows):
    source = {f["id"]: f["name"] for f in metadata["schemas"][0]["fields"]}
    expect(say("partition fields"), set(data_file["partition"]) == {f["name"] for f in spec["fields"]}, data_file)
    for f in spec["fields"]:
        values = {plain(v) for v in rows[source[f["source-id"]]].to_pylist()}
        if f["transform"] == "day":
            values = {v // 86_400_000_000 for v in values}
        expect(say("partition"), values == {plain(data_file["partition"][f["name"]])}, f["name"], values)


def check_order(say, data_file, metadata, rows):
    if not data_file["sort_order_id"]:
        return
    order = next(o for o in metadata["sort-orders"] if o["order-id"] == data_file["sort_order_id"])
    source = {f["id"]: f["name"] for f in metadata["schemas"][0]["fields"]}
    keys = list(zip(*(rows[source[f["source-id"]]].to_pylist() for f in order["fields"])))
    expect(say("is sorted"), keys == sorted(keys))


def check_summary(snapshot, manifests, files):
    summary = snapshot["summary"]
    totals = {
        "total-records": sum(f["record_count"] for f in files),
        "total-data-files": len(files),
        "total-files-size": sum(f["file_size_in_bytes"] for f in files),
        "total-delete-files": 0,
        "total-position-deletes": 0,
        "total-equality-deletes": 0,
    }
    for key, value in totals.items():
        expect("summary", summary[key] == str(value), key, summary[key], value)
    own = [m for m in manifests if m["added_snapshot_id"] == snapshot["snapshot-id"]]
    changed = set()
    for status, verb, size in [(1, "added", "added-files-size"), (2, "deleted", "removed-files-size")]:
        entries = [(m["partition_spec_id"], e) for m in own for e in entries_of(m) if e["status"] == status]
        entries = [(spec, e["data_file"]) for spec, e in entries]
        counts = {
            f"{verb}-data-files": len(entries),
            f"{verb}-records": sum(f["record_count"] for _, f in entries),
            size: sum(f["file_size_in_bytes"] for _, f in entries),
        }
        for key, value in counts.items():
            expect("summary", int(summary.get(key, 0)) == value, key, summary, value)
        changed |= {json.dumps([spec, *map(plain, f["partition"].values())]) for spec, f in entries}
    expect("summary", summary["changed-partition-count"] == str(len(changed)), summary, len(changed))


def entries_of(manifest):
    return avro(manifest["manifest_path"])[2]


def files_of(manifest):
    return [e["data_file"] for e in entries_of(manifest) if e["status"] != 2]


def check_table(location):
    with open(path_of(location)) as file:
        metadata = json.load(file)
    snapshot, schema = check_metadata(metadata)
    manifests = check_list(metadata, snapshot)
    files = [(m["partition_spec_id"], file) for m in manifests for file in files_of(m)]
    expect("files are named once", len({f["file_path"] for _, f in files}) == len(files))
    for spec_id, file in files:
        check_data_file(file, spec_id, metadata, schema)
    for each in metadata["snapshots"]:
        listed = avro(each["manifest-list"])[2]
        check_summary(each, listed, [file for manifest in listed for file in files_of(manifest)])
    return len(files)


checked = {}
for table in json.load(sys.stdin)["tables"]:
    findings = []
    checked[table["name"]] = {"files": check_table(table["location"]), "findings": findings}
print(json.dumps(checked))
