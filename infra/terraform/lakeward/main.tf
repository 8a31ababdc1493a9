# One deployment of Lakeward: the same for every environment. What differs is in environments/<name>/terraform.tfvars.

locals {
  prefix      = "${var.name}-${var.environment}"
  stream_name = "${local.prefix}-events"
  bucket_name = coalesce(var.lake.bucket_name, "${local.prefix}-lake-${var.account_id}-${var.region}")
  lake_url    = "s3://${local.bucket_name}${var.lake.prefix == "" ? "" : "/${var.lake.prefix}"}"
  alarm_topic = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.prefix}-alarms"
  # Athena takes no hyphen in a database's name.
  glue_database = var.capabilities.glue ? replace(local.prefix, "-", "_") : null

  roles = setunion(["processor", "staging"], var.transforms == null ? [] : ["transforms"])
}

module "kms" {
  source = "../modules/kms"

  name                 = local.prefix
  partition            = var.partition
  region               = var.region
  account_id           = var.account_id
  deletion_window_days = var.key_deletion_window_days
}

module "stream" {
  source = "../modules/stream"

  name                       = local.stream_name
  mode                       = var.stream.mode
  shards                     = var.stream.shards
  retention_hours            = var.stream.retention_hours
  fan_out_consumer           = var.stream.fan_out_consumer
  kms_key_arn                = module.kms.key_arn
  iterator_age_alarm_minutes = var.stream.iterator_age_alarm_minutes
  alarm_actions              = [local.alarm_topic]
  runbook_url                = var.runbook_url
}

module "lake_bucket" {
  source = "../modules/lake-bucket"

  name                = local.bucket_name
  partition           = var.partition
  kms_key_arn         = module.kms.key_arn
  lake_prefix         = var.lake.prefix
  noncurrent_days     = var.lake.noncurrent_days
  access_log_bucket   = var.lake.access_log_bucket
  deletion_protection = var.deletion_protection
  policy_enabled      = var.capabilities.bucket_policy
  force_destroy       = !var.deletion_protection
}

module "catalog" {
  source = "../modules/catalog"
  count  = var.capabilities.glue ? 1 : 0

  name         = local.glue_database
  location_uri = local.lake_url
}

module "iam" {
  source = "../modules/iam"

  name                     = local.prefix
  partition                = var.partition
  region                   = var.region
  account_id               = var.account_id
  stream_name              = local.stream_name
  fan_out_consumer         = var.stream.fan_out_consumer
  bucket_name              = local.bucket_name
  bucket_prefix            = var.lake.prefix
  kms_alias                = module.kms.alias_name
  glue_database            = local.glue_database
  trusted_principal_arns   = var.trusted_principal_arns
  permissions_boundary_arn = var.permissions_boundary_arn

  containers = !var.capabilities.containers ? null : {
    cluster_name    = local.prefix
    repository_name = local.prefix
    log_group_names = [for role in local.roles : "/${local.prefix}/${role}"]
  }
}

module "observability" {
  source = "../modules/observability"

  name                     = local.prefix
  partition                = var.partition
  region                   = var.region
  account_id               = var.account_id
  roles                    = local.roles
  stream_name              = local.stream_name
  fan_out_consumer         = var.stream.fan_out_consumer
  kms_key_arn              = module.kms.key_arn
  log_days                 = var.observability.log_days
  alarm_emails             = var.observability.alarm_emails
  alarms_off               = var.observability.alarms_off
  no_commits_alarm_minutes = var.observability.no_commits_alarm_minutes
  quarantined_alarm_rows   = var.observability.quarantined_alarm_rows
  dashboard                = var.observability.dashboard
  runbook_url              = var.runbook_url
}
