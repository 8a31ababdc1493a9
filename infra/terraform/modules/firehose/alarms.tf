# Firehose tries again until the stream's retention ends; what is not delivered by then is lost to it. Metrics:
# docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html, and apache-iceberg-metric.html there.
# ThrottledRecords is not watched: it counts what producers put to Firehose itself, and here a stream is its source.

locals {
  to = var.iceberg == null ? "DeliveryToS3" : "DeliveryToIceberg"

  alarms = {
    late = {
      metric    = "${local.to}.DataFreshness"
      statistic = "Maximum"
      operator  = "GreaterThanThreshold"
      threshold = var.buffer_s + 600
      periods   = 1
      says      = "Records wait ten minutes longer than the buffer takes to be delivered."
    }
    behind = {
      metric    = "KinesisMillisBehindLatest"
      statistic = "Maximum"
      operator  = "GreaterThanThreshold"
      threshold = var.behind_alarm_minutes * 60000
      periods   = 1
      says      = "Firehose reads ${var.behind_alarm_minutes} minutes behind the stream; at the end of its retention records are lost to it."
    }
    read-throttled = {
      metric    = "ThrottledGetRecords"
      statistic = "Sum"
      operator  = "GreaterThanThreshold"
      threshold = 0
      periods   = 3
      says      = "The stream refuses Firehose's reads: too many consumers share the shards."
    }
    # Puts that fail are tried again; rows that do not get into a table go to the prefix of errors.
    failed = merge({ periods = 1 }, var.iceberg == null ? {
      metric    = "DeliveryToS3.Success"
      statistic = "Average"
      operator  = "LessThanThreshold"
      threshold = 0.95
      says      = "Puts to the bucket fail, and are tried again."
      } : {
      metric    = "DeliveryToIceberg.FailedRowCount"
      statistic = "Sum"
      operator  = "GreaterThanThreshold"
      threshold = 0
      says      = "Rows did not get into the table, but into the bucket under ${var.prefix}-errors."
    })
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} Runbook: ${var.runbook_url}#firehose-${each.key}"
  namespace           = "AWS/Firehose"
  metric_name         = each.value.metric
  dimensions          = { DeliveryStreamName = var.name }
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.value.operator
  # No data: nothing was read or delivered just now. Whether there was something to read, the next alarm knows.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
}

# All of those are silent while Firehose reads nothing: a role that was changed, a key that was disabled.
resource "aws_cloudwatch_metric_alarm" "reads_nothing" {
  alarm_name          = "${var.name}-reads-nothing"
  alarm_description   = "Records are put to ${var.stream_name}, and Firehose reads none of them. Runbook: ${var.runbook_url}#firehose-reads-nothing"
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions

  metric_query {
    id          = "unread"
    label       = "records put while none was read"
    expression  = "IF(FILL(read, 0) == 0, FILL(put, 0), 0)"
    return_data = true
  }

  metric_query {
    id = "put"

    metric {
      namespace   = "AWS/Kinesis"
      metric_name = "IncomingRecords"
      dimensions  = { StreamName = var.stream_name }
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "read"

    metric {
      namespace   = "AWS/Firehose"
      metric_name = "DataReadFromKinesisStream.Records"
      dimensions  = { DeliveryStreamName = var.name }
      stat        = "Sum"
      period      = 300
    }
  }
}
