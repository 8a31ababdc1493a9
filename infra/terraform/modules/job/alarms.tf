# A service that is not there, or about to be killed, says nothing of itself; a task that a schedule could not start
# neither. A task that ran and failed logs why (module observability, alarm errors).

locals {
  service_alarms = local.scheduled ? {} : {
    tasks-missing = {
      namespace = "ECS/ContainerInsights"
      metric    = "RunningTaskCount"
      operator  = "LessThanThreshold"
      statistic = "Minimum"
      threshold = 1
      missing   = "breaching"
      says      = "No task of ${var.role} runs."
    }
    memory-high = {
      namespace = "AWS/ECS"
      metric    = "MemoryUtilization"
      operator  = "GreaterThanThreshold"
      statistic = "Maximum"
      threshold = 90
      missing   = "notBreaching"
      says      = "${var.role} uses more than 90% of its memory; at 100% it is killed and begins its work again."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "service" {
  for_each = local.service_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} Runbook: ${var.runbook_url}#${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { ClusterName = var.cluster_name, ServiceName = var.name }
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = 10
  threshold           = each.value.threshold
  comparison_operator = each.value.operator
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "not_started" {
  count = local.scheduled ? 1 : 0

  alarm_name          = "${var.name}-not-started"
  alarm_description   = "The scheduler could not start ${var.role}. Runbook: ${var.runbook_url}#job-not-started"
  namespace           = "AWS/Scheduler"
  metric_name         = "InvocationDroppedCount"
  dimensions          = { ScheduleGroup = aws_scheduler_schedule_group.this[0].name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}
