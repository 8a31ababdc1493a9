variable "name" {
  description = "Name of the Glue database."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9_]{1,255}$", var.name))
    error_message = "name takes small letters, digits and _: Athena asks for no other."
  }
}

variable "location_uri" {
  description = "Where the lake is, as `s3://bucket/prefix`."
  type        = string

  validation {
    condition     = startswith(var.location_uri, "s3://")
    error_message = "location_uri begins with s3://."
  }
}
