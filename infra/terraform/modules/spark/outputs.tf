output "application_id" {
  description = "Id of the application."
  value       = aws_emrserverless_application.this.id
}

output "runtime_role_arn" {
  description = "Role that sessions are started with."
  value       = aws_iam_role.runtime.arn
}

output "sessions_policy_arn" {
  description = "Policy for who starts sessions."
  value       = aws_iam_policy.sessions.arn
}
