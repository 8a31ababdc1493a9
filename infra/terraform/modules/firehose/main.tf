# The alternative where nothing is to be done with events: Firehose takes them from the stream and drops them in S3, as
# they are, or into one Iceberg table. No dedupe, no event types, no quarantine: docs/explanation/no-transformation.md
# compares. It reads the stream beside Lakeward, under a prefix of its own.

locals {
  stream = "arn:${var.partition}:kinesis:${var.region}:${var.account_id}:stream/${var.stream_name}"
  bucket = "arn:${var.partition}:s3:::${var.bucket_name}"
  keys   = "arn:${var.partition}:kms:${var.region}:${var.account_id}:key/*"
  errors = "${var.prefix}-errors/!{firehose:error-output-type}/"
  logs   = "/${var.name}/firehose"
  glue = var.iceberg == null ? [] : [
    "arn:${var.partition}:glue:${var.region}:${var.account_id}:catalog",
    "arn:${var.partition}:glue:${var.region}:${var.account_id}:database/${var.iceberg.database_name}",
    "arn:${var.partition}:glue:${var.region}:${var.account_id}:table/${var.iceberg.database_name}/${var.iceberg.table_name}",
  ]
}

resource "aws_kinesis_firehose_delivery_stream" "this" {
  name        = var.name
  destination = var.iceberg == null ? "extended_s3" : "iceberg"

  kinesis_source_configuration {
    kinesis_stream_arn = local.stream
    role_arn           = aws_iam_role.this.arn
  }

  dynamic "extended_s3_configuration" {
    for_each = var.iceberg == null ? [1] : []

    content {
      role_arn            = aws_iam_role.this.arn
      bucket_arn          = local.bucket
      kms_key_arn         = var.kms_key_arn
      prefix              = "${var.prefix}/day=!{timestamp:yyyy-MM-dd}/"
      error_output_prefix = local.errors
      compression_format  = "GZIP"
      buffering_size      = var.buffer_mib
      buffering_interval  = var.buffer_s

      # Events are JSON without a line's end between them.
      processing_configuration {
        enabled = true

        processors {
          type = "AppendDelimiterToRecord"

          parameters {
            parameter_name  = "Delimiter"
            parameter_value = "\\n"
          }
        }
      }

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.this.name
        log_stream_name = aws_cloudwatch_log_stream.this.name
      }
    }
  }

  dynamic "iceberg_configuration" {
    for_each = var.iceberg == null ? [] : [var.iceberg]

    content {
      role_arn           = aws_iam_role.this.arn
      catalog_arn        = local.glue[0]
      buffering_size     = var.buffer_mib
      buffering_interval = var.buffer_s
      s3_backup_mode     = "FailedDataOnly"

      destination_table_configuration {
        database_name          = iceberg_configuration.value.database_name
        table_name             = iceberg_configuration.value.table_name
        s3_error_output_prefix = local.errors
      }

      s3_configuration {
        role_arn            = aws_iam_role.this.arn
        bucket_arn          = local.bucket
        kms_key_arn         = var.kms_key_arn
        error_output_prefix = local.errors
      }

      cloudwatch_logging_options {
        enabled         = true
        log_group_name  = aws_cloudwatch_log_group.this.name
        log_stream_name = aws_cloudwatch_log_stream.this.name
      }
    }
  }

  # Firehose tries the role's rights when it is made.
  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.logs
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_stream" "this" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.this.name
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-firehose"
  description          = "What Firehose acts as when it delivers ${var.stream_name}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "this" {
  name   = "deliver"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.deliver.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

data "aws_iam_policy_document" "deliver" {
  statement {
    sid       = "ReadStream"
    actions   = ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
    resources = [local.stream]
  }

  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [local.bucket]
  }

  statement {
    sid     = "WriteObjects"
    actions = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = concat(
      ["${local.bucket}/${var.prefix}/*", "${local.bucket}/${var.prefix}-errors/*"],
      var.iceberg == null ? [] : ["${local.bucket}/${var.iceberg.table_prefix}/*"],
    )
  }

  statement {
    sid       = "Key"
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
      values   = ["kinesis.${var.region}.amazonaws.com", "s3.${var.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:PutLogEvents"]
    resources = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${local.logs}:log-stream:delivery"]
  }

  dynamic "statement" {
    for_each = var.iceberg == null ? [] : [1]

    content {
      sid       = "CommitToTable"
      actions   = ["glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"]
      resources = local.glue
    }
  }
}
