# One deployment of Lakeward: the same for every environment. What differs is in environments/<name>/terraform.tfvars.

locals {
  prefix      = "${var.name}-${var.environment}"
  bucket_name = coalesce(var.lake.bucket_name, "${local.prefix}-lake-${var.account_id}-${var.region}")
  alarm_topic = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.prefix}-alarms"
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

  name                       = "${local.prefix}-events"
  mode                       = var.stream.mode
  shards                     = var.stream.shards
  retention_hours            = var.stream.retention_hours
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
  noncurrent_days     = var.lake.noncurrent_days
  access_log_bucket   = var.lake.access_log_bucket
  deletion_protection = var.deletion_protection
  force_destroy       = !var.deletion_protection
}

module "iam" {
  source = "../modules/iam"

  name                   = local.prefix
  partition              = var.partition
  region                 = var.region
  account_id             = var.account_id
  stream_name            = "${local.prefix}-events"
  bucket_name            = local.bucket_name
  bucket_prefix          = var.lake.prefix
  kms_alias              = module.kms.alias_name
  trusted_principal_arns = var.trusted_principal_arns
}
