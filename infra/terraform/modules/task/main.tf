# How one container of Lakeward runs, whatever starts it: as nobody in particular, on a root that cannot be written to,
# with one work folder. What is in that folder may be lost at any moment: positions and rows are in the lake.

locals {
  # As the program spells them: commit.maxAge → LAKEWARD_COMMIT_MAX_AGE.
  environment = [
    for option in sort(keys(var.options)) : {
      name  = "LAKEWARD_${upper(replace(replace(option, "/([A-Z])/", "_$1"), ".", "_"))}"
      value = var.options[option]
    }
  ]

  container = {
    name      = var.name
    image     = var.image
    command   = var.command
    essential = true

    environment            = local.environment
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    privileged             = false
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"] } }
    mountPoints            = [{ sourceVolume = "work", containerPath = var.work_folder, readOnly = false }]
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    stopTimeout            = var.stop_timeout_s

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group_name
        awslogs-region        = var.region
        awslogs-stream-prefix = var.name
        # A slow log must not hold up a commit; what does not fit is dropped.
        mode            = "non-blocking"
        max-buffer-size = "8m"
      }
    }
  }

  # ECS does not read the image's own HEALTHCHECK. The image has no shell, so the exec form it is.
  health = var.health_command == null ? {} : {
    healthCheck = {
      command     = concat(["CMD"], var.health_command)
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = var.start_period_s
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu_units
  memory                   = var.memory_mib
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn
  container_definitions    = jsonencode([merge(local.container, local.health)])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  ephemeral_storage {
    size_in_gib = var.storage_gib
  }

  # On Fargate it is a part of the task's own storage, with the owner that the image gives its VOLUME.
  volume {
    name = "work"
  }

  lifecycle {
    precondition {
      condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/]+)$", var.image)) && !endswith(var.image, ":latest")
      error_message = "image names a tag other than latest, or a digest: what runs must be known."
    }
  }
}
