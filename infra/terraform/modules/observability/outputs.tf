output "topic_arn" {
  description = "Topic that alarms tell."
  value       = aws_sns_topic.alarms.arn
}

output "log_group_names" {
  description = "Log groups by role."
  value       = { for role, group in aws_cloudwatch_log_group.role : role => group.name }
}

output "dashboard_name" {
  description = "Name of the dashboard; null without one."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}
