# More tasks while records wait, fewer when none do. Lag is what users feel; CPU says nothing of a throttled reader.

locals {
  scales  = var.tasks_max > var.tasks_min
  service = "service/${var.cluster_name}/${var.name}"

  # What is pushed to a consumer has a metric of its own; GetRecords has no data of it.
  lag_metric = var.fan_out_consumer == null ? "GetRecords.IteratorAgeMilliseconds" : "SubscribeToShardEvent.MillisBehindLatest"
  lag_of     = merge({ StreamName = var.stream_name }, var.fan_out_consumer == null ? {} : tomap({ ConsumerName = var.fan_out_consumer }))
}

resource "aws_appautoscaling_target" "this" {
  count = local.scales ? 1 : 0

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = local.service
  min_capacity       = var.tasks_min
  max_capacity       = var.tasks_max

  depends_on = [aws_ecs_service.this]
}

resource "aws_appautoscaling_policy" "out" {
  count = local.scales ? 1 : 0

  name               = "${var.name}-behind"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  step_scaling_policy_configuration {
    adjustment_type          = "PercentChangeInCapacity"
    min_adjustment_magnitude = 1
    metric_aggregation_type  = "Maximum"
    cooldown                 = 300

    # Above the threshold: half as many again. Above four times the threshold: twice as many.
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.scale_out_lag_s * 3000
      scaling_adjustment          = 50
    }

    step_adjustment {
      metric_interval_lower_bound = var.scale_out_lag_s * 3000
      scaling_adjustment          = 100
    }
  }
}

resource "aws_appautoscaling_policy" "in" {
  count = local.scales ? 1 : 0

  name               = "${var.name}-caught-up"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 900

    step_adjustment {
      metric_interval_upper_bound = 0
      scaling_adjustment          = -1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "behind" {
  count = local.scales ? 1 : 0

  alarm_name          = "${var.name}-behind"
  alarm_description   = "Starts more tasks; nobody is told. Runbook: ${var.runbook_url}#scaling"
  namespace           = "AWS/Kinesis"
  metric_name         = local.lag_metric
  dimensions          = local.lag_of
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = var.scale_out_lag_s * 1000
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_appautoscaling_policy.out[0].arn]
}

resource "aws_cloudwatch_metric_alarm" "caught_up" {
  count = local.scales ? 1 : 0

  alarm_name          = "${var.name}-caught-up"
  alarm_description   = "Stops a task when records have not waited for a while; nobody is told. Runbook: ${var.runbook_url}#scaling"
  namespace           = "AWS/Kinesis"
  metric_name         = local.lag_metric
  dimensions          = local.lag_of
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 15
  threshold           = var.scale_in_lag_s * 1000
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "ignore"
  alarm_actions       = [aws_appautoscaling_policy.in[0].arn]
}
