variable "name" {
  description = "Name of the service or schedule, and of its task definition."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name takes 1 to 64 letters, digits, _ and -."
  }
}

variable "region" {
  description = "Region of the log group."
  type        = string
}

variable "cluster_arn" {
  description = "ECS cluster that tasks run in."
  type        = string
}

variable "cluster_name" {
  description = "Name of that cluster, for the alarms' metrics."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets for tasks."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of tasks."
  type        = list(string)
}

variable "image" {
  description = "Image with a tag or a digest; never `latest`."
  type        = string
}

variable "options" {
  description = "Options of Lakeward by their dotted name (docs/reference/configuration.md)."
  type        = map(string)
  default     = {}
}

variable "cpu_units" {
  description = "CPU of a task; 1024 are one core."
  type        = number
  default     = 1024
}

variable "memory_mib" {
  description = "Memory of a task in MiB."
  type        = number
  default     = 2048
}

variable "storage_gib" {
  description = "Storage of a task in GiB."
  type        = number
  default     = 30
}

variable "architecture" {
  description = "`ARM64` or `X86_64`, as the image was built."
  type        = string
  default     = "ARM64"
}

variable "stop_timeout_s" {
  description = "Seconds between SIGTERM and SIGKILL."
  type        = number
  default     = 120
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

variable "alarm_actions" {
  description = "ARNs that alarms tell when they begin and end."
  type        = list(string)
  default     = []
}

variable "runbook_url" {
  description = "Page of the runbooks; each alarm appends its section."
  type        = string
  default     = "docs/how-to/runbooks.md"
}

variable "health_command" {
  description = "Command in exec form whose exit code tells whether a restart would help; an outage of stream or catalog is no reason for one."
  type        = list(string)
  default     = ["/usr/local/bin/node", "--disable-warning=ExperimentalWarning", "/app/dist/cli/main.js", "health", "--live"]
}

variable "mode" {
  description = "`SERVICE`: runs all the time, seconds behind. `SCHEDULE`: runs until it has caught up, then ends."
  type        = string
  default     = "SERVICE"

  validation {
    condition     = contains(["SERVICE", "SCHEDULE"], var.mode)
    error_message = "mode is SERVICE or SCHEDULE."
  }
}

variable "schedule" {
  description = "When to run in mode SCHEDULE, as EventBridge writes it: `rate(15 minutes)` or `cron(…)`, in UTC."
  type        = string
  default     = null

  validation {
    condition     = var.schedule == null ? true : can(regex("^(rate|cron)\\(.+\\)$", var.schedule))
    error_message = "schedule is rate(…) or cron(…)."
  }
}

variable "scheduler_role_arn" {
  description = "Role by which the scheduler starts tasks; for mode SCHEDULE."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that the schedule is encrypted with."
  type        = string
}
