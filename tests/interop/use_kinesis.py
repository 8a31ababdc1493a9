"""
Uses a stream with boto3 as its documentation shows, and says what came back. Whatever boto3 makes of an answer (types,
paginators, waiters, classes of exceptions) is what a program on top of it sees.
"""

import json
import sys
from datetime import datetime, timezone

import boto3
from botocore.config import Config

asked = json.load(sys.stdin)
client = boto3.client(
    "kinesis",
    endpoint_url=asked["endpoint"],
    region_name="eu-west-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"total_max_attempts": 1}),
)
NAME = "events"
SHARDS = ["shardId-000000000000", "shardId-000000000001", "shardId-000000000002"]
QUICK = {"Delay": 1, "MaxAttempts": 10}
seen = {}


def error_of(call, **arguments):
    """The class by which a program would catch it, its code and its HTTP status."""
    try:
        call(**arguments)
    except client.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [type(error).__name__, error.response["Error"]["Code"], status, bool(error.response["Error"]["Message"])]
    return None


def read(iterator, limit=None):
    """Everything from an iterator on, to the newest record."""
    found = []
    while iterator:
        answer = client.get_records(ShardIterator=iterator, **({"Limit": limit} if limit else {}))
        found += answer["Records"]
        iterator = answer.get("NextShardIterator") if answer["MillisBehindLatest"] > 0 or answer["Records"] else None
    return found


def start(shard, kind, **more):
    answer = client.get_shard_iterator(StreamName=NAME, ShardId=shard, ShardIteratorType=kind, **more)
    return answer["ShardIterator"]


def data(records):
    return [record["Data"].hex() for record in records]


def make():
    client.create_stream(StreamName=NAME, ShardCount=3)
    client.get_waiter("stream_exists").wait(StreamName=NAME, WaiterConfig=QUICK)
    described = client.describe_stream(StreamName=NAME)["StreamDescription"]
    summary = client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]
    by_arn = client.describe_stream_summary(StreamARN=described["StreamARN"])["StreamDescriptionSummary"]
    shards = client.list_shards(StreamName=NAME)["Shards"]
    seen["description"] = {
        "arn": described["StreamARN"],
        "status": described["StreamStatus"],
        "retention_h": described["RetentionPeriodHours"],
        "shards": [shard["ShardId"] for shard in described["Shards"]],
        "ranges": [list(shard["HashKeyRange"].values()) for shard in described["Shards"]],
        "open": summary["OpenShardCount"],
        "same": by_arn == summary and shards == described["Shards"],
        "created": described["StreamCreationTimestamp"] == summary["StreamCreationTimestamp"],
        "recent": abs((datetime.now(timezone.utc) - described["StreamCreationTimestamp"]).total_seconds()) < 60,
    }
    pages = client.get_paginator("describe_stream").paginate(StreamName=NAME, PaginationConfig={"PageSize": 1})
    seen["pages"] = [[s["ShardId"] for s in page["StreamDescription"]["Shards"]] for page in pages]
    # By hand: boto3's paginator repeats the stream's name beside the token, which Kinesis refuses.
    page = client.list_shards(StreamName=NAME, MaxResults=2)
    rest = client.list_shards(NextToken=page["NextToken"])
    seen["listed"] = [[shard["ShardId"] for shard in each["Shards"]] for each in [page, rest]]
    seen["listing ends"] = "NextToken" not in rest
    client.create_stream(StreamName="another", ShardCount=1)
    client.get_waiter("stream_exists").wait(StreamName="another", WaiterConfig=QUICK)
    names = client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1})
    seen["streams"] = [page["StreamNames"] for page in names]


def put():
    latest = {shard: start(shard, "LATEST") for shard in SHARDS}
    one = client.put_record(StreamName=NAME, Data=b"first \x00\xff", PartitionKey="k", ExplicitHashKey="0")
    entries = [{"Data": bytes([n % 256]) * n, "PartitionKey": f"key {n} ü"} for n in range(499)]
    entries.append({"Data": "text ü 🎈", "PartitionKey": "k"})
    many = client.put_records(StreamName=NAME, Records=entries)
    large = client.put_record(StreamName=NAME, Data=b"x" * (1024 * 1024 - 1), PartitionKey="k")
    records = {shard: read(start(shard, "TRIM_HORIZON")) for shard in SHARDS}
    all_records = [record for shard in SHARDS for record in records[shard]]
    by_number = {record["SequenceNumber"]: record for record in all_records}
    answers = list(zip(entries, many["Records"]))
    as_bytes = lambda value: value.encode() if isinstance(value, str) else value
    seen["put"] = {
        "shard": one["ShardId"],
        "failed": many["FailedRecordCount"],
        "records": len(all_records),
        "first": by_number[one["SequenceNumber"]]["Data"].hex(),
        "large": len(by_number[large["SequenceNumber"]]["Data"]),
        "same": all(
            by_number[a["SequenceNumber"]]["Data"] == as_bytes(e["Data"])
            and by_number[a["SequenceNumber"]]["PartitionKey"] == e["PartitionKey"]
            for e, a in answers
        ),
        "shards": all(by_number[a["SequenceNumber"]] in records[a["ShardId"]] for _, a in answers),
        "ordered": all(
            [r["SequenceNumber"] for r in of] == sorted((r["SequenceNumber"] for r in of), key=int)
            for of in records.values()
        ),
        "times": all(r["ApproximateArrivalTimestamp"].tzinfo is not None for r in all_records),
        "limited": data(read(start(SHARDS[0], "TRIM_HORIZON"), limit=7)) == data(records[SHARDS[0]]),
        "latest": all(data(read(latest[shard])) == data(records[shard]) for shard in SHARDS),
    }
    return records


def iterate(records):
    shard, of = SHARDS[1], records[SHARDS[1]]
    middle = of[len(of) // 2]
    number, time = middle["SequenceNumber"], middle["ApproximateArrivalTimestamp"]
    seen["iterators"] = {
        "TRIM_HORIZON": data(read(start(shard, "TRIM_HORIZON"))) == data(of),
        "LATEST": read(start(shard, "LATEST")) == [],
        "AT_SEQUENCE_NUMBER": read(start(shard, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=number))[0] == middle,
        "AFTER_SEQUENCE_NUMBER": data(read(start(shard, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number)))
        == data(of[len(of) // 2 + 1 :]),
        "AT_TIMESTAMP": data(read(start(shard, "AT_TIMESTAMP", Timestamp=time)))
        == data([r for r in of if r["ApproximateArrivalTimestamp"] >= time]),
        "AT_TIMESTAMP of long ago": data(read(start(shard, "AT_TIMESTAMP", Timestamp=datetime(2020, 1, 1)))) == data(of),
    }


def fail():
    seen["errors"] = {
        "no such stream": error_of(client.describe_stream, StreamName="nobody"),
        "no such stream to put into": error_of(client.put_record, StreamName="nobody", Data=b"x", PartitionKey="k"),
        "a stream that is there": error_of(client.create_stream, StreamName=NAME, ShardCount=1),
        "no such shard": error_of(
            client.get_shard_iterator, StreamName=NAME, ShardId="shardId-000000000009", ShardIteratorType="LATEST"
        ),
        "no such iterator": error_of(client.get_records, ShardIterator="AAAA"),
        "a number of no record": error_of(
            client.get_shard_iterator,
            StreamName=NAME,
            ShardId=SHARDS[0],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber="not a number",
        ),
        "a record too large": error_of(client.put_record, StreamName=NAME, Data=b"x" * 1024 * 1024, PartitionKey="k"),
        "too many records": error_of(
            client.put_records, StreamName=NAME, Records=[{"Data": b"x", "PartitionKey": "k"}] * 501
        ),
        "a name that is none": error_of(client.create_stream, StreamName="no name", ShardCount=1),
        "a limit too high": error_of(client.get_records, ShardIterator=start(SHARDS[0], "LATEST"), Limit=10_001),
    }


def fan_out(records):
    """Enhanced fan-out over HTTP/1.1, through a split to the end of the shard."""
    arn = client.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]
    answer = client.subscribe_to_shard(
        ConsumerARN=consumer["ConsumerARN"], ShardId=SHARDS[0], StartingPosition={"Type": "TRIM_HORIZON"}
    )
    pushed, children = [], []
    for event in answer["EventStream"]:
        event = event["SubscribeToShardEvent"]
        pushed += event["Records"]
        if event["MillisBehindLatest"] == 0 and not event.get("ChildShards"):
            client.split_shard(StreamName=NAME, ShardToSplit=SHARDS[0], NewStartingHashKey="4711")
        children = event.get("ChildShards", [])
    client.put_record(StreamName=NAME, Data=b"after", PartitionKey="k", ExplicitHashKey="0")
    client.merge_shards(
        StreamName=NAME, ShardToMerge=children[0]["ShardId"], AdjacentShardToMerge=children[1]["ShardId"]
    )
    last = client.get_records(ShardIterator=start(children[0]["ShardId"], "TRIM_HORIZON"))
    scaled = client.update_shard_count(StreamName=NAME, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    client.deregister_stream_consumer(ConsumerARN=consumer["ConsumerARN"])
    seen["fan-out"] = {
        "pushed": data(pushed) == data(records[SHARDS[0]]),
        "children": [child["ParentShards"] for child in children],
        "last": data(last["Records"]),
        "ended": last.get("NextShardIterator") is None,
        "merged": [child["ParentShards"] == [c["ShardId"] for c in children] for child in last["ChildShards"]],
        "scaled": [scaled["CurrentShardCount"], scaled["TargetShardCount"]],
        "consumers": client.list_stream_consumers(StreamARN=arn)["Consumers"],
    }


def remove():
    client.delete_stream(StreamName=NAME)
    client.get_waiter("stream_not_exists").wait(StreamName=NAME, WaiterConfig=QUICK)
    seen["left"] = client.list_streams()["StreamNames"]


make()
records = put()
iterate(records)
fail()
fan_out(records)
remove()
print(json.dumps(seen))
