output "task_definition_arn" {
  description = "Task definition that is run."
  value       = module.task.arn
}

output "service_name" {
  description = "Name of the ECS service; null with a schedule."
  value       = one(aws_ecs_service.this[*].name)
}

output "schedule_name" {
  description = "Name of the schedule; null with a service."
  value       = one(aws_scheduler_schedule.this[*].name)
}
