# Staging: exact dedupe of raw over all history, sorted. As a service it is seconds behind raw; on a schedule its
# commits are fewer and its files larger, which is cheaper to keep and faster to read.
# Maintenance runs with it: it too works on tables only, and raw is compacted where staging has read it.

module "job" {
  source = "../job"

  role    = "staging"
  command = ["run", "staging", "maintenance"]

  name               = var.name
  region             = var.region
  mode               = var.mode
  schedule           = var.schedule
  scheduler_role_arn = var.scheduler_role_arn
  kms_key_arn        = var.kms_key_arn
  cluster_arn        = var.cluster_arn
  cluster_name       = var.cluster_name
  subnet_ids         = var.subnet_ids
  security_group_ids = var.security_group_ids
  image              = var.image
  options            = var.options
  cpu_units          = var.cpu_units
  memory_mib         = var.memory_mib
  storage_gib        = var.storage_gib
  architecture       = var.architecture
  stop_timeout_s     = var.stop_timeout_s
  health_command     = var.health_command
  execution_role_arn = var.execution_role_arn
  task_role_arn      = var.task_role_arn
  log_group_name     = var.log_group_name
  alarm_actions      = var.alarm_actions
  runbook_url        = var.runbook_url
}
