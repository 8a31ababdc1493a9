output "role_arns" {
  description = "ARNs of the program's roles: processor, staging, transforms."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "policy_arns" {
  description = "ARNs of the policies: those of the roles, `producer` (may put events) and `reader` (may ask)."
  value       = { for name, policy in aws_iam_policy.this : name => policy.arn }
}

output "execution_role_arn" {
  description = "Role by which ECS starts tasks; null without containers."
  value       = one([for name, role in aws_iam_role.platform : role.arn if name == "execution"])
}

output "scheduler_role_arn" {
  description = "Role by which the scheduler starts tasks; null without containers."
  value       = one([for name, role in aws_iam_role.platform : role.arn if name == "scheduler"])
}

output "role_actions" {
  description = "Actions of each role, for comparing with the calls of a run."
  value = {
    for name in keys(local.roles) : name => sort(distinct(flatten([
      for statement in jsondecode(data.aws_iam_policy_document.role[name].json).Statement : statement.Action
    ])))
  }
}
