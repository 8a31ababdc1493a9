# Who may do what. Every ARN is built from partition, region, account and name, so that a plan shows each policy whole
# before anything exists, and no policy waits for a resource. Actions are those that the program calls (src/stream,
# src/object-store, src/lake/catalog/rest), plus what encryption asks for; each role has its own.

locals {
  account = "${var.region}:${var.account_id}"
  stream  = "arn:${var.partition}:kinesis:${local.account}:stream/${var.stream_name}"
  # What follows the name is when it was registered.
  consumers = var.fan_out_consumer == null ? [] : ["${local.stream}/consumer/${var.fan_out_consumer}:*"]
  bucket    = "arn:${var.partition}:s3:::${var.bucket_name}"
  objects   = var.bucket_prefix == "" ? "${local.bucket}/*" : "${local.bucket}/${var.bucket_prefix}/*"
  listed    = var.bucket_prefix == "" ? ["", "*"] : [var.bucket_prefix, "${var.bucket_prefix}/*"]
  # Which key is decided by its alias, see the conditions: a key's own ARN is not known before it exists.
  keys = "arn:${var.partition}:kms:${local.account}:key/*"
  # The default catalog cannot be left out: Glue checks it, the database and the table.
  tables = var.glue_database == null ? [] : [
    "arn:${var.partition}:glue:${local.account}:catalog",
    "arn:${var.partition}:glue:${local.account}:database/${var.glue_database}",
    "arn:${var.partition}:glue:${local.account}:table/${var.glue_database}/*",
  ]

  via_kinesis = ["kinesis.${var.region}.amazonaws.com"]
  via_s3      = ["s3.${var.region}.amazonaws.com"]

  # What each role takes part in.
  roles = {
    processor  = { reads_stream = true, writes_lake = true }
    staging    = { reads_stream = false, writes_lake = true }
    transforms = { reads_stream = false, writes_lake = true }
  }

  policies = merge(
    { for name, role in local.roles : name => data.aws_iam_policy_document.role[name].json },
    {
      producer = data.aws_iam_policy_document.producer.json
      reader   = data.aws_iam_policy_document.reader.json
    },
  )
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name        = "${var.name}-${each.key}"
  description = "What ${var.name}'s ${each.key} may do"
  policy      = each.value
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = "${var.name}-${each.key}"
  description          = "${var.name}: role ${each.key} of Lakeward"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.roles

  role       = aws_iam_role.this[each.key].name
  policy_arn = aws_iam_policy.this[each.key].arn
}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "TasksOfThisAccount"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${var.partition}:ecs:${local.account}:*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.trusted_principal_arns) == 0 ? [] : [1]

    content {
      sid     = "Named"
      actions = ["sts:AssumeRole"]

      principals {
        type        = "AWS"
        identifiers = var.trusted_principal_arns
      }
    }
  }
}

data "aws_iam_policy_document" "role" {
  for_each = local.roles

  source_policy_documents = concat(
    each.value.reads_stream ? [data.aws_iam_policy_document.read_stream.json] : [],
    each.value.writes_lake ? [data.aws_iam_policy_document.write_lake.json] : [],
  )
}

data "aws_iam_policy_document" "read_stream" {
  statement {
    sid = "ReadStream"
    actions = [
      "kinesis:DescribeStreamSummary",
      "kinesis:GetRecords",
      "kinesis:GetShardIterator",
      "kinesis:ListShards",
    ]
    resources = [local.stream]
  }

  # Kinesis checks both, the stream and its consumer. Registering is Terraform's, in module stream.
  dynamic "statement" {
    for_each = length(local.consumers) == 0 ? [] : [1]

    content {
      sid       = "SubscribeToStream"
      actions   = ["kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard"]
      resources = concat([local.stream], local.consumers)
    }
  }

  statement {
    sid       = "DecryptRecords"
    actions   = ["kms:Decrypt"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.kms_alias]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.via_kinesis
    }
  }
}

data "aws_iam_policy_document" "write_lake" {
  source_policy_documents = [data.aws_iam_policy_document.list_lake.json]

  statement {
    sid = "WriteLake"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:PutObject",
    ]
    resources = [local.objects]
  }

  # Decrypt also for writing: S3 reads what it wrote when it puts the parts of an upload together.
  statement {
    sid       = "EncryptLake"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.kms_alias]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.via_s3
    }
  }

  dynamic "statement" {
    for_each = length(local.tables) == 0 ? [] : [1]

    content {
      sid = "WriteCatalog"
      actions = [
        "glue:CreateTable",
        "glue:GetCatalog",
        "glue:GetDatabase",
        "glue:GetTable",
        "glue:GetTables",
        "glue:UpdateTable",
      ]
      resources = local.tables
    }
  }
}

data "aws_iam_policy_document" "list_lake" {
  statement {
    sid       = "ListLake"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = local.listed
    }
  }
}

data "aws_iam_policy_document" "producer" {
  statement {
    sid       = "PutEvents"
    actions   = ["kinesis:DescribeStreamSummary", "kinesis:PutRecord", "kinesis:PutRecords"]
    resources = [local.stream]
  }

  statement {
    sid       = "EncryptRecords"
    actions   = ["kms:GenerateDataKey"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.kms_alias]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.via_kinesis
    }
  }
}

# For people and engines that only ask.
data "aws_iam_policy_document" "reader" {
  source_policy_documents = [data.aws_iam_policy_document.list_lake.json]

  statement {
    sid       = "ReadLake"
    actions   = ["s3:GetObject"]
    resources = [local.objects]
  }

  statement {
    sid       = "DecryptLake"
    actions   = ["kms:Decrypt"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.kms_alias]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.via_s3
    }
  }

  dynamic "statement" {
    for_each = length(local.tables) == 0 ? [] : [1]

    content {
      sid       = "ReadCatalog"
      actions   = ["glue:GetCatalog", "glue:GetDatabase", "glue:GetTable", "glue:GetTables"]
      resources = local.tables
    }
  }
}
