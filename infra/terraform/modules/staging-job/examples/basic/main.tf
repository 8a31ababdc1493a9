module "staging" {
  source = "../.."

  name               = "lakeward-prod-staging"
  mode               = "SCHEDULE"
  schedule           = "rate(15 minutes)"
  region             = "eu-west-1"
  cluster_arn        = "arn:aws:ecs:eu-west-1:123456789012:cluster/lakeward-prod"
  cluster_name       = "lakeward-prod"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lakeward-prod:0.1.0"
  scheduler_role_arn = "arn:aws:iam::123456789012:role/lakeward-prod-scheduler"
  execution_role_arn = "arn:aws:iam::123456789012:role/lakeward-prod-execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/lakeward-prod-staging"
  log_group_name     = "/lakeward-prod/staging"
  kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}
