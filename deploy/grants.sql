-- The role that the service connects as: it can write down what it does, and change no audit record (docs/audit.md says why).
-- Run it as the owner of the tables after `myositis-cds db upgrade`, each time: a new version may have new tables.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'myositis_cds') THEN
        CREATE ROLE myositis_cds LOGIN;
    END IF;
END $$;
GRANT SELECT ON alembic_version TO myositis_cds;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    cards_shown, feedback, feedback_comments, installation, shadow_calls, smart_launches, snoozes, used_tokens TO myositis_cds;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO myositis_cds;
GRANT SELECT, INSERT, UPDATE ON audit_chains TO myositis_cds;
GRANT SELECT, INSERT ON audit_events TO myositis_cds;
