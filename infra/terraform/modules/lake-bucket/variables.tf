variable "name" {
  description = "Name of the bucket, unique in the whole partition."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name takes 3 to 63 small letters, digits and -; a dot would break TLS to the bucket's own host name."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "kms_key_arn" {
  description = "Key that objects are encrypted with."
  type        = string
}

variable "noncurrent_days" {
  description = "Days for which a deleted or replaced object can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days is at least 1."
  }
}

variable "lake_prefix" {
  description = "Prefix of the lake inside the bucket, without slashes around it; empty: the whole bucket."
  type        = string
  default     = ""

  validation {
    condition     = !startswith(var.lake_prefix, "/") && !endswith(var.lake_prefix, "/")
    error_message = "lake_prefix has no slash at its ends."
  }
}

variable "abort_multipart_days" {
  description = "Days after which the parts of an upload that nobody finished are removed."
  type        = number
  default     = 7

  validation {
    condition     = var.abort_multipart_days >= 1
    error_message = "abort_multipart_days is at least 1."
  }
}

variable "access_log_bucket" {
  description = "Bucket that takes this one's access logs; null: none. It needs a policy that lets logging.s3.amazonaws.com write."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Whether the bucket's own policy refuses to delete it, to administrators too."
  type        = bool
  default     = true
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete a bucket that holds objects. Only where the lake is worth nothing."
  type        = bool
  default     = false
}

variable "policy_enabled" {
  description = "Whether the bucket has its policy. `false` only at an emulator that takes a condition which does not hold for a refusal."
  type        = bool
  default     = true
}
