# A million events an hour: 278 a second, 0.27 MiB/s of one-KiB events. One shard would do; two leave room for peaks.
environment = "prod"
region      = "eu-west-1"
account_id  = "333333333333"
tags        = { CostCentre = "data-platform" }

deletion_protection = true

# Seven days: a long weekend, and time to repair what broke in it.
stream = { shards = 2, retention_hours = 168 }
lake   = { noncurrent_days = 30 }

network = { availability_zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }

processor = { cpu_units = 1024, memory_mib = 2048, tasks_min = 1, tasks_max = 2 }
staging   = { mode = "SERVICE", cpu_units = 1024, memory_mib = 4096 }

observability = { log_days = 365 }
