# For developers: small, cheap, may be destroyed with all that it holds.
environment = "dev"
region      = "eu-west-1"
account_id  = "111111111111"
tags        = { CostCentre = "data-platform" }

deletion_protection      = false
key_deletion_window_days = 7

stream = { mode = "ON_DEMAND", retention_hours = 24 }
lake   = { noncurrent_days = 7 }

network = { availability_zones = ["eu-west-1a"] }

processor = { cpu_units = 512, memory_mib = 1024 }
staging   = { mode = "SCHEDULE", schedule = "rate(15 minutes)", cpu_units = 512, memory_mib = 2048, storage_gib = 30 }

observability = { log_days = 14, alarms_off = ["no-commits"] }
