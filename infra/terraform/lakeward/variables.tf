variable "name" {
  description = "Name of the application; with the environment it begins every name."
  type        = string
  default     = "lakeward"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.name))
    error_message = "name is 1 to 20 small letters, digits and -, and begins with a letter."
  }
}

variable "environment" {
  description = "Name of the environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "environment is 1 to 16 small letters, digits and -, and begins with a letter."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  type        = string
  default     = "aws"

  validation {
    condition     = contains(["aws", "aws-cn", "aws-us-gov"], var.partition)
    error_message = "partition is aws, aws-cn or aws-us-gov."
  }
}

variable "region" {
  description = "Region of everything."
  type        = string
}

variable "account_id" {
  description = "Account of the environment, 12 digits. Credentials of any other account are refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "tags" {
  description = "Tags of every resource, besides Application, Environment and ManagedBy."
  type        = map(string)
  default     = {}
}

variable "endpoint" {
  description = "`emulated`: the address in AWS_ENDPOINT_URL stands in for AWS. `max_retries`: attempts of one request after the first."
  type = object({
    emulated    = optional(bool, false)
    max_retries = optional(number, 25)
  })
  default = {}
}

variable "offline" {
  description = "Whether to plan without asking AWS anything, with credentials that need not exist. Such a plan is for reading."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Whether the lake's bucket refuses to be deleted. Where not, `terraform destroy` deletes it with all that it holds."
  type        = bool
  default     = true
}

variable "key_deletion_window_days" {
  description = "Days in which the deletion of the key can be taken back."
  type        = number
  default     = 30
}

variable "runbook_url" {
  description = "Page of the runbooks that alarms point at."
  type        = string
  default     = "docs/how-to/runbooks.md"
}

variable "trusted_principal_arns" {
  description = "Principals besides ECS tasks that may take the program's roles."
  type        = list(string)
  default     = []
}

variable "stream" {
  description = "The stream: `mode` PROVISIONED with `shards`, or ON_DEMAND; hours kept; minutes unread before the alarm; consumer of enhanced fan-out that the processor reads as (null: it polls)."
  type = object({
    mode                       = optional(string, "PROVISIONED")
    shards                     = optional(number)
    retention_hours            = optional(number, 168)
    iterator_age_alarm_minutes = optional(number, 15)
    fan_out_consumer           = optional(string)
  })
}

variable "lake" {
  description = "The bucket: its name (null: made from prefix, account and region), the lake's prefix in it, days that old versions are kept, bucket for access logs."
  type = object({
    bucket_name       = optional(string)
    prefix            = optional(string, "lake")
    noncurrent_days   = optional(number, 30)
    access_log_bucket = optional(string)
  })
  default = {}
}

variable "permissions_boundary_arn" {
  description = "Policy that bounds every role; null: none."
  type        = string
  default     = null
}

variable "capabilities" {
  description = "What the endpoint has. LocalStack's free plan has no Glue, containers or autoscaling; moto denies everything once a bucket has a policy with conditions. Without `containers` there is no network, registry, cluster, service or Spark either; without `glue` the catalog is in the bucket."
  type = object({
    glue          = optional(bool, true)
    containers    = optional(bool, true)
    autoscaling   = optional(bool, true)
    bucket_policy = optional(bool, true)
  })
  default = {}
}

variable "network" {
  description = "Addresses, zones (one private subnet each) and what of the traffic is logged: `ALL`, `ACCEPT` or `REJECT`."
  type = object({
    cidr               = optional(string, "10.64.0.0/20")
    availability_zones = optional(list(string), [])
    flow_log_traffic   = optional(string, "REJECT")
  })
  default = {}
}

variable "image" {
  description = "Image to run, with tag or digest; null: `image_tag` in this environment's registry."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "Tag of the image in this environment's registry: the release."
  type        = string
  default     = "0.1.0"
}

variable "images_kept" {
  description = "Images that the registry keeps to roll back to."
  type        = number
  default     = 30
}

variable "architecture" {
  description = "`ARM64` or `X86_64`, as the image was built."
  type        = string
  default     = "ARM64"
}

variable "log_level" {
  description = "Option log.level of every role: `info`, or `debug` for more. Commits are counted from entries of level info, so that above it the alarm no-commits would never end."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["debug", "info"], var.log_level)
    error_message = "log_level is debug or info: alarms and dashboard count entries of level info."
  }
}

variable "processor" {
  description = "The processor: size of a task (1024 units are a core, MiB, GiB), tasks at least and at most, seconds of lag to scale by, further options of the program by dotted name."
  type = object({
    cpu_units       = optional(number, 1024)
    memory_mib      = optional(number, 2048)
    storage_gib     = optional(number, 30)
    tasks_min       = optional(number, 1)
    tasks_max       = optional(number, 1)
    scale_out_lag_s = optional(number, 300)
    scale_in_lag_s  = optional(number, 30)
    options         = optional(map(string), {})
  })
  default = {}
}

variable "staging" {
  description = "Staging: `SERVICE`, or `SCHEDULE` with `rate(…)` or `cron(…)`; size of its task; further options of the program."
  type = object({
    mode        = optional(string, "SERVICE")
    schedule    = optional(string)
    cpu_units   = optional(number, 1024)
    memory_mib  = optional(number, 4096)
    storage_gib = optional(number, 50)
    options     = optional(map(string), {})
  })
  default = {}
}

variable "transforms" {
  description = "Transforms, as staging, and their folder in the image, which has to be one that was made with them; null: none."
  type = object({
    dir         = optional(string, "/app/transforms")
    mode        = optional(string, "SCHEDULE")
    schedule    = optional(string, "rate(1 hour)")
    cpu_units   = optional(number, 1024)
    memory_mib  = optional(number, 4096)
    storage_gib = optional(number, 50)
    options     = optional(map(string), {})
  })
  default = null
}

variable "spark" {
  description = "An EMR Serverless application: idle minutes before it stops, most cores and GiB of all sessions; null: none."
  type = object({
    idle_minutes   = optional(number, 15)
    max_vcpu       = optional(number, 32)
    max_memory_gib = optional(number, 128)
  })
  default = null
}

variable "firehose" {
  description = "Firehose beside Lakeward, or instead of it: prefix in the bucket, seconds to buffer, the Iceberg table to append to (null: JSON objects); null: no Firehose."
  type = object({
    prefix   = optional(string, "firehose")
    buffer_s = optional(number, 300)
    iceberg = optional(object({
      database_name = string
      table_name    = string
      table_prefix  = string
    }))
  })
  default = null
}

variable "observability" {
  description = "Days to keep logs, addresses to mail alarms to, alarms not to make, minutes without a commit and quarantined records in five minutes before their alarms, whether to make a dashboard."
  type = object({
    log_days                 = optional(number, 365)
    alarm_emails             = optional(set(string), [])
    alarms_off               = optional(set(string), [])
    no_commits_alarm_minutes = optional(number, 30)
    quarantined_alarm_rows   = optional(number, 100)
    dashboard                = optional(bool, true)
  })
  default = {}
}
