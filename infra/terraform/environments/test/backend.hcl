bucket       = "lakeward-terraform-222222222222"
key          = "lakeward/test/terraform.tfstate"
region       = "eu-west-1"
encrypt      = true
use_lockfile = true
