# An endpoint on this machine that stands in for AWS: LocalStack, moto or another.
environment = "local"
region      = "us-east-1"
account_id  = "000000000000"

endpoint     = { emulated = true, max_retries = 2 }
capabilities = { glue = false, containers = false, autoscaling = false }

deletion_protection      = false
key_deletion_window_days = 7
trusted_principal_arns   = ["arn:aws:iam::000000000000:root"]

stream        = { shards = 2, retention_hours = 24 }
lake          = { noncurrent_days = 1 }
observability = { log_days = 1 }
