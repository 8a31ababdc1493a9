"""Duplicates dropped by Spark Structured Streaming alone: an Iceberg source, a watermark, an Iceberg sink.

The native way, for comparison. State holds the ids of one watermark's length, so a repeat that comes later than that
stays in, and an event that is later than the watermark is dropped without a word. docs/explanation/native-streaming.md
has both counted. Needs pyspark 4.1, iceberg-spark-runtime and, for the catalog in a SQLite file, its JDBC driver.

    python dedupe.py '{"jars": "a.jar,b.jar", "uri": "jdbc:sqlite:…/catalog.sqlite", "warehouse": "/…/lake",
                       "checkpoints": "/tmp/checkpoints", "watermarks": ["10 minutes"]}'

Prints a line of JSON for each watermark.
"""

import json
import sys
import time

from pyspark.sql import SparkSession

SOURCE = "lakeward.raw.events"


def session(asked):
    catalog = "spark.sql.catalog.lakeward"
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": asked.get("memory", "1g"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.jars": asked["jars"],
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.streaming.stateStore.providerClass": (
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
        ),
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "jdbc",
        f"{catalog}.jdbc.schema-version": "V1",
        f"{catalog}.uri": asked["uri"],
        f"{catalog}.warehouse": asked["warehouse"],
    }
    builder = SparkSession.builder.appName("dedupe")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def dedupe(spark, watermark, sink, checkpoint):
    """All that is there now, a micro-batch for every two files; the progress of each micro-batch."""
    events = (
        spark.readStream.format("iceberg")
        .option("streaming-max-files-per-micro-batch", "2")
        .load(SOURCE)
        .select("event_uuid", "created_datetime", "document")
    )
    query = (
        events.withWatermark("created_datetime", watermark)
        .dropDuplicatesWithinWatermark(["event_uuid"])
        .writeStream.format("iceberg")
        .outputMode("append")
        .option("checkpointLocation", checkpoint)
        .trigger(availableNow=True)
        .toTable(sink)
    )
    query.awaitTermination()
    return [json.loads(progress.json) if hasattr(progress, "json") else progress for progress in query.recentProgress]


def main(asked):
    spark = session(asked)
    spark.sparkContext.setLogLevel("ERROR")
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lakeward.native")
    for number, watermark in enumerate(asked["watermarks"]):
        sink = f"lakeward.native.within_{number}"
        spark.sql(f"CREATE TABLE {sink} (event_uuid string, created_datetime timestamp, document string) USING iceberg")
        began = time.monotonic()
        progress = dedupe(spark, watermark, sink, f"{asked['checkpoints']}/{number}")
        seconds = time.monotonic() - began
        operators = [operator for each in progress for operator in each["stateOperators"]]
        rows, distinct = spark.sql(f"SELECT count(*), count(DISTINCT event_uuid) FROM {sink}").first()
        print(
            json.dumps(
                {
                    "watermark": watermark,
                    "read": sum(each["numInputRows"] for each in progress),
                    "written": rows,
                    "distinct": distinct,
                    "lateDropped": sum(operator["numRowsDroppedByWatermark"] for operator in operators),
                    "idsHeldMost": max((operator["numRowsTotal"] for operator in operators), default=0),
                    "microBatches": len(progress),
                    "seconds": seconds,
                }
            ),
            flush=True,
        )
    spark.stop()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
