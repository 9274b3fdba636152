-- Webhook secrets may lie encrypted.  SQL has not the key: the programs encrypt those that are there (store/secrets.c).

ALTER TABLE webhook_secrets ADD COLUMN sealed BLOB CHECK ((sealed IS NULL) = (secret <> ''));
