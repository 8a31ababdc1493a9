module "observability" {
  source = "../.."

  name         = "lakeward-prod"
  region       = "eu-west-1"
  account_id   = "123456789012"
  stream_name  = "lakeward-prod-events"
  kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  alarm_emails = ["on-call@example.com"]
}
