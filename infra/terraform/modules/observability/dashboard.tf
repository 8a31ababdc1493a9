locals {
  in_region = { region = var.region, view = "timeSeries", stacked = false, period = 60 }

  widgets = [
    {
      title   = "How far behind (ms)"
      metrics = [["AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "StreamName", var.stream_name, { stat = "Maximum" }]]
    },
    {
      title = "Stream: records in and out"
      metrics = [
        ["AWS/Kinesis", "IncomingRecords", "StreamName", var.stream_name, { stat = "Sum" }],
        ["AWS/Kinesis", "GetRecords.Records", "StreamName", var.stream_name, { stat = "Sum" }],
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
