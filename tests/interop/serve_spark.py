"""Spark for as long as stdin lasts: one JSON document a line says what to do, one a line on stdout what came of it."""

import base64
import json
import os
import sys
from datetime import date, datetime, timedelta, timezone

from pyspark.sql import Row, SparkSession

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def plain(value):
    if isinstance(value, datetime):
        at = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value
        return (at - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return value.toordinal() - EPOCH.toordinal()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, Row):
        return [plain(each) for each in value]
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def start(conf):
    builder = SparkSession.builder
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def files_of(session, query):
    """By the tasks that Iceberg planned for the scans of the query."""
    leaves = session.sql(query)._jdf.queryExecution().optimizedPlan().collectLeaves()
    found = set()
    for at in range(leaves.size()):
        leaf = leaves.apply(at)
        if leaf.getClass().getSimpleName() != "DataSourceV2ScanRelation":
            continue
        for partition in leaf.scan().toBatch().planInputPartitions():
            for task in partition.taskGroup().tasks().toArray():
                found.add(task.file().location())
    return sorted(found)


# What the JVM and the libraries print goes to stderr; stdout is for answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
os.environ["TZ"] = "UTC"
session = None
for line in sys.stdin:
    asked = json.loads(line)
    try:
        if "start" in asked:
            session = start(asked["start"])
            answer = None
        elif "set" in asked:
            for key, value in asked["set"].items():
                session.conf.set(key, value)
            answer = None
        elif "filesOf" in asked:
            answer = files_of(session, asked["filesOf"])
        else:
            answer = [plain(row) for row in session.sql(asked["sql"]).collect()]
        said = {"answer": answer}
    except Exception as error:
        said = {"error": str(error) or type(error).__name__}
    print(json.dumps(said), file=answers, flush=True)
if session is not None:
    session.stop()
