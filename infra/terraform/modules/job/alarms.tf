# A service that is missing says nothing of itself; a task that a schedule could not start neither. A task that ran and
# failed logs why (module observability, alarm errors).

module "alarms" {
  source = "../service-alarms"
  count  = local.scheduled ? 0 : 1

  service_name  = var.name
  cluster_name  = var.cluster_name
  role          = var.role
  alarm_actions = var.alarm_actions
  runbook_url   = var.runbook_url
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
