# The real provider, offline: policies are rendered as AWS would get them.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  name        = "lakeward-x-events"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "provisioned" {
  command = plan

  variables {
    shards          = 3
    retention_hours = 48
    alarm_actions   = ["arn:aws:sns:eu-west-1:123456789012:alarms"]
  }

  assert {
    condition     = aws_kinesis_stream.this.shard_count == 3 && aws_kinesis_stream.this.encryption_type == "KMS"
    error_message = "three shards, encrypted"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["retention-at-risk"].threshold == 48 * 3600000 / 2
    error_message = "the alarm comes at half of the retention"
  }

  assert {
    condition     = alltrue([for key, alarm in aws_cloudwatch_metric_alarm.this : endswith(alarm.alarm_description, "runbooks.md#${key}")])
    error_message = "each alarm names its section of the runbooks"
  }
}

run "on_demand_has_no_shards" {
  command = plan

  variables {
    mode   = "ON_DEMAND"
    shards = 3
  }

  assert {
    condition     = aws_kinesis_stream.this.stream_mode_details[0].stream_mode == "ON_DEMAND" && try(aws_kinesis_stream.this.shard_count, null) == null
    error_message = "an on-demand stream is not told a number of shards"
  }
}

run "provisioned_without_shards_is_refused" {
  command = plan

  expect_failures = [aws_kinesis_stream.this]
}

run "retention_is_in_hours" {
  command = plan

  variables {
    shards          = 1
    retention_hours = 7
  }

  expect_failures = [var.retention_hours]
}

run "lag_is_that_of_reading" {
  command = plan

  variables {
    shards = 1
  }

  assert {
    condition     = length(aws_kinesis_stream_consumer.fan_out) == 0 && aws_cloudwatch_metric_alarm.this["iterator-age"].metric_name == "GetRecords.IteratorAgeMilliseconds"
    error_message = "polled: no consumer, and the age of what GetRecords gave"
  }
}

run "of_fan_out_lag_is_the_consumers_own" {
  command = plan

  variables {
    shards           = 1
    fan_out_consumer = "lakeward"
  }

  assert {
    condition     = aws_kinesis_stream_consumer.fan_out[0].name == "lakeward"
    error_message = "the consumer is registered, and goes with the stream"
  }

  assert {
    condition = alltrue([
      for key in ["iterator-age", "retention-at-risk"] :
      aws_cloudwatch_metric_alarm.this[key].metric_name == "SubscribeToShardEvent.MillisBehindLatest" && aws_cloudwatch_metric_alarm.this[key].dimensions["ConsumerName"] == "lakeward"
    ])
    error_message = "GetRecords has no data of what is pushed, and an alarm over it would be silent for ever"
  }
}
