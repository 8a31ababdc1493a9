terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The modules take ">= 5.83, < 7.0". What is deployed is the version that our tests ran.
      version = "5.100.0"
    }
  }

  # Its settings are in environments/<name>/backend.hcl.
  backend "s3" {}
}

provider "aws" {
  region      = var.region
  max_retries = var.endpoint.max_retries

  # The guard against one environment's settings with another's credentials.
  allowed_account_ids        = var.offline ? null : [var.account_id]
  skip_requesting_account_id = var.offline

  # For endpoints that stand in for AWS; the address itself comes from AWS_ENDPOINT_URL.
  s3_use_path_style           = var.endpoint.emulated
  skip_credentials_validation = var.offline || var.endpoint.emulated
  skip_metadata_api_check     = var.offline || var.endpoint.emulated
  skip_region_validation      = var.endpoint.emulated

  default_tags {
    tags = merge(var.tags, {
      Application = var.name
      Environment = var.environment
      ManagedBy   = "terraform"
    })
  }
}
