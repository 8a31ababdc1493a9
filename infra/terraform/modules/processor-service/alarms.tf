module "alarms" {
  source = "../service-alarms"

  service_name  = var.name
  cluster_name  = var.cluster_name
  role          = "processor"
  tasks_min     = var.tasks_min
  alarm_actions = var.alarm_actions
  runbook_url   = var.runbook_url
}
