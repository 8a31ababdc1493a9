module "service_alarms" {
  source = "../.."

  service_name  = "lakeward-prod-staging"
  cluster_name  = "lakeward-prod"
  role          = "staging"
  alarm_actions = ["arn:aws:sns:eu-west-1:123456789012:lakeward-prod-alarms"]
}
