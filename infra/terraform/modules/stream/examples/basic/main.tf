module "stream" {
  source = "../.."

  name            = "lakeward-prod-events"
  shards          = 2
  retention_hours = 168
  kms_key_arn     = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  alarm_actions   = ["arn:aws:sns:eu-west-1:123456789012:lakeward-prod-alarms"]
}
