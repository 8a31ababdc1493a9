variable "name" {
  description = "Beginning of the names of all roles and policies."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,48}$", var.name))
    error_message = "name takes 1 to 48 characters that role names take; the role's own follows it, and 64 is AWS' limit."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of stream, key and tables."
  type        = string
}

variable "account_id" {
  description = "Account that owns everything, 12 digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "stream_name" {
  description = "Name of the stream."
  type        = string
}

variable "fan_out_consumer" {
  description = "Consumer of enhanced fan-out that the processor may subscribe as; null: none."
  type        = string
  default     = null
}

variable "bucket_name" {
  description = "Name of the lake's bucket."
  type        = string
}

variable "bucket_prefix" {
  description = "Prefix of the lake inside the bucket, without slashes around it; empty: the whole bucket."
  type        = string
  default     = ""

  validation {
    condition     = !startswith(var.bucket_prefix, "/") && !endswith(var.bucket_prefix, "/")
    error_message = "bucket_prefix has no slash at its ends."
  }
}

variable "kms_alias" {
  description = "Alias, with `alias/`, of the key that stream and bucket are encrypted with."
  type        = string

  validation {
    condition     = startswith(var.kms_alias, "alias/")
    error_message = "kms_alias begins with alias/."
  }
}

variable "glue_database" {
  description = "Glue database of the tables; null: the catalog is in the bucket."
  type        = string
  default     = null
}

variable "containers" {
  description = "Names of what tasks need; null: no container runs, and their execution and scheduler roles are not made."
  type = object({
    cluster_name    = string
    repository_name = string
    log_group_names = list(string)
  })
  default = null
}

variable "trusted_principal_arns" {
  description = "Principals besides ECS tasks that may take the roles, such as a smoke test's."
  type        = list(string)
  default     = []
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds every role; null: none."
  type        = string
  default     = null
}
