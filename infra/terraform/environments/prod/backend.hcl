bucket       = "lakeward-terraform-333333333333"
key          = "lakeward/prod/terraform.tfstate"
region       = "eu-west-1"
encrypt      = true
use_lockfile = true
