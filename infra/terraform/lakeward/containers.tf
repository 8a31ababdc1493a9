# What runs the program, where the endpoint has containers. Elsewhere the same roles, stream and bucket are there, and
# the program is run by whoever takes a role.

locals {
  image = var.image != null ? var.image : "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/${local.prefix}:${var.image_tag}"

  # What the program is told, by the names of its own options; `task` makes environment variables of them.
  catalog_options = var.capabilities.glue ? {
    "catalog.kind"      = "rest"
    "catalog.uri"       = "https://glue.${var.region}.amazonaws.com/iceberg"
    "catalog.warehouse" = var.account_id
    "catalog.auth"      = "sigv4"
    } : {
    "catalog.kind" = "bucket"
  }

  store_options = {
    "store.url"    = local.lake_url
    "store.region" = var.region
  }

  stream_options = merge({
    "stream.name"   = "arn:${var.partition}:kinesis:${var.region}:${var.account_id}:stream/${local.stream_name}"
    "stream.region" = var.region
  }, var.stream.fan_out_consumer == null ? {} : { "stream.fanOut" = var.stream.fan_out_consumer })

  log_options = {
    "log.format" = "json"
    "log.level"  = var.log_level
  }

  common_options = merge(local.catalog_options, local.store_options, local.log_options)

  # DuckDB gets half of a task's memory; Node, its buffers and libduckdb's own overhead have the rest.
  engine_options = {
    for role, size in { processor = var.processor, staging = var.staging, transforms = var.transforms } :
    role => size == null ? {} : {
      "engine.memory"  = "${floor(size.memory_mib / 2)}MB"
      "engine.threads" = tostring(max(1, floor(size.cpu_units / 1024)))
    }
  }
}

module "network" {
  source = "../modules/network"
  count  = var.capabilities.containers ? 1 : 0

  name               = local.prefix
  partition          = var.partition
  region             = var.region
  account_id         = var.account_id
  cidr               = var.network.cidr
  availability_zones = var.network.availability_zones
  bucket_names       = [local.bucket_name]
  kms_key_arn        = module.kms.key_arn
  flow_log_days      = var.observability.log_days
  flow_log_traffic   = var.network.flow_log_traffic
}

module "registry" {
  source = "../modules/registry"
  count  = var.capabilities.containers ? 1 : 0

  name         = local.prefix
  kms_key_arn  = module.kms.key_arn
  images_kept  = var.images_kept
  force_delete = !var.deletion_protection
}

module "cluster" {
  source = "../modules/cluster"
  count  = var.capabilities.containers ? 1 : 0

  name = local.prefix
}

module "processor" {
  source = "../modules/processor-service"
  count  = var.capabilities.containers ? 1 : 0

  name               = "${local.prefix}-processor"
  region             = var.region
  cluster_arn        = module.cluster[0].arn
  cluster_name       = local.prefix
  subnet_ids         = module.network[0].subnet_ids
  security_group_ids = [module.network[0].task_security_group_id]
  image              = local.image
  options            = merge(local.common_options, local.stream_options, local.engine_options.processor, var.processor.options)
  cpu_units          = var.processor.cpu_units
  memory_mib         = var.processor.memory_mib
  storage_gib        = var.processor.storage_gib
  architecture       = var.architecture
  tasks_min          = var.processor.tasks_min
  tasks_max          = var.capabilities.autoscaling ? var.processor.tasks_max : var.processor.tasks_min
  scale_out_lag_s    = var.processor.scale_out_lag_s
  scale_in_lag_s     = var.processor.scale_in_lag_s
  stream_name        = local.stream_name
  fan_out_consumer   = var.stream.fan_out_consumer
  execution_role_arn = module.iam.execution_role_arn
  task_role_arn      = module.iam.role_arns["processor"]
  log_group_name     = module.observability.log_group_names["processor"]
  alarm_actions      = [local.alarm_topic]
  runbook_url        = var.runbook_url
}

module "staging" {
  source = "../modules/staging-job"
  count  = var.capabilities.containers ? 1 : 0

  name               = "${local.prefix}-staging"
  region             = var.region
  mode               = var.staging.mode
  schedule           = var.staging.schedule
  scheduler_role_arn = module.iam.scheduler_role_arn
  kms_key_arn        = module.kms.key_arn
  cluster_arn        = module.cluster[0].arn
  cluster_name       = local.prefix
  subnet_ids         = module.network[0].subnet_ids
  security_group_ids = [module.network[0].task_security_group_id]
  image              = local.image
  options            = merge(local.common_options, local.engine_options.staging, var.staging.options)
  cpu_units          = var.staging.cpu_units
  memory_mib         = var.staging.memory_mib
  storage_gib        = var.staging.storage_gib
  architecture       = var.architecture
  execution_role_arn = module.iam.execution_role_arn
  task_role_arn      = module.iam.role_arns["staging"]
  log_group_name     = module.observability.log_group_names["staging"]
  alarm_actions      = [local.alarm_topic]
  runbook_url        = var.runbook_url
}

module "transforms" {
  source = "../modules/transforms"
  count  = var.capabilities.containers && var.transforms != null ? 1 : 0

  name               = "${local.prefix}-transforms"
  region             = var.region
  dir                = var.transforms.dir
  mode               = var.transforms.mode
  schedule           = var.transforms.schedule
  scheduler_role_arn = module.iam.scheduler_role_arn
  kms_key_arn        = module.kms.key_arn
  cluster_arn        = module.cluster[0].arn
  cluster_name       = local.prefix
  subnet_ids         = module.network[0].subnet_ids
  security_group_ids = [module.network[0].task_security_group_id]
  image              = local.image
  options            = merge(local.common_options, local.engine_options.transforms, var.transforms.options)
  cpu_units          = var.transforms.cpu_units
  memory_mib         = var.transforms.memory_mib
  storage_gib        = var.transforms.storage_gib
  architecture       = var.architecture
  execution_role_arn = module.iam.execution_role_arn
  task_role_arn      = module.iam.role_arns["transforms"]
  log_group_name     = module.observability.log_group_names["transforms"]
  alarm_actions      = [local.alarm_topic]
  runbook_url        = var.runbook_url
}

module "spark" {
  source = "../modules/spark"
  count  = var.capabilities.containers && var.spark != null ? 1 : 0

  name                     = "${local.prefix}-spark"
  partition                = var.partition
  region                   = var.region
  account_id               = var.account_id
  architecture             = var.architecture
  idle_minutes             = var.spark.idle_minutes
  max_vcpu                 = var.spark.max_vcpu
  max_memory_gib           = var.spark.max_memory_gib
  subnet_ids               = module.network[0].subnet_ids
  security_group_ids       = [module.network[0].task_security_group_id]
  lake_policy_arn          = module.iam.policy_arns["staging"]
  permissions_boundary_arn = var.permissions_boundary_arn
}

module "firehose" {
  source = "../modules/firehose"
  count  = var.firehose == null ? 0 : 1

  name                     = "${local.prefix}-firehose"
  partition                = var.partition
  region                   = var.region
  account_id               = var.account_id
  stream_name              = module.stream.name
  bucket_name              = module.lake_bucket.name
  prefix                   = var.firehose.prefix
  iceberg                  = var.firehose.iceberg
  buffer_s                 = var.firehose.buffer_s
  kms_key_arn              = module.kms.key_arn
  kms_alias                = module.kms.alias_name
  log_days                 = var.observability.log_days
  permissions_boundary_arn = var.permissions_boundary_arn
  behind_alarm_minutes     = var.stream.iterator_age_alarm_minutes
  alarm_actions            = [local.alarm_topic]
  runbook_url              = var.runbook_url
}
