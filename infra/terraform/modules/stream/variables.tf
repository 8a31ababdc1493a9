variable "name" {
  description = "Name of the stream."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{1,128}$", var.name))
    error_message = "name takes 1 to 128 letters, digits, _, . and -."
  }
}

variable "mode" {
  description = "`PROVISIONED`: a fixed number of shards, cheapest when the load is known. `ON_DEMAND`: grows by itself."
  type        = string
  default     = "PROVISIONED"

  validation {
    condition     = contains(["PROVISIONED", "ON_DEMAND"], var.mode)
    error_message = "mode is PROVISIONED or ON_DEMAND."
  }
}

variable "shards" {
  description = "Shards of a provisioned stream; each takes 1 MiB/s or 1,000 records/s."
  type        = number
  default     = null

  validation {
    condition     = var.shards == null ? true : var.shards >= 1 && var.shards <= 10000 && floor(var.shards) == var.shards
    error_message = "shards is a whole number from 1 to 10000."
  }
}

variable "retention_hours" {
  description = "Hours for which the stream keeps records. What is not in the lake by then is lost."
  type        = number
  default     = 168

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760
    error_message = "retention_hours is 24 to 8760."
  }
}

variable "fan_out_consumer" {
  description = "Consumer of enhanced fan-out to register, for option stream.fanOut: 2 MB/s a shard for it alone, at a price; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.fan_out_consumer == null ? true : can(regex("^[a-zA-Z0-9_.-]{1,128}$", var.fan_out_consumer))
    error_message = "fan_out_consumer takes 1 to 128 letters, digits, _, . and -."
  }
}

variable "kms_key_arn" {
  description = "Key that records are encrypted with."
  type        = string
}

variable "shard_level_metrics" {
  description = "Metrics to have for every shard, at CloudWatch's price for custom metrics; none by default."
  type        = set(string)
  default     = []
}

variable "alarms" {
  description = "Whether to make the alarms."
  type        = bool
  default     = true
}

variable "iterator_age_alarm_minutes" {
  description = "Minutes that a record may wait to be read before the alarm."
  type        = number
  default     = 15

  validation {
    condition     = var.iterator_age_alarm_minutes > 0
    error_message = "iterator_age_alarm_minutes is above 0."
  }
}

variable "throttled_alarm_fraction" {
  description = "Fraction of calls that may be throttled before the alarm, 0 to 1."
  type        = number
  default     = 0.01

  validation {
    condition     = var.throttled_alarm_fraction >= 0 && var.throttled_alarm_fraction <= 1
    error_message = "throttled_alarm_fraction is 0 to 1."
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
