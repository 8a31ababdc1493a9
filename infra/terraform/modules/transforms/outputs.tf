output "task_definition_arn" {
  description = "Task definition that is run."
  value       = module.job.task_definition_arn
}

output "service_name" {
  description = "Name of the ECS service; null with a schedule."
  value       = module.job.service_name
}

output "schedule_name" {
  description = "Name of the schedule; null with a service."
  value       = module.job.schedule_name
}
