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
  value       = "s3://${local.bucket_name}${var.lake.prefix == "" ? "" : "/${var.lake.prefix}"}"
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
