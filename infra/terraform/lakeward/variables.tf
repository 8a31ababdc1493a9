variable "name" {
  description = "Name of the application; with the environment it begins every name."
  type        = string
  default     = "lakeward"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name is 1 to 20 small letters, digits and -, and begins with a letter."
  }
}

variable "environment" {
  description = "Name of the environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "environment is 1 to 16 small letters, digits and -, and begins with a letter."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"

  validation {
    condition     = contains(["aws", "aws-cn", "aws-us-gov"], var.partition)
    error_message = "partition is aws, aws-cn or aws-us-gov."
  }
}

variable "region" {
  description = "Region of everything."
  type        = string
}

variable "account_id" {
  description = "Account of the environment, 12 digits. Credentials of any other account are refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "tags" {
  description = "Tags of every resource, besides Application, Environment and ManagedBy."
  type        = map(string)
  default     = {}
}

variable "endpoint" {
  description = "`emulated`: the address in AWS_ENDPOINT_URL stands in for AWS. `max_retries`: attempts of one request after the first."
  type = object({
    emulated    = optional(bool, false)
    max_retries = optional(number, 25)
  })
  default = {}
}

variable "offline" {
  description = "Whether to plan without asking AWS anything, with credentials that need not exist. Such a plan is for reading."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Whether the lake's bucket refuses to be deleted. Where not, `terraform destroy` deletes it with all that it holds."
  type        = bool
  default     = true
}

variable "key_deletion_window_days" {
  description = "Days in which the deletion of the key can be taken back."
  type        = number
  default     = 30
}

variable "runbook_url" {
  description = "Page of the runbooks that alarms point at."
  type        = string
  default     = "docs/how-to/runbooks.md"
}

variable "trusted_principal_arns" {
  description = "Principals besides ECS tasks that may take the program's roles."
  type        = list(string)
  default     = []
}

variable "stream" {
  description = "The stream: `mode` PROVISIONED with `shards`, or ON_DEMAND; hours kept; minutes unread before the alarm."
  type = object({
    mode                       = optional(string, "PROVISIONED")
    shards                     = optional(number)
    retention_hours            = optional(number, 168)
    iterator_age_alarm_minutes = optional(number, 15)
  })
}

variable "lake" {
  description = "The bucket: its name (null: made from prefix, account and region), the lake's prefix in it, days that old versions are kept, bucket for access logs."
  type = object({
    bucket_name       = optional(string)
    prefix            = optional(string, "lake")
    noncurrent_days   = optional(number, 30)
    access_log_bucket = optional(string)
  })
  default = {}
}
