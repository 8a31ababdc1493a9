variable "name" {
  description = "Beginning of the names of all that is made."
  type        = string
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of logs and alarms."
  type        = string
}

variable "account_id" {
  description = "Account that owns everything, 12 digits."
  type        = string
}

variable "roles" {
  description = "Roles that have a log group: processor, staging, transforms."
  type        = set(string)
  default     = ["processor", "staging"]

  validation {
    condition     = length(setsubtract(var.roles, ["processor", "staging", "transforms"])) == 0
    error_message = "roles are among processor, staging and transforms."
  }
}

variable "stream_name" {
  description = "Stream to show on the dashboard."
  type        = string
}

variable "fan_out_consumer" {
  description = "Consumer of enhanced fan-out whose lag the dashboard shows; null: the stream is polled."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that logs and the alarms' topic are encrypted with."
  type        = string
}

variable "log_days" {
  description = "Days to keep logs; one of the numbers that CloudWatch takes."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days is one of the numbers that CloudWatch takes, such as 7, 30, 90 or 365."
  }
}

variable "alarm_emails" {
  description = "Addresses that are told of alarms, each after it confirmed by a mail."
  type        = set(string)
  default     = []
}

variable "alarms_off" {
  description = "Alarms not to make, by their runbook section."
  type        = set(string)
  default     = []
}

variable "no_commits_alarm_minutes" {
  description = "Minutes without a commit to raw before the alarm. A stream without events has none either: then longer, or off."
  type        = number
  default     = 30

  validation {
    condition     = var.no_commits_alarm_minutes >= 5 && var.no_commits_alarm_minutes <= 1440
    error_message = "no_commits_alarm_minutes is 5 to 1440."
  }
}

variable "quarantined_alarm_rows" {
  description = "Records in five minutes that may go to quarantine before the alarm."
  type        = number
  default     = 100
}

variable "dashboard" {
  description = "Whether to make the dashboard."
  type        = bool
  default     = true
}

variable "runbook_url" {
  description = "Page of the runbooks; each alarm appends its section."
  type        = string
  default     = "docs/how-to/runbooks.md"
}
