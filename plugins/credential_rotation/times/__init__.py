"""When things fall due: durations, cron expressions and windows as people write them, as moments in UTC."""
