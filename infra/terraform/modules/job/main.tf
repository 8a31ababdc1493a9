# A role that works on tables, either as a service that never ends or from time to time by a schedule. It may run twice
# at once: the second commit on one range is refused and judged again.

locals {
  scheduled = var.mode == "SCHEDULE"
}

module "task" {
  source = "../task"

  family             = var.name
  name               = var.role
  image              = var.image
  command            = local.scheduled ? concat(var.command, ["--once", "--json"]) : var.command
  options            = var.options
  cpu_units          = var.cpu_units
  memory_mib         = var.memory_mib
  storage_gib        = var.storage_gib
  architecture       = var.architecture
  stop_timeout_s     = var.stop_timeout_s
  health_command     = local.scheduled ? null : var.health_command
  execution_role_arn = var.execution_role_arn
  task_role_arn      = var.task_role_arn
  log_group_name     = var.log_group_name
  region             = var.region
}

resource "aws_ecs_service" "this" {
  count = local.scheduled ? 0 : 1

  name             = var.name
  cluster          = var.cluster_arn
  task_definition  = module.task.arn
  desired_count    = 1
  launch_type      = "FARGATE"
  platform_version = "LATEST"

  # One at a time: the old one stops first.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }
}

resource "aws_scheduler_schedule_group" "this" {
  count = local.scheduled ? 1 : 0

  name = var.name
}

resource "aws_scheduler_schedule" "this" {
  count = local.scheduled ? 1 : 0

  name                         = var.name
  group_name                   = aws_scheduler_schedule_group.this[0].name
  description                  = "Lakeward's ${var.role}, until it has caught up"
  schedule_expression          = var.schedule
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = var.cluster_arn
    role_arn = var.scheduler_role_arn

    ecs_parameters {
      task_definition_arn    = module.task.arn
      launch_type            = "FARGATE"
      platform_version       = "LATEST"
      task_count             = 1
      enable_execute_command = false
      propagate_tags         = "TASK_DEFINITION"

      network_configuration {
        subnets          = var.subnet_ids
        security_groups  = var.security_group_ids
        assign_public_ip = false
      }
    }

    # The next run does what this one did not.
    retry_policy {
      maximum_event_age_in_seconds = 600
      maximum_retry_attempts       = 3
    }
  }

  lifecycle {
    precondition {
      condition     = var.schedule != null && var.scheduler_role_arn != null
      error_message = "mode SCHEDULE needs schedule and scheduler_role_arn."
    }
  }
}
