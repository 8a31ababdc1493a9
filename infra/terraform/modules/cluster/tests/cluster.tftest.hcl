# The real provider, offline: policies are rendered as AWS would get them.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "offline"
  secret_key                  = "offline"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

run "has_the_metrics_that_an_alarm_reads" {
  command = plan

  variables {
    name = "lakeward-x"
  }

  assert {
    condition     = anytrue([for setting in aws_ecs_cluster.this.setting : setting.name == "containerInsights" && setting.value == "enabled"])
    error_message = "Container Insights is on"
  }
}
