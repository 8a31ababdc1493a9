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
  name        = "lakeward-x-lake"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "never_expires_a_current_object" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule : [
        for expiration in rule.expiration : coalesce(expiration.days, 0) == 0 && expiration.date == null
      ]
    ]))
    error_message = "a table may need an object of any age: no rule may expire current ones"
  }

  assert {
    condition = anytrue(flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule : [
        for old in rule.noncurrent_version_expiration : old.noncurrent_days == 30
      ]
    ]))
    error_message = "old versions go after 30 days"
  }
}

run "keeps_old_heartbeats_for_a_day" {
  command = plan

  variables {
    lake_prefix = "lake"
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.noncurrent_version_expiration[0].noncurrent_days
      if length(rule.filter) > 0 && rule.filter[0].prefix == "lake/.workers/"
    ] == [1]
    error_message = "a heartbeat is written a quarter of a million times a month, and its old versions are worth nothing"
  }
}

run "refuses_plain_http_and_its_own_deletion" {
  command = plan

  assert {
    condition = anytrue([
      for statement in jsondecode(data.aws_iam_policy_document.bucket.json).Statement :
      statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
    ])
    error_message = "requests without TLS are denied"
  }

  assert {
    condition     = strcontains(data.aws_iam_policy_document.bucket.json, "s3:DeleteBucket")
    error_message = "the bucket refuses to be deleted"
  }
}

run "without_protection_it_can_be_deleted" {
  command = plan

  variables {
    deletion_protection = false
    force_destroy       = true
  }

  assert {
    condition     = !strcontains(data.aws_iam_policy_document.bucket.json, "s3:DeleteBucket")
    error_message = "nothing denies the deletion"
  }
}

run "protection_and_force_contradict" {
  command = plan

  variables {
    force_destroy = true
  }

  expect_failures = [aws_s3_bucket.this]
}

run "a_dot_in_the_name_would_break_tls" {
  command = plan

  variables {
    name = "lake.example.com"
  }

  expect_failures = [var.name]
}
