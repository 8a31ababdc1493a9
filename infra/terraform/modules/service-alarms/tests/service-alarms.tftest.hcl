mock_provider "aws" {}

variables {
  service_name  = "lakeward-x-staging"
  cluster_name  = "lakeward-x"
  role          = "staging"
  tasks_min     = 2
  alarm_actions = ["arn:aws:sns:eu-west-1:123456789012:alarms"]
}

run "tells_when_it_does_not_run_or_is_about_to_be_killed" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["tasks-missing"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["tasks-missing"].threshold == 2
    error_message = "fewer than two tasks, and no word of any, is an alarm"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["memory-high"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["memory-high"].threshold == 90
    error_message = "before the memory is used up"
  }

  assert {
    condition = alltrue([
      for section, alarm in aws_cloudwatch_metric_alarm.this :
      alarm.dimensions == tomap({ ClusterName = "lakeward-x", ServiceName = "lakeward-x-staging" }) && alarm.alarm_name == "lakeward-x-staging-${section}" && endswith(alarm.alarm_description, "#${section}") && alarm.alarm_actions == toset(var.alarm_actions)
    ])
    error_message = "of this service, with the section of its runbook, to somebody"
  }
}

run "refuses_a_service_of_which_none_can_be_missing" {
  command = plan

  variables {
    tasks_min = 0
  }

  expect_failures = [var.tasks_min]
}
