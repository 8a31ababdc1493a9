module "firehose" {
  source = "../.."

  name        = "lakeward-prod-firehose"
  region      = "eu-west-1"
  account_id  = "123456789012"
  stream_name = "lakeward-prod-events"
  bucket_name = "lakeward-prod-lake-123456789012-eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  kms_alias   = "alias/lakeward-prod"
}
