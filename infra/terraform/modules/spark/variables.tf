variable "name" {
  description = "Name of the application, and of its role's beginning."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9._-]{1,55}$", var.name))
    error_message = "name takes 1 to 55 letters, digits, ., _ and -."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of the application."
  type        = string
}

variable "account_id" {
  description = "Account that owns the application, 12 digits."
  type        = string
}

variable "release_label" {
  description = "EMR release; Spark Connect sessions need emr-7.13.0 or newer."
  type        = string
  default     = "emr-7.13.0"

  validation {
    condition     = can(regex("^emr-(7\\.(1[3-9]|[2-9][0-9])|([89]|[1-9][0-9])\\.[0-9]+)\\.[0-9]+$", var.release_label))
    error_message = "release_label is emr-7.13.0 or newer."
  }
}

variable "architecture" {
  description = "`ARM64` or `X86_64`."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture is ARM64 or X86_64."
  }
}

variable "idle_minutes" {
  description = "Minutes without work after which the application stops and costs nothing."
  type        = number
  default     = 15

  validation {
    condition     = var.idle_minutes >= 1 && var.idle_minutes <= 10080
    error_message = "idle_minutes is 1 to 10080."
  }
}

variable "max_vcpu" {
  description = "Most cores of all sessions together."
  type        = number
  default     = 32
}

variable "max_memory_gib" {
  description = "Most memory of all sessions together, in GiB."
  type        = number
  default     = 128
}

variable "max_disk_gib" {
  description = "Most disk of all sessions together, in GiB."
  type        = number
  default     = 640
}

variable "subnet_ids" {
  description = "Private subnets of driver and executors."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of driver and executors."
  type        = list(string)
}

variable "lake_policy_arn" {
  description = "Policy of a writer of the lake (module iam: `policy_arns[\"staging\"]`)."
  type        = string
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds the runtime role; null: none."
  type        = string
  default     = null
}
