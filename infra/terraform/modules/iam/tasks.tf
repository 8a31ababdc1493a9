# What the platform does for tasks: ECS pulls images and opens log streams, the scheduler starts tasks. The program
# itself never acts as these. Only where containers run.

locals {
  task_roles = [for name in keys(local.roles) : "arn:${var.partition}:iam::${var.account_id}:role/${var.name}-${name}"]
  platform   = var.containers == null ? {} : { execution = "ecs-tasks.amazonaws.com", scheduler = "scheduler.amazonaws.com" }
}

resource "aws_iam_role" "platform" {
  for_each = local.platform

  name                 = "${var.name}-${each.key}"
  description          = "${var.name}: ${each.key} of tasks"
  assume_role_policy   = data.aws_iam_policy_document.platform_trust[each.key].json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "platform" {
  for_each = local.platform

  name   = each.key
  role   = aws_iam_role.platform[each.key].name
  policy = each.key == "execution" ? data.aws_iam_policy_document.execution[0].json : data.aws_iam_policy_document.scheduler[0].json
}

data "aws_iam_policy_document" "platform_trust" {
  for_each = local.platform

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  count = var.containers == null ? 0 : 1

  # AWS has no narrower resource for it: the token is the account's.
  statement {
    sid       = "LogInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "PullImage"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["arn:${var.partition}:ecr:${local.account}:repository/${var.containers.repository_name}"]
  }

  statement {
    sid     = "WriteLogs"
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [
      for group in var.containers.log_group_names :
      "arn:${var.partition}:logs:${local.account}:log-group:${group}:log-stream:*"
    ]
  }
}

data "aws_iam_policy_document" "scheduler" {
  count = var.containers == null ? 0 : 1

  statement {
    sid       = "StartTasks"
    actions   = ["ecs:RunTask"]
    resources = ["arn:${var.partition}:ecs:${local.account}:task-definition/${var.name}-*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = ["arn:${var.partition}:ecs:${local.account}:cluster/${var.containers.cluster_name}"]
    }
  }

  statement {
    sid       = "GiveTasksTheirRoles"
    actions   = ["iam:PassRole"]
    resources = concat(local.task_roles, ["arn:${var.partition}:iam::${var.account_id}:role/${var.name}-execution"])

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}
