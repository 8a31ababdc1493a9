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
  name               = "lakeward-x-staging"
  role               = "staging"
  command            = ["run", "staging"]
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lakeward:0.1.0"
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/task"
  log_group_name     = "/lakeward-x/role"
  region             = "eu-west-1"
  cluster_arn        = "arn:aws:ecs:eu-west-1:123456789012:cluster/lakeward-x"
  cluster_name       = "lakeward-x"
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
  kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "as_a_service" {
  command = plan

  assert {
    condition     = aws_ecs_service.this[0].deployment_maximum_percent == 100 && length(aws_scheduler_schedule.this) == 0
    error_message = "a service, and no schedule"
  }

  assert {
    condition     = module.alarms[0].names == { tasks-missing = "lakeward-x-staging-tasks-missing", memory-high = "lakeward-x-staging-memory-high" }
    error_message = "somebody is told when it does not run, and before its memory is used up"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.not_started) == 0
    error_message = "no scheduler can fail"
  }
}

run "on_a_schedule" {
  command = plan

  variables {
    mode               = "SCHEDULE"
    schedule           = "rate(5 minutes)"
    scheduler_role_arn = "arn:aws:iam::123456789012:role/scheduler"
  }

  assert {
    condition     = length(aws_ecs_service.this) == 0 && aws_scheduler_schedule.this[0].schedule_expression == "rate(5 minutes)"
    error_message = "a schedule, and no service"
  }

  assert {
    condition     = length(module.alarms) == 0 && length(aws_cloudwatch_metric_alarm.not_started) == 1
    error_message = "between two runs none is missing; one that did not start is"
  }
}

run "refuses_a_schedule_that_is_none" {
  command = plan

  variables {
    mode     = "SCHEDULE"
    schedule = "every 5 minutes"
  }

  expect_failures = [var.schedule]
}
