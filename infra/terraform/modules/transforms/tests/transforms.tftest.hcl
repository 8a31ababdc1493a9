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
  name               = "lakeward-x-transforms"
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
    condition     = output.service_name == "lakeward-x-transforms" && output.schedule_name == null
    error_message = "a service, and no schedule"
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
    condition     = output.service_name == null && output.schedule_name == "lakeward-x-transforms"
    error_message = "a schedule, and no service"
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
