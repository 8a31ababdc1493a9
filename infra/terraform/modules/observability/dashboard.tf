locals {
  # What is pushed to a consumer is in metrics of its own; GetRecords has no data of it.
  of_reader   = concat(["StreamName", var.stream_name], var.fan_out_consumer == null ? [] : ["ConsumerName", var.fan_out_consumer])
  lag         = concat(["AWS/Kinesis", var.fan_out_consumer == null ? "GetRecords.IteratorAgeMilliseconds" : "SubscribeToShardEvent.MillisBehindLatest"], local.of_reader)
  records_out = concat(["AWS/Kinesis", var.fan_out_consumer == null ? "GetRecords.Records" : "SubscribeToShardEvent.Records"], local.of_reader)

  in_region = { region = var.region, view = "timeSeries", stacked = false, period = 60 }

  widgets = [
    {
      title   = "How far behind (ms)"
      metrics = [concat(local.lag, [{ stat = "Maximum" }])]
    },
    {
      title = "Stream: records in and out"
      metrics = [
        ["AWS/Kinesis", "IncomingRecords", "StreamName", var.stream_name, { stat = "Sum" }],
        concat(local.records_out, [{ stat = "Sum" }]),
      ]
    },
    {
      title = "Stream: refused"
      metrics = [
        ["AWS/Kinesis", "WriteProvisionedThroughputExceeded", "StreamName", var.stream_name, { stat = "Sum" }],
        ["AWS/Kinesis", "ReadProvisionedThroughputExceeded", "StreamName", var.stream_name, { stat = "Sum" }],
      ]
    },
    {
      title = "Records committed to raw and quarantine"
      metrics = [
        [local.namespace, "rows-received", { stat = "Sum" }],
        [local.namespace, "rows-quarantined", { stat = "Sum" }],
      ]
    },
    {
      title = "Commits"
      metrics = [
        [local.namespace, "commits", { stat = "Sum" }],
        [local.namespace, "commits-staging", { stat = "Sum" }],
        [local.namespace, "commits-uncertain", { stat = "Sum" }],
      ]
    },
    {
      title   = "Errors"
      metrics = [[local.namespace, "errors", { stat = "Sum" }]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for at, widget in local.widgets : {
        type       = "metric"
        x          = (at % 2) * 12
        y          = floor(at / 2) * 6
        width      = 12
        height     = 6
        properties = merge(local.in_region, widget)
      }
    ]
  })
}
