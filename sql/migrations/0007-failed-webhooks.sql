-- Failed webhooks are found by when they failed, so that they can be sent again.
CREATE INDEX webhooks_failed ON webhooks (settled_at) WHERE status = 'failed';
