variable "name" {
  description = "Name of the delivery stream."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{1,55}$", var.name))
    error_message = "name takes 1 to 55 letters, digits, _, . and -: its role's name is longer."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of stream and delivery."
  type        = string
}

variable "account_id" {
  description = "Account that owns everything, 12 digits."
  type        = string
}

variable "stream_name" {
  description = "Stream to take events from."
  type        = string
}

variable "bucket_name" {
  description = "Bucket to write to."
  type        = string
}

variable "prefix" {
  description = "Prefix to write under, not that of the lake; what could not be delivered goes to the same with `-errors` after it."
  type        = string
  default     = "firehose"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]+$", var.prefix))
    error_message = "prefix takes letters, digits, _ and -."
  }
}

variable "iceberg" {
  description = "The Iceberg table in Glue to append to, made beforehand, and the prefix of its files in the bucket; null: compressed JSON objects by day of arrival."
  type = object({
    database_name = string
    table_name    = string
    table_prefix  = string
  })
  default = null
}

variable "buffer_mib" {
  description = "MiB after which an object is written; the sooner of the two."
  type        = number
  default     = 128

  validation {
    condition     = var.buffer_mib >= 1 && var.buffer_mib <= 128
    error_message = "buffer_mib is 1 to 128."
  }
}

variable "buffer_s" {
  description = "Seconds after which an object is written; the sooner of the two."
  type        = number
  default     = 300

  validation {
    condition     = var.buffer_s >= 0 && var.buffer_s <= 900
    error_message = "buffer_s is 0 to 900."
  }
}

variable "kms_key_arn" {
  description = "Key that objects and logs are encrypted with."
  type        = string
}

variable "kms_alias" {
  description = "Alias, with `alias/`, of that key and the stream's."
  type        = string
}

variable "log_days" {
  description = "Days to keep logs; one of the numbers that CloudWatch takes."
  type        = number
  default     = 365
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the role; null: none."
  type        = string
  default     = null
}

variable "behind_alarm_minutes" {
  description = "Minutes that Firehose may read behind the stream before the alarm."
  type        = number
  default     = 15

  validation {
    condition     = var.behind_alarm_minutes > 0
    error_message = "behind_alarm_minutes is above 0."
  }
}

variable "alarm_actions" {
  description = "ARNs that alarms tell when they begin and end, such as an SNS topic."
  type        = list(string)
  default     = []
}

variable "runbook_url" {
  description = "Page of the runbooks; each alarm appends its section."
  type        = string
  default     = "docs/how-to/runbooks.md"
}
