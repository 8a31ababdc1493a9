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
}

run "buffers_in_seconds" {
  command = plan

  variables {
    buffer_s = 1000
  }

  expect_failures = [var.buffer_s]
}
