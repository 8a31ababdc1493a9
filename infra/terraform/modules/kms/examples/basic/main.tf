module "kms" {
  source = "../.."

  name       = "lakeward-prod"
  region     = "eu-west-1"
  account_id = "123456789012"
}
