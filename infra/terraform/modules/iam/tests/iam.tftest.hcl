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
  name          = "lakeward-x"
  region        = "eu-west-1"
  account_id    = "123456789012"
  stream_name   = "lakeward-x-events"
  bucket_name   = "lakeward-x-lake"
  bucket_prefix = "lake"
  kms_alias     = "alias/lakeward-x"
}

run "only_the_processor_reads_the_stream" {
  command = plan

  assert {
    condition = contains(output.role_actions["processor"], "kinesis:GetRecords") && alltrue([
      for role in ["staging", "transforms"] : length([for action in output.role_actions[role] : action if startswith(action, "kinesis:")]) == 0
    ])
    error_message = "staging and transforms read tables, not the stream"
  }
}

run "nobody_may_put_and_process" {
  command = plan

  assert {
    condition     = length([for action in output.role_actions["processor"] : action if startswith(action, "kinesis:Put")]) == 0
    error_message = "the processor puts nothing on the stream"
  }

  assert {
    condition     = !strcontains(data.aws_iam_policy_document.reader.json, "s3:PutObject") && !strcontains(data.aws_iam_policy_document.reader.json, "s3:DeleteObject")
    error_message = "a reader writes nothing"
  }
}

run "writes_under_the_prefix_only" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(data.aws_iam_policy_document.role["staging"].json).Statement :
      statement.Resource == "arn:aws:s3:::lakeward-x-lake/lake/*" if contains(flatten([statement.Action]), "s3:PutObject")
    ])
    error_message = "what else is in the bucket is none of Lakeward's business"
  }
}

run "the_key_is_granted_by_alias_and_service" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(data.aws_iam_policy_document.role["processor"].json).Statement :
      can(statement.Condition["ForAnyValue:StringEquals"]["kms:ResourceAliases"]) && can(statement.Condition.StringEquals["kms:ViaService"])
      if strcontains(jsonencode(statement.Action), "kms:")
    ])
    error_message = "every right to keys is bound to the alias and to the service that uses it"
  }
}

run "without_glue_no_right_to_it" {
  command = plan

  assert {
    condition     = length([for action in output.role_actions["processor"] : action if startswith(action, "glue:")]) == 0
    error_message = "a catalog in the bucket needs no Glue"
  }
}

run "with_glue_the_database_is_named" {
  command = plan

  variables {
    glue_database = "lakeward_x"
  }

  assert {
    condition     = contains(output.role_actions["staging"], "glue:UpdateTable") && !contains(output.role_actions["staging"], "glue:DeleteTable")
    error_message = "tables are made and moved on, never dropped"
  }
}

run "tasks_are_started_in_one_cluster_with_these_roles" {
  command = plan

  variables {
    containers = { cluster_name = "lakeward-x", repository_name = "lakeward-x", log_group_names = ["/lakeward-x/processor"] }
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.platform["scheduler"].policy, "cluster/lakeward-x") && strcontains(aws_iam_role_policy.platform["scheduler"].policy, "iam:PassedToService")
    error_message = "the scheduler starts tasks in this cluster only, and passes roles to ECS only"
  }
}

run "without_containers_no_platform_roles" {
  command = plan

  assert {
    condition     = length(aws_iam_role.platform) == 0
    error_message = "no containers, no roles for them"
  }
}

run "polling_needs_no_right_to_subscribe" {
  command = plan

  assert {
    condition     = length([for action in output.role_actions["processor"] : action if strcontains(action, "Subscribe") || strcontains(action, "Consumer")]) == 0
    error_message = "without a consumer nobody subscribes"
  }
}

run "of_fan_out_the_processor_may_subscribe_as_the_one_consumer" {
  command = plan

  variables {
    fan_out_consumer = "lakeward"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(data.aws_iam_policy_document.role["processor"].json).Statement :
      toset(statement.Resource) == toset([
        "arn:aws:kinesis:eu-west-1:123456789012:stream/lakeward-x-events",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/lakeward-x-events/consumer/lakeward:*",
      ]) if contains(flatten([statement.Action]), "kinesis:SubscribeToShard")
    ]) && contains(output.role_actions["processor"], "kinesis:SubscribeToShard")
    error_message = "the stream and this consumer of it, whenever it was registered"
  }

  assert {
    condition     = length([for action in output.role_actions["staging"] : action if startswith(action, "kinesis:")]) == 0
    error_message = "staging reads tables"
  }
}
