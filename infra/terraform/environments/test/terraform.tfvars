# Where a release shows that it works: as prod, with a tenth of its load.
environment = "test"
region      = "eu-west-1"
account_id  = "222222222222"
tags        = { CostCentre = "data-platform" }

deletion_protection = true

stream = { shards = 1, retention_hours = 48 }
lake   = { noncurrent_days = 7 }

network = { availability_zones = ["eu-west-1a", "eu-west-1b"] }

processor = { tasks_min = 1, tasks_max = 2 }
staging   = { mode = "SERVICE" }

observability = { log_days = 90 }
