"""Our tables, and the same rows written by pyiceberg: what the manifests of both say, and what pyiceberg plans of ours."""

import json
import sys
from datetime import date, datetime, timedelta, timezone

import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import EqualTo, GreaterThanOrEqual, LessThanOrEqual
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import StaticTable
from pyiceberg.transforms import DayTransform

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
OPERATORS = {"gte": GreaterThanOrEqual, "lte": LessThanOrEqual, "eq": EqualTo}
HOLDS = {"gte": lambda a, b: a >= b, "lte": lambda a, b: a <= b, "eq": lambda a, b: a == b}
# Of these types the two are of one mind about every bound; of texts and bytes too, once both are shortened.
FLOATING = {"f", "d"}


def value_of(column, said):
    if column == "at":
        return EPOCH + timedelta(microseconds=int(said))
    if column == "day":
        return date(1970, 1, 1) + timedelta(days=int(said))
    if column == "l":
        return int(said)
    if column == "d":
        return float(str(said).replace("Infinity", "inf"))
    return said


def entries(table):
    """What manifests say of the files, by partition and by the rows in them."""
    found = {}
    for manifest in table.current_snapshot().manifests(table.io):
        for entry in manifest.fetch_manifest_entry(table.io):
            file = entry.data_file
            path = file.file_path.removeprefix("file://")
            numbers = pq.read_table(path, columns=["n"])["n"].to_pylist()
            found[(file.partition[0], manifest.sequence_number, tuple(sorted(numbers)))] = file
    return found


def said(file, column_id, type_):
    bounds = []
    for held in (file.lower_bounds, file.upper_bounds):
        encoded = (held or {}).get(column_id)
        bounds.append(None if encoded is None else repr(from_bytes(type_, encoded)))
    return {
        "values": (file.value_counts or {}).get(column_id),
        "nulls": (file.null_value_counts or {}).get(column_id),
        "lower": bounds[0],
        "upper": bounds[1],
    }


def differences(number, ours, theirs):
    found = []
    for key, file in ours.items():
        other = theirs.get(key)
        if other is None:
            found.append({"case": number, "field": "file", "column": "", "ours": repr(key), "theirs": repr(list(theirs))})
            continue
        for field in SCHEMA.fields:
            a, b = (said(each, field.field_id, field.field_type) for each in (file, other))
            for what in a:
                if a[what] == b[what]:
                    continue
                if what in ("lower", "upper") and is_allowed(field.name, a[what], b[what]):
                    continue
                found.append({"case": number, "field": what, "column": field.name, "ours": a[what], "theirs": b[what]})
    return found


def is_allowed(column, ours, theirs):
    # A program may say nothing of a column; pyiceberg's library says nothing of floats that hold NaN, and widens zeros.
    if ours is None or theirs is None:
        return column in FLOATING or column == "x"
    if column in FLOATING:
        return float(ours) == float(theirs)
    return column == "x"


asked = json.load(sys.stdin)
catalog = SqlCatalog("mirror", uri=f"sqlite:///{asked['folder']}/mirror.sqlite", warehouse=asked["folder"] + "/mirror")
catalog.create_namespace("mirror")
plans, found = [], []
for number, case in enumerate(asked["cases"]):
    table = StaticTable.from_metadata(case["metadata"])
    SCHEMA = table.schema()
    files = {file.file.file_path: table for file in table.scan().plan_files()}
    held = {}
    for path in files:
        held[path] = pq.read_table(path.removeprefix("file://")).to_pylist()
    answers = []
    for question in case["questions"]:
        value = value_of(question["column"], question["value"])
        plan = [f.file.file_path for f in table.scan(row_filter=OPERATORS[question["operator"]](question["column"], value)).plan_files()]
        holds = HOLDS[question["operator"]]
        matching = [
            path
            for path, rows in held.items()
            if any(row[question["column"]] is not None and holds(row[question["column"]], value) for row in rows)
        ]
        answers.append({"planned": plan, "matching": matching})
    plans.append(answers)

    theirs = catalog.create_table(
        f"mirror.case_{number}",
        SCHEMA,
        partition_spec=PartitionSpec(PartitionField(2, 1000, DayTransform(), "at_day")),
    )
    numbered = {}
    for manifest in table.current_snapshot().manifests(table.io):
        for entry in manifest.fetch_manifest_entry(table.io):
            numbered.setdefault(entry.sequence_number, []).append(entry.data_file.file_path.removeprefix("file://"))
    for sequence in sorted(numbered):
        theirs.append(pq.ParquetDataset(numbered[sequence], schema=theirs.schema().as_arrow()).read())
    renumbered = {(k[0], k[2], k[1]): v for k, v in entries(table).items()}
    others = {(k[0], k[2], k[1]): v for k, v in entries(theirs).items()}
    first, second = min(k[2] for k in renumbered), min(k[2] for k in others)
    found += differences(
        number,
        {(k[0], k[1], k[2] - first): v for k, v in renumbered.items()},
        {(k[0], k[1], k[2] - second): v for k, v in others.items()},
    )
print(json.dumps({"plans": plans, "differences": found}))
