variable "name" {
  description = "Name of the key's alias, without `alias/`."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,250}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "name takes letters, digits, /, _ and -, and must not begin with aws/."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of the key."
  type        = string
}

variable "account_id" {
  description = "Account that owns the key, 12 digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "deletion_window_days" {
  description = "Days between a request to delete the key and its end, in which it can be taken back. Without the key the lake cannot be read by anybody."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is 7 to 30."
  }
}

variable "rotation_days" {
  description = "Days after which AWS makes new key material; the old stays for what it encrypted."
  type        = number
  default     = 365

  validation {
    condition     = var.rotation_days >= 90 && var.rotation_days <= 2560
    error_message = "rotation_days is 90 to 2560."
  }
}
