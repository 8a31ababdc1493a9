# A service that is not there, or about to be killed, says nothing of itself. What ran and failed logs why (module
# observability, alarm errors).

locals {
  alarms = {
    tasks-missing = {
      namespace = "ECS/ContainerInsights"
      metric    = "RunningTaskCount"
      operator  = "LessThanThreshold"
      statistic = "Minimum"
      threshold = var.tasks_min
      missing   = "breaching"
      says      = "Fewer than ${var.tasks_min} tasks of ${var.role} run."
    }
    memory-high = {
      namespace = "AWS/ECS"
      metric    = "MemoryUtilization"
      operator  = "GreaterThanThreshold"
      statistic = "Maximum"
      threshold = 90
      missing   = "notBreaching"
      says      = "A task of ${var.role} uses more than 90% of its memory; at 100% it is killed and begins its work again."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.service_name}-${each.key}"
  alarm_description   = "${each.value.says} Runbook: ${var.runbook_url}#${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = 10
  threshold           = each.value.threshold
  comparison_operator = each.value.operator
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}
