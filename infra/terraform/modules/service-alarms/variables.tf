variable "service_name" {
  description = "Name of the ECS service, known before it exists; it begins the alarms' names."
  type        = string
}

variable "cluster_name" {
  description = "Name of the ECS cluster that it runs in."
  type        = string
}

variable "role" {
  description = "Role of Lakeward, for the alarms' texts."
  type        = string
}

variable "tasks_min" {
  description = "Tasks that always run."
  type        = number
  default     = 1

  validation {
    condition     = var.tasks_min >= 1
    error_message = "tasks_min is at least 1: of a service that may have none, none is missing."
  }
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
