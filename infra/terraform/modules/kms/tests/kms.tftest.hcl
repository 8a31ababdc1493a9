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
  name       = "lakeward-x"
  region     = "eu-west-1"
  account_id = "123456789012"
}

run "rotates_and_takes_deletion_back" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "the key rotates, and its deletion can be taken back for 30 days"
  }

  assert {
    condition     = output.alias_name == "alias/lakeward-x"
    error_message = "the alias is known before the key exists"
  }
}

run "services_are_bound_to_this_account" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      strcontains(jsonencode(statement.Condition), "123456789012") if can(statement.Principal.Service)
    ])
    error_message = "every service's statement names this account in a condition"
  }
}

run "refuses_a_window_that_aws_would_refuse" {
  command = plan

  variables {
    deletion_window_days = 3
  }

  expect_failures = [var.deletion_window_days]
}

run "refuses_an_alias_of_aws" {
  command = plan

  variables {
    name = "aws/kinesis"
  }

  expect_failures = [var.name]
}
