# The stream that producers put events to. Lakeward reads it; the lake holds the positions.

resource "aws_kinesis_stream" "this" {
  name             = var.name
  shard_count      = var.mode == "PROVISIONED" ? var.shards : null
  retention_period = var.retention_hours

  encryption_type     = "KMS"
  kms_key_id          = var.kms_key_arn
  shard_level_metrics = var.shard_level_metrics

  # Registered consumers are somebody's: a stream with any of them is not deleted under them.
  enforce_consumer_deletion = false

  stream_mode_details {
    stream_mode = var.mode
  }

  lifecycle {
    precondition {
      condition     = var.mode == "ON_DEMAND" || var.shards != null
      error_message = "A PROVISIONED stream needs shards."
    }
  }
}

# Registered here and not by the program, so that its role need not register and `destroy` leaves none behind.
resource "aws_kinesis_stream_consumer" "fan_out" {
  count = var.fan_out_consumer == null ? 0 : 1

  name       = var.fan_out_consumer
  stream_arn = aws_kinesis_stream.this.arn
}

locals {
  # What is pushed is not got: GetRecords has no data of it, and each consumer has a metric of its own.
  of_stream = tomap({ StreamName = aws_kinesis_stream.this.name })
  lag = var.fan_out_consumer == null ? {
    metric     = "GetRecords.IteratorAgeMilliseconds"
    dimensions = local.of_stream
    } : {
    metric     = "SubscribeToShardEvent.MillisBehindLatest"
    dimensions = tomap({ StreamName = aws_kinesis_stream.this.name, ConsumerName = var.fan_out_consumer })
  }

  # Metric, statistic, threshold and runbook section of each alarm. Periods are a minute.
  alarms = {
    iterator-age = {
      metric    = local.lag.metric
      of        = local.lag.dimensions
      statistic = "Maximum"
      threshold = var.iterator_age_alarm_minutes * 60000
      minutes   = 5
      says      = "Records wait longer than ${var.iterator_age_alarm_minutes} minutes to be read; at ${var.retention_hours} hours they are lost."
    }
    retention-at-risk = {
      metric    = local.lag.metric
      of        = local.lag.dimensions
      statistic = "Maximum"
      threshold = var.retention_hours * 3600000 / 2
      minutes   = 1
      says      = "The oldest unread record has used half of the ${var.retention_hours} hours after which the stream drops it."
    }
    write-throttled = {
      metric    = "WriteProvisionedThroughputExceeded"
      of        = local.of_stream
      statistic = "Average"
      threshold = var.throttled_alarm_fraction
      minutes   = 5
      says      = "Producers' records are refused: the stream is too small for them."
    }
    read-throttled = {
      metric    = "ReadProvisionedThroughputExceeded"
      of        = local.of_stream
      statistic = "Average"
      threshold = var.throttled_alarm_fraction
      minutes   = 15
      says      = "Reads are refused: too many consumers share the shards."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.alarms ? local.alarms : {}

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.says} Runbook: ${var.runbook_url}#${each.key}"
  namespace         = "AWS/Kinesis"
  metric_name       = each.value.metric
  dimensions        = each.value.of

  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  # No data: nobody reads or writes just now. That nobody commits is another alarm's matter (module observability).
  treat_missing_data = "notBreaching"

  alarm_actions = var.alarm_actions
  ok_actions    = var.alarm_actions
}
