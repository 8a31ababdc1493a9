locals {
  dimensions = { ClusterName = var.cluster_name, ServiceName = var.name }

  alarms = {
    tasks-missing = {
      namespace = "ECS/ContainerInsights"
      metric    = "RunningTaskCount"
      operator  = "LessThanThreshold"
      statistic = "Minimum"
      threshold = var.tasks_min
      missing   = "breaching"
      says      = "Fewer than ${var.tasks_min} tasks of the processor run."
    }
    memory-high = {
      namespace = "AWS/ECS"
      metric    = "MemoryUtilization"
      operator  = "GreaterThanThreshold"
      statistic = "Maximum"
      threshold = 90
      missing   = "notBreaching"
      says      = "The processor uses more than 90% of its memory; at 100% it is killed and begins its batch again."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} Runbook: ${var.runbook_url}#${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = local.dimensions
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = 10
  threshold           = each.value.threshold
  comparison_operator = each.value.operator
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}
