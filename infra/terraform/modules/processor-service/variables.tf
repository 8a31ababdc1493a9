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

variable "command" {
  description = "Arguments of the program."
  type        = list(string)
  default     = ["run", "processor", "quarantine"]
}

variable "cluster_name" {
  description = "Name of the ECS cluster; known before it exists."
  type        = string
}

variable "stream_name" {
  description = "Stream whose lag scales the service."
  type        = string
}

variable "fan_out_consumer" {
  description = "Consumer of enhanced fan-out that the processor reads as, whose lag then scales it; null: it polls."
  type        = string
  default     = null
}

variable "tasks_min" {
  description = "Tasks that always run."
  type        = number
  default     = 1

  validation {
    condition     = var.tasks_min >= 1
    error_message = "tasks_min is at least 1: with none, nothing measures the lag that would start one."
  }
}

variable "tasks_max" {
  description = "Most tasks. More than the stream has shards are of no use. Equal to tasks_min: no autoscaling."
  type        = number
  default     = 1

  validation {
    condition     = var.tasks_max >= var.tasks_min
    error_message = "tasks_max is at least tasks_min."
  }
}

variable "scale_out_lag_s" {
  description = "Seconds that the oldest unread record waits, for three minutes, before tasks are added."
  type        = number
  default     = 300
}

variable "scale_in_lag_s" {
  description = "Seconds below which, for fifteen minutes, a task is taken away."
  type        = number
  default     = 30

  validation {
    condition     = var.scale_in_lag_s < var.scale_out_lag_s
    error_message = "scale_in_lag_s is below scale_out_lag_s, or tasks would come and go."
  }
}

variable "deployment_minimum_healthy_percent" {
  description = "Percent of the tasks that keep running while a new version is rolled out; 0: the old ones stop first."
  type        = number
  default     = 0

  validation {
    condition     = var.deployment_minimum_healthy_percent >= 0 && var.deployment_minimum_healthy_percent <= 100
    error_message = "deployment_minimum_healthy_percent is 0 to 100."
  }
}
