"""What a lowered graph calls: functions of tensors, each complete in itself."""
