output "region" {
  description = "Region of everything."
  value       = var.region
}

output "stream_name" {
  description = "Name of the stream."
  value       = module.stream.name
}

output "stream_arn" {
  description = "ARN of the stream."
  value       = module.stream.arn
}

output "lake_url" {
  description = "Where the lake is."
  value       = local.lake_url
}

output "kms_key_arn" {
  description = "Key of the environment."
  value       = module.kms.key_arn
}

output "role_arns" {
  description = "Roles of the program."
  value       = module.iam.role_arns
}

output "policy_arns" {
  description = "Policies to attach to producers and readers, and those of the roles."
  value       = module.iam.policy_arns
}

output "glue_database" {
  description = "Glue database of the tables; null where the catalog is in the bucket."
  value       = local.glue_database
}

output "repository_url" {
  description = "Where to push the image; null without containers."
  value       = one(module.registry[*].repository_url)
}

output "cluster_name" {
  description = "ECS cluster; null without containers."
  value       = one(module.cluster[*].name)
}

output "spark_application_id" {
  description = "EMR Serverless application; null without one."
  value       = one(module.spark[*].application_id)
}

output "log_group_names" {
  description = "Log groups by role."
  value       = module.observability.log_group_names
}

output "alarm_topic_arn" {
  description = "Topic that alarms tell."
  value       = module.observability.topic_arn
}

output "options" {
  description = "What the program is told to work on this deployment, by the names of its options."
  value       = merge(local.catalog_options, local.store_options, local.stream_options)
}
