output "names" {
  description = "Names of the alarms by their sections of the runbooks."
  value       = { for section, alarm in aws_cloudwatch_metric_alarm.this : section => alarm.alarm_name }
}
