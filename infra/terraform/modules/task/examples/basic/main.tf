module "task" {
  source = "../.."

  family             = "lakeward-prod-processor"
  name               = "processor"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lakeward-prod:0.1.0"
  command            = ["run", "processor"]
  options            = { "commit.maxAge" = "60s" }
  execution_role_arn = "arn:aws:iam::123456789012:role/lakeward-prod-execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/lakeward-prod-processor"
  log_group_name     = "/lakeward-prod/processor"
  region             = "eu-west-1"
}
