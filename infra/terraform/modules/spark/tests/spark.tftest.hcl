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
  name               = "lakeward-x-spark"
  region             = "eu-west-1"
  account_id         = "123456789012"
  subnet_ids         = ["subnet-1"]
  security_group_ids = ["sg-1"]
  lake_policy_arn    = "arn:aws:iam::123456789012:policy/lakeward-x-staging"
}

run "is_bounded_and_stops_when_idle" {
  command = plan

  assert {
    condition     = aws_emrserverless_application.this.auto_stop_configuration[0].enabled && aws_emrserverless_application.this.maximum_capacity[0].cpu == "32 vCPU"
    error_message = "it stops when idle and never grows beyond its bound"
  }
}

run "older_releases_have_no_sessions" {
  command = plan

  variables {
    release_label = "emr-7.12.0"
  }

  expect_failures = [var.release_label]
}
