# The real provider, offline: policies are rendered as AWS would get them.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  family             = "lakeward-x-processor"
  name               = "processor"
  command            = ["run", "processor"]
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lakeward:0.1.0"
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/task"
  log_group_name     = "/lakeward-x/role"
  region             = "eu-west-1"
  options            = { "commit.maxAge" = "60s", "store.url" = "s3://lake" }
  health_command     = ["/node", "health"]
}

run "runs_as_nobody_on_a_read_only_root" {
  command = plan

  assert {
    condition = alltrue([
      for container in jsondecode(aws_ecs_task_definition.this.container_definitions) :
      container.user == "65532:65532" && container.readonlyRootFilesystem && !container.privileged && container.linuxParameters.capabilities.drop == ["ALL"]
    ])
    error_message = "no root, no write access, no capabilities"
  }

  assert {
    condition     = [for mount in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints : mount.containerPath] == ["/var/lib/lakeward"]
    error_message = "one folder can be written to"
  }
}

run "spells_options_as_the_program_does" {
  command = plan

  assert {
    condition     = [for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name] == ["LAKEWARD_COMMIT_MAX_AGE", "LAKEWARD_STORE_URL"]
    error_message = "commit.maxAge is LAKEWARD_COMMIT_MAX_AGE"
  }
}

run "asks_for_health_without_a_shell_and_waits_for_the_last_commit" {
  command = plan

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command == ["CMD", "/node", "health"]
    error_message = "exec form: the image has no shell"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 120
    error_message = "two minutes to commit, the most that Fargate gives"
  }
}

run "refuses_latest" {
  command = plan

  variables {
    image = "example.com/lakeward:latest"
  }

  expect_failures = [aws_ecs_task_definition.this]
}

run "refuses_an_image_without_a_tag" {
  command = plan

  variables {
    image = "example.com:5000/lakeward"
  }

  expect_failures = [aws_ecs_task_definition.this]
}
