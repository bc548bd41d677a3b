-- The browser sees of its own connection whatever is not a token: also which account at Microsoft it is,
-- and how often its tokens were renewed.  Columns of the programs' own bookkeeping stay theirs.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        GRANT SELECT (token_version, tenant_id, account_id)
            ON public.calendar_connections TO authenticated;
    END IF;
END
$$;
