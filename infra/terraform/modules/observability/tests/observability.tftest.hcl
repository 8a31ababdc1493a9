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
  name        = "lakeward-x"
  region      = "eu-west-1"
  account_id  = "123456789012"
  stream_name = "lakeward-x-events"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "every_alarm_has_its_runbook" {
  command = plan

  assert {
    condition     = alltrue([for key, alarm in aws_cloudwatch_metric_alarm.this : endswith(alarm.alarm_description, "runbooks.md#${key}")])
    error_message = "an alarm says where to read on"
  }
}

run "silence_is_an_alarm" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no-commits"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["no-commits"].evaluation_periods == 6
    error_message = "no commit for half an hour, or no log at all"
  }
}

run "an_alarm_can_be_left_out" {
  command = plan

  variables {
    alarms_off = ["no-commits"]
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "no-commits")
    error_message = "it is not made"
  }
}

run "days_that_cloudwatch_takes" {
  command = plan

  variables {
    log_days = 42
  }

  expect_failures = [var.log_days]
}
