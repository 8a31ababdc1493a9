bucket       = "lakeward-terraform-111111111111"
key          = "lakeward/dev/terraform.tfstate"
region       = "eu-west-1"
encrypt      = true
use_lockfile = true
