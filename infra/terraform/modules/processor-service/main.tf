# The processor as a service that never ends. It can be stopped, killed, moved or run twice at any moment: positions
# are in the lake's commits, and a second writer of one shard is refused. So a deployment replaces before it starts
# (the stream holds the backlog), and scaling needs no draining: tasks share the shards by heartbeats in the lake's bucket.

module "task" {
  source = "../task"

  family             = var.name
  name               = "processor"
  image              = var.image
  command            = var.command
  options            = var.options
  cpu_units          = var.cpu_units
  memory_mib         = var.memory_mib
  storage_gib        = var.storage_gib
  architecture       = var.architecture
  stop_timeout_s     = var.stop_timeout_s
  health_command     = var.health_command
  execution_role_arn = var.execution_role_arn
  task_role_arn      = var.task_role_arn
  log_group_name     = var.log_group_name
  region             = var.region
}

resource "aws_ecs_service" "this" {
  name             = var.name
  cluster          = var.cluster_arn
  task_definition  = module.task.arn
  desired_count    = var.tasks_min
  launch_type      = "FARGATE"
  platform_version = "LATEST"

  deployment_minimum_healthy_percent = var.deployment_minimum_healthy_percent
  deployment_maximum_percent         = var.deployment_minimum_healthy_percent + 100
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = false

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  lifecycle {
    # Autoscaling's.
    ignore_changes = [desired_count]
  }
}
