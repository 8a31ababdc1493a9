module "processor" {
  source = "../.."

  name               = "lakeward-prod-processor"
  region             = "eu-west-1"
  cluster_arn        = "arn:aws:ecs:eu-west-1:123456789012:cluster/lakeward-prod"
  cluster_name       = "lakeward-prod"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lakeward-prod:0.1.0"
  stream_name        = "lakeward-prod-events"
  tasks_min          = 1
  tasks_max          = 4
  execution_role_arn = "arn:aws:iam::123456789012:role/lakeward-prod-execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/lakeward-prod-processor"
  log_group_name     = "/lakeward-prod/processor"
}
