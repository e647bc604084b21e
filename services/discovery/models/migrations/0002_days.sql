-- Days are read by account. By this index the planner would read those of everybody, for each account anew.
DROP INDEX days_by_day;
