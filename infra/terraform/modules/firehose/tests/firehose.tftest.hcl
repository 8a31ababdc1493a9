mock_provider "aws" {}

override_data {
  target = data.aws_iam_policy_document.trust
  values = { json = "{}" }
}

override_data {
  target = data.aws_iam_policy_document.deliver
  values = { json = "{}" }
}

variables {
  name        = "lakeward-x"
  region      = "eu-west-1"
  account_id  = "123456789012"
  stream_name = "lakeward-x-events"
  bucket_name = "lakeward-x-lake"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  kms_alias   = "alias/lakeward-x"
}

run "to_s3" {
  command = plan

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.this.destination == "extended_s3" && length(aws_kinesis_firehose_delivery_stream.this.iceberg_configuration) == 0
    error_message = "objects in S3"
  }

  assert {
    condition     = startswith(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration[0].prefix, "firehose/")
    error_message = "under a prefix of its own, not the lake's"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["late"].metric_name == "DeliveryToS3.DataFreshness" && aws_cloudwatch_metric_alarm.this["late"].threshold == 900
    error_message = "late is ten minutes beyond the buffer's five"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["failed"].metric_name == "DeliveryToS3.Success" && aws_cloudwatch_metric_alarm.this["failed"].comparison_operator == "LessThanThreshold"
    error_message = "the fraction of puts that succeed"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["behind"].threshold == 900000
    error_message = "milliseconds behind the stream"
  }
}

run "to_iceberg" {
  command = plan

  variables {
    iceberg = { database_name = "lakeward_x", table_name = "events", table_prefix = "firehose-table" }
  }

  assert {
    condition     = aws_kinesis_firehose_delivery_stream.this.destination == "iceberg" && aws_kinesis_firehose_delivery_stream.this.iceberg_configuration[0].destination_table_configuration[0].table_name == "events"
    error_message = "one table in Glue"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["late"].metric_name == "DeliveryToIceberg.DataFreshness" && aws_cloudwatch_metric_alarm.this["failed"].metric_name == "DeliveryToIceberg.FailedRowCount"
    error_message = "the metrics of delivery to a table"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["failed"].threshold == 0 && aws_cloudwatch_metric_alarm.this["failed"].comparison_operator == "GreaterThanThreshold"
    error_message = "one row is one too many"
  }
}

run "tells_of_every_alarm" {
  command = plan

  variables {
    alarm_actions = ["arn:aws:sns:eu-west-1:123456789012:alarms"]
    runbook_url   = "https://example.com/runbooks"
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.this), [aws_cloudwatch_metric_alarm.reads_nothing]) :
      alarm.alarm_actions == toset(var.alarm_actions) && alarm.ok_actions == toset(var.alarm_actions) && strcontains(alarm.alarm_description, "Runbook: https://example.com/runbooks#firehose-")
    ])
    error_message = "somebody is told, and what to do"
  }

  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.this) : alarm.dimensions == tomap({ DeliveryStreamName = "lakeward-x" })])
    error_message = "of this delivery stream"
  }
}

run "knows_that_nothing_is_read" {
  command = plan

  assert {
    condition = {
      for query in aws_cloudwatch_metric_alarm.reads_nothing.metric_query : query.id => "${query.metric[0].metric_name} ${one(values(query.metric[0].dimensions))}" if length(query.metric) > 0
      } == {
      put  = "IncomingRecords lakeward-x-events"
      read = "DataReadFromKinesisStream.Records lakeward-x"
    }
    error_message = "what comes in beside what is read"
  }
}

run "buffers_in_seconds" {
  command = plan

  variables {
    buffer_s = 1000
  }

  expect_failures = [var.buffer_s]
}
