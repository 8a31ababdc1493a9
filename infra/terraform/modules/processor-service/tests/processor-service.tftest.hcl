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
  name               = "lakeward-x-processor"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lakeward:0.1.0"
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/task"
  log_group_name     = "/lakeward-x/role"
  region             = "eu-west-1"
  cluster_arn        = "arn:aws:ecs:eu-west-1:123456789012:cluster/lakeward-x"
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
  cluster_name       = "lakeward-x"
  stream_name        = "lakeward-x-events"
}

run "rolls_back_by_itself" {
  command = plan

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "a version that does not become healthy is rolled back"
  }

  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip && !aws_ecs_service.this.enable_execute_command
    error_message = "no public address, no shell into it"
  }
}

run "is_watched" {
  command = plan

  assert {
    condition     = module.alarms.names["tasks-missing"] == "lakeward-x-processor-tasks-missing"
    error_message = "somebody is told when it does not run"
  }
}

run "one_task_does_not_scale" {
  command = plan

  assert {
    condition     = length(aws_appautoscaling_target.this) == 0
    error_message = "as many at least as at most: nothing to scale"
  }
}

run "scales_by_lag" {
  command = plan

  variables {
    tasks_max       = 4
    scale_out_lag_s = 60
  }

  assert {
    condition     = aws_appautoscaling_target.this[0].max_capacity == 4 && aws_cloudwatch_metric_alarm.behind[0].threshold == 60000
    error_message = "above a minute of lag, up to four tasks"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.behind[0].metric_name == "GetRecords.IteratorAgeMilliseconds"
    error_message = "the metric is the age of the oldest unread record"
  }
}

run "does_not_swing" {
  command = plan

  variables {
    scale_out_lag_s = 60
    scale_in_lag_s  = 60
  }

  expect_failures = [var.scale_in_lag_s]
}
