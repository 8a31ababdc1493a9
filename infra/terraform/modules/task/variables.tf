variable "family" {
  description = "Name of the task definition."
  type        = string
}

variable "name" {
  description = "Name of the container and of its log streams: the role."
  type        = string
}

variable "image" {
  description = "Image with a tag or a digest; never `latest`."
  type        = string
}

variable "command" {
  description = "Arguments of the program, such as `[\"run\", \"processor\"]`."
  type        = list(string)
}

variable "options" {
  description = "Options of Lakeward by their dotted name (docs/reference/configuration.md); each becomes an environment variable."
  type        = map(string)
  default     = {}
}

variable "cpu_units" {
  description = "CPU of the task; 1024 are one core."
  type        = number
  default     = 1024

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu_units)
    error_message = "cpu_units is one of 256, 512, 1024, 2048, 4096, 8192, 16384."
  }
}

variable "memory_mib" {
  description = "Memory of the task in MiB; Fargate takes 2 to 8 times the CPU for most sizes."
  type        = number
  default     = 2048

  validation {
    condition     = var.memory_mib >= 512
    error_message = "memory_mib is at least 512."
  }
}

variable "storage_gib" {
  description = "Storage of the task in GiB, the work folder in it: batches on their way, and what a sort spills."
  type        = number
  default     = 30

  validation {
    condition     = var.storage_gib >= 21 && var.storage_gib <= 200
    error_message = "storage_gib is 21 to 200."
  }
}

variable "architecture" {
  description = "`ARM64` or `X86_64`, as the image was built."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture is ARM64 or X86_64."
  }
}

variable "work_folder" {
  description = "The one folder that can be written to, as the image has it."
  type        = string
  default     = "/var/lib/lakeward"
}

variable "stop_timeout_s" {
  description = "Seconds between SIGTERM and SIGKILL, in which the program commits what it holds. A kill loses nothing; it costs the work done again."
  type        = number
  default     = 120

  validation {
    condition     = var.stop_timeout_s >= 30 && var.stop_timeout_s <= 120
    error_message = "stop_timeout_s is 30 to 120; Fargate takes no more."
  }
}

variable "health_command" {
  description = "Command in exec form whose exit code tells the task's health; null: none, for tasks that end by themselves."
  type        = list(string)
  default     = null
}

variable "start_period_s" {
  description = "Seconds after the start in which a failed health check does not count; rebuilding the window takes a while. At most 300."
  type        = number
  default     = 120

  validation {
    condition     = var.start_period_s >= 0 && var.start_period_s <= 300
    error_message = "start_period_s is 0 to 300."
  }
}

variable "execution_role_arn" {
  description = "Role by which ECS pulls the image and writes logs."
  type        = string
}

variable "task_role_arn" {
  description = "Role of the program itself."
  type        = string
}

variable "log_group_name" {
  description = "Log group of the role."
  type        = string
}

variable "region" {
  description = "Region of the log group."
  type        = string
}
