# What the program says of itself, counted from its log: entries are JSON, and an entry's id never changes its meaning.

locals {
  namespace = "Lakeward/${var.name}"

  # Which entries of which roles are counted, and by what.
  counts = {
    errors            = { pattern = "{ $.level = \"error\" }", value = "1", roles = var.roles }
    rows-received     = { pattern = "{ $.id = \"processor.committed\" }", value = "$.received", roles = setintersection(var.roles, ["processor"]) }
    rows-quarantined  = { pattern = "{ $.id = \"processor.committed\" }", value = "$.quarantined", roles = setintersection(var.roles, ["processor"]) }
    commits           = { pattern = "{ $.id = \"processor.committed\" }", value = "1", roles = setintersection(var.roles, ["processor"]) }
    commits-staging   = { pattern = "{ $.id = \"staging.committed\" }", value = "1", roles = setintersection(var.roles, ["staging"]) }
    commits-uncertain = { pattern = "{ $.id = \"lake.commit_uncertain\" }", value = "1", roles = var.roles }
    records-expired   = { pattern = "{ $.id = \"stream.records_expired\" }", value = "1", roles = setintersection(var.roles, ["processor"]) }
    degraded          = { pattern = "{ $.id = \"health.degraded\" }", value = "1", roles = var.roles }
  }

  filters = merge([
    for count, how in local.counts : { for role in how.roles : "${count}.${role}" => merge(how, { count = count, role = role }) }
  ]...)

  alarms = {
    errors = {
      metric  = "errors", statistic = "Sum", period = 300, periods = 1, operator = "GreaterThanThreshold", threshold = 0
      missing = "notBreaching"
      says    = "A role logged an error."
    }
    no-commits = {
      metric  = "commits", statistic = "Sum", period = 300, periods = ceil(var.no_commits_alarm_minutes / 5), operator = "LessThanThreshold", threshold = 1
      missing = "breaching"
      says    = "No batch was committed to raw for ${var.no_commits_alarm_minutes} minutes."
    }
    quarantine = {
      metric  = "rows-quarantined", statistic = "Sum", period = 300, periods = 1, operator = "GreaterThanThreshold", threshold = var.quarantined_alarm_rows
      missing = "notBreaching"
      says    = "More than ${var.quarantined_alarm_rows} records in five minutes could not be events."
    }
    commits-uncertain = {
      metric  = "commits-uncertain", statistic = "Sum", period = 3600, periods = 1, operator = "GreaterThanThreshold", threshold = 5
      missing = "notBreaching"
      says    = "Commits end without an answer more often than a network's hiccups explain."
    }
    degraded = {
      metric  = "degraded", statistic = "Sum", period = 300, periods = 2, operator = "GreaterThanThreshold", threshold = 2
      missing = "notBreaching"
      says    = "Something has not worked for ten minutes and is tried again; the log says what to do."
    }
    records-lost = {
      metric  = "records-expired", statistic = "Sum", period = 300, periods = 1, operator = "GreaterThanThreshold", threshold = 0
      missing = "notBreaching"
      says    = "Records may have expired on the stream before they were read."
    }
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.filters

  name           = "${var.name}-${replace(each.key, ".", "-")}"
  log_group_name = aws_cloudwatch_log_group.role[each.value.role].name
  pattern        = each.value.pattern

  metric_transformation {
    namespace = local.namespace
    name      = each.value.count
    value     = each.value.value
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for key, alarm in local.alarms : key => alarm if length(local.counts[alarm.metric].roles) > 0 && !contains(var.alarms_off, key) }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.says} Runbook: ${var.runbook_url}#${each.key}"
  namespace           = local.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  threshold           = each.value.threshold
  comparison_operator = each.value.operator
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
