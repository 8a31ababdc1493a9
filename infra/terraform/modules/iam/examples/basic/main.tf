module "iam" {
  source = "../.."

  name          = "lakeward-prod"
  region        = "eu-west-1"
  account_id    = "123456789012"
  stream_name   = "lakeward-prod-events"
  bucket_name   = "lakeward-prod-lake-123456789012-eu-west-1"
  bucket_prefix = "lake"
  kms_alias     = "alias/lakeward-prod"
}
