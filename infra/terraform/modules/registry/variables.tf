variable "name" {
  description = "Name of the repository."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9/_.-]{1,255}$", var.name))
    error_message = "name is 2 to 256 small letters, digits, /, _, . and -."
  }
}

variable "kms_key_arn" {
  description = "Key that images are encrypted with."
  type        = string
}

variable "images_kept" {
  description = "Images to keep, the newest; older ones cannot be rolled back to."
  type        = number
  default     = 30

  validation {
    condition     = var.images_kept >= 2
    error_message = "images_kept is at least 2: with one there is nothing to roll back to."
  }
}

variable "force_delete" {
  description = "Whether `terraform destroy` may delete a repository that holds images."
  type        = bool
  default     = false
}
