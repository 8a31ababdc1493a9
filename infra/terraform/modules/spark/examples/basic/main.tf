module "spark" {
  source = "../.."

  name               = "lakeward-prod-spark"
  region             = "eu-west-1"
  account_id         = "123456789012"
  subnet_ids         = ["subnet-0123456789abcdef0"]
  security_group_ids = ["sg-0123456789abcdef0"]
  lake_policy_arn    = "arn:aws:iam::123456789012:policy/lakeward-prod-staging"
}
