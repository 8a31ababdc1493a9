module "network" {
  source = "../.."

  name               = "lakeward-prod"
  region             = "eu-west-1"
  account_id         = "123456789012"
  availability_zones = ["eu-west-1a", "eu-west-1b"]
  bucket_names       = ["lakeward-prod-lake-123456789012-eu-west-1"]
  kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}
