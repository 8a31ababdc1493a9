# Apache Spark without machines of one's own, for what one machine cannot do: an EMR Serverless application that starts
# when it is asked and stops when it is idle. Lakeward speaks Spark Connect to it. The provider (5.100) has no setting
# for Connect sessions yet: after the first apply they are turned on once, see docs/how-to/deploy.md.

resource "aws_emrserverless_application" "this" {
  name          = var.name
  release_label = var.release_label
  type          = "spark"
  architecture  = var.architecture

  tags = { Spark = var.name }

  auto_start_configuration {
    enabled = true
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = var.idle_minutes
  }

  # The most that one mistake can cost.
  maximum_capacity {
    cpu    = "${var.max_vcpu} vCPU"
    memory = "${var.max_memory_gib} GB"
    disk   = "${var.max_disk_gib} GB"
  }

  interactive_configuration {
    livy_endpoint_enabled = false
    studio_enabled        = false
  }

  network_configuration {
    subnet_ids         = var.subnet_ids
    security_group_ids = var.security_group_ids
  }
}

resource "aws_iam_role" "runtime" {
  name                 = "${var.name}-runtime"
  description          = "What Spark's executors act as"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn
}

# Spark writes files and branches of tables; Lakeward commits. Both need what a writer of the lake needs.
resource "aws_iam_role_policy_attachment" "runtime" {
  role       = aws_iam_role.runtime.name
  policy_arn = var.lake_policy_arn
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["emr-serverless.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

# For the role that starts sessions.
data "aws_iam_policy_document" "sessions" {
  statement {
    sid     = "Sessions"
    actions = ["emr-serverless:GetApplication", "emr-serverless:StartApplication", "emr-serverless:StartSession"]
    # Its id is AWS' choice, so only the tag tells which application this is.
    resources = ["arn:${var.partition}:emr-serverless:${var.region}:${var.account_id}:/applications/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Spark"
      values   = [var.name]
    }
  }

  statement {
    sid       = "SessionsOnceStarted"
    actions   = ["emr-serverless:GetSession", "emr-serverless:GetSessionEndpoint", "emr-serverless:TerminateSession"]
    resources = ["arn:${var.partition}:emr-serverless:${var.region}:${var.account_id}:/applications/*/sessions/*"]
  }

  statement {
    sid       = "GiveSparkItsRole"
    actions   = ["iam:PassRole"]
    resources = ["arn:${var.partition}:iam::${var.account_id}:role/${var.name}-runtime"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["emr-serverless.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "sessions" {
  name        = "${var.name}-sessions"
  description = "May start Spark Connect sessions of ${var.name}"
  policy      = data.aws_iam_policy_document.sessions.json
}
